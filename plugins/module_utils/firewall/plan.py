"""The firewall that the host is to have: rules, files and chains, from the rule specs and what is there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import admission, containers, kernel, settings, userfile
from .entries import Entry, describe
from .expand import expand, read_profiles
from .merge import Merged, duplicates, merge
from .specs import Fault, RuleSpec, read_networks, read_rule_specs
from .state import AFTER_RULES, CONF, DEFAULTS, USER_RULES, FirewallError, FirewallState, read_text

APPLICATIONS = "/etc/ufw/applications.d"


@dataclass
class FirewallPlan:
    """What the host is to have."""

    merged: dict[int, Merged]
    files: dict[str, str]
    container_rules: dict[int, list[str]]
    defaults: dict[str, str]
    # Applications whose ports are known only once ufw is installed.
    unknown: list[str]


def unusable(errors: list[str]) -> FirewallError:
    """Return the error for specs that cannot be used."""
    return FirewallError("The firewall rules cannot be used, nothing was changed.\n" + "\n".join(errors), errors=errors)


def validated_specs(params: Mapping[str, Any]) -> list[RuleSpec]:
    """Return the rule specs, ssh first; raises FirewallError with every fault found."""
    specs: list[RuleSpec]
    errors: list[str]
    specs, errors = read_rule_specs(params["rules"])
    try:
        sources = read_networks(params["ssh_from"])
    except Fault as fault:
        errors.append(f"ufw_ssh_from: {fault}")
    ssh = []
    for index, port in enumerate(dict.fromkeys(params["ssh_ports"])):
        if not 1 <= port <= 65535:
            errors.append(f"ufw_ssh_port or ufw_ssh_extra_ports: {port} is not a port; expected 1 to 65535.")
        ssh.append((f"ssh {port}" if index else "ssh", str(port)))
    taken = {name for name, _port in ssh} & {spec.name for spec in specs}
    if taken:
        errors.append(
            f"ufw_rules: the name {', '.join(sorted(taken))} is that of the rule made from ufw_ssh_port; "
            "choose another, or set ufw_ssh to false and list ssh yourself."
        )
    if errors:
        raise unusable(errors)
    first = [RuleSpec(name=name, port=port, protocol="tcp", sources=sources) for name, port in ssh]
    return first + specs


def make_plan(params: Mapping[str, Any], specs: list[RuleSpec], state: FirewallState) -> FirewallPlan:
    """Return what is to be; raises FirewallError where specs or the rules that are there cannot be used."""
    folder = Path(APPLICATIONS)
    profiles = read_profiles(map(read_text, map(str, folder.iterdir() if folder.is_dir() else [])))
    entries, missing = expand(specs, profiles)
    errors = [
        f"ufw_rules: application {name!r} has no profile in {APPLICATIONS}; "
        f"expected one of {', '.join(sorted(profiles))}."
        for name in missing
        if state.installed
    ]
    errors += [
        f"ufw_rules: {describe(second)} is the same traffic as {describe(first)} and could never match; remove one."
        for first, second in duplicates(entries)
    ]
    if errors:
        raise unusable(errors)
    defaults = {way: params[f"default_{way}"] for way in ("incoming", "outgoing", "routed")}
    interfaces = params["container_interfaces"]
    plan = FirewallPlan(merged={}, files={}, container_rules={}, defaults=defaults, unknown=missing)
    for family in (4, 6):
        try:
            present = userfile.read_user_rules(state.files[USER_RULES[family]], family)
        except userfile.TupleError as error:
            raise FirewallError(
                f"/etc/ufw/user.rules or user6.rules: {error}. Expected a rule as the ufw command writes it. Remove "
                "the line, or start afresh with `ufw reset`, and run again."
            ) from error
        listed = [entry for entry in entries if entry.family == family]
        merged = merge(present, listed, keep_unmanaged=params["unmanaged"] == "keep")
        plan.merged[family] = merged
        plan.files[USER_RULES[family]] = userfile.write_user_rules(
            merged.blocks, family, params["logging"], list(defaults.values())
        )
        rules = (
            containers.chain_rules(listed, interfaces, log=params["logging"] != "off") if params["containers"] else None
        )
        plan.container_rules[family] = rules or []
        plan.files[AFTER_RULES[family]] = containers.place_block(state.files[AFTER_RULES[family]], rules)
    plan.files[DEFAULTS] = settings.set_settings(state.files[DEFAULTS], settings.default_settings(**defaults))
    plan.files[CONF] = settings.set_settings(state.files[CONF], {"ENABLED": "yes", "LOGLEVEL": params["logging"]})
    return plan


def lockout_refusal(params: Mapping[str, Any], plan: FirewallPlan, state: FirewallState) -> str:
    """The refusal with its remedy, or an empty string."""
    entries = [block.entry for merged in plan.merged.values() for block in merged.blocks]
    reason = admission.lockout(entries, state.ssh_ports, state.sessions)
    if not reason:
        return ""
    ports = ", ".join(map(str, state.ssh_ports))
    addresses = ", ".join(dict.fromkeys(one.client for one in state.sessions))
    widen = f"add {addresses} to ufw_ssh_from (now {', '.join(params['ssh_from'])})" if addresses else ""
    return (
        f"ufw_rules: {reason} Nothing was changed. Set ufw_ssh_port (or ufw_ssh_extra_ports) to {ports}, "
        f"{widen or 'widen ufw_ssh_from'}, remove the rule that denies it, or list one that admits it; "
        "ufw_allow_no_ssh: true goes on without ssh."
    )


def report(plan: FirewallPlan, state: FirewallState) -> dict[str, Any]:
    """The part of the result that does not depend on whether anything is changed."""

    def sentences(name: str) -> list[str]:
        return [describe(entry) for merged in plan.merged.values() for entry in getattr(merged, name)]

    return {
        "installed": state.installed,
        "added": sentences("added"),
        "removed": sentences("removed"),
        "adopted": sentences("adopted"),
        "unmanaged": sentences("unmanaged"),
        "outside": [rule for family, saved in state.saved.items() for rule in kernel.outside_rules(saved, family)],
        "ssh_ports": state.ssh_ports,
        "drift": [],
    }


def readable_difference(plan: FirewallPlan, state: FirewallState, drift: list[str]) -> dict[str, str]:
    """The firewall before and after as a person reads it."""

    def page(files: dict[str, str], rules: list[Entry]) -> list[str]:
        names = {
            DEFAULTS: ["DEFAULT_INPUT_POLICY", "DEFAULT_OUTPUT_POLICY", "DEFAULT_FORWARD_POLICY", "IPV6"],
            CONF: ["ENABLED", "LOGLEVEL"],
        }
        lines = [
            f"{name}={settings.get_setting(files[path], name)}"
            for path, keys in names.items()
            for name in keys
            if files[path]
        ]
        lines += [describe(rule) for rule in rules]
        return lines + [text for path in AFTER_RULES.values() for text in containers.describe_block(files[path])]

    before = page(
        state.files,
        [
            block.entry
            for family, path in USER_RULES.items()
            for block in userfile.read_user_rules(state.files[path], family)
        ],
    )
    after = page(plan.files, [block.entry for merged in plan.merged.values() for block in merged.blocks])
    after += [f"application {name}, ports as its profile says" for name in plan.unknown]
    before += [f"kernel: {sentence}" for sentence in drift]
    if not state.boot_enabled:
        before.append("not started at boot")
    return {
        "before_header": "ufw",
        "after_header": "ufw",
        "before": "".join(f"{line}\n" for line in before),
        "after": "".join(f"{line}\n" for line in after),
    }


def loadable(plan: FirewallPlan, family: int, others: list[str] | None = None) -> str:
    """What iptables-restore --noflush gets: ufw's user chains and, if wanted, the containers' chains."""
    text = plan.files[USER_RULES[family]]
    if plan.container_rules[family]:
        text += containers.restore_text(plan.container_rules[family], others or [])
    return text


def container_text(plan: FirewallPlan, family: int, others: list[str]) -> str:
    """Input that sets DOCKER-USER for this family, or takes our part out of it."""
    if plan.container_rules[family]:
        return str(containers.restore_text(plan.container_rules[family], others))
    return str(containers.release_text(others))
