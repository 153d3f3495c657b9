#!/usr/bin/python
"""Bring ufw to a list of rules in one transaction; see DOCUMENTATION."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: ufw_rules
short_description: Sync ufw's rules with a list in one transaction
description:
  - The list is the truth. Rules that this module made earlier (known by a comment that begins with C(dlbox:)) and that
    are no longer listed are removed. Rules made by hand are reported and kept or removed.
  - All rules are written at once in ufw's own file format, tried in a network namespace of their own, loaded with one
    C(iptables-restore) per address family, and then compared with what the kernel says. If the kernel says anything
    else, files and kernel are put back as they were.
  - Refuses, before any change and in check mode alike, rules that would not admit a new login by ssh on a port that
    sshd listens on, from each address where somebody is logged in from now.
  - On a host without ufw the list is still validated; in check mode the result is what would be.
options:
  rules:
    description:
      - Rules in the order in which they are to match. Keys are C(name) (required, unique), C(port) (1 to 65535,
        a range like C(8000:8010), a list like C(80,443)) or C(application) (a profile of C(ufw app list)), C(protocol)
        (tcp for a port unless given), C(from), C(to) (C(any), addresses or CIDR networks, one or a list),
        C(interface), C(direction) (in), C(action) (allow, deny, reject), C(limit) (at most six new connections of one
        address in 30 seconds), C(comment).
    type: list
    elements: dict
    default: []
  ssh_ports:
    description: Ports of sshd; a rule for them comes before all others. Empty for none.
    type: list
    elements: int
    default: [22]
  ssh_from:
    description: Where ssh may come from, C(any) or addresses and CIDR networks.
    type: list
    elements: str
    default: [any]
  sshd_ports:
    description: Ports that sshd is about to listen on. Empty stands for those that it listens on now.
    type: list
    elements: int
    default: []
  default_incoming:
    description: What happens to incoming packets that no rule matches.
    type: str
    choices: [deny, reject]
    default: deny
  default_outgoing:
    description: What happens to outgoing packets that no rule matches.
    type: str
    choices: [allow, deny, reject]
    default: allow
  default_routed:
    description: What happens to forwarded packets that no rule matches.
    type: str
    choices: [allow, deny, reject]
    default: deny
  logging:
    description: ufw's logging level.
    type: str
    choices: ["off", low, medium, high, full]
    default: low
  unmanaged:
    description: What happens to rules made by hand.
    type: str
    choices: [keep, remove]
    default: keep
  containers:
    description: Make published container ports follow the list, by Docker's chain DOCKER-USER.
    type: bool
    default: true
  container_interfaces:
    description: The containers' own bridges in iptables' spelling (a closing plus sign matches any rest).
    type: list
    elements: str
    default: [docker0, docker_gwbridge, br-+]
  allow_no_ssh:
    description: Go on even when no rule would admit ssh, or not from where people are logged in from now.
    type: bool
    default: false
  backup_dir:
    description: Directory for copies of the files before each change; the latest ten are kept.
    type: path
    default: /var/lib/dlbox/ufw
extends_documentation_fragment: [dlbox.workstation.predictable]
"""

EXAMPLES = r"""
- name: Admit ssh, a web server and Jupyter from the home network
  dlbox.workstation.ufw_rules:
    rules:
      - {name: web, port: "80,443"}
      - {name: jupyter, port: 8888, from: 192.168.1.0/24, comment: notebooks}
"""

