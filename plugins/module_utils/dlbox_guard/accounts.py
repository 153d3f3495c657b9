"""Accounts: login shell, groups, expiry and lock, and authorized_keys, which are read and written as the account.

Below a home an account may place any link, pipe or mount. So nothing there is touched by root: a child process takes
the account's ids and groups for good, handles that one file, and is given up when it takes too long.
"""

from __future__ import annotations

import contextlib
import ctypes
import grp
import hashlib
import json
import os
import pwd
import resource
import signal
import stat
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

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
        account = pwd.getpwnam(name)
    except KeyError:
        raise OSError(f"{name} has no account any more") from None
    end, start = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            # Nothing of root's goes with it, such as the guard's lock, which it would hold for as long as it hangs.
            os.closerange(3, start)
            os.closerange(start + 1, os.sysconf("SC_OPEN_MAX"))
            _become(account)
            answer = {"value": work(Path(account.pw_dir))}
        except BaseException as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        with contextlib.suppress(BaseException):
            os.write(start, json.dumps(answer).encode())
        os._exit(0)
    os.close(start)
    answer = _answer(child, end)
    if "error" in answer:
        raise OSError(f"as {name}: {answer['error']}")
    return answer["value"]


def _become(account: pwd.struct_passwd) -> None:
    """Be the account, with no way back, and let no process of the account look inside."""
    os.setsid()
    os.initgroups(account.pw_name, account.pw_gid)
    os.setresgid(account.pw_gid, account.pw_gid, account.pw_gid)
    os.setresuid(account.pw_uid, account.pw_uid, account.pw_uid)
    ctypes.CDLL(None).prctl(4, 0, 0, 0, 0)  # PR_SET_DUMPABLE, prctl(2)
    os.umask(0o077)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2 * MAX_KEYS, 2 * MAX_KEYS))
    signal.alarm(SECONDS)


def _answer(child: int, end: int) -> dict[str, Any]:
    """What the child wrote. One that does not end, as on a network filesystem that is gone, is left behind."""
    limit, data = time.monotonic() + SECONDS, b""
    os.set_blocking(end, False)
    try:
        while time.monotonic() < limit:
            try:
                part = os.read(end, 65536)
            except BlockingIOError:
                time.sleep(0.01)
                continue
            if not part:
                os.waitpid(child, 0)
                return dict(json.loads(data)) if data else {"error": "no answer"}
            data += part
    finally:
        os.close(end)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(child, signal.SIGKILL)
    os.waitpid(child, os.WNOHANG)
    return {"error": f"no answer within {SECONDS} s"}


# --- what runs as the account ---------------------------------------------------------------------------------------


def _read_plain(file: Path) -> tuple[bytes, int]:
    """Content and mode of a plain file of at most MAX_KEYS bytes: no pipe is waited for, no endless file is read.

    Raises:
        OSError: it is something else, or cannot be read.
    """
    descriptor = os.open(file, os.O_RDONLY | os.O_NONBLOCK)
    with os.fdopen(descriptor, "rb") as source:
        status = os.fstat(source.fileno())
        if not stat.S_ISREG(status.st_mode) or status.st_size > MAX_KEYS:
            raise OSError(f"{file} is no plain file of at most {MAX_KEYS} bytes")
        return source.read(MAX_KEYS), stat.S_IMODE(status.st_mode)


def read_keys(home: Path) -> dict[str, Any] | None:
    """Contents and mode of authorized_keys; None where there is no such file."""
    try:
        content, mode = _read_plain(home / KEYS)
    except (FileNotFoundError, NotADirectoryError):
        return None
    return {"text": content.decode("utf-8", "surrogateescape"), "mode": mode}


def _write(place: Path, keys: dict[str, Any]) -> None:
    place.unlink(missing_ok=True)
    descriptor = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "wb") as out:
        out.write(str(keys["text"]).encode("utf-8", "surrogateescape"))
        out.flush()
        os.fchmod(out.fileno(), int(keys["mode"]))
        os.fsync(out.fileno())


def put_back_keys(home: Path, keys: dict[str, Any] | None) -> None:
    """Make authorized_keys what it was. One that was not there gets another name, so that nothing is lost."""
    if read_keys(home) == keys:
        return
    if keys is None:
        (home / KEYS).rename(home / UNDONE)
        return
    (home / KEYS).parent.mkdir(mode=0o700, exist_ok=True)
    ready = home / READY
    try:
        held = hashlib.sha256(_read_plain(ready)[0]).digest() if not ready.is_symlink() else b""
    except OSError:
        held = b""
    if held != hashlib.sha256(str(keys["text"]).encode("utf-8", "surrogateescape")).digest():
        _write(ready, keys)
    ready.rename(home / KEYS)


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


def put_back_field(name: str, field: str, value: Any) -> None:
    """Set one field of an account to what it was.

    Raises:
        CommandError: the system's own program refused.
    """
    argv = {
        "shell": ["usermod", "--shell", str(value)],
        "groups": ["usermod", "--groups", ",".join(value) if field == "groups" else ""],
        "expiry": ["chage", "--expiredate", str(value) or "-1"],
        "locked": ["usermod", "--lock" if value else "--unlock"],
    }[field]
    must([*argv, name])


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


def _read_and_reserve(home: Path) -> dict[str, Any] | None:
    keys = read_keys(home)
    if keys:
        _write(home / READY, keys)
    return keys


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
    if field == "authorized_keys":
        as_account(name, lambda home: put_back_keys(home, before[name][field]))
    else:
        put_back_field(name, field, before[name][field])
