"""Who gets in: sockets, sshd, admins, firewall."""

# os.path and glob throughout: in the evidence, which becomes JSON, paths are texts.
# ruff: noqa: PTH110, PTH116, PTH207
from __future__ import annotations

import concurrent.futures
import contextlib
import datetime
import glob
import grp
import os
import pathlib
import re
import stat
from typing import Any

from ..admins import sudoers
from ..ssh import config, logins, passwords
from .common import Settings, read, run


def listening(_: Settings) -> dict[str, Any]:
    """Listening sockets as ss prints them."""
    return run(["ss", "-H", "-lntup"])


def addresses(_: Settings) -> list[str]:
    """The host's own global addresses."""
    answer = run(["ip", "-o", "addr", "show", "scope", "global"])
    return re.findall(r"inet6? ([0-9a-f.:]+)/", answer["out"])


def admin_names(settings: Settings) -> list[str]:
    """Accounts that may become root by sudo, and those the owner named."""
    names = set(settings.get("admins", []))
    for group in ("sudo", "admin", "wheel"):
        with contextlib.suppress(KeyError):
            names.update(grp.getgrnam(group).gr_mem)
    return sorted(names)


def ssh_server(settings: Settings) -> dict[str, Any]:
    """sshd's settings for root and each admin, who of them could log in, whether keys are needed, and the host keys."""
    sshd = "/usr/sbin/sshd"
    if not os.path.exists(sshd):
        return {"installed": False}
    peer = settings.get("peer", "192.0.2.1")
    names = admin_names(settings)

    def said(question: str) -> str:
        answer = run([sshd, "-T", "-C", question])
        if answer["rc"] != 0:
            raise OSError((answer["err"].strip().splitlines() or ["sshd does not answer"])[-1])
        return str(answer["out"])

    effective: dict[str, dict[str, list[str]]] = {}
    for user in ["root", *names]:
        effective[user] = {}
        with contextlib.suppress(OSError):
            effective[user] = config.effective(said(f"user={user},host={peer},addr={peer}"))
    keys = []
    for path in sorted(glob.glob("/etc/ssh/ssh_host_*_key")):
        info = os.stat(path)
        keys.append({"path": path, "mode": f"{stat.S_IMODE(info.st_mode):04o}", "owner": info.st_uid})
    found = {"installed": True, "valid": run([sshd, "-t"]), "effective": effective, "host_keys": keys}
    if not effective["root"]:
        return {**found, "logins": {}, "keyless": [], "keyless_unknown": []}
    verdict = passwords.survey(
        pathlib.Path("/etc/ssh/sshd_config"),
        lambda connection: said(connection.text),
        passwords.known_accounts(names),
        port=int((effective["root"].get("port") or ["22"])[0]),
    )
    shadow, today = read("/etc/shadow") or "", datetime.date.today()
    people = {name: logins.evaluate_login(name, logins.server_of(effective[name]), shadow, today) for name in names}
    return {
        **found,
        "logins": {name: {"keys": len(one.keys), "problems": one.problems} for name, one in people.items()},
        "keyless": [{"sentence": one.sentence, "methods": list(one.methods)} for one in verdict.open],
        "keyless_unknown": list(verdict.unknown),
    }


def admin_accounts(settings: Settings) -> list[dict[str, Any]]:
    """The admins: whether sudo asks them for a password (None where it does not say)."""
    found: list[dict[str, Any]] = []
    for name in admin_names(settings):
        listing = run(["sudo", "-n", "-l", "-U", name]) if os.geteuid() == 0 else {"rc": None}
        found.append(
            {"name": name, "passwordless": sudoers.passwordless(str(listing["out"])) if listing["rc"] == 0 else None}
        )
    return found


def firewall(_: Settings) -> dict[str, Any]:
    """ufw's state and rules, and the kernel's own policy for incoming packets."""
    # A Python program each time: both at once, for they are what the others wait for.
    with concurrent.futures.ThreadPoolExecutor(max_workers=2) as pool:
        status, added = pool.map(run, (["ufw", "status", "verbose"], ["ufw", "show", "added"]))
    return {
        "status": status,
        "added": added,
        "config": read("/etc/ufw/ufw.conf") or "",
        "input": {tool: run([tool, "-S", "INPUT"]) for tool in ("iptables", "ip6tables")},
    }