RETURN = r"""
installed:
  description: Whether ufw is there; without it nothing is changed.
  type: bool
  returned: success
added:
  description: Rules that were (or would be) added, as sentences.
  type: list
  elements: str
  returned: success
removed:
  description: Rules that were (or would be) removed, as sentences.
  type: list
  elements: str
  returned: success
unmanaged:
  description: Rules made by hand that ufw had, whether kept or removed.
  type: list
  elements: str
  returned: success
outside:
  description: Rules that accept incoming packets without being ufw's.
  type: list
  elements: str
  returned: success
drift:
  description: What the kernel had otherwise than the files said, as sentences; empty when the files change too.
  type: list
  elements: str
  returned: success
verified:
  description: How the kernel was compared, C(rules) one by one or C(counts) where no scratch namespace could be made.
  type: str
  returned: when ufw is installed and no change is pending
ssh_ports:
  description: Ports on which sshd takes logins from outside.
  type: list
  elements: int
  returned: success
backup:
  description: Directory with the files as they were.
  type: str
  returned: when files changed
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.backup import keep_copies
from ..module_utils.firewall import admission, containers, kernel, settings, userfile
from ..module_utils.firewall.entries import Entry, TupleError, describe
from ..module_utils.firewall.expand import expand, read_profiles
from ..module_utils.firewall.merge import Merged, duplicates, merge
from ..module_utils.firewall.specs import Fault, Wish, read_networks, read_wishes
from ..module_utils.guard.sessions import host_addresses, is_local_address, live_ssh_connections
from ..module_utils.host.units import parse_show, show_command

USER_RULES = {4: "/etc/ufw/user.rules", 6: "/etc/ufw/user6.rules"}
AFTER_RULES = {4: "/etc/ufw/after.rules", 6: "/etc/ufw/after6.rules"}
DEFAULTS = "/etc/default/ufw"
CONF = "/etc/ufw/ufw.conf"
APPLICATIONS = "/etc/ufw/applications.d"
INIT = ("/usr/lib/ufw/ufw-init", "/lib/ufw/ufw-init")
UNITS = ("ufw.service", "firewalld.service", "ssh.socket", "sshd.socket")
TOOLS = {4: "iptables", 6: "ip6tables"}
# iptables-restore of a filter table as a fresh kernel has it.
OPEN_TABLE = "*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\nCOMMIT\n"


@dataclass
class Host:
    """What the host has before the change. Texts of absent files are empty."""

    installed: bool
    files: dict[str, str]
    saved: dict[int, str] = field(default_factory=dict)
    ssh_ports: list[int] = field(default_factory=list)
    sessions: list[admission.Session] = field(default_factory=list)
    boot_enabled: bool = True
    firewalld: bool = False

    @property
    def enabled(self) -> bool:
        """True when ufw is on according to its own file."""
        return self.installed and settings.get_setting(self.files[CONF], "ENABLED").lower() == "yes"


@dataclass
class Plan:
    """What the host shall have."""

    merged: dict[int, Merged]
    files: dict[str, str]
    container_rules: dict[int, list[str]]
    defaults: dict[str, str]
    # Applications whose ports are known only once ufw is installed.
    unknown: list[str]


def main() -> None:
    """Judge the list, compare, and change what differs."""
    module = AnsibleModule(
        argument_spec={
            "rules": {"type": "list", "elements": "dict", "default": []},
            "ssh_ports": {"type": "list", "elements": "int", "default": [22]},
            "ssh_from": {"type": "list", "elements": "str", "default": ["any"]},
            "sshd_ports": {"type": "list", "elements": "int", "default": []},
            "default_incoming": {"type": "str", "choices": ["deny", "reject"], "default": "deny"},
            "default_outgoing": {"type": "str", "choices": ["allow", "deny", "reject"], "default": "allow"},
            "default_routed": {"type": "str", "choices": ["allow", "deny", "reject"], "default": "deny"},
            "logging": {"type": "str", "choices": list(userfile.LOG_LEVELS), "default": "low"},
            "unmanaged": {"type": "str", "choices": ["keep", "remove"], "default": "keep"},
            "containers": {"type": "bool", "default": True},
            "container_interfaces": {
                "type": "list",
                "elements": "str",
                "default": ["docker0", "docker_gwbridge", "br-+"],
            },
            "allow_no_ssh": {"type": "bool", "default": False},
            "backup_dir": {"type": "path", "default": "/var/lib/dlbox/ufw"},
        },
        supports_check_mode=True,
    )
    module.run_command_environ_update = {"LC_ALL": "C"}
    wishes = judge(module)
    host = look(module)
    try:
        plan = make_plan(module, wishes, host)
    except TupleError as error:
        module.fail_json(
            msg=f"/etc/ufw/user.rules or user6.rules: {error}. Expected a rule as the ufw command writes it. Remove "
            "the line, or start afresh with `ufw reset`, and run again."
        )
    result = report(plan, host)
    refusal = "" if module.params["allow_no_ssh"] else would_lock_out(module, plan, host)
    if refusal:
        module.fail_json(msg=refusal, **result)
    if not host.installed:
        module.exit_json(changed=module.check_mode, diff=difference(plan, host, []), **result)

    expected = {family: canonical(module, plan, family) for family in host.saved}
    writes = {path: text for path, text in plan.files.items() if text != host.files[path]}
    # Where the files are about to change, the kernel differs from the plan for that reason alone.
    drift = [] if writes else compare(plan, host.saved, expected)
    changed = bool(writes or drift or not host.boot_enabled)
    result.update(changed=changed, drift=drift, diff=difference(plan, host, drift))
    if changed and not module.check_mode:
        result["backup"] = change(module, plan, host, writes, expected)
    if not module.check_mode or not changed:
        result["verified"] = "rules" if all(text is not None for text in expected.values()) else "counts"
    module.exit_json(**result)


def judge(module: AnsibleModule) -> list[Wish]:
    """The list as wishes, ssh first; ends the module with every fault found."""
    wishes: list[Wish]
    errors: list[str]
    wishes, errors = read_wishes(module.params["rules"])
    try:
        sources = read_networks(module.params["ssh_from"])
    except Fault as fault:
        errors.append(f"ufw_ssh_from: {fault}")
    ssh = []
    for index, port in enumerate(dict.fromkeys(module.params["ssh_ports"])):
        if not 1 <= port <= 65535:
            errors.append(f"ufw_ssh_port or ufw_ssh_extra_ports: {port} is not a port; expected 1 to 65535.")
        ssh.append((f"ssh {port}" if index else "ssh", str(port)))
    taken = {name for name, _port in ssh} & {wish.name for wish in wishes}
    if taken:
        errors.append(
            f"ufw_rules: the name {', '.join(sorted(taken))} is that of the rule made from ufw_ssh_port; "
            "choose another, or set ufw_ssh to false and list ssh yourself."
        )
    if errors:
        module.fail_json(
            msg="The firewall rules cannot be used, nothing was changed.\n" + "\n".join(errors), errors=errors
        )
    first = [Wish(name=name, port=port, protocol="tcp", sources=sources) for name, port in ssh]
    return first + wishes


def look(module: AnsibleModule) -> Host:
    """Read files, kernel, units and sockets; each tool is started once."""
    init = next((path for path in INIT if Path(path).exists()), "")
    paths = [*USER_RULES.values(), *AFTER_RULES.values(), DEFAULTS, CONF]
    host = Host(installed=bool(init), files={path: read_text(path) for path in paths})
    units = parse_show(output(module, show_command(UNITS, "ActiveState", "UnitFileState", "Listen")))
    host.boot_enabled = units.get("ufw.service", {}).get("UnitFileState", "enabled").startswith("enabled")
    host.firewalld = units.get("firewalld.service", {}).get("ActiveState") == "active"
    if host.firewalld:
        module.fail_json(
            msg="firewalld is active on this host; expected no other firewall, as two would undo each other's rules. "
            "Disable it (systemctl disable --now firewalld) or leave the role ufw out."
        )
    sockets = [
        unit.get("Listen", "") for name, unit in units.items() if "ssh" in name and unit.get("ActiveState") == "active"
    ]
    listening = admission.ssh_ports(output(module, ["ss", "-H", "-l", "-t", "-n", "-p"]), "\n".join(sockets))
    # A host whose sshd is not there yet has nobody who could lose it.
    host.ssh_ports = (sorted(set(module.params["sshd_ports"])) or listening) if listening else []
    host.sessions = people_logged_in(module)
    if host.installed:
        saved = {family: save(module, family) for family in TOOLS}
        host.saved = {family: text for family, text in saved.items() if text is not None}
        if 4 not in host.saved:
            module.fail_json(
                msg="iptables-save -t filter fails on this host, so that no rule could be checked; see its output."
            )
    return host


def save(module: AnsibleModule, family: int) -> str | None:
    """The filter table as the kernel has it; None where the kernel has no such family."""
    rc, out, _err = module.run_command([f"{TOOLS[family]}-save", "-t", "filter"])
    return str(out) if rc == 0 else None


def output(module: AnsibleModule, command: list[str]) -> str:
    """What a command prints; empty when it fails or is not there."""
    if not module.get_bin_path(command[0]):
        return ""
    rc, out, _err = module.run_command(command)
    return str(out) if rc == 0 else ""


def people_logged_in(module: AnsibleModule) -> list[admission.Session]:
    """Who is logged in over ssh from another host: those whom the new rules have to admit again."""
    own = host_addresses()
    connections = [
        one for one in live_ssh_connections() if one.account and not is_local_address(one.remote_address, own)
    ]
    listing = output(module, ["ip", "-o", "addr", "show"]) if connections else ""
    return [
        admission.Session(
            account=str(one.account),
            client=one.remote_address,
            local=one.local_address,
            interface=admission.interface_of(one.local_address, listing),
        )
        for one in connections
    ]


def read_text(path: str) -> str:
    """A file's text, empty when it is not there."""
    try:
        return Path(path).read_text()
    except FileNotFoundError:
        return ""


