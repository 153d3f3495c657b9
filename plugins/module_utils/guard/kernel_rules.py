"""The kernel's packet filter: read, compared by meaning, restored in one transaction per tool.

What fail2ban and container engines add and remove by themselves is nobody's configuration: it neither counts as a
difference nor is it taken away.
"""

from __future__ import annotations

import dataclasses
import re
import shutil

from .commands import ENVIRONMENT, must, run

XTABLES = ("iptables", "ip6tables")
OWN_CHAIN = re.compile(r"(f2b-|DOCKER(?!-USER$))")
OWN_RULE = re.compile(
    r"-A (?!DOCKER-USER )\S+ .*-[jg] (f2b-|DOCKER)|-A [A-Z]+ .*-[io] (docker|br-[0-9a-f]{12})|-A DOCKER-USER -j RETURN$"
)
# What Docker ends the administrator's chain with: nothing after it counts.
CLOSING = "-A DOCKER-USER -j RETURN"
OWN_NFT_TABLE = re.compile(r"\S+ (f2b-|docker)")


@dataclasses.dataclass
class Table:
    """A table of iptables: policies by chain (- for a user's chain), rules by chain."""

    policies: dict[str, str] = dataclasses.field(default_factory=dict)
    rules: dict[str, list[str]] = dataclasses.field(default_factory=dict)

    def meaning(self) -> tuple[dict[str, str], dict[str, list[str]]]:
        """What decides about packets: policies other than ACCEPT, and the rules that somebody configured."""
        policies = {chain: policy for chain, policy in self.policies.items() if policy not in ("-", "ACCEPT")}
        rules = {chain: [rule for rule in rules if not is_own(rule)] for chain, rules in self.rules.items()}
        return policies, {chain: rules for chain, rules in rules.items() if rules}

    def own(self) -> Table:
        """The part of fail2ban and the container engines."""
        rules = {chain: [rule for rule in rules if is_own(rule)] for chain, rules in self.rules.items()}
        chains = {chain: "-" for chain in self.policies if OWN_CHAIN.match(chain)}
        return Table(chains, {chain: rules for chain, rules in rules.items() if rules})


def is_own(rule: str) -> bool:
    """Whether a rule comes and goes with fail2ban or a container engine."""
    return bool(OWN_CHAIN.match(rule.split()[1]) or OWN_RULE.match(rule))


def parse(text: str) -> dict[str, Table]:
    """The output of iptables-save, without counters and comments."""
    tables: dict[str, Table] = {}
    table = Table()
    for line in text.splitlines():
        if line.startswith("*"):
            table = tables.setdefault(line[1:].strip(), Table())
        elif line.startswith(":"):
            chain, policy = line[1:].split()[:2]
            table.policies[chain] = policy
        elif re.match(r"(\[\d+:\d+\] )?-A ", line):
            rule = re.sub(r"^\[\d+:\d+\] ", "", line)
            table.rules.setdefault(rule.split()[1], []).append(rule)
    return tables


def same_rules(before: str, now: str) -> bool:
    """Whether two outputs of iptables-save mean the same. A table that lets everything pass is as good as none."""
    sides = [{name: table.meaning() for name, table in parse(text).items()} for text in (before, now)]
    left, right = [{name: meaning for name, meaning in side.items() if meaning != ({}, {})} for side in sides]
    return left == right


def in_order(rules: list[str], before: list[str]) -> list[str]:
    """The rules of a chain with Docker's closing one where it stood before, or at the end."""
    if CLOSING not in rules:
        return rules
    after = before[before.index(CLOSING) + 1 :] if CLOSING in before else []
    return [*(rule for rule in rules if rule != CLOSING and rule not in after), CLOSING, *after]


def restore_text(before: str, now: str) -> str:
    """Input for iptables-restore: the rules as before, with what fail2ban and container engines have now."""
    saved, current = parse(before), parse(now)
    lines = []
    for name in {**saved, **current}:
        there = current.get(name, Table())
        base = saved.get(name) or Table({chain: "ACCEPT" for chain, policy in there.policies.items() if policy != "-"})
        own = there.own() if there.own().rules else base.own()
        lines.append(f"*{name}")
        policies = {chain: policy for chain, policy in base.policies.items() if not OWN_CHAIN.match(chain)}
        lines += [f":{chain} {policy} [0:0]" for chain, policy in {**policies, **own.policies}.items()]
        kept = base.meaning()[1]
        for chain in {**base.policies, **own.policies}:
            lines += in_order(own.rules.get(chain, []) + kept.get(chain, []), base.rules.get(chain, []))
        lines.append("COMMIT")
    return "\n".join(lines) + "\n"


def plain_nft(text: str) -> str:
    """A table of nft without what changes by itself; empty where it decides nothing."""
    text = re.sub(r" expires \S+", "", text)
    text = re.sub(r"(flags [^\n]*(?:dynamic|timeout)[^}]*?)elements = \{[^}]*\}", r"\1", text)
    idle = r"\s*(table .*\{|chain .*\{|type .* hook .*policy accept;|\}|)\s*"
    return "" if all(re.fullmatch(idle, line) for line in text.splitlines()) else text


def _has(program: str) -> bool:
    return shutil.which(program, path=ENVIRONMENT["PATH"]) is not None


def _nft() -> dict[str, str]:
    """The tables of nft by "family name", without those of iptables-nft and the engines' own."""
    if not _has("nft"):
        return {}
    listed = re.findall(r"^table (\S+ \S+)$", run(["nft", "list", "tables"])[1], re.M)
    names = [name for name in listed if not re.fullmatch(r"(ip|ip6) (filter|nat|mangle|raw|security)", name)]
    return {
        name: run(["nft", "-s", "list", "table", *name.split()])[1] for name in names if not OWN_NFT_TABLE.match(name)
    }


def read() -> dict[str, object]:
    """All rules of the kernel: the text of each iptables-save, and of each table of nft."""
    found: dict[str, object] = {tool: run([f"{tool}-save"])[1] for tool in XTABLES if _has(f"{tool}-save")}
    return {**found, "nft": _nft()}


def differing(before: dict[str, object], now: dict[str, object]) -> list[str]:
    """The tools whose rules do not mean the same any more: iptables, ip6tables, nft."""
    found = [tool for tool in XTABLES if not same_rules(str(before.get(tool, "")), str(now.get(tool, "")))]
    sides = [{name: plain_nft(text) for name, text in dict(side["nft"]).items()} for side in (before, now)]  # type: ignore[call-overload]
    left, right = [{name: text for name, text in side.items() if text} for side in sides]
    return found + (["nft"] if left != right else [])


def restore(tool: str, before: dict[str, object]) -> None:
    """Load the rules as they were before.

    Raises:
        CommandError: the tool refused; the rules are as they are.
    """
    if tool in XTABLES:
        must([f"{tool}-restore", "-w", "10"], restore_text(str(before.get(tool, "")), must([f"{tool}-save"])))
        return
    saved = dict(before["nft"])  # type: ignore[call-overload]
    must(["nft", "-f", "-"], "".join(f"delete table {name}\n" for name in _nft()) + "\n".join(saved.values()) + "\n")
