"""Can people still log in by ssh? Evaluated on the rules as they would be, before they are."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from .entries import Entry


@dataclass(frozen=True)
class Session:
    """A person who is logged in over ssh now: where from, to which address of the host, and by which interface.

    The interface is the one that has the host's address; empty where none has it, or where it is not known.
    """

    account: str
    client: str
    local: str
    interface: str = ""


def covers(ports: str, port: int) -> bool:
    """True when a rule's port value ("any", "22", "8000:8010", "80,443") holds the port."""
    if ports == "any":
        return True
    for part in ports.split(","):
        low, _, high = part.partition(":")
        if int(low) <= port <= int(high or low):
            return True
    return False


def admits(entries: Iterable[Entry], port: int, session: Session | None = None) -> bool:
    """Would a new TCP connection to `port` pass? One like a session's, or for None: one from anywhere at all.

    A rule for one interface, destination or source that is not known here may or may not match, so it is believed when
    it allows and not when it denies. A default of deny is assumed.
    """
    client = ipaddress.ip_address(session.client) if session else None
    for family in (4, 6):
        if client and client.version != family:
            continue
        for entry in entries:
            if entry.family != family or entry.direction != "in" or entry.forward:
                continue
            if entry.protocol not in ("any", "tcp") or entry.sport != "any" or not covers(entry.dport, port):
                continue
            matches = _matches(entry, session)
            if matches is not False and entry.action in ("allow", "limit"):
                return True
            if matches is True:
                break
    return False


def _matches(entry: Entry, session: Session | None) -> bool | None:
    """Whether a rule's addresses and interface are those of a connection; None where that is not known."""
    if session is None:
        return True if entry.from_anywhere and entry.to_anywhere and not entry.interface_in else None
    if ipaddress.ip_address(session.client) not in ipaddress.ip_network(entry.src):
        return False
    if ipaddress.ip_address(session.local) not in ipaddress.ip_network(entry.dst):
        return False
    if not entry.interface_in:
        return True
    return covers_interface(entry.interface_in, session.interface) if session.interface else None


def covers_interface(pattern: str, interface: str) -> bool:
    """Whether iptables' interface name, where a closing plus sign stands for any rest, is that of an interface."""
    return interface.startswith(pattern[:-1]) if pattern.endswith("+") else interface == pattern


def lockout(entries: Sequence[Entry], ports: Sequence[int], sessions: Sequence[Session]) -> str:
    """Who could not come back, as a sentence; empty when everybody can or when no sshd listens."""
    if not ports:
        return ""
    if sessions:
        shut = [one for one in sessions if not any(admits(entries, port, one) for port in ports)]
        people = dict.fromkeys(f"{one.client} ({one.account})" for one in shut)
        origin = f" from {', '.join(people)}, where people are logged in from now"
    else:
        shut = [] if any(admits(entries, port) for port in ports) else [None]  # type: ignore[list-item]
        origin = ""
    if not shut:
        return ""
    where = "port " + " and ".join(map(str, sorted(set(ports))))
    opened = sorted({e.dport for e in entries if e.direction == "in" and e.action in ("allow", "limit")}, key=len)
    return (
        f"sshd listens on {where}, and no rule would admit a new login there{origin}. "
        f"The rules open: {', '.join(opened) or 'nothing'}."
    )


def interface_of(address: str, listing: str) -> str:
    """The interface that has an address, from the output of `ip -o addr show`; empty where none has it."""
    for line in listing.splitlines():
        words = line.split()
        if len(words) > 3 and words[3].partition("/")[0] == address:
            return words[1]
    return ""


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