def make_plan(module: AnsibleModule, wishes: list[Wish], host: Host) -> Plan:
    """The rules, files and chains that shall be; ends the module when the list cannot be made into rules."""
    params = module.params
    folder = Path(APPLICATIONS)
    profiles = read_profiles(map(read_text, map(str, folder.iterdir() if folder.is_dir() else [])))
    entries, missing = expand(wishes, profiles)
    errors = [
        f"ufw_rules: application {name!r} has no profile in {APPLICATIONS}; "
        f"expected one of {', '.join(sorted(profiles))}."
        for name in missing
        if host.installed
    ]
    errors += [
        f"ufw_rules: {describe(second)} is the same traffic as {describe(first)} and could never match; remove one."
        for first, second in duplicates(entries)
    ]
    if errors:
        module.fail_json(
            msg="The firewall rules cannot be used, nothing was changed.\n" + "\n".join(errors), errors=errors
        )
    defaults = {way: params[f"default_{way}"] for way in ("incoming", "outgoing", "routed")}
    interfaces = params["container_interfaces"]
    plan = Plan(merged={}, files={}, container_rules={}, defaults=defaults, unknown=missing)
    for family in (4, 6):
        present = userfile.read_user_rules(host.files[USER_RULES[family]], family)
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
        plan.files[AFTER_RULES[family]] = containers.place_block(host.files[AFTER_RULES[family]], rules)
    plan.files[DEFAULTS] = settings.set_settings(host.files[DEFAULTS], settings.default_settings(**defaults))
    plan.files[CONF] = settings.set_settings(host.files[CONF], {"ENABLED": "yes", "LOGLEVEL": params["logging"]})
    return plan


