"""Rule specs: what the owner wrote in ufw_rules, validated before anything happens.

All faults of the whole list are reported together, each with the variable, the value, what was expected and the remedy.
"""

from __future__ import annotations

import contextlib
import ipaddress
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

ACTIONS = ("allow", "deny", "reject")
PROTOCOLS = ("tcp", "udp", "any", "esp", "ah", "gre", "igmp", "ipv6")
PORTLESS = ("esp", "ah", "gre", "igmp", "ipv6")
IPV4_ONLY = ("igmp", "ipv6")
KEYS = (
    "name",
    "port",
    "application",
    "protocol",
    "from",
    "to",
    "interface",
    "direction",
    "comment",
    "limit",
    "action",
)
# iptables' multiport match takes 15 ports, a range counting as two.
MULTIPORT_LIMIT = 15
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 _.+-]{0,59}")
INTERFACE = re.compile(r"[A-Za-z0-9_.+,=%@-]{1,15}")
COMMENT = re.compile(r"[^\x00-\x1f']{0,120}")


@dataclass(frozen=True)
class RuleSpec:
    """One rule as the owner specifies it. Empty sources or destinations mean anywhere; ports are normalised text."""

    name: str
    action: str = "allow"
    limit: bool = False
    protocol: str = "tcp"
    port: str = "any"
    application: str = ""
    sources: tuple[Network, ...] = ()
    destinations: tuple[Network, ...] = ()
    interface: str = ""
    direction: str = "in"
    comment: str = ""


class Fault(ValueError):
    """One value that cannot be used; the text is complete but for the name of the variable."""


def read_rule_specs(data: Iterable[Any], variable: str = "ufw_rules") -> tuple[list[RuleSpec], list[str]]:
    """Return the rule specs of the list and the errors, which are sentences naming `variable`."""
    specs: list[RuleSpec] = []
    errors: list[str] = []
    seen: dict[str, str] = {}
    for index, item in enumerate(data):
        place = f"{variable}[{index}]"
        if not isinstance(item, Mapping):
            errors.append(
                f"{place}: {item!r} is not a rule; expected keys and values such as {{name: web, port: 443}}."
            )
            continue
        name = str(item.get("name") or "")
        if not NAME.fullmatch(name):
            errors.append(
                f"{place}.name: {name!r} cannot name a rule; expected 1 to 60 letters, digits, spaces or _ . + -, "
                "starting with a letter or digit. The name marks the rule as dlbox's own in ufw."
            )
        elif name in seen:
            errors.append(f"{place}.name: {name!r} is already the name of {seen[name]}; give each rule its own name.")
        else:
            seen[name] = place
        label = f"{place} ({name})" if name else place
        unknown = sorted(set(item) - set(KEYS))
        if unknown:
            errors.append(f"{label}: unknown {', '.join(map(str, unknown))}; expected some of {', '.join(KEYS)}.")
        spec, faults = _read_one(item, name)
        errors += [f"{label}{fault}" for fault in faults]
        if spec and not unknown:
            specs.append(spec)
    return specs, errors


def _read_one(item: Mapping[str, Any], name: str) -> tuple[RuleSpec | None, list[str]]:
    """Read the values of one rule; the faults begin with '.key: ' or ': '."""
    faults: list[str] = []
    values: dict[str, Any] = {}
    readers: dict[str, Callable[[Any], Any]] = {
        "action": lambda value: _choice(value, ACTIONS),
        "protocol": lambda value: _choice(value, PROTOCOLS),
        "direction": lambda value: _choice(value, ("in", "out")),
        "limit": _flag,
        "port": read_port,
        "from": read_networks,
        "to": read_networks,
        "application": lambda value: _text(value, NAME, "the name of a profile as in `ufw app list`"),
        "interface": lambda value: _text(value, INTERFACE, "an interface name of up to 15 characters, e.g. eth0"),
        "comment": lambda value: _text(value, COMMENT, "up to 120 characters without single quotes"),
    }
    for key, reader in readers.items():
        if item.get(key) is None or item[key] == "":
            continue
        try:
            values[key] = reader(item[key])
        except Fault as fault:
            faults.append(f".{key}: {fault}")
    spec = RuleSpec(
        name=name,
        action=values.get("action", "allow"),
        limit=values.get("limit", False),
        protocol=values.get("protocol", "tcp" if "port" in values else "any"),
        port=values.get("port", "any"),
        application=values.get("application", ""),
        sources=values.get("from", ()),
        destinations=values.get("to", ()),
        interface=values.get("interface", ""),
        direction=values.get("direction", "in"),
        comment=values.get("comment", ""),
    )
    # Contradictions are looked for only between values that could be read.
    if not faults:
        faults = [f": {text}" for text in _contradictions(spec, explicit_protocol="protocol" in values)]
    return (None if faults else spec), faults


