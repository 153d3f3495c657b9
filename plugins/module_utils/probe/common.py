"""What all collectors use: programs of the system and files of root's, read in an English locale and within limits."""

from __future__ import annotations

import shutil
from typing import Any

from .. import run_as

Evidence = dict[str, Any]
Settings = dict[str, Any]


def run(argv: list[str], timeout: float = 20.0) -> dict[str, Any]:
    """Run a program of the system in an English locale, without a shell; the package's text has the answer's shape."""
    program = shutil.which(argv[0], path=run_as.PATH)
    if program is None:
        return {"rc": None, "out": "", "err": f"{argv[0]} is not installed"}
    done = run_as.run([program, *argv[1:]], run_as.ROOT, timeout=timeout, limit=32 << 20, home=run_as.NO_HOME)
    return {"rc": done.rc, "out": done.out, "err": done.err[-2000:]}


def read(path: str, limit: int = 262144) -> str | None:
    """Text of a file in a folder of root's, or None when it is not there or not readable."""
    try:
        found: bytes = run_as.read_regular(path, limit)
    except OSError:
        return None
    return found.decode("utf-8", "replace")
