"""ListenAddress: what the owner writes, as addresses and ports that sshd, systemd and a client understand."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Endpoint:
    """An address (with its zone, where it has one) and a port that sshd listens on."""

    address: str
    port: int

    @property
    def text(self) -> str:
        """As sshd -T and systemd write it: 192.0.2.1:22 or [fd00::1]:22."""
        return f"[{self.address}]:{self.port}" if ":" in self.address else f"{self.address}:{self.port}"

    @property
    def plain(self) -> str:
        """The address without its zone."""
        return self.address.partition("%")[0]

    @property
    def everywhere(self) -> bool:
        """Whether it stands for all addresses of its family."""
        return ipaddress.ip_address(self.plain).is_unspecified

    def serves(self, address: str) -> bool:
        """Whether a connection to one of the host's addresses arrives here."""
        wanted = ipaddress.ip_address(address.partition("%")[0])
        mine = ipaddress.ip_address(self.plain)
        return wanted.version == mine.version and (self.everywhere or wanted == mine)


def read_listen(values: Iterable[str], ports: Sequence[int], variable: str) -> tuple[list[Endpoint], list[str]]:
    """Endpoints of ADDRESS (at each of ports), ADDRESS:PORT and [ADDRESS]:PORT; and what is wrong, as sentences."""
    found: list[Endpoint] = []
    problems = []
    for value in values:
        bracketed = re.fullmatch(r"\[([^\]]+)\](?::(\d+))?", value)
        dotted = re.fullmatch(r"([\d.]+):(\d+)", value)
        address, port = (bracketed or dotted).groups() if bracketed or dotted else (value, None)  # type: ignore[union-attr]
        text, percent, zone = address.partition("%")
        try:
            address = str(ipaddress.ip_address(text)) + percent + zone
        except ValueError:
            problems.append(
                f"{variable}: {value!r} is not an address; expected one of the host's own, such as 192.168.1.5, "
                "192.168.1.5:2222, fd00::5 or [fd00::5]:2222."
            )
            continue
        if port is not None and not 1 <= int(port) <= 65535:
            problems.append(f"{variable}: {value!r} has the port {port}; expected 1 to 65535.")
            continue
        found += [Endpoint(address, int(one)) for one in ([port] if port else ports)]
    return list(dict.fromkeys(found)), problems


def probe(endpoints: Sequence[Endpoint], ports: Sequence[int]) -> list[Endpoint]:
    """Where to connect to from the host itself to find sshd listening; no endpoints stand for everywhere."""
    loopback = {4: "127.0.0.1", 6: "::1"}
    if not endpoints:
        return [Endpoint(loopback[4], port) for port in ports]
    return [
        Endpoint(loopback[ipaddress.ip_address(one.plain).version], one.port) if one.everywhere else one
        for one in endpoints
    ]


def absent(endpoints: Iterable[Endpoint], own: Collection[str], variable: str) -> list[str]:
    """Sentences on addresses that the host does not have; ``own`` are those that it has."""
    return [
        f"{variable}: the host has no address {address}; it has {', '.join(sorted(own))}. sshd would not listen there: "
        "name an address of the host, or leave the list empty to listen on all."
        for address in dict.fromkeys(e.plain for e in endpoints if not e.everywhere)
        if address not in own and not ipaddress.ip_address(address).is_loopback
    ]


def deserted(endpoints: Sequence[Endpoint], sessions: Iterable[tuple[str, str]], variable: str) -> list[str]:
    """Sentences on people logged in now, as (account, local address), on whose address sshd would no longer listen."""
    return [
        f"{variable}: {account} is logged in over {local}, where sshd would no longer listen. Add {local}, or log in "
        f"over {' or '.join(dict.fromkeys(e.address for e in endpoints))} first."
        for account, local in dict.fromkeys(sessions)
        if endpoints and not any(endpoint.serves(local) for endpoint in endpoints)
    ]
