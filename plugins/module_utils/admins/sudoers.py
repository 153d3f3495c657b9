"""Who may become root without a password by the file that dlbox manages, and who would lose that."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

RULE = re.compile(r"^(\S+) ALL=\(ALL:ALL\) NOPASSWD: ALL$", re.MULTILINE)


def without_password(text: str) -> list[str]:
    """The accounts that dlbox's own sudoers file names."""
    return RULE.findall(text)


def losses(text: str, wanted: Iterable[str], watched: Iterable[str], password: Mapping[str, bool]) -> list[str]:
    """A sentence for each of the `watched` accounts that would lose sudo: its rule goes, and it has no password.

    Args:
        text: dlbox's sudoers file as it is; empty where there is none.
        wanted: the accounts that will need no password.
        watched: the listed admins and the account of this run; of others the owner disposes.
        password: whether each account has a password.
    """
    lost = set(without_password(text)) - set(wanted)
    return [
        f"{name}: sudo would refuse it from now on: it becomes root without a password today, has none, and `sudo` is "
        f"no longer nopasswd. Run `sudo passwd {name}` first, or give it sudo: nopasswd"
        for name in dict.fromkeys(watched)
        if name in lost and not password.get(name, False)
    ]


def passwordless(listing: str) -> bool:
    """Whether an account becomes root without a password, by what `sudo -l -U NAME` says; the last rule decides.

    Counted are rules for all commands as root: what a single command without a password opens is not known here.
    """
    heading, _, rules = listing.partition(" may run the following commands")
    answer = "!authenticate" in re.split(r"[\s,]+", heading)
    for runas, commands in re.findall(r"^\s+\(([^)]*)\) (.*)$", rules, re.MULTILINE):
        if not {"ALL", "root"} & set(re.split(r"[\s,:]+", runas.partition(":")[0])):
            continue
        tagged = ""
        for command in commands.split(", "):
            *tags, name = command.split()
            tagged = next((tag for tag in reversed(tags) if tag in ("NOPASSWD:", "PASSWD:")), tagged)
            if name == "ALL" and tagged:
                answer = tagged == "NOPASSWD:"
            elif name == "ALL":
                answer = "!authenticate" in heading
    return bool(rules) and answer
