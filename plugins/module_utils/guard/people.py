"""Who is connected when the guard is armed, and which later login proves that people still get in."""

from __future__ import annotations

import contextlib
import dataclasses
import re
from collections.abc import Collection
from pathlib import Path

from . import sessions
from .commands import run
from .sessions import PROC, Process, SshConnection

# Who confirms: the controller over a new connection, a person from elsewhere, or the person at the console.
CONTROLLER, PERSON, CONSOLE = "controller", "person", "console"


@dataclasses.dataclass(frozen=True)
class Situation:
    """How the guard was armed.

    ``controller`` is Ansible's process as [pid, start ticks], where it runs on this host. ``local_counts``: all came
    from the host's own addresses, through a tunnel, so that a proof can come from nowhere else. ``port`` is the host's
    that the run came in by, 0 where it did not come over ssh; behind a router the controller knows another.
    """

    confirmed_by: str
    people: list[str]
    admins: list[str]
    local_counts: bool
    address: str
    controller: list[int] | None
    port: int = 0


def same_machine_mark() -> str:
    """What two processes share that run on one machine and can see each other."""
    return f"{Path('/proc/sys/kernel/random/boot_id').read_text().strip()} {Path('/proc/self/ns/pid').readlink()}"


def controller_process(pid: int, proc: Path = PROC) -> list[int] | None:
    """The outermost process of Ansible around a process, as [pid, start ticks]."""
    found = [
        p
        for p in sessions.ancestors(pid, proc)
        if re.search(r"(^| |/)ansible(-\w+)?( |$)", " ".join(sessions.title(p.pid, proc).split()[:3]))
    ]
    return [found[-1].pid, found[-1].start_ticks] if found else None


def login_marks(pid: int, proc: Path = PROC) -> set[str]:
    """What ties a process to a login, also after sudo and in tmux: the scopes and audit sessions of its ancestors."""
    found = set()
    for process in sessions.ancestors(pid, proc):
        with contextlib.suppress(OSError):
            found |= set(re.findall(r"session-\w+\.scope", (proc / str(process.pid) / "cgroup").read_text()))
            found.add((proc / str(process.pid) / "sessionid").read_text().strip())
    return found - {"0", "4294967295"}  # no audit session: credentials(7)


def remote_sessions_of_logind(marks: Collection[str]) -> list[str]:
    """Accounts with a session that systemd-logind counts as remote and that has not ended.

    One that is closing has lost its connection. It counts where the run still belongs to it, by its ``marks``: who
    started it in tmux came from elsewhere, and has to come back. So does it where mosh goes on without the connection.
    """
    listed = [
        line.split()[0]
        for line in run(["loginctl", "list-sessions", "--no-legend"], seconds=10)[1].splitlines()
        if line
    ]
    ids = [word for word in listed if re.fullmatch(r"c?\d+", word)]
    shown = run(["loginctl", "show-session", *ids], seconds=10)[1] if ids else ""
    found = []
    for block in shown.split("\n\n"):
        values = dict(line.split("=", 1) for line in block.splitlines() if "=" in line)
        still = values.get("State") in ("active", "online") or {values.get("Scope"), values.get("Audit")} & set(marks)
        if values.get("Remote") == "yes" and still:
            found.append(values.get("Name", ""))
    return found


def assess(pid: int, controller_mark: str, admins: Collection[str], proc: Path = PROC) -> Situation:
    """Who is connected now, and who has to confirm a change that ``pid`` is about to make."""
    here = controller_mark == same_machine_mark()
    connections = sessions.live_ssh_connections(proc)
    own = sessions.host_addresses(proc)
    ours = sessions.connection_around(pid, connections, proc)
    controller = controller_process(pid, proc) if here else None
    if controller and ours in [sessions.connection_around(controller[0], connections, proc)]:
        ours = None  # The person's connection, around Ansible; the run itself has none.
    logged_in = [connection for connection in connections if connection.account and connection != ours]
    # Mosh leaves the ssh session that started it, which then counts as closing.
    mosh = [process for process in sessions.processes(proc).values() if is_mosh(process, proc)]
    marks = set().union(*(login_marks(one, proc) for one in [pid, *(process.pid for process in mosh)]))
    people = {str(connection.account) for connection in logged_in}
    people |= set(remote_sessions_of_logind(marks) if here or not ours else ())
    people |= {sessions.account_name(process.uid) for process in sessions.ancestors(pid, proc) if process in mosh}
    all_local = all(sessions.is_local_address(c.remote_address, own) for c in [*logged_in, *([ours] if ours else [])])
    from_elsewhere = (
        ours is not None and not here and (all_local or not sessions.is_local_address(ours.remote_address, own))
    )
    confirmed_by = CONTROLLER if from_elsewhere else PERSON if people else CONSOLE
    known = set(admins) or people
    if ours and ours.account:
        known |= {ours.account}
    used = ([ours] if ours else []) + logged_in
    return Situation(
        confirmed_by, sorted(people), sorted(known), bool(used) and all_local,
        used[0].local_address if used else "", controller, ours.local_port if ours else 0,
    )  # fmt: skip


def is_mosh(process: Process, proc: Path) -> bool:
    """Whether this serves somebody over mosh. Anybody may run it: it counts in a remote session, or around the run."""
    return process.name == "mosh-server" and sessions.runs_program(process.pid, ["mosh-server"], proc)


def _client(connection: SshConnection, proc: Path) -> int | None:
    """The process of this host that opened a connection from one of its own addresses."""
    far = (connection.remote_address, connection.remote_port)
    inodes = {entry.inode for entry in sessions.tcp_sockets(proc / "self" / "net") if entry.local == far}
    for pid in sessions.processes(proc):
        if inodes & set(sessions.held_sockets(pid, proc)):
            return pid
    return None


def objection(
    connection: SshConnection | None, mark: int, situation: Situation, proc: Path = PROC
) -> tuple[int, str] | None:
    """Why a connection does not prove that people get in since ``mark``: exit code and reason. None: it does."""
    if connection is None:
        return 4, "this is not an ssh session"
    if connection.start_ticks <= mark:
        return 5, "this ssh connection is older than the change and proves nothing; open a new one"
    if connection.account is None or connection.account not in situation.admins:
        return (
            7,
            f"{connection.account or 'nobody'} is none of the admins ({', '.join(situation.admins) or 'none known'})",
        )
    if sessions.is_local_address(connection.remote_address, sessions.host_addresses(proc)):
        if not situation.local_counts:
            return (
                7,
                f"a login from {connection.remote_address}, this host itself, proves nothing",
            )
        client = _client(connection, proc)
        if (
            situation.controller
            and client
            and situation.controller in [[p.pid, p.start_ticks] for p in sessions.ancestors(client, proc)]
        ):
            return 7, "this run made the login itself, on this host"
    return None
