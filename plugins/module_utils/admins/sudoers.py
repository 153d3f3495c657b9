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
    # What is said of single commands or target accounts (Defaults!/usr/bin/apt !authenticate) is not said of all.
    spared = "!authenticate" in re.split(r"[\s,]+", heading.partition("Runas and Command-specific defaults")[0])
    answer = False
    for runas, commands in re.findall(r"^\s+\(([^)]*)\) (.*)$", rules, re.MULTILINE):
        accounts = set(re.split(r"[\s,]+", runas.partition(":")[0]))
        if not {"ALL", "root"} & accounts or {"!ALL", "!root", "!#0"} & accounts:
            continue
        without = spared
        for tags, command in re.findall(r"\s*((?:[A-Z_]+(?:: *|=\S+ +))*)((?:[^,\\]|\\.)*),?", commands):
            own = re.findall(r"\b(NOPASSWD|PASSWD):", tags)
            without = own[-1] == "NOPASSWD" if own else without
            if command.replace(" ", "") in ("ALL", "!ALL"):
                answer = without and command == "ALL"
    return answer
