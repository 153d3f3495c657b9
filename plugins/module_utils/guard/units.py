"""Units of systemd: which of them run, and the links in /etc/systemd/system that enable or mask them.

By `systemctl is-active` and not through module_utils/host: what runs as root until the rollback is confirmed stays the
guard's own few files, and it asks one thing of units, with a line per unit as the answer.
"""

from __future__ import annotations

from pathlib import Path

from .commands import must, run

SYSTEM = Path("/etc/systemd/system")
SSH = ("ssh.socket", "ssh.service")
SSHD = (*SSH, "sshd.service")
# They load rules and end: the kernel's rules are restored as such, and starting them once more would only interrupt.
RULE_LOADERS = ("ufw.service", "nftables.service", "netfilter-persistent.service")
RUNNING = ("active", "activating", "reloading")


def activity(units: list[str]) -> dict[str, bool]:
    """Which units run now. Those that do not exist do not."""
    states = run(["systemctl", "is-active", *units])[1].splitlines()
    return dict.fromkeys(units, False) | {unit: state in RUNNING for unit, state in zip(units, states, strict=False)}


def links(units: list[str]) -> list[str]:
    """The paths that decide whether units are enabled, masked or known by another name, whether they exist or not."""
    folders = [SYSTEM, *sorted(SYSTEM.glob("*.wants")), *sorted(SYSTEM.glob("*.requires"))]
    return [f"{folder}/{unit}" for folder in folders for unit in units]


def differing(before: dict[str, bool]) -> list[str]:
    """Units that do not run as they did. Behind a socket, sshd's service runs or not as connections come."""
    now = activity(list(before))
    behind_socket = before.get("ssh.socket") and now.get("ssh.socket")
    idle = ("ssh.service", "sshd.service") if behind_socket else ()
    return [unit for unit, active in before.items() if now[unit] != active and unit not in idle]


def restore(unit: str, active: bool) -> None:
    """Start or stop a unit.

    Raises:
        CommandError: systemd refused.
    """
    run(["systemctl", "reset-failed", unit])
    must(["systemctl", "start" if active else "stop", unit])


def restart_ssh(before: dict[str, bool]) -> None:
    """Let sshd read what was restored. It also forgets the penalties of failed logins; sessions survive.

    Raises:
        CommandError: systemd refused.
    """
    run(["systemctl", "reset-failed", *SSH])
    if before.get("ssh.socket"):
        # Both down, then the socket: under a running service it cannot be opened, and a connection would start one.
        run(["systemctl", "stop", *SSH])
        must(["systemctl", "start", "ssh.socket"])
    elif before.get("ssh.service"):
        run(["systemctl", "stop", "ssh.socket"])
        must(["systemctl", "restart", "ssh.service"])


def is_starting_up() -> bool:
    """Whether the system is still on its way up."""
    return run(["systemctl", "is-system-running"])[1].strip() in ("initializing", "starting", "")
