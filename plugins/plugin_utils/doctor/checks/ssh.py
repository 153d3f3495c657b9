"""ssh: the server's effective settings, and whether the owner can still get in."""

# What a check says is kept on one line, so that a message can be searched for.
# ruff: noqa: E501
from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ..model import Context, Finding, check, fail, na, ok, warn
from .common import joined

NONE = "no OpenSSH server is installed"
CLASSIC = ("curve25519-sha256", "curve25519-sha256@libssh.org")
WEAK = {
    "ciphers": re.compile(r"cbc|arcfour|3des|blowfish|cast128"),
    "macs": re.compile(r"md5|sha1(?!\d)|umac-64|ripemd"),
    "kexalgorithms": re.compile(r"sha1$|group1-|group14-sha1|nistp"),
    "hostkeyalgorithms": re.compile(r"^ssh-rsa|^ssh-dss|ssh-rsa-cert-v01"),
}


@dataclass(frozen=True)
class Socket:
    """One listening socket."""

    protocol: str
    address: str
    port: int
    process: str
    pids: frozenset[int] = frozenset()

    @property
    def loopback(self) -> bool:
        """True when only the host itself reaches it."""
        text = self.address.split("%")[0].strip("[]")
        if text in ("*", ""):
            return False
        return ipaddress.ip_address(text).is_loopback


def sockets(context: Context) -> list[Socket]:
    """What ss lists as listening; empty when ss is not there."""
    found = []
    for line in (context.evidence.get("listening") or {"out": ""})["out"].splitlines():
        fields = line.split()
        if len(fields) < 5:
            continue
        address, _sep, port = fields[4].rpartition(":")
        if not port.isdigit():
            continue
        process = re.search(r'\("([^"]+)"', line)
        pids = frozenset(map(int, re.findall(r"pid=(\d+)", line)))
        found.append(Socket(fields[0], address, int(port), process.group(1) if process else "", pids))
    return found


def settings(context: Context, user: str) -> dict[str, list[str]]:
    """sshd -T's answer for one account: values by lower-case keyword; empty when sshd gave none."""
    effective: dict[str, dict[str, list[str]]] = context.evidence["ssh_server"].get("effective") or {}
    return effective.get(user) or {}


def ports(context: Context) -> list[int]:
    """The ports that sshd is configured for."""
    return [int(port) for port in settings(context, "root").get("port", [])] or [22]


@check("ssh.server", ("ssh_server", "units", "listening"), quick=True)
def server(context: Context) -> Finding:
    """The ssh server runs with a valid configuration."""
    found = context.evidence["ssh_server"]
    if not found["installed"]:
        return na(NONE)
    # Where sshd starts by socket and never ran, its run-time directory is not there yet: that says nothing of the files.
    if found["valid"]["rc"] != 0 and "privilege separation directory" not in found["valid"]["err"]:
        text = (found["valid"]["err"].strip().splitlines() or ["no message"])[-1]
        return fail(
            f"sshd refuses its configuration, so the next restart locks you out: {text}",
            "Fix the file named above, or ./dlbox up; keep this session open until sshd -t is silent",
        )
    states = context.evidence["units"]["states"]
    active = [name for name in ("ssh.service", "ssh.socket") if states.get(name, {}).get("ActiveState") == "active"]
    here = {item.port for item in sockets(context) if item.protocol.startswith("tcp") and not item.loopback}
    missing = [port for port in ports(context) if port not in here]
    if not active or missing:
        return fail(
            f"nothing listens on port {joined(missing or ports(context))} ({joined(active) or 'ssh.service is not active'})",
            "sudo systemctl restart ssh; journalctl -u ssh -n 30",
        )
    enabled = [
        name
        for name in ("ssh.service", "ssh.socket")
        if states.get(name, {}).get("UnitFileState") in ("enabled", "alias")
    ]
    if not enabled:
        return fail("runs now, but is not enabled: after a reboot nobody gets in", "sudo systemctl enable ssh")
    return ok(f"port {joined(ports(context))}, {active[0]}")


@check("ssh.passwords", ("ssh_server",), quick=True)
def passwords(context: Context) -> Finding:
    """Only keys are accepted, under every Match block."""
    found = context.evidence["ssh_server"]
    if not found["installed"]:
        return na(NONE)
    if not settings(context, "root"):
        return na("sshd does not tell its settings (not root, or an invalid file)")
    remedy = "Take the lines out, or have another drop-in of /etc/ssh/sshd_config.d decide before them; ./dlbox up writes one"
    if any({"password", "keyboard-interactive"} & set(one["methods"]) for one in found["keyless"]):
        return fail("; ".join(one["sentence"] for one in found["keyless"]), remedy)
    if found["keyless"]:
        return warn("; ".join(one["sentence"] for one in found["keyless"]), remedy)
    if found["keyless_unknown"]:
        return warn(
            f"not known whether every login needs a key: {'; '.join(found['keyless_unknown'])}",
            "Take the lines out unless you want them",
        )
    return ok("keys only, under every Match block")