def would_lock_out(module: AnsibleModule, plan: Plan, host: Host) -> str:
    """The refusal with its remedy, or an empty string."""
    entries = [block.entry for merged in plan.merged.values() for block in merged.blocks]
    reason = admission.lockout(entries, host.ssh_ports, host.sessions)
    if not reason:
        return ""
    ports = ", ".join(map(str, host.ssh_ports))
    addresses = ", ".join(dict.fromkeys(one.client for one in host.sessions))
    widen = f"add {addresses} to ufw_ssh_from (now {', '.join(module.params['ssh_from'])})" if addresses else ""
    return (
        f"ufw_rules: {reason} Nothing was changed. Set ufw_ssh_port (or ufw_ssh_extra_ports) to {ports}, "
        f"{widen or 'widen ufw_ssh_from'}, remove the rule that denies it, or list one that admits it; "
        "ufw_allow_no_ssh: true goes on without ssh."
    )


def report(plan: Plan, host: Host) -> dict[str, Any]:
    """The part of the result that does not depend on whether anything is changed."""

    def sentences(name: str) -> list[str]:
        return [describe(entry) for merged in plan.merged.values() for entry in getattr(merged, name)]

    return {
        "installed": host.installed,
        "added": sentences("added"),
        "removed": sentences("removed"),
        "adopted": sentences("adopted"),
        "unmanaged": sentences("unmanaged"),
        "outside": [rule for family, saved in host.saved.items() for rule in kernel.outside_rules(saved, family)],
        "ssh_ports": host.ssh_ports,
        "drift": [],
    }


