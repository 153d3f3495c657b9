"""What a process may still write that installs packages of strangers."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from ansible_collections.dlbox.workstation.plugins.module_utils.conda import child, confine, installed


def confined(folder: Path) -> str:
    """In a process of its own: writes what is allowed, tries the rest; what went wrong, or "none" without Landlock."""
    if not confine.write_only_below([folder]):
        return "none"
    outside = folder.parent / "outside"
    (folder / "link").symlink_to(outside)
    (folder / "a").mkdir()
    (folder / "a/new").write_text("new")
    os.link(folder / "a/new", folder / "hard")
    (folder / "a/new").rename(folder / "moved")
    (folder / "moved").unlink()
    Path(os.devnull).write_text("nothing")
    tries = {
        "by dots": lambda: (folder / "a/../../outside/planted").write_text("x"),
        "by a link": lambda: (folder / "link/planted").write_text("x"),
        "over a file": lambda: (outside / "file").write_text("x"),
        "hard link": lambda: os.link(folder / "hard", outside / "hard"),
        "rename": lambda: (folder / "hard").rename(outside / "hard"),
        "remove": lambda: (outside / "file").unlink(),
        "folder": lambda: (outside / "made").mkdir(),
    }
    done = []
    for name, one in tries.items():
        try:
            one()
        except OSError:
            continue
        done.append(name)
    return ", ".join(done)


def test_a_process_writes_below_its_folders_alone(tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/file").write_text("mine")
    (tmp_path / "inside").mkdir()
    outcome = child.run([lambda: confined(tmp_path / "inside")])[0]
    if outcome.value == "none":
        pytest.skip("this kernel has no Landlock of version 2")
    assert (outcome.error, outcome.value) == ("", "")
    assert [path.name for path in (tmp_path / "outside").iterdir()] == ["file"]
    assert (tmp_path / "outside/file").read_text() == "mine"
    (tmp_path / "outside/free").write_text("this process is as it was")


@pytest.mark.parametrize("path", ["L/../../../etc/cron.d/x", "/etc/passwd", ".."])
def test_a_package_with_files_outside_is_refused_by_its_name(tmp_path: Path, path: str) -> None:
    """Observed: rattler wrote such a file as root, by a link of the package's own in its cache."""
    (tmp_path / "conda-meta").mkdir()
    record = '{"name": "evil", "version": "1", "build": "0", "paths_data": {"paths": [{"_path": "%s"}]}}'
    (tmp_path / "conda-meta/evil-1-0.json").write_text(record % path)
    with pytest.raises(ValueError, match="the conda package evil names a file outside of its environment"):
        installed.conda_packages(tmp_path)