@check("ssh.root", ("ssh_server",), quick=True)
def root(context: Context) -> Finding:
    """root does not log in with a password."""
    if not context.evidence["ssh_server"]["installed"]:
        return na(NONE)
    value = settings(context, "root").get("permitrootlogin", [""])[0]
    if not value:
        return na("sshd does not tell its settings (not root, or an invalid file)")
    if value == "yes":
        return fail("PermitRootLogin is yes", "./dlbox up, or set PermitRootLogin no in a drop-in")
    return ok(f"PermitRootLogin {value}")


@check("ssh.algorithms", ("ssh_server",))
def algorithms(context: Context) -> Finding:
    """No weak algorithm is offered."""
    if not context.evidence["ssh_server"]["installed"]:
        return na(NONE)
    values = settings(context, "root")
    if not values:
        return na("sshd does not tell its settings (not root, or an invalid file)")
    weak = [
        name
        for key, pattern in WEAK.items()
        for name in (values.get(key) or [""])[0].split(",")
        if pattern.search(name)
    ]
    if weak:
        return warn(f"offers {joined(weak)}", "./dlbox up writes the algorithms that the host's OpenSSH does best")
    return ok("ciphers, MACs and key exchanges are current")


@check("ssh.audit", ("ssh_server",))
def audit(context: Context) -> Finding:
    """ssh-audit's table has nothing against what sshd offers."""
    found: dict[str, Any] | None = context.outside.get("audit")
    if not found:
        return na(context.outside.get("audit_why") or "ssh-audit is not installed on the controller")
    if found["fail"]:
        return fail(
            f"{found['fail']} failures, {found['warn']} warnings: {joined(found['names'])}",
            "./dlbox up hardens the server",
        )
    # ssh_hardening keeps it, last in the list, for clients that have nothing better.
    others = [name for name in found["names"] if name not in CLASSIC]
    if others:
        return warn(f"{len(others)} warnings: {joined(others)}", "./dlbox up hardens the server")
    if found["warn"]:
        return ok("0 failures; curve25519 is kept for clients without quantum-safe key exchanges")
    return ok("0 failures, 0 warnings")


@check("ssh.host-keys", ("ssh_server",))
def host_keys(context: Context) -> Finding:
    """Host keys belong to root alone."""
    found = context.evidence["ssh_server"]
    if not found["installed"]:
        return na(NONE)
    loose = [
        f"{item['path']} ({item['mode']})"
        for item in found["host_keys"]
        if int(item["mode"], 8) & 0o077 or item["owner"] != 0
    ]
    if loose:
        return fail(
            f"others can read {joined(loose)}",
            f"sudo chmod 0600 {loose[0].split()[0]}, sudo chown root: it; then make new host keys",
        )
    if not found["host_keys"]:
        return fail("there is no host key", "sudo ssh-keygen -A && sudo systemctl restart ssh")
    return ok(joined(item["path"].rsplit("/", 1)[1] for item in found["host_keys"]))


@check("ssh.admins", ("ssh_server", "admin_accounts"), quick=True)
def admins(context: Context) -> Iterator[Finding]:
    """Every admin can log in with a key, and sudo asks for a password where the owner wants that."""
    found = context.evidence["ssh_server"]
    if not found["installed"]:
        yield na(NONE)
        return
    wanted = {
        item["name"]: item for item in context.variable("dlbox_admins", []) if isinstance(item, dict) and "name" in item
    }
    for account in context.evidence["admin_accounts"]:
        name = account["name"]
        login = found["logins"].get(name)
        if login is None:
            yield na("sshd does not tell its settings (not root, or an invalid file)", name)
        elif login["problems"] and name in wanted:
            remedy = f"Name {name} with a key in dlbox_admins, and run ./dlbox up while a session is still open"
            yield fail(f"cannot log in: it {'; '.join(login['problems'])}", remedy, name)
        elif login["problems"]:
            yield na(f"in group sudo, not in dlbox_admins: it {'; '.join(login['problems'])}", name)
        else:
            yield ok(f"{login['keys']} key(s)", name)
        if account["passwordless"] and name in wanted and wanted[name].get("sudo", "password") == "password":
            yield warn(
                "becomes root without a password, in spite of sudo: password in dlbox_admins",
                f"sudo -l -U {name} lists the rules; take NOPASSWD out of the file below /etc/sudoers.d that has it",
                name,
            )
    if not context.evidence["admin_accounts"]:
        yield warn("no account may become root by sudo", "Name one in dlbox_admins and run ./dlbox up")


@check("ssh.second-login", ("ssh_server",))
def second_login(context: Context) -> Finding:
    """A second login over a new connection works."""
    if not context.evidence["ssh_server"]["installed"]:
        return na(NONE)
    tried: dict[str, Any] | None = context.outside.get("login")
    if not tried:
        return na(context.outside.get("login_why") or "not tried from outside")
    if not tried["ok"]:
        return fail(
            f"{tried['how']}: {tried['error']}", "Keep this session open; see the ssh and firewall lines of this report"
        )
    return ok(tried["how"])
