"""What is an answer to a question of `./dlbox init`, and what is wrong with a text that is none."""

from __future__ import annotations

import ipaddress
import re
import zoneinfo
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...filter.public_keys import key_lines
from ...lookup.variable_problems import ACCOUNT_NAME
from ..planner.sizes import sizes


def account_problem(name: str) -> str:
    """Why a text is no admin's account."""
    if name == "root":
        return "root is not let in over ssh; expected an ordinary account, such as ada"
    if not ACCOUNT_NAME.fullmatch(name):
        return f"{name!r} is no account name; expected lower-case letters, digits, _ and -, such as ada"
    return ""


def evaluated(text: str) -> bool:
    """Whether Ansible would evaluate a text of the inventory: a key's comment may be by anybody."""
    return bool(re.search(r"\{[{%#]", text))


def key_problem(entry: str) -> str:
    """Why a text is no public key, nor the path of one."""
    if evaluated(entry):
        return "it holds {{, {% or {#, which Ansible would evaluate; leave out the comment behind the key"
    if not entry:
        return "expected a line as in ~/.ssh/id_ed25519.pub, or the path of such a file"
    try:
        key_lines(entry, "key")
    except ValueError as error:
        return str(error).removeprefix("key: ")
    return ""


def networks(answer: str) -> list[str]:
    """Return the networks of an answer; raises ValueError."""
    return [str(ipaddress.ip_network(word, strict=False)) for word in answer.replace(",", " ").split()]


def networks_problem(answer: str) -> str:
    """Why a text is no list of networks."""
    try:
        everything = [one for one in networks(answer) if one in ("0.0.0.0/0", "::/0")]
    except ValueError as error:
        return f"{error}; expected networks such as 192.168.1.0/24, several with commas between, or nothing"
    return f"{everything[0]} is the whole internet, expected networks of your own" if everything else ""


def zone_problem(zone: str) -> str:
    """Why a text is no time zone."""
    known = zoneinfo.available_timezones()
    if zone in known or (not known and re.fullmatch(r"[A-Z]\w+(/[\w+-]+)*", zone)):
        return ""
    return f"{zone!r} is no time zone; expected one such as Europe/Berlin or Etc/UTC"


def host_problem(name: str) -> str:
    """Why a text is no name for a host of the inventory."""
    if re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,62}[A-Za-z0-9])?", name) and name not in ("all", "ungrouped"):
        return ""
    return f"{name!r} is no name for a host; expected letters, digits, dots and hyphens, such as bigbox"


def address_problem(address: str) -> str:
    """Why ssh could make nothing of an address."""
    if not re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9._:%-]{0,253}[A-Za-z0-9])?", address):
        return f"{address!r} is no address; expected one such as 192.168.1.20, bigbox.lan, or a name of ~/.ssh/config"
    return ""


# --- environments -------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Offer:
    """A shipped environment: whether the inventory makes it, and why this machine's plan refuses it."""

    name: str
    title: str
    present: bool
    refused: str


def offers(
    entries: Sequence[Any], chosen: bool, definitions: Mapping[str, Mapping[str, Any]], plan: Mapping[str, Any]
) -> list[Offer]:
    """Return the shipped environments as a person chooses among them.

    Args:
        entries: conda_environments, or what is made without it.
        chosen: whether a person wrote `entries`: what the plan refuses is then shown as it stands, else left out.
        definitions: the shipped environments by name, without base.
        plan: of the machine, or nothing.
    """
    made = {
        entry.get("name")
        for entry in entries
        if isinstance(entry, Mapping) and entry.get("state", "present") == "present"
    }
    frameworks = plan.get("frameworks") or {}
    found = []
    for name, definition in definitions.items():
        framework = frameworks.get(definition.get("framework"), {})
        refused = "" if framework.get("version", "") is not None else framework.get("note") or "none fits this machine"
        size = sizes([{"name": name, "framework": definition.get("framework")}], plan)[name].download / 1000
        where = "on the GPU" if framework.get("gpu") else "on the CPU"
        build = f" {framework['version']}, {where}" if framework.get("version") else ""
        title = f"{name:<14}{size:4.1f} GB   {definition['description']}{build}"
        present = name in made and (chosen or not refused)
        found.append(Offer(name, title, present, "" if present else refused))
    return found
