"""Run work in forked children: one that crashes, or leaks, or is slow takes nothing else with it.

Not multiprocessing, whose pool waits for ever for the work of a worker that crashed, nor concurrent.futures, which then
gives up the work of all others; and neither ends its workers with their parent.
"""

from __future__ import annotations

import ctypes
import os
import pickle
import selectors
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

PR_SET_PDEATHSIG = 1  # prctl(2)


@dataclass
class ChildResult:
    """What came of one piece of work: its value, or the error as a sentence."""

    value: Any = None
    error: str = ""


def sentence(error: BaseException) -> str:
    """An error as the owner shall read it."""
    text = str(error).strip()
    known = isinstance(error, (OSError, ValueError, LookupError, RuntimeError))
    return text if known and text else f"{type(error).__name__}: {text}"


def start(work: Callable[[], Any]) -> tuple[int, int]:
    """Fork; the child sends what `work` returns. (pid, file descriptor to read it from).

    The child ends with `_exit`: py-rattler 0.28 dies at the interpreter's end in one run of six, after its work is
    done (PyO3/pyo3-async-runtimes issue 40). It is ended with its parent: nothing goes on writing for a run that was
    killed, beside the next one.
    """
    reading, writing = os.pipe()
    pid = os.fork()
    if pid:
        os.close(writing)
        return pid, reading
    status = 0
    try:
        os.close(reading)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        try:
            outcome = ChildResult(work())
        except BaseException as error:
            outcome = ChildResult(error=sentence(error))
        with os.fdopen(writing, "wb") as pipe:
            pickle.dump(outcome, pipe)
    except BaseException:
        status = 1
    finally:
        os._exit(status)


def run(works: Sequence[Callable[[], Any]], limit: int = 1) -> list[ChildResult]:
    """Do all `works` in children, at most `limit` at a time; their outcomes in the same order."""
    outcomes: list[ChildResult] = [ChildResult(error="not started")] * len(works)
    waiting = list(range(len(works)))
    selector = selectors.DefaultSelector()
    running = 0
    while waiting or running:
        while waiting and running < max(1, limit):
            number = waiting.pop(0)
            pid, pipe = start(works[number])
            selector.register(pipe, selectors.EVENT_READ, (number, pid, bytearray()))
            running += 1
        for event, _ in selector.select():
            number, pid, data = event.data
            block = os.read(event.fd, 1 << 20)
            if block:
                data += block
                continue
            selector.unregister(event.fd)
            os.close(event.fd)
            _, status = os.waitpid(pid, 0)
            running -= 1
            outcomes[number] = (
                pickle.loads(bytes(data))
                if data
                else ChildResult(error=f"the engine stopped without an answer (wait status {status})")
            )
    return outcomes
