"""Accounts: login shell, groups, expiry and lock, and authorized_keys, which are read and written as the account.

Below a home an account may place any link, pipe or mount. So nothing there is touched by root: a child process that is
the account handles that one file, and is given up when it takes too long.
"""

from __future__ import annotations

import contextlib
import grp
import json
import pwd
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..run_as import account, call_as, read_regular, replace_file
from .commands import CommandError, must

KEYS, READY, UNDONE = ".ssh/authorized_keys", ".ssh/.authorized_keys.dlbox-guard", ".ssh/authorized_keys.dlbox-undone"
MAX_KEYS = 1 << 20
SECONDS = 10
# An account that is made in the window is not removed, as it may own files by then: it stays, without a way to log in.
NEW: dict[str, Any] = {"groups": [], "locked": True, "authorized_keys": None}


def as_account(name: str, work: Callable[[Path], Any]) -> Any:
    """Call ``work`` with the account's home in a child process that is the account; what it returned, by way of JSON.

    Raises:
        OSError: the account is gone, or the child failed or took too long.
    """
    try:
        who, home = account(name), Path(pwd.getpwnam(name).pw_dir)
    except KeyError:
        raise OSError(f"{name} has no account any more") from None
    return json.loads(call_as(who, lambda: json.dumps(work(home)), SECONDS))


# --- what runs as the account ---------------------------------------------------------------------------------------


def _read(file: Path, follow: bool = True) -> dict[str, Any] | None:
    """Contents and mode of a plain file; None where there is none. No pipe is waited for, no endless file is read.

    Raises:
        OSError: it is something else or longer than MAX_KEYS bytes, or cannot be read.
    """
    try:
        content, mode = read_regular(file, MAX_KEYS + 1, follow), file.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return None
    if len(content) > MAX_KEYS:
        raise OSError(f"{file} has more than {MAX_KEYS} bytes")
    return {"text": content.decode("utf-8", "surrogateescape"), "mode": stat.S_IMODE(mode)}


def read_keys(home: Path) -> dict[str, Any] | None:
    """Contents and mode of authorized_keys; None where there is no such file."""
    return _read(home / KEYS)


def _reserve(home: Path, keys: dict[str, Any]) -> None:
    """Have a ready replacement of authorized_keys beside it."""
    with contextlib.suppress(OSError):
        if _read(home / READY, follow=False) == keys:
            return
    replace_file(home / READY, keys["text"], keys["mode"])


def _read_and_reserve(home: Path) -> dict[str, Any] | None:
    if keys := read_keys(home):
        _reserve(home, keys)
    return keys


def put_back_keys(home: Path, keys: dict[str, Any] | None) -> None:
    """Make authorized_keys what it was. One that was not there gets another name, so that nothing is lost."""
    if read_keys(home) == keys:
        return
    if keys is None:
        (home / KEYS).rename(home / UNDONE)
        return
    (home / KEYS).parent.mkdir(mode=0o700, exist_ok=True)
    _reserve(home, keys)
    (home / READY).rename(home / KEYS)


# --- the account's entries in the databases -------------------------------------------------------------------------


def _shadow() -> dict[str, list[str]]:
    with contextlib.suppress(OSError):
        return {line.split(":")[0]: line.split(":") for line in Path("/etc/shadow").read_text().splitlines()}
    return {}


def read_fields(name: str) -> dict[str, Any] | None:
    """Shell, names of the supplementary groups, expiry (days, or empty) and lock of an account; None without one."""
    try:
        account = pwd.getpwnam(name)
    except KeyError:
        return None
    shadow = _shadow().get(name, [""] * 9)
    groups = sorted(group.gr_name for group in grp.getgrall() if name in group.gr_mem)
    return {"shell": account.pw_shell, "groups": groups, "expiry": shadow[7], "locked": shadow[1].startswith("!")}


def read(names: list[str]) -> dict[str, dict[str, Any]]:
    """Fields and keys of accounts, each key file with a ready replacement beside it; `NEW` for one that is not there.

    Raises:
        OSError: an account's keys cannot be read or its replacement not be written: it could not be restored.
    """
    found = {}
    for name in names:
        fields = read_fields(name)
        found[name] = {**fields, "authorized_keys": as_account(name, _read_and_reserve)} if fields else NEW
    return found


def discard(names: list[str]) -> None:
    """Remove the replacements."""
    for name in names:
        with contextlib.suppress(OSError):
            as_account(name, lambda home: (home / READY).unlink(missing_ok=True))


def changed(before: dict[str, dict[str, Any]]) -> list[tuple[str, str]]:
    """Account and field of all that is not as it was. What cannot be read now counts as changed."""
    found = []
    for name, old in before.items():
        now = read_fields(name)
        if now is None:
            found += [(name, "account")] if old != NEW else []
            continue
        found += [(name, field) for field in now if field in old and now[field] != old[field]]
        try:
            keys = as_account(name, read_keys)
        except OSError:
            keys = {}
        if keys != old["authorized_keys"]:
            found.append((name, "authorized_keys"))
    return found


def put_back(name: str, field: str, before: dict[str, dict[str, Any]]) -> None:
    """Make one field of an account what it was.

    Raises:
        OSError: it cannot be done now.
    """
    if field == "account":
        raise CommandError(f"the account {name} was removed, and is not made again")
    was = before[name][field]
    if field == "authorized_keys":
        as_account(name, lambda home: put_back_keys(home, was))
    elif field == "shell":
        must(["usermod", "--shell", was, name])
    elif field == "groups":
        must(["usermod", "--groups", ",".join(was), name])
    elif field == "expiry":
        must(["chage", "--expiredate", was or "-1", name])
    else:
        must(["usermod", "--lock" if was else "--unlock", name])
