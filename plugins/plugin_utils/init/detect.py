"""What this machine says about its owner: account, public keys, networks, time zone."""

from __future__ import annotations

import contextlib
import ipaddress
import json
import pwd
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...module_utils.admins.accounts import NO_LOGIN_SHELLS
from ...module_utils.public_key import PublicKey, parse, read_lines
from .answers import evaluated

#: People's accounts on Debian and Ubuntu (login.defs: UID_MIN, UID_MAX).
PEOPLE = range(1000, 60000)


@dataclass(frozen=True)
class FoundKey:
    """A public key that somebody here can use. `entry`: as dlbox_admins takes it; `problem`: why it cannot be used."""

    entry: str
    where: str
    body: str
    fingerprint: str
    comment: str
    problem: str = ""

    @property
    def title(self) -> str:
        """One line for a list of choices."""
        return " ".join(word for word in (self.where, self.fingerprint, self.comment) if word)


def output(*command: str) -> str:
    """What a program prints; empty where it is missing, fails or hangs."""
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=10, check=False)
        return done.stdout if done.returncode == 0 else ""
    return ""


def text_of(path: Path) -> str:
    """The text of a file; empty where it cannot be read."""
    with contextlib.suppress(OSError):
        return path.read_text(encoding="utf-8", errors="replace")
    return ""


# --- the account --------------------------------------------------------------------------------------------------
def account(environment: Mapping[str, str], accounts: Iterable[pwd.struct_passwd]) -> str:
    """Return who runs dlbox; for root the first account of a person, as the installer made it; empty without one."""
    for name in (environment.get("SUDO_USER"), environment.get("USER")):
        if name and name != "root":
            return name
    people = [
        one for one in accounts if one.pw_uid in PEOPLE and Path(one.pw_shell or "/bin/sh").name not in NO_LOGIN_SHELLS
    ]
    return min(people, key=lambda one: one.pw_uid).pw_name if people else ""


# --- keys ---------------------------------------------------------------------------------------------------------
def keys_in(text: str, where: str, entry: str = "") -> list[FoundKey]:
    """Return the keys of a .pub file, `ssh-add -L` or authorized_keys. entry: the path, where it stands for all."""
    return [
        FoundKey(
            entry or PublicKey(key.type, key.bits, "", key.body, "" if evaluated(key.comment) else key.comment).line,
            where,
            key.body,
            f"{key.type.removeprefix('ssh-')} {key.fingerprint}",
            key.comment,
            _problem(key),
        )
        for key in read_lines(text)[0]
        # A key that may run one program only, or is bound otherwise, is no login of a person.
        if (not key.options or entry) and not evaluated(entry)
    ]


def _problem(key: PublicKey) -> str:
    try:
        parse(key.line)
    except ValueError as error:
        return str(error)
    return ""


def merged(found: Iterable[FoundKey]) -> list[FoundKey]:
    """Return each key once, as it was found first."""
    by_body: dict[str, FoundKey] = {}
    for key in found:
        by_body.setdefault(key.body, key)
    return list(by_body.values())


def key_files(home: Path) -> list[FoundKey]:
    """Read the public keys of ~/.ssh; ed25519 first, as ssh prefers it."""
    files = sorted(home.glob(".ssh/*.pub"), key=lambda file: (file.name != "id_ed25519.pub", file.name))
    return [key for file in files for key in keys_in(text_of(file), f"~/.ssh/{file.name}", f"~/.ssh/{file.name}")]


def public_keys(homes: Sequence[Path]) -> list[FoundKey]:
    """Read the keys of ~/.ssh, of the agent, and those that `homes` let in already. The first home is one's own."""
    found = key_files(homes[0])
    found += keys_in(output("ssh-add", "-L"), "ssh agent")
    for home in homes:
        found += keys_in(text_of(home / ".ssh/authorized_keys"), str(home / ".ssh/authorized_keys"))
    return merged(found)


def home_of(name: str) -> Path | None:
    """The home of an account of this machine."""
    try:
        return Path(pwd.getpwnam(name).pw_dir)
    except KeyError:
        return None


# --- networks -----------------------------------------------------------------------------------------------------
def networks_in(routes: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return the private networks that this machine is in by the interface of its default route (`ip -json route`)."""
    routes = list(routes)
    outside = {route.get("dev") for route in routes if route.get("dst") == "default"}
    found = []
    for route in routes:
        if route.get("dev") not in outside or route.get("gateway") or "linkdown" in (route.get("flags") or []):
            continue
        try:
            network = ipaddress.ip_network(str(route.get("dst")))
        except ValueError:
            continue  # default, unreachable, ...
        single = network.prefixlen == network.max_prefixlen
        if network.is_private and not (single or network.is_link_local or network.is_loopback):
            found.append(str(network))
    return list(dict.fromkeys(found))


def home_networks() -> list[str]:
    """Read them from the routes of this machine."""
    routes = []
    for family in ("-4", "-6"):
        with contextlib.suppress(ValueError):
            routes += json.loads(output("ip", family, "-json", "route", "show") or "[]")
    return networks_in(routes)


# --- time zone ----------------------------------------------------------------------------------------------------
def time_zone(root: Path = Path("/")) -> str:
    """Read the time zone of this machine; UTC where nothing says otherwise."""
    with contextlib.suppress(OSError):
        link = str((root / "etc/localtime").readlink())
        if "zoneinfo/" in link:
            return link.partition("zoneinfo/")[2]
    return text_of(root / "etc/timezone").strip() or "Etc/UTC"
