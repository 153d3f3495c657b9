"""From rule specs to ufw's entries: one per family, source, destination and port set of an application profile."""

from __future__ import annotations

import configparser
from collections.abc import Iterable, Mapping, Sequence
from itertools import product

from .entries import Entry
from .specs import IPV4_ONLY, Fault, Network, RuleSpec, read_port

# Entries whose comment starts with this were made by dlbox, and only those are dlbox's to remove.
MARK = "dlbox: "


def owned(entry: Entry) -> bool:
    """True for an entry that dlbox made."""
    return entry.comment.startswith(MARK)


def marked_comment(spec: RuleSpec) -> str:
    """The comment by which the rule is known again."""
    return f"{MARK}{spec.name}" + (f" - {spec.comment}" if spec.comment else "")


def expand(
    specs: Iterable[RuleSpec], profiles: Mapping[str, Sequence[tuple[str, str]]]
) -> tuple[list[Entry], list[str]]:
    """The entries of all specs in their order, and the names of applications that no profile describes.

    `profiles` maps an application to its (port, protocol) pairs, as read_profiles returns them.
    """
    entries: list[Entry] = []
    missing: list[str] = []
    for spec in specs:
        pairs: Sequence[tuple[str, str]] = [(spec.port, spec.protocol)]
        if spec.application:
            if spec.application not in profiles:
                missing.append(spec.application)
                continue
            pairs = profiles[spec.application]
        for family, (port, protocol) in product((4, 6), pairs):
            if family == 6 and protocol in IPV4_ONLY:
                continue
            for src, dst in product(_addresses(spec.sources, family), _addresses(spec.destinations, family)):
                entries.append(
                    Entry(
                        family=family,
                        action="limit" if spec.limit else spec.action,
                        protocol=protocol,
                        dport=port,
                        dst=dst,
                        src=src,
                        direction=spec.direction,
                        interface_in=spec.interface if spec.direction == "in" else "",
                        interface_out=spec.interface if spec.direction == "out" else "",
                        dapp=spec.application,
                        comment=marked_comment(spec),
                    )
                )
    return entries, missing


def _addresses(networks: Sequence[Network], family: int) -> list[str]:
    """The addresses of one family as ufw spells them: a single host without its prefix length."""
    if not networks:
        return ["any"]
    chosen = [net for net in networks if net.version == family]
    return [str(net.network_address) if net.prefixlen == net.max_prefixlen else str(net) for net in chosen]


def read_profiles(texts: Iterable[str]) -> dict[str, list[tuple[str, str]]]:
    """Application profiles from the files of /etc/ufw/applications.d: name -> [(port, protocol)].

    A profile that cannot be read is left out: ufw itself skips it, and a rule that needs it is then refused by name.
    """
    profiles: dict[str, list[tuple[str, str]]] = {}
    for text in texts:
        parser = configparser.RawConfigParser(strict=False)
        try:
            parser.read_string(text)
        except configparser.Error:
            continue
        for name in parser.sections():
            try:
                profiles[name] = [_profile_ports(part) for part in parser.get(name, "ports", fallback="").split("|")]
            except Fault:
                continue
    return profiles


def _profile_ports(part: str) -> tuple[str, str]:
    """One element of a profile's ports: "80,443/tcp" or "53"."""
    port, _, protocol = part.strip().partition("/")
    return read_port(port), protocol or "any"
