"""The Python of an environment, never run with root's rights: what was installed is code of many strangers.

It compiles byte code and answers uv's questions as an account that nothing else runs as. What it answers is data:
byte code is taken as plain files, and paths only where they lie in the environment.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import socketserver
import stat
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .. import run_as

UV_SCRIPT = re.compile(r'fsdecode\(b"(/[^"\\]+)"\)')
# Each process takes every n-th source. What is not for this Python (templates, tests) stays source.
COMPILE = """
import os, py_compile, sys
names = sys.stdin.read().splitlines()
count = min(os.cpu_count() or 1, len(names))
for first in range(count):
    if os.fork() == 0:
        for number in range(first, len(names), count):
            try:
                py_compile.compile(names[number], os.path.join(sys.argv[1], str(number)), doraise=True)
            except Exception:
                pass
        os._exit(0)
for _ in range(count):
    os.wait()
"""
COMPILE_SECONDS = 3600.0
AT_ONCE = 4000  # of a large environment's 18,000 sources: their byte code waits in /tmp, often in memory
LARGEST_PYC = 64 << 20


@contextmanager
def entered_by(prefix: Path, who: run_as.Account) -> Iterator[None]:
    """Let `who` alone into an environment that is not whole yet and therefore closed."""
    before = prefix.stat()
    closed = run_as.switches_to(who) and not before.st_mode & stat.S_IXOTH
    if closed:
        os.chown(prefix, 0, who.gid)
        prefix.chmod(0o750)
    try:
        yield
    finally:
        if closed:
            os.chown(prefix, 0, before.st_gid)
            prefix.chmod(stat.S_IMODE(before.st_mode))


def compile_sources(prefix: Path, sources: Sequence[str]) -> Iterator[tuple[int, bytes]]:
    """Compile `sources` (absolute paths) with the environment's Python: (number in `sources`, byte code) of each."""
    who = run_as.fresh_account()
    for first in range(0, len(sources), AT_ONCE):
        some = sources[first : first + AT_ONCE]
        with run_as.private_home(who) as home, entered_by(prefix, who):
            # -S: what lies in site-packages (.pth files) is not run either.
            command = [*run_as.isolated_python(str(prefix / "bin/python")), "-S", "-c", COMPILE, home]
            done = run_as.run(command, who, text="\n".join(some), timeout=COMPILE_SECONDS, home=home)
            if done.rc != 0:
                raise OSError(f"{prefix}/bin/python cannot be run by an ordinary user: {done.err.strip()[-500:]}")
            for number in range(len(some)):
                try:
                    yield first + number, run_as.read_regular(Path(home, str(number)), LARGEST_PYC, follow=False)
                except OSError:
                    continue


# ---- uv --------------------------------------------------------------------------------------------------------------


# What uv starts: it hands uv's question to the process that has this file loaded, however that was done.
ASK = """
import json, socket, sys
asked = socket.socket(socket.AF_UNIX)
asked.connect(sys.argv[1])
asked.sendall(json.dumps(sys.argv[2:]).encode())
asked.shutdown(socket.SHUT_WR)
said = json.loads(b"".join(iter(lambda: asked.recv(65536), b"")))
sys.stdout.write(said["answer"])
sys.exit(said["error"] or 0)
"""


@contextmanager
def answering_uv(prefix: Path, cache: Path) -> Iterator[str]:
    """The path of a program that uv takes for the environment's Python.

    uv runs a script of its own with the interpreter to learn where things belong. It is run as `answer` says.
    """

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            said = {"answer": "", "error": ""}
            try:
                said["answer"] = answer(prefix, json.loads(self.rfile.read()))
            except (OSError, ValueError) as error:
                said["error"] = str(error)
            self.wfile.write(json.dumps(said).encode())

    folder = cache / "interpreters"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    program = folder / prefix.name
    with tempfile.TemporaryDirectory(prefix="dlbox-uv-", dir="/tmp") as name:
        place = f"{name}/socket"
        words = [sys.executable, "-I", "-S", "-B", "-c", ASK, place]
        program.write_text(f'#!/bin/sh\nexec {shlex.join(words)} "$@"\n')
        program.chmod(0o700)
        with socketserver.ThreadingUnixStreamServer(place, Handler) as server:
            threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
            try:
                yield str(program)
            finally:
                server.shutdown()
                program.unlink(missing_ok=True)


def answer(prefix: Path, argv: Sequence[str]) -> str:
    """What the environment's Python answers to uv's script. Raises ValueError with the reason when it cannot be used.

    The script lies where only root can read it: the Python gets a copy.
    """
    place = UV_SCRIPT.search(argv[-1]) if list(argv[:-1]) == ["-I", "-B", "-c"] else None
    if not place:
        raise ValueError(f"uv asked something that this version of dlbox does not know: {' '.join(argv)}")
    who = run_as.fresh_account()
    with tempfile.TemporaryDirectory(prefix="dlbox-uv-", dir="/tmp") as name, entered_by(prefix, who):
        copy = Path(name)
        shutil.copytree(place[1], copy, dirs_exist_ok=True)
        copy.chmod(0o755)
        for path in copy.rglob("*"):
            path.chmod(0o755 if path.is_dir() else 0o644)
        code = argv[-1].replace(place[1], str(copy))
        command = [*run_as.isolated_python(str(prefix / "bin/python")), "-c", code]
        done = run_as.run(command, who, home=run_as.NO_HOME)
    try:
        if done.rc != 0:
            raise ValueError(done.err.strip() or f"ended with {done.rc}")
        said = json.loads(done.out)
        foreign = sorted(outside(prefix, said))
    except ValueError as error:
        raise ValueError(f"{prefix}/bin/python: {error}") from error
    if foreign:
        raise ValueError(f"{prefix}/bin/python names places outside of its environment: {', '.join(foreign[:3])}")
    return json.dumps(said)


def outside(prefix: Path, said: Any) -> set[str]:
    """The paths in an answer, however deep, that do not lie in the environment."""
    if isinstance(said, dict):
        return set().union(*(outside(prefix, value) for value in said.values()))
    if isinstance(said, list):
        return set().union(*(outside(prefix, value) for value in said))
    if not isinstance(said, str):
        return set()
    if ".." in said.split("/"):
        return {said}
    return {said} if said.startswith("/") and not f"{said}/".startswith(f"{prefix}/") else set()
