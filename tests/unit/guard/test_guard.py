"""The guard's states: who confirms, what time does, what a rollback does again, and what it leaves alone.

The files are real; the kernel's rules, units and accounts are those of a host that is held in memory.
"""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.dlbox.workstation.plugins.module_utils.guard import (
    accounts,
    cli,
    files,
    guard,
    kernel_rules,
    people,
    sessions,
    units,
    window,
)
from hypothesis import given, settings
from hypothesis import strategies as st

files.BALLOON, files.SPARE_INODES = 65536, 3
pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="owners and modes need root")
ELSEWHERE = "198.51.100.7"


@dataclasses.dataclass
class Host:
    """A host whose clock, sockets, rules and units the test sets."""

    base: Path
    now: float = 1000.0
    boot: str = "first"
    rules: str = "*filter\n:INPUT ACCEPT\nCOMMIT\n"
    connections: list[sessions.SshConnection] = dataclasses.field(default_factory=list)
    around: sessions.SshConnection | None = None
    running: dict[str, bool] = dataclasses.field(default_factory=lambda: {"ssh.service": True})
    commands: list[list[str]] = dataclasses.field(default_factory=list)
    refuses: str = ""

    @property
    def config(self) -> Path:
        return self.base / "etc" / "ssh" / "sshd_config"

    def guard(self) -> guard.Guard:
        return guard.Guard(self.base / "state")

    def arm(self, **more: Any) -> dict[str, Any]:
        request = {"window": 90, "paths": [str(self.base / "etc" / "ssh")], "units": ["ssh.service"], "accounts": []}
        return self.guard().arm({**request, "admins": ["ada"], "controller": "", **more})

    def login(self, account: str | None = "ada", address: str = ELSEWHERE) -> sessions.SshConnection:
        """Somebody connects now."""
        self.now += 1
        ticks = int(self.now * os.sysconf("SC_CLK_TCK"))
        made = sessions.SshConnection("192.0.2.5", 22, address, 50000 + len(self.connections), ticks, account, ticks)
        self.connections.append(made)
        return made

    def run(self, argv: list[str], text: str = "", seconds: float = 60) -> tuple[int, str]:
        self.commands.append(argv)
        if argv[0] == self.refuses:
            return 1, "it does not work"
        if argv[:2] == ["iptables-restore", "-w"]:
            self.rules = text
        return 0, self.rules if argv[0].endswith("-save") else ""


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Host]:
    base = Path("/var/lib/dlbox-test-guard") / tmp_path.name
    shutil.rmtree(base, ignore_errors=True)
    (base / "etc" / "ssh").mkdir(parents=True)
    made = Host(base)
    made.config.write_text("Port 22\n")
    for module in (guard, units, kernel_rules, files, people):
        monkeypatch.setattr(module, "run", made.run)
    monkeypatch.setattr(kernel_rules, "must", lambda argv, text="": _must(made, argv, text))
    monkeypatch.setattr(units, "must", lambda argv, text="": _must(made, argv, text))
    monkeypatch.setattr(kernel_rules, "XTABLES", ("iptables",))
    monkeypatch.setattr(kernel_rules, "_has", lambda program: program == "iptables-save")
    monkeypatch.setattr(units, "activity", lambda names: {name: made.running.get(name, False) for name in names})
    monkeypatch.setattr(units, "links", lambda names: [])
    monkeypatch.setattr(guard, "seconds_since_boot", lambda: made.now)
    monkeypatch.setattr(guard, "this_boot", lambda: made.boot)
    monkeypatch.setattr(sessions, "live_ssh_connections", lambda proc=None: list(made.connections))
    monkeypatch.setattr(sessions, "connection_around", lambda pid, among, proc=None: made.around)
    monkeypatch.setattr(sessions, "host_addresses", lambda proc=None: frozenset({"192.0.2.5"}))
    monkeypatch.setattr(window, "PLACE", base / "run")
    monkeypatch.setattr(window, "end_tasks", lambda python, uids: 7)
    yield made
    shutil.rmtree(base)


def _must(host: Host, argv: list[str], text: str) -> str:
    code, out = host.run(argv, text)
    if code:
        raise OSError(f"{argv[0]}: {out}")
    return out


