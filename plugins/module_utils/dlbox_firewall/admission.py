"""Can the owner still come in? Judged on the rules as they would be, before they are."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from .entries import Entry


@dataclass(frozen=True)
class Session:
    """The ssh connection over which this very run works: the client's address and the server's port."""

    client: str
    port: int


def covers(ports: str, port: int) -> bool:
    """True when a rule's port value ("any", "22", "8000:8010", "80,443") holds the port."""
    if ports == "any":
        return True
    for part in ports.split(","):
        low, _, high = part.partition(":")
        if int(low) <= port <= int(high or low):
            return True
    return False


def admits(entries: Iterable[Entry], port: int, client: str | None = None) -> bool:
    """Would a new TCP connection to `port` pass? From `client`, or for None: from anywhere at all.

    A rule for one interface may or may not match, so it is believed when it allows and not when it denies; the same
    holds for a rule for one source when no client is given. A default of deny is assumed.
    """
    address = ipaddress.ip_address(client) if client else None
    for family in (4, 6):
        if address and address.version != family:
            continue
        for entry in entries:
            if entry.family != family or entry.direction != "in" or entry.forward:
                continue
            if entry.protocol not in ("any", "tcp") or entry.sport != "any" or not covers(entry.dport, port):
                continue
            if address and address not in ipaddress.ip_network(entry.src):
                continue
            allowed = entry.action in ("allow", "limit")
            certain = not entry.interface_in and entry.to_anywhere and (address is not None or entry.from_anywhere)
            if allowed:
                return True
            if certain:
                break
    return False


def lockout(entries: Sequence[Entry], ports: Sequence[int], session: Session | None) -> str:
    """Why the owner could not come back, as a sentence; empty when she can or when no sshd listens."""
    if not ports:
        return ""
    client = session.client if session else None
    if any(admits(entries, port, client) for port in ports):
        return ""
    where = "port " + " and ".join(map(str, sorted(set(ports))))
    opened = sorted({e.dport for e in entries if e.direction == "in" and e.action in ("allow", "limit")}, key=len)
    origin = f" from {client}, where this connection comes from" if client else ""
    return (
        f"sshd listens on {where}, and no rule would admit a new login there{origin}. "
        f"The rules open: {', '.join(opened) or 'nothing'}."
    )


def ssh_ports(listening: str, sockets: str) -> list[int]:
    """The TCP ports on which ssh logins are taken, loopback apart.

    `listening` is the output of `ss -Hltnp`, `sockets` the Listen= values of the active ssh socket units as
    `systemctl show` prints them ("0.0.0.0:22 (Stream)").
    """
    ports = set()
    for line in listening.splitlines():
        words = line.split()
        if len(words) >= 4 and re.search(r'\("sshd(-listener)?"', line):
            ports |= _outside_port(words[3])
    for address in re.findall(r"(\S+) \(Stream\)", sockets):
        ports |= _outside_port(address)
    return sorted(ports)


def _outside_port(address: str) -> set[int]:
    """The port of "0.0.0.0:22", "[::]:22", "*:22" or "22" unless the address is the loopback's."""
    host, _, port = address.rpartition(":")
    host = host.strip("[]").partition("%")[0]
    if not port.isdigit() or host.startswith("127.") or host == "::1":
        return set()
    return {int(port)}


def session_of(established: str, inodes: Iterable[str]) -> Session | None:
    """The connection whose socket inode is among `inodes`, from the text of /proc/net/tcp or tcp6."""
    wanted = set(inodes)
    for line in established.splitlines():
        words = line.split()
        # sl local_address rem_address st ... inode; 01 is ESTABLISHED.
        if len(words) > 9 and words[3] == "01" and words[9] in wanted:
            return Session(client=_proc_address(words[2].split(":")[0]), port=int(words[1].split(":")[1], 16))
    return None


def _proc_address(text: str) -> str:
    """An address as /proc/net/tcp writes it: 32-bit words in the machine's byte order, little-endian."""
    raw = b"".join(bytes.fromhex(text[i : i + 8])[::-1] for i in range(0, len(text), 8))
    address = ipaddress.ip_address(raw)
    # A dual-stack sshd has its IPv4 clients as ::ffff:192.0.2.1.
    return str(getattr(address, "ipv4_mapped", None) or address)
