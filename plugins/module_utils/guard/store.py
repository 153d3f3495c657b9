"""The guard's state on disk: written in place into space that was reserved before, and whole after a power cut."""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import hashlib
import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

SLOT = 65536


class RefusedError(Exception):
    """A command that cannot do what it was asked for; ``code`` is the exit code."""

    def __init__(self, code: int, message: str) -> None:
        """With the message for people."""
        super().__init__(message)
        self.code = code


class LockHeldError(RefusedError):
    """Another guard command has held the lock for the whole time."""


def sync_filesystem(folder: Path) -> None:
    """Make everything durable that was written to the filesystem of a folder, in one go (syncfs(2)).

    Raises:
        OSError: not everything could be written.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.syncfs(descriptor):
            raise OSError(ctypes.get_errno(), "syncfs failed", str(folder))
    finally:
        os.close(descriptor)


def write_durably(path: Path, data: bytes) -> None:
    """Write a new file that root alone reads, durable before this returns.

    Raises:
        OSError: it exists already, or cannot be written.
    """
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
        out.write(data)
    sync_filesystem(path.parent)


def _slot(record: dict[str, Any]) -> bytes:
    """A record with its checksum in front, of SLOT bytes. Lists are shortened until it fits."""
    text = json.dumps(record)
    while len(text) > SLOT - 65:
        record = {key: value[: len(value) // 2] if isinstance(value, list) else value for key, value in record.items()}
        text = json.dumps(record)
    body = text.encode().ljust(SLOT - 65)
    return hashlib.sha256(body).hexdigest().encode() + b"\n" + body


class Store:
    """One record in two slots that take turns, so that an interrupted write leaves the one before."""

    def __init__(self, path: Path) -> None:
        """The record in the file ``path``."""
        self.path = path

    def create(self, record: dict[str, Any]) -> None:
        """Reserve the space, with a first record."""
        self.path.unlink(missing_ok=True)
        write_durably(self.path, _slot({**record, "number": 1}) + _slot({**record, "number": 0}))

    def _records(self) -> list[dict[str, Any] | None]:
        """What the slots hold; None for one that is damaged."""
        try:
            data = self.path.read_bytes()
        except OSError:
            data = b""
        found: list[dict[str, Any] | None] = []
        for at in (0, SLOT):
            digest, body = data[at : at + 64], data[at + 65 : at + SLOT]
            found.append(json.loads(body) if hashlib.sha256(body).hexdigest().encode() == digest else None)
        return found

    def read(self) -> dict[str, Any] | None:
        """The newest whole record; None where there is none."""
        whole = [record for record in self._records() if record]
        return max(whole, key=lambda record: int(record["number"])) if whole else None

    def write(self, record: dict[str, Any]) -> None:
        """Replace the older record, durably and without new space."""
        numbers = [record["number"] if record else -1 for record in self._records()]
        target = numbers.index(min(numbers))
        descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_DSYNC, 0o600)
        try:
            os.pwrite(descriptor, _slot({**record, "number": max(numbers) + 1}), target * SLOT)
        finally:
            os.close(descriptor)


@contextlib.contextmanager
def locked(path: Path, seconds: float) -> Iterator[None]:
    """Hold the lock file, waiting for it at most that long. It lies in a folder that root alone enters.

    Raises:
        LockHeldError: somebody else holds it.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        end = time.monotonic() + seconds
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= end:
                    raise LockHeldError(75, f"another dlbox-guard holds {path}") from None
                time.sleep(0.1)
        _name_holder(descriptor)
        yield
    finally:
        # Closing alone would leave it to a child that inherited the descriptor and cannot be ended.
        with contextlib.suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_UN)
        os.close(descriptor)


def _name_holder(descriptor: int) -> None:
    """Write who holds the lock, for `wake_holder`; without space for it the lock still holds."""
    with contextlib.suppress(OSError):
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)


def wake_holder(path: Path) -> None:
    """Let the process go on that holds the lock: stopped, as by Ctrl-Z, it would hold it for ever (signal(7))."""
    with contextlib.suppress(OSError, ValueError):
        os.kill(int(path.read_text()), signal.SIGCONT)