def break_it(host: Host) -> None:
    host.config.write_text("AllowUsers adda\n")
    host.rules = "*filter\n:INPUT DROP\nCOMMIT\n"


def is_as_before(host: Host) -> bool:
    return host.config.read_text() == "Port 22\n" and "DROP" not in host.rules


# --- who confirms -----------------------------------------------------------------------------------------------------


def test_a_new_login_of_an_admin_from_elsewhere_confirms(host: Host) -> None:
    host.around = host.login()
    armed = host.arm()
    assert armed["confirmed_by"] == people.CONTROLLER and armed["port"] == 22
    break_it(host)
    host.guard().applied(30)
    for connection, code in ((None, 4), (host.around, 5)):
        host.around = connection
        with pytest.raises(guard.RefusedError) as refused:
            host.guard().confirm()
        assert refused.value.code == code
    for account, address in (("eve", ELSEWHERE), (None, ELSEWHERE), ("ada", "127.0.0.1"), ("ada", "192.0.2.5")):
        host.around = host.login(account, address)
        with pytest.raises(guard.RefusedError) as refused:
            host.guard().confirm()
        assert refused.value.code == 7
    host.around = host.login()
    host.guard().confirm()
    assert host.guard().phase() == "confirmed" and not is_as_before(host)
    assert not (host.base / "state" / "copies").exists() and not host.guard().snapshot_file.exists()


def test_on_the_box_in_an_ssh_session_somebody_has_to_log_in_anew(host: Host) -> None:
    """dlbox runs in a shell that came over ssh, also under sudo, tmux or screen: the host sees the connection."""
    host.login()
    armed = host.arm(controller=people.same_machine_mark())
    assert armed["confirmed_by"] == people.PERSON and armed["people"] == ["ada"] and armed["address"] == "192.0.2.5"
    break_it(host)
    host.guard().applied(90)
    with pytest.raises(guard.RefusedError, match="over ssh"):
        host.guard().confirm_at_console(22)
    host.login("ada", "127.0.0.1")
    host.login("eve")
    host.login(None)
    assert not host.guard().confirm_when_seen()
    host.login()
    assert host.guard().confirm_when_seen() and host.guard().phase() == "confirmed"


@pytest.mark.parametrize(
    ("state", "remote", "scope", "confirmed_by"),
    [
        ("active", "yes", "session-3.scope", people.PERSON),
        ("closing", "yes", "session-7.scope", people.PERSON),
        ("closing", "yes", "session-3.scope", people.CONSOLE),
        ("active", "no", "session-7.scope", people.CONSOLE),
    ],
)
def test_in_tmux_after_the_connection_was_lost_it_is_no_console(
    host: Host, monkeypatch: pytest.MonkeyPatch, state: str, remote: str, scope: str, confirmed_by: str
) -> None:
    def logind(argv: list[str], text: str = "", seconds: float = 60) -> tuple[int, str]:
        if argv[:2] == ["loginctl", "list-sessions"]:
            return 0, "7 1000 ada - 123 user - no -\n"
        return 0, f"Id=7\nName=ada\nScope={scope}\nAudit=0\nRemote={remote}\nState={state}\n"

    monkeypatch.setattr(people, "run", logind)
    monkeypatch.setattr(people, "login_marks", lambda pid, proc=None: {"session-7.scope"})
    assert host.arm(controller=people.same_machine_mark())["confirmed_by"] == confirmed_by


def test_what_ties_a_process_to_its_login(tmp_path: Path) -> None:
    for pid, parent, cgroup, audit in (
        (50, 40, "user@1.service/tmux.scope", "7"),
        (40, 1, "session-c2.scope", "4294967295"),
    ):
        folder = tmp_path / str(pid)
        folder.mkdir()
        (folder / "stat").write_text(f"{pid} (sh) S {parent} " + "0 " * 17 + "5 0 0\n")
        (folder / "status").write_text("Uid:\t0\t0\t0\t0\n")
        (folder / "cmdline").write_bytes(b"sh\0")
        (folder / "cgroup").write_text(f"0::/user.slice/user-1000.slice/{cgroup}\n")
        (folder / "sessionid").write_text(audit)
    assert people.login_marks(50, tmp_path) == {"7", "session-c2.scope"}


