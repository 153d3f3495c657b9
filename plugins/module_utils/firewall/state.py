"""The firewall that the host has: ufw's files, the kernel's tables, the ports of sshd, who is logged in."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

from ..guard.sessions import host_addresses, is_local_address, live_ssh_connections
from ..host.units import parse_show, show_command
from . import admission, settings

USER_RULES = {4: "/etc/ufw/user.rules", 6: "/etc/ufw/user6.rules"}
AFTER_RULES = {4: "/etc/ufw/after.rules", 6: "/etc/ufw/after6.rules"}
DEFAULTS = "/etc/default/ufw"
CONF = "/etc/ufw/ufw.conf"
INIT = ("/usr/lib/ufw/ufw-init", "/lib/ufw/ufw-init")
UNITS = ("ufw.service", "firewalld.service", "ssh.socket", "sshd.socket")
TOOLS = {4: "iptables", 6: "ip6tables"}


class FirewallError(Exception):
    """Why the firewall stays or was put back as it was, for the owner; `details` go into the module's result."""

    def __init__(self, message: str, **details: object) -> None:
        """Keep both."""
        super().__init__(message)
        self.details = details


@dataclass
class FirewallState:
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


def gather_state(module: AnsibleModule) -> FirewallState:
    """Read files, kernel, units and sockets; each tool is started once. Raises FirewallError."""
    init = next((path for path in INIT if Path(path).exists()), "")
    paths = [*USER_RULES.values(), *AFTER_RULES.values(), DEFAULTS, CONF]
    state = FirewallState(installed=bool(init), files={path: read_text(path) for path in paths})
    units = parse_show(output_of(module, show_command(UNITS, "ActiveState", "UnitFileState", "Listen")))
    state.boot_enabled = units.get("ufw.service", {}).get("UnitFileState", "enabled").startswith("enabled")
    state.firewalld = units.get("firewalld.service", {}).get("ActiveState") == "active"
    if state.firewalld:
        raise FirewallError(
            "firewalld is active on this host; expected no other firewall, as two would undo each other's rules. "
            "Disable it (systemctl disable --now firewalld) or leave the role ufw out."
        )
    sockets = [
        unit.get("Listen", "") for name, unit in units.items() if "ssh" in name and unit.get("ActiveState") == "active"
    ]
    listening = admission.ssh_ports(output_of(module, ["ss", "-H", "-l", "-t", "-n", "-p"]), "\n".join(sockets))
    # A host whose sshd is not there yet has nobody who could lose it.
    state.ssh_ports = (sorted(set(module.params["sshd_ports"])) or listening) if listening else []
    state.sessions = ssh_sessions(module)
    if state.installed:
        saved = {family: saved_table(module, family) for family in TOOLS}
        state.saved = {family: text for family, text in saved.items() if text is not None}
        if 4 not in state.saved:
            raise FirewallError(
                "iptables-save -t filter fails on this host, so that no rule could be checked; see its output."
            )
    return state


def saved_table(module: AnsibleModule, family: int) -> str | None:
    """The filter table as the kernel has it; None where the kernel has no such family."""
    rc, out, _err = module.run_command([f"{TOOLS[family]}-save", "-t", "filter"])
    return str(out) if rc == 0 else None


def output_of(module: AnsibleModule, command: list[str]) -> str:
    """What a command prints; empty when it fails or is not there."""
    if not module.get_bin_path(command[0]):
        return ""
    rc, out, _err = module.run_command(command)
    return str(out) if rc == 0 else ""


def ssh_sessions(module: AnsibleModule) -> list[admission.Session]:
    """Who is logged in over ssh from another host: those whom the new rules have to admit again."""
    own = host_addresses()
    connections = [
        one for one in live_ssh_connections() if one.account and not is_local_address(one.remote_address, own)
    ]
    listing = output_of(module, ["ip", "-o", "addr", "show"]) if connections else ""
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
