"""Who is connected to this host's sshd, read from the kernel: processes, their sockets and accounts (proc(5)).

Everything is read below a given /proc; no command is run. Only root may read the sockets of sshd's processes: for
anybody else the list of connections is empty.
"""

from __future__ import annotations

import contextlib
import dataclasses
import ipaddress
import os
import pwd
import re
import socket
import sys
from collections.abc import Collection
from pathlib import Path

PROC = Path("/proc")
ESTABLISHED, LISTEN = "01", "0A"
# One process per connection is root's: sshd before OpenSSH 9.8, sshd-session since.
SESSION_NAMES = ("sshd", "sshd-session")


@dataclasses.dataclass(frozen=True)
class SshConnection:
    """One TCP connection to sshd.

    ``pid`` is root's process for this connection alone, and ``start_ticks`` its start in clock ticks since boot: it was
    forked when the connection was accepted. ``account`` is None until somebody is logged in.
    """

    local_address: str
    local_port: int
    remote_address: str
    remote_port: int
    pid: int
    account: str | None
    start_ticks: int


@dataclasses.dataclass(frozen=True)
class Process:
    """What /proc says about a process; ``uid`` is the real user id, ``start_ticks`` counts from boot."""

    pid: int
    parent: int
    name: str
    uid: int
    start_ticks: int


@dataclasses.dataclass(frozen=True)
class TcpSocket:
    """A line of /proc/net/tcp; ``uid`` is the account that made it."""

    local: tuple[str, int]
    remote: tuple[str, int]
    state: str
    uid: int
    inode: int


def normal_address(address: str) -> str:
    """An address in the one form that compares: no zone, and IPv4 where it is mapped into IPv6.

    Raises:
        ValueError: it is no address.
    """
    parsed = ipaddress.ip_address(address.partition("%")[0])
    mapped = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
    return str(mapped or parsed)


def _endpoint(text: str) -> tuple[str, int]:
    """Address and port as /proc/net/tcp and tcp6 write them: 32-bit words in the machine's byte order, in hex."""
    words, _, port = text.partition(":")
    raw = b"".join(int(words[at : at + 8], 16).to_bytes(4, sys.byteorder) for at in range(0, len(words), 8))
    family = socket.AF_INET if len(raw) == 4 else socket.AF_INET6
    return normal_address(socket.inet_ntop(family, raw)), int(port, 16)


def tcp_sockets(net: Path) -> list[TcpSocket]:
    """The TCP sockets of a network namespace; ``net`` is its /proc/PID/net."""
    found = []
    for name in ("tcp", "tcp6"):
        with contextlib.suppress(OSError):
            for line in (net / name).read_text().splitlines()[1:]:
                words = line.split()
                found.append(
                    TcpSocket(_endpoint(words[1]), _endpoint(words[2]), words[3], int(words[7]), int(words[9]))
                )
    return found


def read_process(pid: int, proc: Path = PROC) -> Process | None:
    """A process, or None where it has ended."""
    try:
        stat = (proc / str(pid) / "stat").read_text()
        status = (proc / str(pid) / "status").read_text()
    except OSError:
        return None
    # The name stands in parentheses and may hold blanks and parentheses itself.
    name, fields = stat[stat.index("(") + 1 : stat.rindex(")")], stat[stat.rindex(")") + 1 :].split()
    uid = re.search(r"^Uid:\s+(\d+)", status, re.M)
    return Process(pid, int(fields[1]), name, int(uid.group(1)) if uid else -1, int(fields[19]))


def title(pid: int, proc: Path = PROC) -> str:
    """A process's arguments; "" where it has ended.

    Only for programs of root's: an account can let whoever reads those of a process of its own wait for ever, by a
    change of its memory that a filesystem of its own never answers.
    """
    with contextlib.suppress(OSError):
        words = (proc / str(pid) / "cmdline").read_bytes().rstrip(b"\0").replace(b"\0", b" ")
        return words.decode(errors="replace")
    return ""


def account_name(uid: int) -> str:
    """The name of a user id, or the number."""
    with contextlib.suppress(KeyError):
        return pwd.getpwuid(uid).pw_name
    return str(uid)


def processes(proc: Path = PROC) -> dict[int, Process]:
    """All processes by their id."""
    found = (read_process(int(entry.name), proc) for entry in proc.iterdir() if entry.name.isdigit())
    return {process.pid: process for process in found if process}


def ancestors(pid: int, proc: Path = PROC) -> list[Process]:
    """A process and those that started it, without init."""
    found: list[Process] = []
    while pid > 1 and len(found) < 1000:
        process = read_process(pid, proc)
        if process is None:
            break
        found.append(process)
        pid = process.parent
    return found


def _is_roots(status: os.stat_result) -> bool:
    """Whether root alone can write what has this status. Debian's older /usr/local is also that of its group staff."""
    return status.st_uid == 0 and not status.st_mode & (0o002 if status.st_gid in (0, 50) else 0o022)