def test_through_a_tunnel_all_come_from_the_host_itself(host: Host) -> None:
    host.login("ada", "127.0.0.1")
    assert host.arm(controller=people.same_machine_mark())["confirmed_by"] == people.PERSON
    break_it(host)
    host.guard().applied(90)
    host.login("ada", "127.0.0.1")
    assert host.guard().confirm_when_seen()


def test_a_login_that_this_run_made_itself_is_no_proof(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    host.login("ada", "127.0.0.1")
    monkeypatch.setattr(people, "controller_process", lambda pid, proc=None: [77, 5])
    host.arm(controller=people.same_machine_mark())
    break_it(host)
    host.guard().applied(90)
    host.login("ada", "127.0.0.1")
    monkeypatch.setattr(people, "_client", lambda connection, proc: 99)
    monkeypatch.setattr(sessions, "ancestors", lambda pid, proc=None: [sessions.Process(77, 1, "ansible", 0, 5)])
    assert not host.guard().confirm_when_seen()


def test_at_the_console_with_nobody_on_ssh_sshd_has_to_answer(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    host.login(None)  # a scanner that never logs in
    assert host.arm()["confirmed_by"] == people.CONSOLE
    break_it(host)
    host.guard().applied(90)
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    monkeypatch.setattr(guard, "answers_as_sshd", lambda port: False)
    with pytest.raises(guard.RefusedError) as refused:
        host.guard().confirm_at_console(22)
    assert refused.value.code == 6
    monkeypatch.setattr(guard, "answers_as_sshd", lambda port: port == 22)
    host.guard().confirm_at_console(22)
    assert "a login was not tried" in host.guard().report()["why"]


def test_without_a_change_the_guard_lets_go(host: Host) -> None:
    host.arm()
    assert host.guard().applied(30) == "released"
    assert host.guard().phase() == "released"


# --- time and power ---------------------------------------------------------------------------------------------------


def test_nobody_answers_and_it_is_undone(host: Host, capsys: pytest.CaptureFixture[str]) -> None:
    host.around = host.login()
    host.arm()
    break_it(host)
    host.guard().applied(30)
    host.now += 29
    assert host.guard().tick() == "pending"
    host.now += 2
    assert host.guard().tick() == "rolled-back" and is_as_before(host)
    report = host.guard().report()
    assert report["reverted"] == ["firewall rules in the kernel (iptables)", str(host.config)]
    assert report["failed"] == [str(host.base / "state" / "failed")]
    assert "ended the tasks that still ran, 7 processes\nrolling back: " in capsys.readouterr().out


def test_a_wall_clock_that_jumps_means_nothing(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    host.arm()
    break_it(host)
    for moved in (-1e6, 1e9):
        monkeypatch.setattr(time, "time", lambda moved=moved: moved)
        assert host.guard().tick() == "pending"
    host.now += 100
    assert host.guard().tick() == "rolled-back"


def test_after_a_restart_files_come_first_and_the_kernels_rules_are_those_of_the_boot(host: Host) -> None:
    host.arm()
    break_it(host)
    host.boot, host.now, host.rules = "second", 5.0, "*filter\n:INPUT DROP\n-A INPUT -j after-boot\nCOMMIT\n"
    host.guard().boot()
    assert host.config.read_text() == "Port 22\n" and host.guard().phase() == "rolling-back"
    assert host.guard().tick() == "rolled-back"
    assert "after-boot" in host.rules, "what the boot loaded is not cut"
    assert ["systemctl", "restart", "ssh.service"] not in host.commands, "a fresh login is not cut"
    assert "restarted" in host.guard().report()["why"]


@pytest.mark.parametrize("enabled_in_the_window", [False, True])
def test_a_firewall_that_the_restart_loaded_stays_on(
    host: Host, monkeypatch: pytest.MonkeyPatch, enabled_in_the_window: bool
) -> None:
    """ufw had its rules in the kernel while its unit was not active, as after `ufw enable`."""
    link = host.base / "etc" / "ssh" / "ufw.service"
    host.arm(units=["ssh.service", "ufw.service"])
    break_it(host)
    if enabled_in_the_window:
        link.symlink_to("/usr/lib/systemd/system/ufw.service")
    host.boot = "second"
    host.running["ufw.service"] = True
    monkeypatch.setattr(units, "restore", lambda unit, active: host.running.update({unit: active}))
    host.guard().boot()
    assert host.guard().tick() == "rolled-back"
    assert host.running["ufw.service"] is not enabled_in_the_window


def test_files_that_only_come_back_after_the_boot_are_loaded(host: Host) -> None:
    host.arm()
    break_it(host)
    host.boot = "second"
    assert host.guard().tick() == "rolled-back" and is_as_before(host)
    assert ["systemctl", "restart", "ssh.service"] in host.commands


@pytest.mark.parametrize("damage", [b"", b"garbage", None])
def test_a_state_that_was_damaged_ends_in_a_rollback(host: Host, damage: bytes | None) -> None:
    host.arm()
    break_it(host)
    if damage is None:
        (host.base / "state" / "state").unlink()
    else:
        (host.base / "state" / "state").write_bytes(damage)
    host.guard().tick()
    assert host.guard().tick() in ("rolled-back", "rolling-back") and is_as_before(host)


def test_what_cannot_be_put_back_stops_nothing_else_and_is_tried_again(host: Host) -> None:
    host.arm()
    break_it(host)
    host.refuses = "iptables-restore"
    host.guard().rollback("by hand")
    assert host.guard().phase() == "partly" and host.config.read_text() == "Port 22\n"
    assert "iptables-restore: it does not work" in host.guard().report()["left"][0]
    host.config.write_text("repaired by hand\n")
    host.refuses = ""
    assert host.guard().tick() == "rolled-back" and "DROP" not in host.rules
    assert host.config.read_text() == "repaired by hand\n"


@pytest.mark.parametrize("step", range(0, 60, 3))
def test_killed_at_any_moment_the_next_tick_finishes(host: Host, step: int) -> None:
    from test_files import interrupted_at

    host.arm()
    break_it(host)
    host.now += 100
    interrupted_at(step, lambda: host.guard().tick())
    host.now += 1
    host.guard().tick()
    assert host.guard().phase() == "rolled-back" and host.config.read_text() == "Port 22\n"
    assert not host.guard().snapshot_file.exists()


def test_a_power_cut_after_the_end_leaves_no_unit_that_is_started_again(host: Host) -> None:
    host.arm()
    break_it(host)
    host.guard().rollback("by hand")
    host.commands.clear()
    host.guard().tick()
    assert ["systemctl", "disable", "--quiet", guard.SERVICE, guard.TIMER, guard.BOOT] in host.commands
    assert ["systemctl", "stop", "--no-block", guard.TIMER, guard.SERVICE] in host.commands


def test_after_its_end_nothing_is_touched(host: Host) -> None:
    for end in (lambda: host.guard().rollback("by hand"), lambda: host.guard().release()):
        host.arm()
        break_it(host)
        end()
        host.config.write_text("by hand\n")
        host.now += 1000
        host.guard().tick()
        assert host.config.read_text() == "by hand\n"
        assert ["systemctl", "disable", "--quiet", guard.SERVICE, guard.TIMER, guard.BOOT] in host.commands
        host.config.write_text("Port 22\n")
        host.rules = Host.rules


def test_on_a_full_disk_accounts_get_the_space_that_was_reserved(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    balloon = host.base / "state" / "copies" / "balloon"

    def put_back(name: str, field: str, before: dict[str, Any]) -> None:
        if balloon.exists():
            raise OSError("usermod: /etc/passwd.12: No space left on device")
        monkeypatch.setattr(accounts, "changed", lambda before: [])

    host.arm()
    break_it(host)
    monkeypatch.setattr(accounts, "changed", lambda before: [("ada", "groups")])
    monkeypatch.setattr(accounts, "put_back", put_back)
    host.guard().rollback("by hand")
    assert host.guard().phase() == "rolled-back" and "groups of ada" in host.guard().report()["reverted"]


# --- one at a time, refused cleanly -----------------------------------------------------------------------------------


def test_a_second_window_is_refused(host: Host) -> None:
    host.arm()
    with pytest.raises(guard.RefusedError, match="another change") as refused:
        host.arm()
    assert refused.value.code == 75


def test_a_run_whose_window_ended_leaves_the_next_ones_alone(host: Host) -> None:
    """Observed: a controller that went on after its rollback had the next run's change undone."""
    first = guard.Guard(host.base / "state", host.arm()["python"])
    break_it(host)
    host.guard().rollback("nobody came")
    second = guard.Guard(host.base / "state", host.arm()["python"])
    break_it(host)
    for command in (lambda: first.extend(90), lambda: first.applied(90), first.confirm, first.confirm_when_seen):
        with pytest.raises(guard.RefusedError, match="another run has armed the guard since") as refused:
            command()
        assert refused.value.code == 3
    first.rollback("it failed")
    assert first.report()["outcome"] == "superseded"
    assert second.phase() == "pending" and not is_as_before(host)
    second.rollback("it failed")
    assert second.report()["outcome"] == "rolled-back" and is_as_before(host)


def test_the_changes_are_made_when_nothing_of_the_window_runs_any_more(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Observed: a restart of sshd that a task left behind for later came after the confirmation, and locked out."""
    python, state = host.arm()["python"], host.base / "state"
    break_it(host)
    looks = iter([True, True, False])
    monkeypatch.setattr(window, "is_busy", lambda path, uids: path == python and next(looks))
    monkeypatch.setattr(cli.time, "sleep", lambda seconds: None)
    assert cli.perform(guard.Guard(state, python), "applied", ["90"]) == 0
    assert next(looks, None) is None and not Path(python).exists()
    monkeypatch.setattr(window, "is_busy", lambda path, uids: True)
    monkeypatch.setattr(cli.time, "sleep", lambda seconds: host.guard().rollback("the window ended"))
    with pytest.raises(guard.RefusedError, match="nothing is pending; the last change is rolled-back"):
        cli.perform(guard.Guard(state, python), "applied", ["90"])
    assert is_as_before(host)


def test_a_command_that_hangs_does_not_keep_the_lock(host: Host) -> None:
    code = f"import sys, time; sys.path.insert(0, {str(Path(cli.__file__).parents[6])!r})\n"
    code += f"from {cli.__package__} import cli\nwith cli.ended_in_time(1): time.sleep(60)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == -signal.SIGALRM
    host.arm()
    assert cli.perform(host.guard(), "extend", ["90"]) == 0
    assert signal.alarm(0) == 0, "of a command that is done nothing is left"


def test_an_end_that_was_cut_off_is_ended(host: Host) -> None:
    host.arm()
    host.guard().store.write({**host.guard().state(), "phase": "confirmed"})
    host.commands.clear()
    assert host.guard().tick() == "confirmed"
    assert ["systemctl", "disable", "--quiet", guard.SERVICE, guard.TIMER, guard.BOOT] in host.commands
    assert not host.guard().snapshot_file.exists()


def test_what_cannot_be_restored_is_refused_before_anything_is_made(host: Host) -> None:
    os.mkfifo(host.base / "etc" / "ssh" / "pipe")
    with pytest.raises(guard.RefusedError, match=r"Nothing was changed.*\n.*pipe") as refused:
        host.arm()
    assert refused.value.code == 65 and host.guard().phase() == "none"
    assert not list((host.base / "state").iterdir()) if (host.base / "state").exists() else True


def test_a_guard_whose_units_do_not_run_is_not_armed(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "run", lambda argv, *more: (3, "failed") if "is-active" in argv else (0, ""))
    with pytest.raises(guard.RefusedError, match="cannot be armed"):
        host.arm()
    assert host.guard().phase() == "none" and not (host.base / "state" / "copies").exists()


def test_a_held_lock_is_no_end_of_the_service(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    host.arm()
    break_it(host)
    host.now += 100
    holder = host.guard().lock()
    holder.__enter__()
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 3:
            holder.__exit__(None, None, None)

    monkeypatch.setattr(cli.time, "sleep", sleep)
    monkeypatch.setattr(cli, "this_boot", lambda: host.boot)
    assert cli.watch(host.guard()) == cli.FINISHED
    assert len(slept) >= 3 and host.guard().phase() == "rolled-back" and is_as_before(host)


def test_a_command_that_was_stopped_does_not_hold_the_rollback_up(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    host.arm()
    break_it(host)
    host.now += 100
    child = os.fork()
    if child == 0:  # as after Ctrl-Z
        with host.guard().lock():
            os.kill(os.getpid(), signal.SIGSTOP)
        os._exit(0)
    try:
        os.waitpid(child, os.WUNTRACED)
        monkeypatch.setattr(cli, "this_boot", lambda: host.boot)
        done = threading.Thread(target=cli.watch, args=[host.guard()], daemon=True)
        done.start()
        done.join(30)
        assert host.guard().phase() == "rolled-back" and is_as_before(host)
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def _open_descriptors(home: Path) -> list[str]:
    """What a process has open beyond the standard streams."""
    found = {number: Path(f"/proc/self/fd/{number}") for number in range(3, 256)}
    return [str(link.readlink()) for link in found.values() if link.is_symlink()]


def test_a_child_that_cannot_be_ended_does_not_hold_the_lock(host: Host) -> None:
    with host.guard().lock(0):
        child = os.fork()
        if child == 0:
            time.sleep(60)
            os._exit(0)
    try:
        with host.guard().lock(0):
            named = accounts.as_account("nobody", _open_descriptors)
            assert not [name for name in named if not name.startswith("pipe:")], "nothing of root's is inherited"
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


@pytest.mark.parametrize("damage", ["", "no json"])
def test_a_snapshot_that_is_gone_is_said_and_does_not_end_the_service(host: Host, damage: str) -> None:
    host.arm()
    break_it(host)
    kept = host.guard().snapshot_file.read_text()
    host.guard().snapshot_file.unlink()
    if damage:
        host.guard().snapshot_file.write_text(damage)
    host.now += 100
    assert host.guard().tick() == "partly"
    assert "what was before cannot be read" in host.guard().report()["left"][0]
    host.guard().snapshot_file.write_text(kept)
    assert host.guard().tick() == "rolled-back" and is_as_before(host)


@pytest.mark.parametrize(
    ("code", "told", "running"),
    [(3, "active\ninactive\nreloading\n", {"a", "c"}), (127, "timed out after 60 seconds", set())],
)
def test_units_that_systemd_says_nothing_of_do_not_run(
    monkeypatch: pytest.MonkeyPatch, code: int, told: str, running: set[str]
) -> None:
    monkeypatch.setattr(units, "run", lambda argv: (code, told))
    assert units.activity(["a", "b", "c"]) == {name: name in running for name in "abc"}


# --- rules that mean the same -----------------------------------------------------------------------------------------

BEFORE = "*filter\n:INPUT ACCEPT [0:0]\n:mine - [0:0]\n-A INPUT -j mine\n-A mine -p tcp --dport 22 -j ACCEPT\nCOMMIT\n"


@pytest.mark.parametrize(
    "now",
    [
        BEFORE.replace("[0:0]", "[12:3456]"),
        BEFORE + "*nat\n:PREROUTING ACCEPT [1:2]\n:POSTROUTING ACCEPT [0:0]\nCOMMIT\n",
        BEFORE.replace(":mine", ":f2b-sshd - [0:0]\n:mine").replace("-A INPUT", "-A INPUT -j f2b-sshd\n-A INPUT", 1),
        BEFORE.replace("-A INPUT -j mine", "-A FORWARD -o docker0 -j DOCKER\n-A INPUT -j mine\n-A DOCKER -j RETURN"),
    ],
)  # fmt: skip
def test_rules_that_mean_the_same_are_no_difference(now: str) -> None:
    assert kernel_rules.same_rules(BEFORE, now)


def test_an_empty_table_is_no_table_and_a_policy_is_a_difference() -> None:
    empty = "*filter\n:INPUT ACCEPT [5:6]\n:ufw-user-input - [0:0]\nCOMMIT\n"
    assert kernel_rules.same_rules("", empty) and kernel_rules.same_rules(empty, "")
    assert not kernel_rules.same_rules("", empty.replace("INPUT ACCEPT", "INPUT DROP"))
    assert not kernel_rules.same_rules(BEFORE, BEFORE.replace("dport 22", "dport 2222"))


def test_restoring_keeps_what_containers_and_bans_added() -> None:
    own = "-A INPUT -j f2b-sshd\n-A f2b-sshd -s 203.0.113.9 -j REJECT\n"
    now = f"*filter\n:INPUT DROP [0:0]\n:f2b-sshd - [0:0]\n{own}COMMIT\n"
    text = kernel_rules.restore_text(BEFORE, now)
    assert kernel_rules.same_rules(BEFORE, text)
    assert "-A f2b-sshd -s 203.0.113.9 -j REJECT" in text and "-A INPUT -j f2b-sshd" in text
    gone = kernel_rules.restore_text("", "*nat\n:PREROUTING DROP [0:0]\n-A PREROUTING -j DROP\nCOMMIT\n")
    assert gone == "*nat\n:PREROUTING ACCEPT [0:0]\nCOMMIT\n"


def test_what_docker_ends_its_chain_with_stays_at_its_end() -> None:
    """Before our jump it would let every published port past the firewall."""
    rules = ["-A DOCKER-USER -j dlbox-docker", "-A DOCKER-USER -j RETURN"]
    text = "\n".join(
        ["*filter", ":FORWARD DROP [0:0]", ":DOCKER-USER - [0:0]", ":dlbox-docker - [0:0]", *rules, "COMMIT"]
    )
    for now in (text, "", text.replace(rules[0], "-A DOCKER-USER -j ACCEPT")):
        restored = kernel_rules.restore_text(text, now).splitlines()
        assert [line for line in restored if line.startswith("-A DOCKER-USER")] == rules, now
    # What somebody put behind it had no effect, and gets none.
    idle = "\n".join(["*filter", ":DOCKER-USER - [0:0]", *reversed(rules), "COMMIT"])
    restored = kernel_rules.restore_text(idle, text).splitlines()
    assert [line for line in restored if line.startswith("-A DOCKER-USER")] == [*reversed(rules)]


CHAINS = st.dictionaries(st.sampled_from(["a", "b", "INPUT"]), st.lists(st.sampled_from(["-j a", "-j DROP", "-p tcp"])))


@given(CHAINS, CHAINS)
@settings(deadline=None)
def test_what_is_restored_means_what_was(before: dict[str, list[str]], now: dict[str, list[str]]) -> None:
    def text(chains: dict[str, list[str]]) -> str:
        names = [f":{chain} {'DROP' if chain.isupper() else '-'} [0:0]" for chain in chains]
        return "\n".join(
            ["*filter", *names, *(f"-A {c} {rule}" for c, rules in chains.items() for rule in rules), "COMMIT"]
        )

    assert kernel_rules.same_rules(text(before), kernel_rules.restore_text(text(before), text(now)))


def test_tables_of_nft_without_a_decision_are_none() -> None:
    idle = "table inet x {\n\tchain input {\n\t\ttype filter hook input priority filter; policy accept;\n\t}\n}\n"
    assert kernel_rules.plain_nft(idle) == ""
    assert kernel_rules.plain_nft(idle.replace("accept", "drop"))
    before = {"nft": {"inet x": idle}}
    assert kernel_rules.differing(before, {"nft": {}}) == []
    assert kernel_rules.differing(before, {"nft": {"inet y": idle.replace("accept", "drop")}}) == ["nft"]


# --- keys with the account's own rights ------------------------------------------------------------------------------


def test_keys_are_put_back_and_nothing_is_lost(tmp_path: Path) -> None:
    ssh = tmp_path / ".ssh"
    ssh.mkdir()
    (ssh / "authorized_keys").write_text("key\n")
    (ssh / "id_ed25519").write_text("private\n")
    keys = accounts._read_and_reserve(tmp_path)
    accounts.put_back_keys(tmp_path, keys)
    shutil.rmtree(ssh)
    accounts.put_back_keys(tmp_path, keys)
    assert (ssh / "authorized_keys").read_text() == "key\n" and ssh.stat().st_mode & 0o777 == 0o700
    accounts.put_back_keys(tmp_path, None)
    assert sorted(path.name for path in ssh.iterdir()) == ["authorized_keys.dlbox-undone"]


def test_an_account_made_in_the_window_stays_without_a_way_to_log_in(monkeypatch: pytest.MonkeyPatch) -> None:
    now: dict[str, Any] | None = None
    commands: list[list[str]] = []
    monkeypatch.setattr(accounts, "read_fields", lambda name: now)
    monkeypatch.setattr(accounts, "as_account", lambda name, work: {"text": "key\n", "mode": 0o600})
    monkeypatch.setattr(accounts, "must", commands.append)
    before = json.loads(json.dumps(accounts.read(["eva"])))
    assert accounts.changed(before) == [], "it was not made"
    now = {"shell": "/bin/bash", "groups": ["sudo"], "expiry": "", "locked": False}
    changed = accounts.changed(before)
    assert changed == [("eva", "groups"), ("eva", "locked"), ("eva", "authorized_keys")]
    for name, field in changed:
        accounts.put_back(name, field, before)
    assert commands == [["usermod", "--groups", "", "eva"], ["usermod", "--lock", "eva"]]


@pytest.mark.parametrize("trap", ["pipe", "giant", "directory"])
def test_keys_that_are_no_plain_file_are_refused_at_once(tmp_path: Path, trap: str) -> None:
    (tmp_path / ".ssh").mkdir()
    keys = tmp_path / accounts.KEYS
    if trap == "pipe":
        os.mkfifo(keys)
    elif trap == "giant":
        keys.touch()
        os.truncate(keys, 400 << 30)
    else:
        keys.mkdir()
    with pytest.raises(OSError):
        accounts.read_keys(tmp_path)


@pytest.mark.parametrize("trap", ["pipe", "giant"])
def test_a_replacement_that_was_swapped_is_neither_waited_for_nor_read_whole(tmp_path: Path, trap: str) -> None:
    (tmp_path / ".ssh").mkdir()
    (tmp_path / accounts.KEYS).write_text("key\n")
    keys = accounts._read_and_reserve(tmp_path)
    ready = tmp_path / accounts.READY
    ready.unlink()
    if trap == "pipe":
        os.mkfifo(ready)
    else:
        ready.touch()
        os.truncate(ready, 400 << 30)
    (tmp_path / accounts.KEYS).write_text("other\n")
    accounts.put_back_keys(tmp_path, keys)
    assert (tmp_path / accounts.KEYS).read_text() == "key\n"


def test_the_child_is_the_account_and_a_link_leads_only_where_the_account_may_go(tmp_path: Path) -> None:
    def who(home: Path) -> list[int]:
        return [os.geteuid(), os.getegid(), *os.getgroups()]

    assert accounts.as_account("nobody", who)[0] == 65534
    with pytest.raises(OSError, match="Permission denied"):
        accounts.as_account("nobody", lambda home: Path("/etc/shadow").read_text())
    with pytest.raises(OSError, match="no account"):
        accounts.as_account("nobody-has-this", who)


def test_a_home_that_does_not_answer_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accounts, "SECONDS", 1)
    with pytest.raises(OSError, match="did not answer"):
        accounts.as_account("nobody", lambda home: time.sleep(30))


def test_the_report_reads_as_text(host: Host) -> None:
    host.arm()
    break_it(host)
    host.guard().rollback("by hand")
    report = json.loads(json.dumps(host.guard().report()))
    assert "outcome: rolled-back\nwhy: by hand\nreverted: firewall rules" in cli.as_text(report)


def test_a_socket_for_both_families_serves_where_the_host_has_no_ipv6_address(monkeypatch: pytest.MonkeyPatch) -> None:
    """Observed: ssh.socket listens on [::], the host has no ::1, and a good change was undone at the console."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        listening = types.SimpleNamespace(local=("::", port), state=sessions.LISTEN)
        monkeypatch.setattr(sessions, "tcp_sockets", lambda net: [listening])

        def greet() -> None:
            with listener.accept()[0] as connection:
                connection.sendall(b"SSH-2.0-OpenSSH\r\n")

        server = threading.Thread(target=greet, daemon=True)
        server.start()
        assert guard.answers_as_sshd(port)
        server.join(10)
