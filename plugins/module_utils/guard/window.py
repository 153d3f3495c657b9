"""The Python that a run's tasks are started with while its window is open, and only then.

A task that the controller sends late, because it was stopped or its network hung, finds it gone and changes nothing.
It is a link below /run, which a restart empties. What runs is found by that path among its arguments or in its
environment, where the play sets DLBOX_GUARD_WINDOW and every child inherits it, however it detaches itself. It is ended
with all that it started; an account that gives a process of its own the path has that ended as well. What a task hands
to another service (`systemd-run`, `at`) is that service's, and not found.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import signal
import time
from collections.abc import Collection
from pathlib import Path

from . import sessions
from .commands import run

PLACE = Path("/run/dlbox-guard")
PYTHON = "/usr/bin/python3"
PASSES = 5
SECONDS = 5.0
# How mitogen names its own Pythons, which wait for the next task until the run ends.
MITOGEN = "(mitogen:"


def begin() -> str:
    """Make the Python of a new window; its path, whose folder is the window's own."""
    link = PLACE / secrets.token_hex(8) / "python3"
    link.parent.mkdir(parents=True)
    link.symlink_to(PYTHON)
    for folder in (PLACE, link.parent):
        folder.chmod(0o755)
    return str(link)


def close() -> None:
    """Let no task of a window start any more."""
    shutil.rmtree(PLACE, ignore_errors=True)


def _mentioning(text: str, pids: Collection[int], proc: Path, *files: str) -> set[int]:
    """Which of the processes contain the text in their arguments ("cmdline") or their first environment ("environ").

    Asked of a program that is ended after a while: an account can let whoever reads this of a process of its own wait
    for ever (see `sessions.title`).
    """
    places = {str(proc / str(pid) / file): pid for file in files for pid in sorted(pids)}
    argv = ["grep", "--files-with-matches", "--line-buffered", "--no-messages", "-aF", "-e", text, "--", *places]
    return {places[line] for line in run(argv, seconds=SECONDS)[1].splitlines() if line in places}


def tasks(python: str, uids: Collection[int], proc: Path = sessions.PROC) -> dict[int, sessions.Process]:
    """The tasks that run with a window's Python, and all that they started, but for what runs this.

    Args:
        python: what `begin` returned.
        uids: the accounts that start them; each is asked for by itself, so that none keeps another's from being found.
    """
    running = sessions.processes(proc)
    found: set[int] = set()
    for uid in {0, *uids}:
        own = [process.pid for process in running.values() if process.uid == uid]
        found |= _mentioning(python, own, proc, "cmdline", "environ")
    family = [pid for pid in sorted(found) if sessions.same_host(pid, proc)]
    for pid in family:
        family += [child.pid for child in running.values() if child.parent == pid and child.pid not in family]
    spared = {process.pid for process in sessions.ancestors(os.getpid())}
    return {pid: running[pid] for pid in family if pid not in spared}


def is_busy(python: str, uids: Collection[int]) -> bool:
    """Whether something of the window is still at work, also what its tasks left behind them to be done later."""
    found = tasks(python, uids)
    waiting = _mentioning(MITOGEN, found, sessions.PROC, "cmdline")
    for pid in list(waiting):  # and the sudo that each was started by
        while (pid := found[pid].parent) in found:
            waiting.add(pid)
    return bool(set(found) - waiting)


def end_tasks(python: str, uids: Collection[int]) -> int:
    """End the tasks that run; how many processes. `close` first."""
    ended: set[int] = set()
    for _ in range(PASSES):
        found = tasks(python, uids)
        if not found:
            break
        for pid, process in found.items():
            now = sessions.read_process(pid)
            if now and now.start_ticks == process.start_ticks:  # not another that got the number meanwhile
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        ended |= set(found)
        time.sleep(0.05)
    return len(ended)
