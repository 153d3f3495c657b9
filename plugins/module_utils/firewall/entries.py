"""One ufw rule of one address family, as ufw keeps it.

ufw stores each rule in user.rules or user6.rules as a line ``### tuple ### ...`` followed by the iptables arguments
made from it. The tuple is the rule; the arguments are what is loaded into the kernel at boot. The field order and the
escapes below are those of ufw 0.36 (``ufw show added`` reads them back).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

TUPLE_MARK = "### tuple ###"
ANYWHERE = {4: "0.0.0.0/0", 6: "::/0"}


@dataclass(frozen=True)
class Entry:
    """A rule of one family (4 or 6). Ports are "any", "22", "8000:8010" or "80,443"; addresses are normalised."""

    family: int
    action: str
    protocol: str = "any"
    dport: str = "any"
    dst: str = ""
    sport: str = "any"
    src: str = ""
    direction: str = "in"
    interface_in: str = ""
    interface_out: str = ""
    dapp: str = ""
    sapp: str = ""
    log: str = ""
    forward: bool = False
    comment: str = ""

    def __post_init__(self) -> None:
        """Spell "anywhere" as ufw does for this family."""
        for field in ("dst", "src"):
            if getattr(self, field) in ("", "any"):
                object.__setattr__(self, field, ANYWHERE[self.family])

    @property
    def from_anywhere(self) -> bool:
        """True when the rule names no source."""
        return self.src == ANYWHERE[self.family]

    @property
    def to_anywhere(self) -> bool:
        """True when the rule names no destination."""
        return self.dst == ANYWHERE[self.family]


class TupleError(ValueError):
    """A tuple line that does not have ufw's shape."""


def traffic(entry: Entry) -> Entry:
    """The rule without what is done about it: two entries with the same traffic are one rule to ufw."""
    return replace(entry, action="", log="", comment="")


def parse_tuple(line: str, family: int) -> Entry:
    """Read one ``### tuple ###`` line of user.rules (family 4) or user6.rules (family 6); raises TupleError."""
    body, _, encoded = line.strip().partition(" comment=")
    words = body.removeprefix(TUPLE_MARK).split()
    if not 6 <= len(words) <= 9:
        raise TupleError(f"expected 6 to 9 fields in {line.strip()!r}")
    where = words[-1] if len(words) in (7, 9) else "in"
    action, _, log = words[0].removeprefix("route:").partition("_")
    names = dict(part.split("_", 1) for part in where.split("!") if "_" in part)
    dapp, sapp = (words[6], words[7]) if len(words) >= 8 else ("-", "-")
    try:
        comment = bytes.fromhex(encoded.strip()).decode()
    except ValueError as error:
        raise TupleError(f"the comment of {line.strip()!r} is not hexadecimal") from error
    return Entry(
        family=family,
        action=action,
        protocol=words[1],
        dport=words[2],
        dst=words[3],
        sport=words[4],
        src=words[5],
        direction=re.split("[_!]", where, maxsplit=1)[0],
        interface_in=names.get("in", ""),
        interface_out=names.get("out", ""),
        dapp="" if dapp == "-" else dapp.replace("%20", " "),
        sapp="" if sapp == "-" else sapp.replace("%20", " "),
        log=log,
        forward=words[0].startswith("route:"),
        comment=comment,
    )


def format_tuple(entry: Entry) -> str:
    """The line that parse_tuple reads back, without a newline."""
    action = ("route:" if entry.forward else "") + entry.action + (f"_{entry.log}" if entry.log else "")
    if entry.interface_in and entry.interface_out:
        where = f"in_{entry.interface_in}!out_{entry.interface_out}"
    elif entry.interface_in or entry.interface_out:
        where = f"{entry.direction}_{entry.interface_in or entry.interface_out}"
    else:
        where = entry.direction
    words = [TUPLE_MARK, action, entry.protocol, entry.dport, entry.dst, entry.sport, entry.src]
    if entry.dapp or entry.sapp:
        words += [name.replace(" ", "%20") or "-" for name in (entry.dapp, entry.sapp)]
    words.append(where)
    if entry.comment:
        words.append(f"comment={entry.comment.encode().hex()}")
    return " ".join(words)