def difference(plan: Plan, host: Host, drift: list[str]) -> dict[str, str]:
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
        host.files,
        [
            block.entry
            for family, path in USER_RULES.items()
            for block in userfile.read_user_rules(host.files[path], family)
        ],
    )
    after = page(plan.files, [block.entry for merged in plan.merged.values() for block in merged.blocks])
    after += [f"application {name}, ports as its profile says" for name in plan.unknown]
    before += [f"kernel: {sentence}" for sentence in drift]
    if not host.boot_enabled:
        before.append("not started at boot")
    return {
        "before_header": "ufw",
        "after_header": "ufw",
        "before": "".join(f"{line}\n" for line in before),
        "after": "".join(f"{line}\n" for line in after),
    }


def loadable(plan: Plan, family: int, others: list[str] | None = None) -> str:
    """What iptables-restore --noflush gets: ufw's user chains and, if wanted, the containers' chains."""
    text = plan.files[USER_RULES[family]]
    if plan.container_rules[family]:
        text += containers.restore_text(plan.container_rules[family], others or [])
    return text


def canonical(module: AnsibleModule, plan: Plan, family: int) -> str | None:
    """The planned rules as the kernel spells them, from a network namespace that lives for this one question.

    None where no such namespace can be made; the rules have then passed iptables-restore --test. Ends the module when
    iptables does not take the rules.
    """
    tool = TOOLS[family]
    text = loadable(plan, family)
    script = f"{tool}-restore --noflush && {tool}-save -t filter"
    rc, out, _err = feed(module, ["unshare", "--net", "sh", "-c", script], text)
    if rc == 0:
        return out
    rc, _out, err = feed(module, [f"{tool}-restore", "--test", "--noflush"], text)
    if rc != 0:
        module.fail_json(
            msg=f"ufw_rules: {tool}-restore refuses the rules, nothing was changed: {err.strip()}. If the list uses a "
            "match that this kernel lacks, leave it out."
        )
    return None


def feed(module: AnsibleModule, command: list[str], text: str) -> tuple[int, str, str]:
    """Run a command with text on its input; a command that dies before reading it is a failure like any other."""
    try:
        rc, out, err = module.run_command(command, data=text, handle_exceptions=False)
    except OSError as error:
        return 1, "", f"{command[0]}: {error}"
    return int(rc), str(out), str(err)


def compare(plan: Plan, saved: dict[int, str], expected: dict[int, str | None]) -> list[str]:
    """Sentences about everything that the kernel has otherwise than planned."""
    problems: list[str] = []
    for family, text in saved.items():
        live = kernel.chains(text)
        problems += [f"v{family} {problem}" for problem in kernel.frame_differences(text, family, plan.defaults)]
        names = [name for name in kernel.declared(loadable(plan, family)) if name != containers.USER_CHAIN]
        canonical_text = expected.get(family)
        if canonical_text is not None:
            problems += [f"v{family} {p}" for p in kernel.chain_differences(live, kernel.chains(canonical_text), names)]
        else:
            counts = {name: len(rules) for name, rules in kernel.chains(loadable(plan, family)).items()}
            problems += [
                f"v{family} {name} has {len(live.get(name, []))} rules, expected {counts.get(name, 0)}"
                for name in names
                if name not in live or len(live[name]) != counts.get(name, 0)
            ]
        guarded = kernel.jump_comes_first(text, containers.USER_CHAIN, containers.CHAIN)
        if guarded != bool(plan.container_rules[family]):
            problems.append(
                f"v{family} {containers.USER_CHAIN} {'leads' if guarded else 'does not lead'} to {containers.CHAIN}"
            )
    return problems


