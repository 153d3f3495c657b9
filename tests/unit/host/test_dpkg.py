"""dpkg's database, read without dpkg."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from ansible_collections.dlbox.workstation.plugins.module_utils.host import dpkg


def entry(name: str, status: str, version: str = "1", architecture: str = "amd64") -> str:
    description = "Description: fast\n Status: install ok unpacked is said here\n .\n Version: 9\n"
    return (
        f"Package: {name}\nStatus: {status}\nArchitecture: {architecture}\nSource: {name} (2)\n"
        f"Version: {version}\n{description}\n"
    )


def database(folder: Path, *entries: str, **updates: str) -> Path:
    (folder / "updates").mkdir()
    (folder / "status").write_text("".join(entries))
    for name, text in updates.items():
        (folder / "updates" / name.removeprefix("n")).write_text(text)
    return folder


def test_dpkgs_states(tmp_path: Path) -> None:
    found = dpkg.read_packages(
        database(
            tmp_path,
            entry("nvidia-dkms-580", "install ok half-configured", "580.1-1"),
            entry("old", "deinstall ok config-files"),
            entry("x", "hold ok installed", "1:2-3"),
            entry("never", "install ok not-installed"),
        )
    )
    assert list(found) == ["nvidia-dkms-580", "old", "x"]
    assert list(dpkg.read_packages(tmp_path, "nv")) == ["nvidia-dkms-580"]
    assert found["nvidia-dkms-580"].unfinished and found["nvidia-dkms-580"].installed
    assert not found["nvidia-dkms-580"].configured
    assert not found["old"].installed and not found["old"].unfinished
    assert found["x"].want == "hold" and found["x"].configured and found["x"].version == "1:2-3"


def test_of_several_architectures_the_configured_one_counts(tmp_path: Path) -> None:
    known = database(
        tmp_path,
        entry("libx", "deinstall ok config-files", "1", "i386"),
        entry("libx", "install ok installed", "2", "amd64"),
        entry("liby", "install ok installed", "1", "amd64"),
        entry("liby", "install ok unpacked", "2", "i386"),
    )
    found = dpkg.read_packages(known)
    assert (found["libx"].version, found["liby"].version) == ("2", "1")
    assert [one.name for one in dpkg.read_entries(known) if one.unfinished] == ["liby"], "either may be unfinished"


def test_what_a_dpkg_that_was_cut_off_had_done_counts(tmp_path: Path) -> None:
    known = database(
        tmp_path,
        entry("a", "install ok installed"),
        entry("b", "install ok installed"),
        n0001=entry("a", "install ok unpacked", "2"),
        n0002=entry("b", "purge ok not-installed", ""),
        n0003=entry("a", "install ok half-configured", "2"),
        ntmp="Package: a\nSta",
    )
    assert [path.name for path in dpkg.journal(known)] == ["0001", "0002", "0003"]
    found = dpkg.read_packages(known)
    assert list(found) == ["a"] and (found["a"].version, found["a"].status) == ("2", "half-configured")


@pytest.mark.parametrize(
    ("version", "vendor"),
    [("580.178.04-0ubuntu0.24.04.1", "580.178.04"), ("1:550.163.01-2", "550.163.01"), ("535.309.01", "535.309.01")],
)
def test_the_vendors_part_of_a_version(version: str, vendor: str) -> None:
    assert dpkg.upstream(version) == vendor


def test_no_database_is_not_an_empty_one(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="status"):
        dpkg.read_packages(tmp_path)


def test_it_says_what_dpkg_query_says() -> None:
    if not (dpkg.DATABASE / "status").exists():
        pytest.skip("the controller is no Debian or Ubuntu")
    fields = "${Package}\\t${Version}\\t${db:Status-Want}\\t${db:Status-Status}\\t${Architecture}\\n"
    shown = subprocess.check_output(["dpkg-query", "-W", "-f", fields], text=True).splitlines()
    ours = {(one.name, one.version, one.want, one.status, one.architecture) for one in dpkg.read_entries()}
    assert ours == {tuple(line.split("\t")) for line in shown}
