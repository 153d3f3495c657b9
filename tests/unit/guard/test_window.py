"""The window's own Python: what runs ends with the window, what comes later does not start."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from ansible_collections.dlbox.workstation.plugins.module_utils.guard import sessions, window

PROJECT = Path(__file__).resolve().parents[3]
pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="/run is root's")


@pytest.fixture
def python(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setattr(window, "PLACE", Path(f"/run/dlbox-guard-test-{os.getpid()}"))
    yield Path(window.begin())
    window.close()


SLEEP = f"60.{os.getpid()}"


def sleeping() -> int:
    done = subprocess.run(["pgrep", "-xfc", f"sleep {SLEEP}"], capture_output=True, text=True, check=False)
    return int(done.stdout)


@pytest.mark.parametrize("argv", [["sleep", SLEEP], ["setsid", "sleep", SLEEP], ["sh", "-c", f"sleep {SLEEP}; true"]])
def test_what_runs_is_ended_with_what_it_started(python: Path, argv: list[str]) -> None:
    other = subprocess.Popen(["sleep", "61"])
    code = f"import subprocess; subprocess.Popen({argv}); input()"
    task = subprocess.Popen([python, "-c", code], stdin=subprocess.PIPE)
    end = time.monotonic() + 30
    while not sleeping() and time.monotonic() < end:
        time.sleep(0.1)
    window.close()
    assert window.is_busy(str(python), [])
    assert window.end_tasks(str(python), []) >= 2
    assert not window.is_busy(str(python), [])
    assert task.wait(10) == -signal.SIGKILL
    assert sleeping() == 0
    assert other.poll() is None, "nobody else's process is touched"
    other.kill()
    other.wait()


def test_what_has_detached_itself_is_ended_too(python: Path) -> None:
    """Observed: a double fork restarted sshd after the confirmation."""
    detach = (
        f"import os, sys\nif not os.fork():\n os.setsid()\n if not os.fork(): os.execvp('sleep', ['sleep', '{SLEEP}'])"
    )
    subprocess.run([sys.executable, "-c", detach], env={**os.environ, "DLBOX_GUARD_WINDOW": str(python)}, check=True)
    end = time.monotonic() + 30
    while not sleeping() and time.monotonic() < end:
        time.sleep(0.1)
    window.close()
    assert window.is_busy(str(python), [])
    assert window.end_tasks(str(python), []) == 1
    assert not window.is_busy(str(python), []) and sleeping() == 0


def test_what_runs_this_is_spared(python: Path) -> None:
    code = f"import sys; sys.path.insert(0, {str(PROJECT / 'collections')!r})\n"
    code += f"from {window.__package__} import window; window.PLACE = {str(window.PLACE)!r}\n"
    code += f"print(window.end_tasks({str(python)!r}, []))"
    argv = [python, "-c", code]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and done.stdout == "0\n", done


def test_a_python_of_mitogen_waits_for_tasks_and_is_none(python: Path) -> None:
    code = "import subprocess, sys\n"
    code += (
        "subprocess.Popen([sys.argv[1] + '(mitogen:root@laptop:42)', '-c', 'input()'], executable=sys.argv[1]).wait()"
    )
    sudo = subprocess.Popen([sys.executable, "-c", code, str(python)], stdin=subprocess.PIPE)
    end = time.monotonic() + 30
    while len(window.tasks(str(python), [])) < 2 and time.monotonic() < end:
        time.sleep(0.1)
    assert len(window.tasks(str(python), [])) == 2 and not window.is_busy(str(python), [])
    assert window.end_tasks(str(python), []) == 2
    assert sudo.wait(10) == -signal.SIGKILL


def test_the_tasks_of_another_window_are_left_alone(python: Path) -> None:
    """A host may be the controller of a second one, with the path of that one's window in the arguments of its ssh."""
    other = str(python.parent.with_name("0123456789abcdef") / "python3")
    client = subprocess.Popen(["sh", "-c", "sleep 60; true", other])
    assert window.end_tasks(str(python), []) == 0 and client.poll() is None
    client.kill()
    client.wait()


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    """Two processes: root's, and that of an account, which lets whoever reads its arguments wait for ever."""
    for pid, uid in ((7, 0), (8, 1000), (9, 1000)):
        folder = tmp_path / str(pid)
        (folder / "ns").mkdir(parents=True)
        (folder / "ns/pid").symlink_to("pid:[1]")
        (folder / "stat").write_text(f"{pid} (sshd) S 1" + " 0" * 17 + " 5 0")
        (folder / "status").write_text(f"Uid:\t{uid}\n")
        if pid == 8:
            os.mkfifo(folder / "cmdline")
        else:
            (folder / "cmdline").write_bytes(b"/run/dlbox-guard/1/python3\0-c\0")
    (tmp_path / "self").symlink_to("7")
    return tmp_path


