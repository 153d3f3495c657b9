"""What the controller sees of a host over the network: open ports, and a fresh login; and ssh-audit's opinion of sshd.

Only TCP connections and one login that runs `true`; nothing is sent to the services found.
"""

from __future__ import annotations

import concurrent.futures
import shlex
import socket
import subprocess
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from .checks import firewall, ssh
from .model import Context

# What people start on a workstation without thinking of the network, beside what the host itself says it listens on.
USUAL_PORTS = (
    21, 22, 23, 25, 80, 111, 139, 443, 445, 631, 873, 2049, 2222, 2375, 2376, 3000, 3306, 3389, 4040, 5000,
    5432, 5900, 5901, 6006, 6379, 7860, 8000, 8080, 8443, 8501, 8786, 8787, 8888, 8889, 9000, 9090, 9100,
    9200, 9400, 11211, 11434, 27017,
)  # fmt: skip
LIMIT_SECONDS = 31  # ufw's `limit` counts new connections of one address over half a minute
PATIENCE = 1.5  # seconds for one TCP connection; a dropped packet takes all of it


def is_open(address: str, port: int, seconds: float = PATIENCE) -> bool:
    """True when a TCP connection succeeds."""
    try:
        with socket.create_connection((address, port), timeout=seconds):
            return True
    except OSError:
        return False


def scan(address: str, ports: Iterable[int]) -> dict[str, Any]:
    """{"address", "from", "open": [port...], "closed": [port...]}; all ports are tried side by side."""
    wanted = sorted(set(ports))
    with concurrent.futures.ThreadPoolExecutor(max_workers=64) as pool:
        states = dict(zip(wanted, pool.map(lambda port: is_open(address, port), wanted), strict=False))
    return {
        "address": address,
        "from": socket.gethostname(),
        "open": [port for port in wanted if states[port]],
        "closed": [port for port in wanted if not states[port]],
    }


def ports_to_try(context: Context) -> set[int]:
    """The usual ports, those that the host listens on, and those that its firewall names (few of each range)."""
    found = set(USUAL_PORTS)
    found.update(item.port for item in ssh.sockets(context) if item.protocol.startswith("tcp") and not item.loopback)
    for rule in firewall.rules(context) if context.evidence.get("firewall") else []:
        found.update(sorted(rule.ports)[:20])
    return found


