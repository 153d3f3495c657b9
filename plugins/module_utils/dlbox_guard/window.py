"""The Python that a run's tasks are started with while its window is open, and only then.

A task that the controller sends late, because it was stopped or its network hung, finds it gone and changes nothing.
It is a link below /run, which a restart empties. What runs is found by that path among its arguments, and ended with
all that it started; an account that writes the path into those of a process of its own has that ended as well.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
import signal
import time
from pathlib import Path

from . import sessions

PLACE = Path("/run/dlbox-guard")
PYTHON = "/usr/bin/python3"
PASSES = 5


def begin() -> str:
    """Make the Python of a new window; its path."""
    link = PLACE / secrets.token_hex(8) / "python3"
    link.parent.mkdir(parents=True)
    link.symlink_to(PYTHON)
    for folder in (PLACE, link.parent):
        folder.chmod(0o755)
    return str(link)


def close() -> None:
    """Let no task of a window start any more."""
    shutil.rmtree(PLACE, ignore_errors=True)


def _is_marked(pid: int) -> bool:
    """Whether a process is a task of a window. What runs in a container is another host's."""
    mark = re.escape(str(PLACE).encode()) + rb"/[0-9a-f]{16}"
    with contextlib.suppress(OSError):
        process = Path("/proc", str(pid))
        return (
            bool(re.search(mark, (process / "cmdline").read_bytes()))
            and (process / "ns/pid").readlink() == Path("/proc/self/ns/pid").readlink()
        )
    return False


def end_tasks() -> int:
    """End the tasks that run, with all that they started, but for what runs this; how many processes. `close` first."""
    spared = {process.pid for process in sessions.ancestors(os.getpid())}
    ended: set[int] = set()
    for _ in range(PASSES):
        running = sessions.processes()
        family = [pid for pid in running if _is_marked(pid)]
        for pid in family:
            family += [child.pid for child in running.values() if child.parent == pid and child.pid not in family]
        found = set(family) - spared
        if not found:
            break
        for pid in found:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        ended |= found
        time.sleep(0.05)
    return len(ended)