def change(
    module: AnsibleModule, plan: Plan, host: Host, writes: dict[str, str], expected: dict[int, str | None]
) -> str | None:
    """Write, load, verify; put everything back if the kernel does not agree. Returns the backup's directory."""
    backup = keep_copies(Path(module.params["backup_dir"]), writes) if writes else None
    # ufw's frame only has to be built when it is not there or has other policies; rules alone are loaded in one go, and
    # in that case no packet ever meets a half-loaded or an open firewall.
    frame = (
        DEFAULTS in writes
        or not host.enabled
        or any(kernel.frame_differences(text, family, plan.defaults) for family, text in host.saved.items())
    )
    try:
        for path, text in writes.items():
            write_text(module, path, text)
        problems = load(module, plan, host, frame=frame)
        if not problems:
            problems = compare(plan, {family: save(module, family) or "" for family in host.saved}, expected)
        if not problems and not host.boot_enabled:
            rc, _out, err = module.run_command(["systemctl", "enable", "ufw.service"])
            problems = [f"systemctl enable ufw.service: {err.strip()}"] if rc else []
    except BaseException:
        # Also when the module is being ended (SystemExit by fail_json): half a change is worse than none.
        put_back(module, host, writes)
        raise
    if problems:
        put_back(module, host, writes)
        module.fail_json(
            msg="The kernel did not take the firewall rules as listed; files and rules are as before.\n"
            + "\n".join(problems),
            problems=problems,
            backup=backup,
        )
    return backup


def load(module: AnsibleModule, plan: Plan, host: Host, *, frame: bool) -> list[str]:
    """Bring the files into the kernel; returns what went wrong."""
    problems = []
    if frame:
        init = next(path for path in INIT if Path(path).exists())
        running = "ufw-user-input" in kernel.chains(host.saved[4])
        rc, out, err = module.run_command([init, "force-reload" if running else "start"])
        if rc != 0:
            problems.append(f"{init}: {(out + err).strip()}")
    for family, saved in host.saved.items():
        others = containers.others_rules(saved)
        text = "" if frame else plan.files[USER_RULES[family]]
        if plan.container_rules[family] or containers.CHAIN in saved:
            text += container_text(plan, family, others)
        if text:
            rc, _out, err = feed(module, [f"{TOOLS[family]}-restore", "--wait", "--noflush"], text)
            if rc != 0:
                problems.append(f"{TOOLS[family]}-restore: {err.strip()}")
    return problems


def container_text(plan: Plan, family: int, others: list[str]) -> str:
    """Input that sets DOCKER-USER for this family, or takes our part out of it."""
    if plan.container_rules[family]:
        return str(containers.restore_text(plan.container_rules[family], others))
    return str(containers.release_text(others))


def write_text(module: AnsibleModule, path: str, text: str) -> None:
    """Replace a file in one step; owner and mode stay as they are."""
    temporary = Path(module.tmpdir) / Path(path).name
    temporary.touch(mode=0o600)
    temporary.write_text(text, encoding="utf-8")
    module.atomic_move(str(temporary), path)


def put_back(module: AnsibleModule, host: Host, writes: dict[str, str]) -> None:
    """Files and kernel as they were before."""
    for path in writes:
        write_text(module, path, host.files[path])
    for family, saved in host.saved.items():
        feed(module, [f"{TOOLS[family]}-restore", "--wait"], saved if "*filter" in saved else OPEN_TABLE)


if __name__ == "__main__":
    main()