def fresh_login(host: str, variables: dict[str, Any], seconds: int = 10) -> dict[str, Any]:
    """Log in over a new TCP connection, past any shared one, as Ansible's variables say: {"ok", "how", "error"}."""
    user = variables.get("ansible_user")
    target = f"{user}@{host}" if user else host
    port = variables.get("ansible_port")
    command = [
        "ssh",
        "-o",
        "BatchMode=yes",
        "-o",
        "ControlMaster=no",
        "-o",
        "ControlPath=none",
        "-o",
        f"ConnectTimeout={seconds}",
    ]
    for name in ("ansible_ssh_common_args", "ansible_ssh_extra_args"):
        command += shlex.split(str(variables.get(name) or ""))
    if port:
        command += ["-p", str(port)]
    if variables.get("ansible_ssh_private_key_file"):
        command += ["-i", str(Path(str(variables["ansible_ssh_private_key_file"])).expanduser())]
    how = f"a new connection as {target}" + (f", port {port}" if port else "")
    try:
        done = subprocess.run(
            [*command, target, "true"], capture_output=True, text=True, timeout=seconds * 2, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return {"ok": False, "how": how, "error": str(error)}
    return {
        "ok": done.returncode == 0,
        "how": how,
        "error": (done.stderr.strip().splitlines() or [f"code {done.returncode}"])[-1],
    }


def banner(address: str, port: int, seconds: float = 5.0) -> dict[str, Any]:
    """Where no ssh login is configured (containers, the machine itself): does sshd answer a new connection."""
    how = f"sshd answers a new connection on {address} port {port}"
    try:
        with socket.create_connection((address, port), timeout=seconds) as link:
            link.settimeout(seconds)
            text = link.recv(256)
    except OSError as error:
        return {"ok": False, "how": how, "error": str(error)}
    return {"ok": text.startswith(b"SSH-"), "how": how, "error": "something else than sshd answers"}


def audit(effective: dict[str, list[str]], host_keys: Iterable[str]) -> dict[str, Any] | None:
    """ssh-audit's opinion of the algorithms that sshd offers: {"fail", "warn", "names"}; None when it is not installed.

    Evaluated by ssh-audit's own table over sshd -T, not by its scan: the scan opens a dozen connections, and a firewall
    that limits ssh would then shut the controller out for half a minute. `host_keys` are the paths of the private keys.
    """
    try:
        from ssh_audit.ssh2_kexdb import SSH2_KexDB  # optional: a tool of the tests, not of the controller
    except ImportError:
        return None
    table: dict[str, dict[str, list[list[str]]]] = SSH2_KexDB.get_db()
    kinds = {word for path in host_keys for word in ("ed25519", "ecdsa", "rsa", "dsa") if f"_{word}_" in path}
    keys = [
        name
        for name in _listed(effective, "hostkeyalgorithms")
        if any(word in name for word in kinds) and "cert" not in name
    ]
    offered = {
        "kex": _listed(effective, "kexalgorithms"),
        "key": keys,
        "enc": _listed(effective, "ciphers"),
        "mac": _listed(effective, "macs"),
    }
    counts = {"fail": 0, "warn": 0}
    names = []
    for section, algorithms in offered.items():
        for name in algorithms:
            notes = table[section].get(name, [])
            failures, warnings = (bool(notes[level]) if len(notes) > level else False for level in (1, 2))
            counts["fail"] += failures
            counts["warn"] += warnings
            names += [name] * (failures or warnings)
    return {**counts, "names": names}


def _listed(effective: dict[str, list[str]], keyword: str) -> list[str]:
    """A comma-separated setting as a list."""
    return [name for name in (effective.get(keyword) or [""])[0].split(",") if name]


def ssh_target(host: str) -> dict[str, str]:
    """What ssh makes of a name by its configuration: {"hostname", "proxy"}; proxy is empty for a direct connection."""
    try:
        done = subprocess.run(["ssh", "-G", host], capture_output=True, text=True, timeout=10, stdin=subprocess.DEVNULL)
    except (OSError, subprocess.TimeoutExpired):
        return {"hostname": host, "proxy": ""}
    values = dict(line.split(" ", 1) for line in done.stdout.splitlines() if " " in line)
    proxy = next((values[key] for key in ("proxyjump", "proxycommand") if values.get(key, "none") != "none"), "")
    return {"hostname": values.get("hostname", host), "proxy": proxy}


def limited(context: Context, port: int) -> bool:
    """True when sshd listens and ufw limits new connections: a refusal may then only mean that there were too many."""
    if not context.evidence.get("firewall") or port not in {item.port for item in ssh.sockets(context)}:
        return False
    rules = firewall.rules(context) if firewall.active(context) else []
    return any(rule.action == "limit" and port in rule.ports for rule in rules)


def patient(login: Callable[[], dict[str, Any]], context: Context, port: int) -> dict[str, Any]:
    """Try to log in; where the firewall limits connections, once more after its half minute."""
    answer = login()
    if not answer["ok"] and limited(context, port):
        time.sleep(LIMIT_SECONDS)
        answer = login()
    return answer


def look(connection: str, name: str, variables: dict[str, Any], context: Context) -> dict[str, Any]:
    """The whole outside view of one host; `connection` is Ansible's name for how the host is reached."""
    found = context.evidence.get("ssh_server") or {}
    installed = bool(found.get("installed"))
    port = ssh.ports(context)[0] if installed else 22
    seen: dict[str, Any] = {}
    if installed and ssh.settings(context, "root"):
        seen["audit"] = audit(ssh.settings(context, "root"), [item["path"] for item in found["host_keys"]])
    if connection == "local":
        why = "the controller is this machine: run the doctor from another one for a view from outside"
        login = {"login": banner("127.0.0.1", port)} if installed else {}
        return {**seen, **login, "why": why}
    if connection == "ssh":
        host = str(variables.get("ansible_host", name))
        seen["login"] = patient(lambda: fresh_login(host, variables), context, port)
        target = ssh_target(host)
        if target["proxy"]:
            return {**seen, "why": f"reached through {target['proxy']}: its ports cannot be tried from here"}
        address = target["hostname"]
    else:
        here = [item for item in context.evidence.get("addresses") or [] if ":" not in item]
        if not here:
            return {**seen, "why": "the host has no address that the controller could try"}
        address = here[0]
        if installed:
            seen["login"] = patient(lambda: banner(address, port), context, port)
    # The login told about ssh's port; another connection would count against the firewall's limit.
    result = scan(address, ports_to_try(context) - {port})
    if seen.get("login"):
        result["open" if seen["login"]["ok"] else "closed"].append(port)
    result["open"].sort()
    return {**seen, **result}
