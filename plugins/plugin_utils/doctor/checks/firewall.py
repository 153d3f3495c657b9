"""Firewall: it is on, it survives a reboot, its rules are the owner's list, and from outside nothing else is open."""

# What a check says is kept on one line, so that a message can be searched for.
# ruff: noqa: E501
from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from typing import Any

from ..model import Context, Finding, check, fail, na, ok, warn
from .common import joined, not_installed
from .ssh import ports as ssh_ports
from .ssh import sockets

NONE = "ufw is not installed"
MARK = "dlbox:"
PROFILES = {"OpenSSH": {22}, "SSH": {22}}


@dataclass(frozen=True)
class Rule:
    """One rule as `ufw show added` prints it; ports empty means every port, protocol "" means both."""

    action: str
    ports: frozenset[int]
    protocol: str
    source: str
    comment: str
    text: str

    @property
    def ours(self) -> bool:
        """True when dlbox wrote it."""
        return self.comment.startswith(MARK)


def _port_set(text: str) -> frozenset[int]:
    """{22, 80, 81} of "22,80:81"."""
    found: set[int] = set()
    for part in text.split(","):
        low, _sep, high = part.partition(":")
        if low.isdigit():
            found.update(range(int(low), int(high or low) + 1))
    return frozenset(found)


def parse_rule(line: str) -> Rule | None:
    """A rule from a line of `ufw show added`; None for other lines."""
    words = shlex.split(line)
    if len(words) < 3 or words[0] != "ufw":
        return None
    text, words = line, words[1:]
    if words[0] == "route":
        return None
    comment = ""
    if "comment" in words:
        at = words.index("comment")
        comment, words = " ".join(words[at + 1 :]), words[:at]
    action = words[0]
    rest = [word for word in words[1:] if word not in ("in", "log", "log-all")]
    if action not in ("allow", "limit", "deny", "reject") or "out" in rest[:1]:
        return None
    source = rest[rest.index("from") + 1] if "from" in rest else "any"
    protocol = rest[rest.index("proto") + 1] if "proto" in rest else ""
    ports: frozenset[int] = frozenset()
    if "port" in rest:
        before = rest[: rest.index("port")]
        if "to" in before:
            ports = _port_set(rest[rest.index("port") + 1])
    elif rest and rest[0] not in ("from", "to", "on", "proto"):
        target, _sep, protocol = rest[0].partition("/")
        ports = frozenset(PROFILES.get(target, set())) or _port_set(target)
    return Rule(action, ports, protocol, source, comment, text)


def rules(context: Context) -> list[Rule]:
    """The rules that ufw keeps."""
    found = (parse_rule(line) for line in context.evidence["firewall"]["added"]["out"].splitlines())
    return [rule for rule in found if rule]


def active(context: Context) -> bool:
    """True when ufw says that it filters now."""
    return "Status: active" in context.evidence["firewall"]["status"]["out"]


def allowed(context: Context, port: int, protocol: str = "tcp", ours_only: bool = False) -> bool:
    """True when a rule lets the port in from anywhere or from some network."""
    for rule in rules(context):
        admits = rule.action in ("allow", "limit") and (rule.ours or not ours_only) and rule.protocol in ("", protocol)
        if admits and (not rule.ports or port in rule.ports):
            return True
    return False


def managed(context: Context) -> bool:
    """True when dlbox wrote at least one of the rules, so that its list is the owner's list."""
    return any(rule.ours for rule in rules(context))


def silent(context: Context) -> str:
    """Why ufw's state is not known though it is installed; empty where it is."""
    status = context.evidence["firewall"]["status"]
    if status["rc"] == 0 or not_installed(status):
        return ""
    return f"ufw does not tell its state: {(status['err'].strip().splitlines() or ['not root'])[-1]}"


