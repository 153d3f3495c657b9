"""How far the environments are, for who waits: a line for each, in a file of the cache, which root alone reads.

Whoever makes environments holds the lock in the cache (`environment.alone`), so that a run finds the work of another
one, such as one whose controller is gone.
"""

from __future__ import annotations

import contextlib
import fcntl
import shutil
from collections.abc import Sequence
from pathlib import Path

from .. import run_as

FOLDER = "progress"
LOCK = "lock"
MADE, FAILED = "made", "failed"
UNITS = ((1e9, "GB"), (1e6, "MB"), (1e3, "kB"))


def begin(cache: str, names: Sequence[str]) -> None:
    """Forget an earlier run; versions are chosen for these environments."""
    folder = Path(cache, FOLDER)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    for name in names:
        note(cache, name, "choosing versions")


def note(cache: str, name: str, line: str) -> None:
    """Record how far the environment `name` is. Nobody may be waiting, so that this never fails."""
    with contextlib.suppress(OSError):
        run_as.replace_file(Path(cache, FOLDER, name), line, 0o600)


def read(cache: str) -> dict[str, str]:
    """Name -> how far it is."""
    found = {}
    for file in sorted(Path(cache, FOLDER).glob("[!.]*")):
        try:
            found[file.name] = file.read_text()
        except OSError:
            continue  # the next run has begun
    return found


def at_work(cache: str) -> bool:
    """Whether a run holds the lock."""
    try:
        with Path(cache, LOCK).open() as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def amount(done: float, total: float) -> str:
    """Bytes as people say them: `1.1 of 2.9 GB`."""
    unit, word = next(((unit, word) for unit, word in UNITS if total >= unit), (1.0, "bytes"))
    return f"{done / unit:.1f} of {total / unit:.1f} {word}"