def _contradictions(spec: RuleSpec, *, explicit_protocol: bool) -> Iterable[str]:
    """What the values say against each other."""
    if spec.application and spec.port != "any":
        yield (
            f"port {spec.port} and application {spec.application!r} together; the profile has its own ports, "
            "leave one of the two out."
        )
    if spec.application and explicit_protocol:
        yield (
            f"protocol {spec.protocol} and application {spec.application!r} together; the profile has its own "
            "protocols, leave protocol out."
        )
    if spec.port != "any" and spec.protocol in PORTLESS:
        yield f"protocol {spec.protocol} has no ports; leave port out or use tcp or udp."
    if spec.protocol == "any" and any(mark in spec.port for mark in ",:"):
        yield f"port {spec.port} needs protocol tcp or udp; write one rule for each."
    if spec.limit and spec.action != "allow":
        yield f"limit with action {spec.action}; only what is allowed can be limited, leave one of the two out."
    if spec.limit and spec.port == "any" and not spec.application:
        yield "limit without a port; name the port whose new connections are counted."
    families = [{net.version for net in nets} for nets in (spec.sources, spec.destinations) if nets]
    if spec.protocol in IPV4_ONLY:
        families.append({4})
    if families and not set.intersection(*families):
        yield "from, to and protocol name no common address family; IPv4 does not reach IPv6."
    restricted = spec.sources or spec.destinations or spec.interface or spec.application
    open_wide = spec.port == "any" and spec.protocol not in PORTLESS and not restricted
    if spec.direction == "in" and spec.action == "allow" and open_wide:
        yield "allows everything from everywhere; name a port, an application, a source or an interface."


def _choice(value: Any, choices: tuple[str, ...]) -> str:
    """The value if it is one of the choices."""
    if not isinstance(value, str) or value not in choices:
        raise Fault(f"{value!r} is not known; expected one of {', '.join(choices)}.")
    return value


def _flag(value: Any) -> bool:
    """A boolean."""
    if not isinstance(value, bool):
        raise Fault(f"{value!r} is not a boolean; expected true or false.")
    return value


def _text(value: Any, pattern: re.Pattern[str], expected: str) -> str:
    """Text of the given shape."""
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise Fault(f"{value!r} cannot be used; expected {expected}.")
    return value


def read_port(value: Any) -> str:
    """A port, a range "8000:8010" or a list "80,443" (or [80, 443]), sorted; raises Fault."""
    parts = value if isinstance(value, (list, tuple)) else str(value).split(",")
    ports = sorted({_port_range(part, value) for part in parts})
    if sum(1 if low == high else 2 for low, high in ports) > MULTIPORT_LIMIT:
        raise Fault(
            f"{value!r} has more ports than one rule can hold ({MULTIPORT_LIMIT}, a range counts as two); split it."
        )
    return ",".join(str(low) if low == high else f"{low}:{high}" for low, high in ports)


def _port_range(part: Any, whole: Any) -> tuple[int, int]:
    """(first, last) of one element of a port value."""
    match = None if isinstance(part, bool) else re.fullmatch(r"\s*(\d{1,5})\s*(?::\s*(\d{1,5})\s*)?", str(part))
    if match:
        low = int(match[1])
        high = int(match[2] or match[1])
        if 1 <= low <= high <= 65535:
            return low, high
    raise Fault(f"{whole!r} is not a port; expected 1 to 65535, a range like 8000:8010 or a list like 80,443.")


def read_networks(value: Any) -> tuple[Network, ...]:
    """Addresses or CIDR networks, one or a list; "any" is the empty tuple. Raises Fault."""
    items = value if isinstance(value, (list, tuple)) else [value]
    if not items:
        raise Fault("the list is empty; expected at least one network, or 'any' for anywhere.")
    networks: list[Network] = []
    anywhere = False
    for item in items:
        if item == "any":
            anywhere = True
        else:
            network = _network(item)
            if network not in networks:
                networks.append(network)
    if anywhere and networks:
        raise Fault(f"{value!r} names networks and 'any' together; expected either.")
    return tuple(networks)


def _network(item: Any) -> Network:
    """One address or network."""
    try:
        if not isinstance(item, str):
            raise ValueError(item)
        return ipaddress.ip_network(item, strict=True)
    except ValueError:
        remedy = ""
        with contextlib.suppress(ValueError, TypeError):
            remedy = f" Did you mean {ipaddress.ip_network(item, strict=False)}?"
        raise Fault(
            f"{item!r} is not a network; expected 'any', an address or a CIDR such as 192.168.1.0/24 or fd00::/64."
            + remedy
        ) from None