@check("firewall.active", ("firewall",), quick=True)
def is_active(context: Context) -> Finding:
    """The firewall is on and drops what no rule allows."""
    found = context.evidence["firewall"]
    if not_installed(found["status"]):
        return warn(NONE, "./dlbox up installs and enables it")
    if found["status"]["rc"] is None:
        # ufw waits for its lock for ever, and whoever can read that file can hold it (fcntl(2), F_RDLCK).
        return warn(
            silent(context), "sudo fuser -v /run/ufw.lock names the process that ufw waits for; end it, and run again"
        )
    if silent(context):
        return na(silent(context))
    if not active(context):
        return fail("ufw is installed and inactive", "./dlbox up, or sudo ufw enable once ssh is allowed")
    default = re.search(r"^Default: (\w+) \(incoming\)", found["status"]["out"], re.MULTILINE)
    if default and default.group(1) not in ("deny", "reject"):
        return fail(
            f"incoming packets that no rule names are allowed (default {default.group(1)})",
            "sudo ufw default deny incoming",
        )
    policy = [
        tool
        for tool, answer in found["input"].items()
        if answer["rc"] == 0 and not re.search(r"^-P INPUT (DROP|REJECT)", answer["out"], re.MULTILINE)
    ]
    if policy:
        return fail(
            f"ufw says active, the kernel's {joined(policy)} policy lets everything in",
            "sudo ufw reload; another tool may have replaced the kernel's rules",
        )
    return ok(f"active, {len(rules(context))} rules, default {default.group(1) if default else 'deny'}")


@check("firewall.boot", ("firewall", "units"))
def boot(context: Context) -> Finding:
    """The firewall starts with the machine."""
    if not_installed(context.evidence["firewall"]["status"]):
        return na(NONE)
    enabled = re.search(r"^ENABLED=yes", context.evidence["firewall"]["config"], re.MULTILINE)
    unit = context.evidence["units"]["states"].get("ufw.service", {})
    if not enabled or unit.get("UnitFileState") not in ("enabled", "static"):
        return fail(
            f"ufw.conf has ENABLED={'yes' if enabled else 'no'}, ufw.service is {unit.get('UnitFileState') or 'not there'}",
            "sudo ufw enable && sudo systemctl enable ufw",
        )
    return ok("enabled")


@check("firewall.ssh-allowed", ("firewall", "ssh_server"), quick=True)
def ssh_allowed(context: Context) -> Finding:
    """The firewall lets ssh in."""
    if not active(context):
        return na(silent(context) or "ufw is not active")
    if not context.evidence["ssh_server"]["installed"]:
        return na("no OpenSSH server is installed")
    shut = [port for port in ssh_ports(context) if not allowed(context, port)]
    if shut:
        return fail(
            f"no rule lets ssh's port {joined(shut)} in: the next connection fails",
            f"sudo ufw allow {shut[0]}/tcp comment 'dlbox: ssh', or ./dlbox up",
        )
    return ok(f"port {joined(ssh_ports(context))}")


@check("firewall.rules", ("firewall",))
def only_ours(context: Context) -> Finding:
    """Every rule is one that dlbox wrote."""
    if not_installed(context.evidence["firewall"]["status"]):
        return na(NONE)
    if silent(context):
        return na(silent(context))
    if not managed(context):
        return na("dlbox does not manage this firewall")
    foreign = [rule.text for rule in rules(context) if not rule.ours and rule.action in ("allow", "limit")]
    if foreign:
        return warn(
            f"added by hand: {joined(foreign, 3)}",
            "Put it into the inventory's list, or delete it: sudo ufw delete " + foreign[0][4:].split(" comment ")[0],
        )
    return ok(f"{len(rules(context))} rules, all from the inventory")


@check("firewall.outside", ("firewall", "listening", "ssh_server"))
def outside(context: Context) -> Finding:
    """From outside, only listed ports are open."""
    scan: dict[str, Any] = context.outside
    if "open" not in scan:
        return na(scan.get("why") or "not scanned from outside")
    if silent(context):
        return na(silent(context))
    known = active(context)
    surprise = [port for port in scan["open"] if not (known and allowed(context, port, ours_only=managed(context)))]
    who = {item.port: item.process for item in sockets(context) if item.process}
    names = joined(f"{port} ({who[port]})" if port in who else str(port) for port in surprise)
    if surprise and not known:
        expected = ssh_ports(context) if context.evidence["ssh_server"]["installed"] else []
        extra = [port for port in surprise if port not in expected]
        if extra:
            return fail(
                f"no firewall, and open from {scan['from']}: {names}",
                "./dlbox up enables the firewall with the owner's list",
            )
        return ok(f"open from {scan['from']}: {joined(scan['open'])} (no firewall is active)")
    if surprise:
        return fail(
            f"open from {scan['from']} and in no rule of the list: {names}",
            "Find who opened it (sudo iptables -S; docker ps), close it, or put it into the inventory's list",
        )
    return ok(f"open from {scan['from']}: {joined(scan['open']) or 'nothing'}; {len(scan['closed'])} other ports tried")