def runs_program(pid: int, names: Collection[str], proc: Path = PROC) -> bool:
    """Whether a process runs a program of root's that is called so. The process's own name is anybody's to choose.

    An upgrade may have replaced the program since; the kernel says so behind its path (proc_pid_exe(5)).
    """
    link = proc / str(pid) / "exe"
    with contextlib.suppress(OSError):
        path = Path(str(link.readlink()).removesuffix(" (deleted)"))
        return path.name in names and all(map(_is_roots, [link.stat(), *(folder.lstat() for folder in path.parents)]))
    return False


def _is_session(process: Process, proc: Path) -> bool:
    """Whether this is a process of root's sshd that serves one connection, not the listener."""
    if process.uid != 0 or process.name not in SESSION_NAMES or not runs_program(process.pid, SESSION_NAMES, proc):
        return False
    return "[listener]" not in title(process.pid, proc)


def same_host(pid: int, proc: Path) -> bool:
    """Whether a process shares this one's network and process ids; an sshd in a container is another host's."""
    for kind in ("net", "pid"):
        with contextlib.suppress(OSError):
            if (proc / str(pid) / "ns" / kind).readlink() != (proc / "self" / "ns" / kind).readlink():
                return False
    return True


def held_sockets(pid: int, proc: Path) -> list[int]:
    """Inodes of a process's sockets, in the order of its descriptors."""
    found: dict[int, int] = {}
    with contextlib.suppress(OSError):
        for entry in (proc / str(pid) / "fd").iterdir():
            with contextlib.suppress(OSError):
                inode = re.fullmatch(r"socket:\[(\d+)\]", str(entry.readlink()))
                if inode:
                    found[int(entry.name)] = int(inode.group(1))
    return [found[descriptor] for descriptor in sorted(found)]


def _account(monitor: Process, running: Collection[Process], proc: Path) -> str | None:
    """Who is logged in over the connection of ``monitor``; None before the login.

    Until then each title of sshd's processes ends in a bracket ([accepted], [net], [priv]), also when a client has
    named an account. Afterwards that of the process which serves the account is its name, with its terminals.
    """
    for process in [monitor, *(p for p in running if p.parent == monitor.pid)]:
        if not runs_program(process.pid, SESSION_NAMES, proc):
            continue
        words = title(process.pid, proc)
        served = re.fullmatch(r"sshd(?:-session)?: ([^\[\]]+?)(?:@(?:notty|pts/\d+|tty\w*)(?:,\S+)?)?", words)
        if served:
            return served.group(1)
    return None


def live_ssh_connections(proc: Path = PROC) -> list[SshConnection]:
    """Every established TCP connection that this host's sshd serves, the oldest first.

    Connections that sshd only forwards (ssh -L, -D) are none of them, and neither is what somebody's own process of
    that name does.
    """
    running = processes(proc)
    sessions = {pid for pid, process in running.items() if _is_session(process, proc)}
    found = []
    for pid in sessions:
        if running[pid].parent in sessions or not same_host(pid, proc):
            continue
        known = {entry.inode: entry for entry in tcp_sockets(proc / str(pid) / "net")}
        listening = {entry.local[1] for entry in known.values() if entry.state == LISTEN}
        held = [known[inode] for inode in held_sockets(pid, proc) if inode in known]
        established = [entry for entry in held if entry.state == ESTABLISHED]
        # Root's own process also holds what it forwards, and on later descriptors.
        established.sort(key=lambda entry: entry.local[1] not in listening)
        if established:
            one, account = established[0], _account(running[pid], running.values(), proc)
            found.append(SshConnection(*one.local, *one.remote, pid, account, running[pid].start_ticks))
    return sorted(found, key=lambda connection: (connection.start_ticks, connection.pid))


def connection_around(pid: int, connections: Collection[SshConnection], proc: Path = PROC) -> SshConnection | None:
    """The connection that a process runs in, by its ancestors; None where there is none."""
    by_pid = {connection.pid: connection for connection in connections}
    return next((by_pid[process.pid] for process in ancestors(pid, proc) if process.pid in by_pid), None)


def host_addresses(proc: Path = PROC) -> frozenset[str]:
    """The host's own addresses, of all interfaces: those of the kernel's local routes and of if_inet6."""
    found = set()
    with contextlib.suppress(OSError):
        trie = (proc / "net" / "fib_trie").read_text()
        found |= set(re.findall(r"\|-- (\S+)\n\s+/32 host LOCAL", trie))
    with contextlib.suppress(OSError):
        for line in (proc / "net" / "if_inet6").read_text().splitlines():
            found.add(normal_address(socket.inet_ntop(socket.AF_INET6, bytes.fromhex(line.split()[0]))))
    return frozenset(found)


def is_local_address(address: str, own: Collection[str]) -> bool:
    """Whether an address is loopback, or one of ``own`` (see `host_addresses`): who comes from there is this host."""
    normal = normal_address(address)
    return ipaddress.ip_address(normal).is_loopback or normal in own
