"""authorized_keys of an account: listed keys are there, foreign ones stay, and the account itself reads and writes."""

from __future__ import annotations

import contextlib
import os
import pwd
import stat
from pathlib import Path

from ..public_key import MalformedKey
from ..public_key import read as read_key
from ..run_as import account, call_as

LARGEST = 1 << 20  # bytes; a file of thousands of keys is smaller


def _key(line: str) -> tuple[str, str] | None:
    """(data, options) of a line that holds a key; None for comments, blank lines and what is none."""
    if not line.strip() or line.lstrip().startswith("#"):
        return None
    try:
        key = read_key(line)
    except MalformedKey:
        return None
    return key.body, key.options


def merged(text: str, wanted: list[str], exclusive: bool = False) -> str:
    """The text of an authorized_keys file with every wanted line, each key once.

    A key that is there with the same options keeps its line, and its comment; with others it gets the wanted line in
    its place. Everything else stays, in its order; `exclusive` keeps comments and blank lines only.
    """
    missing = {key[0]: (key[1], line) for line in wanted for key in [_key(line)] if key}
    seen: set[str] = set()
    lines = []
    for line in text.split("\n"):
        found = _key(line)
        if found is None:
            if not exclusive or not line.strip() or line.lstrip().startswith("#"):
                lines.append(line)
            continue
        body, options = found
        if body not in missing:
            if not exclusive:
                lines.append(line)
        elif body not in seen:
            # Only the first: a second line without its options would lift them.
            seen.add(body)
            lines.append(line if options == missing[body][0] else missing[body][1])
    while lines and not lines[-1]:
        lines.pop()
    lines += [line for body, (_, line) in missing.items() if body not in seen]
    after = "\n".join(lines) + "\n" if lines else ""
    # Blank lines at the end are no difference.
    return text if after.rstrip("\n") == text.rstrip("\n") else after


def key_lines(text: str) -> list[str]:
    """The lines of an authorized_keys file that hold keys."""
    return [line for line in text.split("\n") if _key(line)]


def _read(path: Path) -> str:
    """The file's text, empty where there is none. Raises OSError for what is no ordinary file."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return ""
    with os.fdopen(handle, "rb") as file:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode) or status.st_size > LARGEST:
            raise OSError(f"{path} is no ordinary file of at most {LARGEST} bytes")
        return file.read(LARGEST).decode("utf-8", "surrogateescape")


def _loose(path: Path) -> bool:
    """Whether others can write what is there, so that sshd would not read it."""
    try:
        return bool(path.lstat().st_mode & 0o022)
    except FileNotFoundError:
        return False


def _place(home: Path) -> tuple[Path, Path]:
    """The folder of the keys and their file, each resolved where the account made it a link."""
    folder = (home / ".ssh").resolve()
    return folder, (folder / "authorized_keys").resolve()


def _write(home: Path, text: str) -> None:
    """Replace the file beside its place, so that it is the old or the new one; tighten what others can write."""
    folder, path = _place(home)
    folder.mkdir(mode=0o700, exist_ok=True)
    if _loose(folder):
        folder.chmod(stat.S_IMODE(folder.stat().st_mode) & ~0o022)
    mode = 0o600
    if path.exists():
        status = path.stat()
        if status.st_uid != os.geteuid():
            raise OSError(f"{path} belongs to uid {status.st_uid}; dlbox changes keys with the account's rights only")
        mode = stat.S_IMODE(status.st_mode) & 0o644
    if _read(path) == text and not _loose(path):
        return
    fresh = path.with_name(f"{path.name}.dlbox-{os.getpid()}")
    try:
        handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(text.encode("utf-8", "surrogateescape"))
            file.flush()
            os.fchmod(handle, mode)
            os.fsync(handle)
        fresh.rename(path)
    except OSError:
        with contextlib.suppress(OSError):
            fresh.unlink()
        raise


def read(name: str) -> tuple[str, bool]:
    """(the account's authorized_keys, whether others can write it or its folder). Raises OSError."""
    home = Path(pwd.getpwnam(name).pw_dir)

    def work() -> str:
        folder, path = _place(home)
        return ("1" if _loose(folder) or _loose(path) else "0") + _read(path)

    told = call_as(account(name), work)
    return told[1:], told[0] == "1"


def write(name: str, text: str) -> None:
    """Give the account this authorized_keys, with its own rights. Raises OSError."""
    home = Path(pwd.getpwnam(name).pw_dir)

    def work() -> str:
        _write(home, text)
        return ""

    call_as(account(name), work)
