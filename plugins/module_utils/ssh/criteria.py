"""Connections that tell Match blocks apart, to ask `sshd -T -C` for (sshd_config(5), ssh_config(5) PATTERNS).

sshd itself says what holds for a connection. Here are only found enough of them: of each kind that the criteria of a
configuration distinguish, one. The rules are those of match.c and addrmatch.c of OpenSSH.
"""

from __future__ import annotations

import dataclasses
import fnmatch
import ipaddress
import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence

from .reading import MatchBlock

# Documentation addresses (RFC 5737, RFC 3849): nobody's, so no list names them by chance.
ELSEWHERE = ("192.0.2.1", "2001:db8::1")
HERE = {4: "192.0.2.2", 6: "2001:db8::2"}
FILLINGS = ("a", "1", "1.1", "1.1.1", "10.1.1.1", "a.b", "fd00::1", "z9")
KNOWN = ("all", "user", "group", "host", "address", "localaddress", "localport", "rdomain", "version", "invalid-user")


@dataclasses.dataclass(frozen=True)
class MatchAccount:
    """An account with the names of its groups."""

    name: str
    groups: frozenset[str]


@dataclasses.dataclass(frozen=True)
class Connection:
    """What `sshd -T -C` is told of one; host is the client's address where it has no name."""

    account: MatchAccount
    addr: str = ELSEWHERE[0]
    host: str = ""
    laddr: str = ""
    lport: int = 22
    rdomain: str = ""

    @property
    def text(self) -> str:
        """The argument of -C."""
        family = ipaddress.ip_address(self.addr).version
        text = f"user={self.account.name},host={self.host or self.addr},addr={self.addr}"
        text += f",laddr={self.laddr or HERE[family]},lport={self.lport}"
        return text + (f",rdomain={self.rdomain}" if self.rdomain else "")


def pattern_list(text: str, patterns: str) -> bool:
    """match_pattern_list(): one pattern matches, and none that is negated."""
    met = False
    for pattern in patterns.split(","):
        if fnmatch.fnmatchcase(text, pattern.removeprefix("!").replace("[", "[[]")):
            if pattern.startswith("!"):
                return False
            met = True
    return met


def address_list(text: str, patterns: str) -> bool:
    """addr_match_list(): the same for addresses, where CIDR networks stand beside patterns."""
    address = ipaddress.ip_address(text)
    met = False
    for pattern in patterns.split(","):
        plain = pattern.removeprefix("!")
        network = _network(plain)
        if address in network if network else fnmatch.fnmatchcase(text, plain.replace("[", "[[]")):
            if pattern.startswith("!"):
                return False
            met = True
    return met


def group_list(groups: frozenset[str], patterns: str) -> bool:
    """ga_match_pattern_list(): one group meets a pattern, and none a negated one."""
    split = patterns.split(",")
    if any(pattern_list(group, pattern[1:]) for group in groups for pattern in split if pattern.startswith("!")):
        return False
    return any(pattern_list(group, pattern) for group in groups for pattern in split if not pattern.startswith("!"))


def meets(one: Connection, name: str, argument: str) -> bool:
    """Whether a connection meets a criterion. That of sshd's own version is left to sshd."""
    if name == "user":
        return pattern_list(one.account.name, argument)
    if name == "group":
        return group_list(one.account.groups, argument)
    if name == "host":
        return pattern_list((one.host or one.addr).lower(), argument.lower())
    if name == "address":
        return address_list(one.addr, argument)
    if name == "localaddress":
        return bool(one.laddr) and address_list(one.laddr, argument)
    if name == "localport":
        return argument == str(one.lport)
    if name == "rdomain":
        return bool(one.rdomain) and pattern_list(one.rdomain, argument)
    return name in ("all", "version")


def holds(block: MatchBlock, one: Connection) -> bool:
    """Whether a Match block holds for a connection."""
    return all(meets(one, name, argument) for name, argument in block.criteria)


def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    """A CIDR network or a single address; None for what is a pattern."""
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None


def _fill(pattern: str) -> Iterator[str]:
    """Texts that a pattern with * and ? matches."""
    for filling in FILLINGS:
        yield pattern.replace("*", filling).replace("?", filling[0])


def _patterns(lists: Iterable[str]) -> list[str]:
    """All patterns of several lists, without their negations."""
    return [pattern.removeprefix("!") for patterns in lists for pattern in patterns.split(",")]


def _addresses(lists: Sequence[str]) -> Iterator[str]:
    """Addresses of which each interval that lists of networks distinguish has one.

    Each interval begins where a network begins, or behind the end of one.
    """
    for pattern in _patterns(lists):
        network = _network(pattern)
        if network is None:
            yield from (text for text in _fill(pattern) if "/" not in text and _network(text))
            continue
        yield str(network.network_address)
        if int(network.broadcast_address) < 2**network.max_prefixlen - 1:
            yield str(network.broadcast_address + 1)
    # What begins where all addresses begin.
    yield from ("0.0.0.0", "::") if lists else ()


def _kinds(values: Iterable[str], lists: Sequence[str], matches: Callable[[str, str], bool]) -> list[str]:
    """Of each kind that the lists distinguish, the first value."""
    found: dict[tuple[bool, ...], str] = {}
    for value in values:
        found.setdefault(tuple(matches(value, patterns) for patterns in lists), value)
    return list(found.values())


def account_kinds(blocks: Sequence[MatchBlock], accounts: Sequence[MatchAccount]) -> list[list[MatchAccount]]:
    """Accounts that no criterion of the blocks distinguishes, together. root has rules of its own, and is alone."""
    found: dict[tuple[bool, ...], list[MatchAccount]] = {}
    asked = [pair for block in blocks for pair in block.criteria if pair[0] in ("user", "group")]
    for account in accounts:
        kind = (account.name == "root", *(meets(Connection(account), *pair) for pair in asked))
        found.setdefault(kind, []).append(account)
    return list(found.values())


def connections(blocks: Sequence[MatchBlock], account: MatchAccount, port: int) -> Iterator[Connection]:
    """Connections of an account: of each kind that the blocks' other criteria distinguish, one; the plain one first."""

    def lists(name: str) -> list[str]:
        return [argument for block in blocks for criterion, argument in block.criteria if criterion == name]

    addresses, local, hosts, domains = map(lists, ("address", "localaddress", "host", "rdomain"))
    ports = [port, *(int(text) for text in lists("localport") if text.isdigit())]
    # A name of a host may also be an address, by which it is then known.
    texts = list(itertools.chain.from_iterable(map(_fill, _patterns(hosts))))
    peers = itertools.chain(ELSEWHERE, _addresses(addresses), (text for text in texts if _network(text)))
    both = [(argument, True) for argument in addresses] + [(argument, False) for argument in hosts]
    kinds: dict[tuple[bool, ...], str] = {}
    for peer in peers:
        kind = tuple(address_list(peer, text) if net else pattern_list(peer, text) for text, net in both)
        kinds.setdefault(kind, peer)
    names = ["", *_kinds(texts, hosts, pattern_list)] if hosts else [""]
    here = ["", *_kinds(_addresses(local), local, address_list)] if local else [""]
    filled = itertools.chain.from_iterable(map(_fill, _patterns(domains)))
    routes = ["", *_kinds(filled, domains, pattern_list)] if domains else [""]
    for peer, name, laddr, lport, route in itertools.product(kinds.values(), names, here, dict.fromkeys(ports), routes):
        yield Connection(account, peer, name, laddr, lport, route)
