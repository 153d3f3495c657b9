"""What the kernel does, from iptables-save, against what it should do."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

POLICY_TARGET = {"allow": "ACCEPT", "deny": "DROP", "reject": "DROP"}


def chains(saved: str) -> dict[str, list[str]]:
    """The rules of each chain of the filter table in an iptables-save text, in order, without counters."""
    found: dict[str, list[str]] = {}
    table = ""
    for raw in saved.splitlines():
        line = raw.strip()
        if line.startswith("*"):
            table = line[1:]
        elif table == "filter" and line.startswith(":"):
            found.setdefault(line[1:].split()[0], [])
        elif table == "filter" and (match := re.match(r"(?:\[\d+:\d+\] )?-A (\S+) ?(.*)", line)):
            found.setdefault(match[1], []).append(match[2])
    return found


def policies(saved: str) -> dict[str, str]:
    """The policy of each built-in chain of the filter table, e.g. {"INPUT": "DROP"}."""
    table = ""
    found: dict[str, str] = {}
    for line in saved.splitlines():
        if line.startswith("*"):
            table = line[1:].strip()
        elif table == "filter" and line.startswith(":"):
            name, policy, *_ = line[1:].split()
            if policy != "-":
                found[name] = policy
    return found


def declared(restore: str) -> list[str]:
    """The chains an iptables-restore text declares, and so replaces."""
    return [line[1:].split()[0] for line in restore.splitlines() if line.startswith(":")]


def chain_differences(
    live: Mapping[str, Sequence[str]], expected: Mapping[str, Sequence[str]], names: Iterable[str]
) -> list[str]:
    """Sentences about chains whose rules are not those expected; both sides in iptables-save's spelling."""
    problems = []
    for name in names:
        have, want = live.get(name), list(expected.get(name, ()))
        if have is None:
            problems.append(f"chain {name} is missing")
            continue
        problems += [f"{name} lacks: {rule}" for rule in want if rule not in have]
        problems += [f"{name} has in addition: {rule}" for rule in have if rule not in want]
        if sorted(have) == sorted(want) and list(have) != want:
            problems.append(f"{name} has its rules in another order")
        elif len(have) != len(want) and not problems:
            problems.append(f"{name} has {len(have)} rules, expected {len(want)}")
    return problems


def frame_differences(saved: str, family: int, defaults: Mapping[str, str]) -> list[str]:
    """Sentences about ufw's frame: the default policies, and the way from the built-in chains to the rules.

    `defaults` has the actions for incoming, outgoing and routed. A routed policy of allow is not asked of the kernel:
    Docker closes it again when it starts.
    """
    prefix = "ufw6" if family == 6 else "ufw"
    have = policies(saved)
    found = chains(saved)
    problems = []
    for chain, way in (("INPUT", "incoming"), ("OUTPUT", "outgoing"), ("FORWARD", "routed")):
        want = POLICY_TARGET[defaults[way]]
        if have.get(chain, "ACCEPT") != want and not (chain == "FORWARD" and want == "ACCEPT"):
            problems.append(f"the policy of {chain} is {have.get(chain, 'ACCEPT')}, expected {want}")
        low = chain.lower()
        for parent, child in ((chain, f"{prefix}-before-{low}"), (f"{prefix}-before-{low}", f"{prefix}-user-{low}")):
            if f"-j {child}" not in found.get(parent, ()):
                problems.append(f"{parent} does not lead to {child}")
        rejects = "-j REJECT" in " ".join(found.get(f"{prefix}-reject-{low}", ()))
        if rejects != (defaults[way] == "reject"):
            problems.append(f"{prefix}-reject-{low} does not fit the default {defaults[way]}")
    return problems


def outside_rules(saved: str, family: int) -> list[str]:
    """Rules in INPUT that accept packets and are not ufw's: they open the machine past every rule of ufw."""
    return [f"v{family} -A INPUT {rule}" for rule in chains(saved).get("INPUT", ()) if rule.endswith("-j ACCEPT")]


def jump_comes_first(saved: str, parent: str, child: str) -> bool:
    """True when `parent` leads to `child` before any rule that ends the way of every packet."""
    for rule in chains(saved).get(parent, ()):
        if rule == f"-j {child}":
            return True
        if rule in ("-j RETURN", "-j ACCEPT"):
            return False
    return False