def describe(entry: Entry) -> str:
    """The rule as a person reads it, e.g. ``v4 limit in 22/tcp from anywhere # dlbox: ssh``."""
    words = [f"v{entry.family}"]
    if entry.forward:
        words.append("route")
    words.append(entry.action + (f" ({entry.log})" if entry.log else ""))
    words.append(entry.direction)
    ports = entry.dapp or entry.dport
    words.append(f"{ports}/{entry.protocol}" if ports != "any" else f"any/{entry.protocol}")
    for label, interface in (("on", entry.interface_in), ("out on", entry.interface_out)):
        if interface:
            words.append(f"{label} {interface}")
    words.append("from " + ("anywhere" if entry.from_anywhere else entry.src))
    if entry.sport != "any":
        words.append(f"port {entry.sport}")
    if not entry.to_anywhere:
        words.append(f"to {entry.dst}")
    if entry.comment:
        words.append(f"# {entry.comment}")
    return " ".join(words)


def iptables_lines(entry: Entry) -> list[str]:
    """What ufw 0.36 writes into the rules file below the tuple: iptables-restore lines, in order.

    Only rules without per-rule logging are made here; rules made by hand keep the lines that ufw wrote for them.
    """
    prefix = "ufw6" if entry.family == 6 else "ufw"
    chain = f"{prefix}-user-" + ("forward" if entry.forward else "output" if entry.direction == "out" else "input")
    has_ports = entry.dport != "any" or entry.sport != "any"
    protocols = ["tcp", "udp"] if entry.protocol == "any" and has_ports else [entry.protocol]
    lines = []
    for protocol in protocols:
        match = f"-A {chain}{_match(entry, protocol)}"
        note = _application_note(entry)
        if entry.action == "limit":
            new = f"{match} -m conntrack --ctstate NEW -m recent"
            lines += [
                f"{new} --set{note}",
                f"{new} --update --seconds 30 --hitcount 6 -j {prefix}-user-limit{note}",
                f"{match} -j {prefix}-user-limit-accept{note}",
            ]
        else:
            target = {"allow": "ACCEPT", "deny": "DROP", "reject": "REJECT"}[entry.action]
            if target == "REJECT" and protocol == "tcp":
                target += " --reject-with tcp-reset"
            lines.append(f"{match} -j {target}{note}")
    return lines


def _match(entry: Entry, protocol: str) -> str:
    """The matching part of an iptables line, with a leading space."""
    words = []
    if entry.interface_in:
        words.append(f"-i {entry.interface_in}")
    if entry.interface_out:
        words.append(f"-o {entry.interface_out}")
    if protocol != "any":
        words.append(f"-p {protocol}")
    several = any(mark in port for port in (entry.dport, entry.sport) for mark in ",:")
    if several:
        words += [f"-m multiport --{kind}s {port}" for kind, port in _ports(entry)]
    if not entry.to_anywhere:
        words.append(f"-d {entry.dst}")
    if not several and entry.dport != "any":
        words.append(f"--dport {entry.dport}")
    if not entry.from_anywhere:
        words.append(f"-s {entry.src}")
    if not several and entry.sport != "any":
        words.append(f"--sport {entry.sport}")
    return "".join(f" {word}" for word in words)


def _ports(entry: Entry) -> list[tuple[str, str]]:
    """The port options a rule has: (dport|sport, value)."""
    return [(kind, port) for kind, port in (("dport", entry.dport), ("sport", entry.sport)) if port != "any"]


def _application_note(entry: Entry) -> str:
    """The comment by which ufw marks the kernel rules of an application profile."""
    names = [
        f"{kind}_{name.replace(' ', '%20')}" for kind, name in (("dapp", entry.dapp), ("sapp", entry.sapp)) if name
    ]
    return f" -m comment --comment '{','.join(names)}'" if names else ""