def test_no_account_keeps_roots_tasks_from_being_found(proc: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(window, "SECONDS", 0.5)
    monkeypatch.setattr(sessions, "ancestors", lambda pid: [])
    assert set(sessions.processes(proc)) == {7, 8, 9}
    assert sessions.live_ssh_connections(proc) == []
    assert 7 in window.tasks("/run/dlbox-guard/1/python3", [1000], proc)
    assert set(window.tasks("/run/dlbox-guard/1/python3", [], proc)) == {7}, "of others nothing is read"


def test_anybody_may_start_it_and_root_alone_make_one(python: Path) -> None:
    for folder in python.parents[:2]:
        assert folder.stat().st_mode & 0o777 == 0o755 and folder.stat().st_uid == 0


def play(tmp_path: Path, python: Path, strategy: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run a role inside the guard's tasks, on this machine, with a guard that only answers."""
    guard = tmp_path / "dlbox-guard"
    guard.write_text("#!/bin/sh\n")
    guard.chmod(0o755)
    tasks = [
        {"ansible.builtin.shell": f"echo module > {tmp_path}/module", "ignore_errors": True, "notify": "late"},
        {"ansible.builtin.command": "true", "changed_when": True, "notify": "late", "delegate_to": "localhost"},
        {"ansible.builtin.command": "true", "changed_when": True, "delegate_to": "other"},
    ]
    handler = {"name": "late", "ansible.builtin.shell": f"echo handler > {tmp_path}/handler", "ignore_errors": True}
    for folder, content in (("tasks", tasks), ("handlers", [handler])):
        (tmp_path / "roles" / "quick" / folder).mkdir(parents=True, exist_ok=True)
        (tmp_path / "roles" / "quick" / folder / "main.yml").write_text(yaml.safe_dump(content))
    window_tasks = yaml.safe_load((PROJECT / "roles/access_guard/tasks/window.yml").read_text())
    variables = next(task for task in window_tasks if "block" in task)["block"][0]["vars"]
    plan = [
        {"ansible.builtin.include_vars": {"file": str(PROJECT / "roles/access_guard/vars/main.yml")}},
        {"ansible.builtin.set_fact": {"__access_guard_armed": {"stdout_lines": [f'{{"python": "{python}"}}']}}},
        {"ansible.builtin.include_tasks": str(PROJECT / "roles/access_guard/tasks/run.yml"), "vars": variables},
        {"ansible.builtin.meta": "flush_handlers"},
    ]
    given = {
        "__access_guard_role": "quick",
        "access_guard_window": 10,
        "role_path": str(PROJECT / "roles/access_guard"),
    }
    one = {"hosts": "box", "gather_facts": False, "vars": {**given, "ansible_become": False}, "tasks": plan}
    (tmp_path / "play.yml").write_text(yaml.safe_dump([one]))
    (tmp_path / "hosts.yml").write_text(
        "all: {hosts: {box: {ansible_connection: local}, other: {ansible_connection: local}}}\n"
    )
    environment = {
        **os.environ, "ANSIBLE_CONFIG": str(PROJECT / "ansible.cfg"), "ANSIBLE_ROLES_PATH": str(tmp_path / "roles"),
        **strategy,
    }  # fmt: skip
    argv = ["ansible-playbook", "-i", str(tmp_path / "hosts.yml"), "-e", f"__access_guard_command={guard}"]
    return subprocess.run(
        [*argv, str(tmp_path / "play.yml")], env=environment, capture_output=True, text=True, check=False
    )


def mitogen() -> dict[str, str]:
    """As the launcher sets it; nothing where mitogen is not installed."""
    found = subprocess.run([sys.executable, PROJECT / "scripts" / "mitogen-path"], capture_output=True, text=True)
    plugins = found.stdout.strip()
    return (
        {"ANSIBLE_STRATEGY": "mitogen_linear", "ANSIBLE_STRATEGY_PLUGINS": plugins, "ANSIBLE_SUDO_EXE": "sudo"}
        if plugins
        else {}
    )


@pytest.mark.parametrize("strategy", [{"ANSIBLE_STRATEGY": "linear"}, mitogen()], ids=["linear", "mitogen"])
def test_tasks_and_handlers_run_with_the_windows_python_and_not_without(
    tmp_path: Path, python: Path, strategy: dict[str, str]
) -> None:
    made = [tmp_path / name for name in ("module", "handler")]
    done = play(tmp_path, python, strategy)
    assert done.returncode == 0 and all(file.exists() for file in made), done.stdout + done.stderr
    for file in made:
        file.unlink()
    window.close()
    done = play(tmp_path, python, strategy)
    assert not any(file.exists() for file in made), done.stdout + done.stderr
    assert str(python) in done.stdout
