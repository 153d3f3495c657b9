"""A machine whose commands are what a test says, with a copy of the launcher in a folder of its own."""

from __future__ import annotations

import contextlib
import os
import pty
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[3]
# What every Debian and Ubuntu has, and the launcher may use.
EVERYWHERE = [
    *(
        "awk",
        "basename",
        "bash",
        "cat",
        "comm",
        "cp",
        "cut",
        "dirname",
        "env",
        "flock",
        "grep",
        "head",
        "ln",
        "ls",
        "mkdir",
    ),
    *("mktemp", "mv", "nohup", "nproc", "paste", "readlink", "rm", "sed", "seq", "setsid", "sh", "sha256sum", "sleep"),
    *("sort", "tail", "test", "timeout", "touch", "tr", "wc", "xargs"),
]


@dataclass
class Machine:
    """A machine with the launcher in ``folder`` and nothing but EVERYWHERE and ``commands`` on its PATH."""

    folder: Path
    commands: Path
    env: dict[str, str] = field(default_factory=dict)

    def command(self, name: str, script: str) -> None:
        """Put a stand-in for the command ``name`` on the PATH; every call is noted in the file ``calls``."""
        file = self.commands / name
        file.unlink(missing_ok=True)
        file.write_text(f'#!/bin/bash\necho "{name} $*" >>"{self.folder}/calls"\n{script}\n')
        file.chmod(0o755)

    def calls(self, name: str) -> list[str]:
        """The arguments of each call of a stand-in."""
        file = self.folder / "calls"
        lines = file.read_text().splitlines() if file.exists() else []
        return [line[len(name) + 1 :] for line in lines if line.startswith(f"{name} ")]

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run the launcher."""
        return self.bash("./dlbox", *words)

    def in_terminal(self, typed: str, *words: str) -> tuple[int, str]:
        """Run the launcher in a terminal where somebody types; its status and what is to be seen."""
        child, terminal = pty.fork()
        if child == 0:
            os.chdir(self.folder)
            os.execve("./dlbox", ["./dlbox", *words], {"PATH": str(self.commands), **self.env})
        os.write(terminal, typed.encode())
        told = b""
        with contextlib.suppress(OSError):  # the kernel's answer where the other side is gone
            while block := os.read(terminal, 4096):
                told += block
        os.close(terminal)
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), told.decode()

    def bash(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command on this machine."""
        return subprocess.run(
            command,
            cwd=self.folder,
            env={"PATH": str(self.commands), "HOME": str(self.folder), "LC_ALL": "C.UTF-8", **self.env},
            text=True,
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=60,
            check=False,
        )
