"""`dlbox-guard`: changes of remote access that undo themselves unless a new login confirms them.

arm                 take a snapshot and start the rollback's clock; a JSON request on standard input, JSON to answer
extend SECONDS      a part of the changes is made: that much time for the rest
applied SECONDS     the changes are made, once no task runs any more: a login from then on confirms them, in that time
confirm             keep the changes: this command runs in a new ssh login of an admin
await SECONDS       keep the changes as soon as an admin logs in anew
console PORT        keep the changes: nobody is connected over ssh, and sshd answers on this port
settle REASON       end it as it is: a pending change is undone; prints the report as JSON
rollback [REASON]   put back what was before, now
release             end everything that is armed, as things are now
status | report     one word | a report for people
watch | boot        what the units run

With --window PYTHON before the command, as arm answered it, the change of another run is left alone.

Exit codes: 0 done, 3 nothing pending, 4 not in an ssh session, 5 in a connection older than the change, 6 sshd does
not answer, 7 not a login that proves anything, 64 usage, 65 refused before any change, 75 another change or command is
in the way.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from . import units
from .guard import UNFINISHED, Guard, this_boot
from .store import LockHeldError, RefusedError, wake_holder

# What tells systemd that the service is done, and is not to be started again.
FINISHED = 42
STARTUP_SECONDS = 600
# A command that hangs, whatever in, does not keep the lock from the service.
COMMAND_SECONDS = 120


def watch(guard: Guard) -> int:
    """Look every second whether something is due, until there is nothing left to do."""
    end = time.monotonic() + STARTUP_SECONDS
    restarted = guard.state().get("boot") not in (this_boot(), None)
    while restarted and units.is_starting_up() and time.monotonic() < end:
        time.sleep(2)
    pause = 1.0
    while True:
        try:
            with guard.lock(0):
                phase = guard.tick()
        except LockHeldError:
            wake_holder(guard.dir / "lock")
            time.sleep(0.5)
            continue
        if phase not in UNFINISHED:
            return FINISHED
        pause = min(pause * 2, 30) if phase == "partly" else 1.0
        time.sleep(pause)


def await_login(guard: Guard, seconds: float) -> int:
    """Wait for a login that confirms the change; the lock is free between two looks."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with guard.lock():
            if guard.phase() == "confirmed" or guard.confirm_when_seen():
                return 0
        time.sleep(0.25)
    print("refused: nobody logged in anew", file=sys.stderr)
    return 7


@contextlib.contextmanager
def ended_in_time(seconds: int) -> Iterator[None]:
    """End this process where what is within takes that long; 0: it may take its time."""
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)


def as_text(report: dict[str, Any]) -> str:
    """The report for people."""
    lines = [f"outcome: {report['outcome']}"]
    lines += [f"why: {report['why']}"] if report["why"] else []
    lines += [f"reverted: {', '.join(report['reverted'])}"] if report["reverted"] else []
    lines += [f"not put back: {line}" for line in report["left"]]
    lines += [f"failed configuration: {folder}" for folder in report["failed"]]
    return "\n".join(lines)


def perform(guard: Guard, command: str, given: list[str]) -> int:
    """Run one command; its exit code.

    Raises:
        RefusedError: it was not done.
    """
    in_turn = {
        "arm": lambda: print(json.dumps(guard.arm(json.loads(sys.stdin.read())))),
        "extend": lambda: guard.extend(float(given[0])),
        "applied": lambda: guard.applied(float(given[0])),
        "confirm": guard.confirm,
        "console": lambda: guard.confirm_at_console(int(given[0])),
        "release": guard.release,
        "rollback": lambda: guard.rollback(" ".join(given) or "by hand"),
        "settle": lambda: guard.rollback(" ".join(given) or "by hand"),
        "boot": guard.boot,
    }
    if command == "status":
        print(guard.phase())
    elif command == "report":
        print(as_text(guard.report()))
    elif command == "watch":
        return watch(guard)
    elif command == "await":
        return await_login(guard, float(given[0]))
    elif command not in in_turn:
        raise RefusedError(64, f"unknown command: {command}\n\n{__doc__}")
    else:
        # What the roles left behind them to be done later is done, or ended by the service at the window's end.
        while command == "applied" and guard.is_busy():
            time.sleep(0.5)
        with guard.lock(), ended_in_time(0 if command in ("rollback", "settle", "boot") else COMMAND_SECONDS):
            in_turn[command]()
        if command == "settle":
            print(json.dumps(guard.report()))
    return 0


def main() -> int:
    """Run the command of the argument list: dlbox-guard STATE_DIR COMMAND [ARGUMENT...]."""
    os.umask(0o077)
    state_dir, words = Path(sys.argv[1]), sys.argv[2:]
    run, words = (words[1], words[2:]) if words[:1] == ["--window"] and words[1:] else ("", words)
    command, given = (words or ["help"])[0], words[1:]
    if os.geteuid() != 0:
        print("dlbox-guard: only root can do this: sudo dlbox-guard ...", file=sys.stderr)
        return 64
    try:
        return perform(Guard(state_dir, run), command, given)
    except RefusedError as error:
        print(error, file=sys.stderr)
        return error.code
    except (IndexError, ValueError) as error:
        print(f"{error}\n\n{__doc__}", file=sys.stderr)
        return 64
