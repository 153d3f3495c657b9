"""dpkg's database, read without dpkg, and systemd's answer."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from ansible.module_utils import basic
from ansible_collections.dlbox.workstation.plugins.module_utils.host.dpkg import UNFINISHED
from jupyter.module import run

STATUS = """\
Package: git
Status: install ok installed
Priority: optional
Description: fast
 Status: install ok unpacked is said here

Package: libc6
Status: install ok {state}
Architecture: amd64

Package: gone
Status: deinstall ok config-files
"""


@pytest.fixture
def database(tmp_path):
    (tmp_path / "updates").mkdir()
    (tmp_path / "status").write_text(STATUS.format(state="installed"))
    return tmp_path


def ask(database, *names):
    return run("system_state", {"packages": list(names), "database": str(database)})


def test_only_what_is_wholly_there_is_installed(database):
    said = ask(database, "gone", "git", "never-heard-of", "libc6")
    assert said["installed"] == ["git", "libc6"] and said["unfinished"] == [] and not said["changed"]


@pytest.mark.parametrize("state", sorted(UNFINISHED))
def test_a_package_in_the_middle_is_unfinished(database, state):
    (database / "status").write_text(STATUS.format(state=state))
    said = ask(database, "libc6")
    assert said["installed"] == [] and said["unfinished"] == ["libc6"]


def test_a_journal_that_dpkg_did_not_apply_is_unfinished(database):
    (database / "updates/0003").write_text("Package: git\n")
    assert ask(database, "git")["unfinished"] == ["dpkg"]


def test_a_host_without_dpkg_is_named(tmp_path):
    said = ask(tmp_path, "git")
    assert said["failed"] and str(tmp_path) in said["msg"]


def test_units_are_told_as_systemd_shows_them(database, monkeypatch):
    shown = "Id=ssh.service\nActiveState=active\nUnitFileState=enabled\n\n"
    shown += "Id=chrony.service\nActiveState=inactive\nUnitFileState=\n"
    monkeypatch.setattr(basic.AnsibleModule, "run_command", lambda *_arguments, **_named: (0, shown, ""))
    asked = {"packages": [], "units": ["ssh.service", "chrony.service", "gone.service"], "database": str(database)}
    none = {"enabled": False, "active": False}
    assert run("system_state", asked)["units"] == {
        "ssh.service": {"enabled": True, "active": True},
        "chrony.service": none,
        "gone.service": none,
    }


def test_a_host_without_systemd_has_no_units(database, monkeypatch):
    def missing(*_arguments, **_named):
        raise FileNotFoundError("systemctl")

    monkeypatch.setattr(basic.AnsibleModule, "run_command", missing)
    said = run("system_state", {"packages": [], "units": ["ssh.service"], "database": str(database)})
    assert said["units"] == {"ssh.service": {"enabled": False, "active": False}}


def test_it_says_what_dpkg_says():
    if not Path("/var/lib/dpkg/status").exists():
        pytest.skip("the controller is no Debian or Ubuntu")
    command = ["dpkg-query", "--show", "--showformat", "${db:Status-Status} ${Package}\n"]
    shown = [line.split() for line in subprocess.check_output(command, text=True).splitlines()]
    there = sorted({name for state, name in shown if state == "installed"})
    assert ask("/var/lib/dpkg", *sorted({name for _, name in shown}))["installed"] == there
