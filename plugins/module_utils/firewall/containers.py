"""Published container ports follow the same list.

Docker publishes a port with a DNAT rule and a rule of its own that accepts the forwarded packet, before any of ufw's.
The one place it leaves to the administrator is the chain DOCKER-USER, which sees every forwarded packet first. There
the packet already carries the container's port; connection tracking still knows the port that the client asked for,
and that is what the list speaks of.
"""

from __future__ import annotations

from collections.abc import Sequence

from .entries import Entry

CHAIN = "dlbox-docker"
DENY_CHAIN = "dlbox-docker-deny"
USER_CHAIN = "DOCKER-USER"
BEGIN = "# BEGIN dlbox: published container ports follow the list of rules\n"
END = "# END dlbox: published container ports\n"


def chain_rules(entries: Sequence[Entry], interfaces: Sequence[str], *, log: bool) -> list[str]:
    """The rules of dlbox's own chains for one family, from the listed entries in their order.

    `interfaces` are the containers' own bridges: what comes from them is not from outside, and what goes to them
    without having been published (a neighbour that routes to the container's address) is refused.
    """
    rules = [f"-A {CHAIN} -m conntrack --ctstate RELATED,ESTABLISHED -j RETURN"]
    rules += [f"-A {CHAIN} -i {name} -j RETURN" for name in interfaces]
    for entry in entries:
        if entry.direction == "in" and not entry.forward:
            rules += _entry_rules(entry)
    rules.append(f"-A {CHAIN} -m conntrack --ctstate DNAT -j {DENY_CHAIN}")
    rules += [f"-A {CHAIN} -o {name} -j {DENY_CHAIN}" for name in interfaces]
    if log:
        rules.append(
            f'-A {DENY_CHAIN} -m limit --limit 3/min --limit-burst 10 -j LOG --log-prefix "[UFW DOCKER BLOCK] "'
        )
    rules.append(f"-A {DENY_CHAIN} -j DROP")
    return rules


def _entry_rules(entry: Entry) -> list[str]:
    """One listed entry, matched by what the client asked for."""
    ports = entry.dport.split(",")
    protocols = ["tcp", "udp"] if entry.protocol == "any" and entry.dport != "any" else [entry.protocol]
    rules = []
    for protocol in protocols:
        for port in ports:
            words = [f"-A {CHAIN}"]
            if entry.interface_in:
                words.append(f"-i {entry.interface_in}")
            if not entry.from_anywhere:
                words.append(f"-s {entry.src}")
            if protocol != "any":
                words.append(f"-p {protocol}")
            words.append("-m conntrack --ctstate DNAT --ctdir ORIGINAL")
            if not entry.to_anywhere:
                words.append(f"--ctorigdst {entry.dst}")
            if port != "any":
                words.append(f"--ctorigdstport {port}")
            match = " ".join(words)
            if entry.action == "limit":
                counter = f"{match} -m recent --name {CHAIN}"
                rules += [f"{counter} --set", f"{counter} --update --seconds 30 --hitcount 6 -j {DENY_CHAIN}"]
            rules.append(f"{match} -j {'RETURN' if entry.action in ('allow', 'limit') else DENY_CHAIN}")
    return rules


def restore_text(rules: Sequence[str], others: Sequence[str] = ()) -> str:
    """Input for iptables-restore --noflush: our chains, and DOCKER-USER with our jump before the rules of others.

    `others` are the rules that DOCKER-USER has from somebody else (crowdsec, fail2ban, a person).
    """
    lines = ["*filter", *(f":{chain} - [0:0]" for chain in (USER_CHAIN, CHAIN, DENY_CHAIN))]
    lines.append(f"-A {USER_CHAIN} -j {CHAIN}")
    lines += others
    lines.append(f"-A {USER_CHAIN} -j RETURN")
    return "\n".join([*lines, *rules, "COMMIT"]) + "\n"


def release_text(others: Sequence[str]) -> str:
    """Input for iptables-restore --noflush that leaves DOCKER-USER to the rules of others."""
    lines = restore_text([], others).splitlines()
    return "\n".join(line for line in lines if line != f"-A {USER_CHAIN} -j {CHAIN}") + "\n"


def others_rules(saved: str) -> list[str]:
    """The rules in DOCKER-USER of an iptables-save text that are not ours; Docker's closing RETURN is not one."""
    lines = [line for line in saved.splitlines() if line.startswith(f"-A {USER_CHAIN} ")]
    return [line for line in lines if line not in (f"-A {USER_CHAIN} -j {CHAIN}", f"-A {USER_CHAIN} -j RETURN")]


def place_block(text: str, rules: Sequence[str] | None) -> str:
    """after.rules with our block in it (or without it, for None), everything else as it was."""
    start = text.find(BEGIN)
    if start >= 0:
        end = text.find(END, start)
        tail = text[end + len(END) :] if end >= 0 else ""
        text = text[:start] + tail
    if rules is None:
        return text
    if text and not text.endswith("\n"):
        text += "\n"
    return text + BEGIN + restore_text(rules) + END


def describe_block(text: str) -> list[str]:
    """A line for a person about our block in an after.rules file; none when it is not there."""
    block = text.partition(BEGIN)[2].partition(END)[0].splitlines()
    rules = [line.split() for line in block if line.startswith(f"-A {CHAIN} ")]
    if not rules:
        return []
    bridges = [words[words.index("-o") + 1] for words in rules if "-o" in words]
    family = 6 if "ufw6-" in text else 4
    return [f"v{family} published container ports: {len(rules)} rules follow the list, bridges {', '.join(bridges)}"]
