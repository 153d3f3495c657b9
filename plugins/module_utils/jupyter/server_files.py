"""The accounts that have a server, and their files: configuration, password file, start folder."""

from __future__ import annotations

import json
import os
import pwd
from pathlib import Path
from typing import Any, NamedTuple

from .. import run_as
from . import settings

CONFIG = "jupyter_server_config.json"
#: Bytes of a configuration: its account owns the file and could make it any size.
LARGEST = 1 << 20


class Person(NamedTuple):
    """An account, as far as it exists, and its places."""

    name: str
    account: pwd.struct_passwd | None
    folder: Path
    """Its configuration."""
    own_file: Path
    """Its password file."""

    @property
    def home(self) -> str:
        """The home folder; a guess in check mode, while the account does not exist."""
        return self.account.pw_dir if self.account else f"/home/{self.name}"

    @property
    def uid(self) -> int:
        """The numeric user id; -1 while the account does not exist."""
        return self.account.pw_uid if self.account else -1


def accounts(users: list[str]) -> dict[str, pwd.struct_passwd]:
    """The accounts that exist, by name."""
    found = {}
    for user in users:
        try:
            found[user] = pwd.getpwnam(user)
        except KeyError:
            continue
    return found


def folder_of(choice: str, home: str) -> str:
    """The start folder as an absolute path."""
    return str(Path(home, choice[1:].lstrip("/"))) if choice == "~" or choice.startswith("~/") else choice


class Folders(NamedTuple):
    """What a start folder lacks, or lacked."""

    folder: bool
    links: list[str]
    taken: list[str]
    """Names of links in whose place something else is."""


def settle_folders(account: run_as.Account, folder: Path, links: dict[str, str], dry: bool) -> Folders:
    """Make a start folder and the links in it with the account's rights. Raises OSError."""

    def work() -> str:
        missing = not folder.is_dir()
        if missing and not dry:
            folder.mkdir(parents=True, exist_ok=True)
        lacking, taken = [], []
        for name, target in links.items():
            link = folder / name
            if link.is_symlink() and str(link.readlink()) == target:
                continue
            if os.path.lexists(link):
                taken.append(str(link))
                continue
            lacking.append(str(link))
            if not dry:
                link.symlink_to(target)
        return json.dumps(Folders(missing, lacking, taken))

    return Folders(*json.loads(run_as.call_as(account, work)))


def as_text(content: Any) -> str:
    """JSON as it is written."""
    return json.dumps(content, indent=1, sort_keys=True) + "\n"


def shown(text: str) -> str:
    """A configuration as a diff may show it."""
    try:
        return as_text(settings.masked(json.loads(text))) if text else ""
    except (ValueError, TypeError, AttributeError, RecursionError):
        return "(not JSON)\n"


def text_of(file: Path) -> str:
    """The text of a configuration; "" where there is none."""
    try:
        return str(run_as.read_regular(file, LARGEST, follow=False).decode("utf-8", "replace"))
    except OSError:
        return ""


def right(file: Path, content: str, uid: int, mode: int) -> bool:
    """Whether a file has this content, owner and mode."""
    try:
        state = file.lstat()
    except OSError:
        return False
    return (state.st_uid, state.st_mode & 0o7777) == (uid, mode) and text_of(file) == content
