"""One connection per command, and passwords that nobody else can see."""

from __future__ import annotations

import json
import subprocess
import tempfile
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.dlbox.workstation.plugins.plugin_utils.doctor import reach, runner
from testinfra.backend.ssh import SshBackend

SECRET = "correct horse battery"


class Inventory:
    """Stands for testinfra's runner: one host over ssh, with these variables."""

    def __init__(self, **variables: Any) -> None:
        self.variables = variables
        options = "-o ControlMaster=auto -o ControlPersist=60s"
        self.backend = SshBackend("192.0.2.1", ssh_extra_args=options)

    def get_variables(self, name: str) -> dict[str, Any]:
        return self.variables

    def get_host(self, name: str) -> Any:
        return types.SimpleNamespace(backend=self.backend) if self.variables.get("known", True) else None


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A short one, as homes are: a socket's path has a limit that pytest's own folders can exceed."""
    with tempfile.TemporaryDirectory(prefix="home-") as folder:
        monkeypatch.setattr(Path, "home", lambda: Path(folder))
        yield Path(folder)


def command_line(inventory: Inventory) -> str:
    words, arguments = inventory.backend._build_ssh_command("true")
    return str(inventory.backend.get_command(" ".join(words), *arguments))


def test_the_connection_is_shared_in_a_folder_of_our_own(home: Path) -> None:
    """Observed: ControlMaster without a path shares nothing, so each command was a connection of its own."""
    inventory = Inventory()
    assert "ControlPath" not in command_line(inventory)
    reach.connect(inventory, "box")
    assert f"-o ControlPath={home}/.ansible/cp/dlbox-" in command_line(inventory)
    assert (home / ".ansible/cp").stat().st_mode & 0o777 == 0o700


def test_a_home_of_any_name_makes_a_good_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "home", lambda: Path("/tmp/a b%s;c"))
    monkeypatch.setattr(Path, "mkdir", lambda *arguments, **options: None)
    inventory = Inventory()
    reach.connect(inventory, "box")
    assert "ControlPath='/tmp/a b%s;c/.ansible/cp/dlbox-" in command_line(inventory)
    monkeypatch.setattr(Path, "home", lambda: Path("/" + 90 * "x"))
    inventory = Inventory()
    reach.connect(inventory, "box")  # too long for a socket
    assert "ControlPath" not in command_line(inventory)


def test_other_targets_have_other_connections() -> None:
    paths = {reach.socket("box", more) for more in ({}, {"ansible_port": 2222}, {"ansible_user": "ada"})}
    assert len(paths) == 3 and reach.socket("box", {}) in paths


@pytest.mark.parametrize("name", ["ansible_password", "ansible_ssh_pass"])
def test_a_login_password_never_gets_into_an_argument_list(name: str) -> None:
    with pytest.raises(runner.HostUnreachable, match=f"{name} is set.*ssh-copy-id 192.0.2.1") as refused:
        reach.connect(Inventory(ansible_host="192.0.2.1", **{name: SECRET}), "box")
    assert SECRET not in str(refused.value)
    assert reach.needs_ansible({name: SECRET}, "") and not reach.needs_ansible({}, "")


def test_a_host_that_testinfra_does_not_know_is_named() -> None:
    with pytest.raises(runner.HostUnreachable, match="'winrm': expected ssh, local or docker"):
        reach.connect(Inventory(known=False, ansible_connection="winrm"), "box")


def answer(monkeypatch: pytest.MonkeyPatch, stdout: str, stderr: str = "") -> list[dict[str, Any]]:
    """Stands for the program `ansible`; what it was called with."""
    calls: list[dict[str, Any]] = []

    def run(command: list[str], **options: Any) -> subprocess.CompletedProcess[str]:
        calls.append({"command": command, **options})
        return subprocess.CompletedProcess(command, 0, stdout, stderr)

    monkeypatch.setattr(reach.subprocess, "run", run)
    return calls


def test_the_password_of_sudo_goes_through_a_pipe_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Observed: it lay in a file under /tmp, and stayed there when the terminal went away."""
    evidence = {"root": True, "errors": {}, "time": 1.5}
    calls = answer(monkeypatch, "box | SUCCESS => " + json.dumps({"evidence": evidence}, indent=4) + "\n")
    assert reach.through_ansible("box", SECRET, {"collect": []}) == evidence
    (call,) = calls
    assert call["input"] == SECRET
    assert SECRET not in json.dumps([call["command"], call["env"]], default=str)


@pytest.mark.parametrize(
    ("stdout", "stderr", "why"),
    [
        ('box | FAILED! => {"msg": "Incorrect sudo password"}', "", "Incorrect sudo password"),
        ('box | UNREACHABLE! => {"msg": "no route", "unreachable": true}', "", "no route"),
        ("", "ERROR! something", "something"),
        ("", "", "ansible gave no answer"),
    ],
)
def test_what_ansible_says_is_passed_on(monkeypatch: pytest.MonkeyPatch, stdout: str, stderr: str, why: str) -> None:
    answer(monkeypatch, stdout, stderr)
    with pytest.raises(runner.HostUnreachable, match=why):
        reach.through_ansible("box", SECRET, {})


@pytest.mark.parametrize(
    ("rules", "root"),
    [
        ("User ada may run the following commands on box:\n    (ALL) NOPASSWD: ALL\n", True),
        ("    (ALL : ALL) ALL\n    (ALL) NOPASSWD: ALL\n", True),
        ("    (ALL) NOPASSWD: ALL\n    (ALL : ALL) ALL\n", False),
        ("    (ALL) ALL\n    (root) NOPASSWD: /usr/bin/apt\n", False),
        ("Matching Defaults entries for ada:\n    !authenticate\n\n    (ALL) ALL\n", True),
        ("", False),
    ],
)
def test_who_needs_a_password_is_not_tried(tmp_path: Path, rules: str, root: bool) -> None:
    """`sudo -n true` is an error in the journal of a host whose sudo asks for a password."""
    tried = tmp_path / "tried"
    stand_in = {
        "id": "echo 1000",
        "sudo": f'[ "$2" = -l ] && {{ printf %s "{rules}"; exit; }}; touch {tried}; shift; exec "$@"',
    }
    for name, text in stand_in.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{text}\n")
        (tmp_path / name).chmod(0o755)
    path = f"{tmp_path}:/usr/bin:/bin"
    command = ["/bin/sh", "-c", runner.AS_ROOT, "sh", "echo", "evidence"]
    done = subprocess.run(command, env={"PATH": path}, text=True, capture_output=True, check=True)
    assert done.stdout == "evidence\n" and tried.exists() is root
