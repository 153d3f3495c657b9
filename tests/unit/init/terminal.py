"""Somebody at a terminal: a program in a pseudo terminal, what is to be seen on it, and keys."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import select
import struct
import termios
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

ENTER, SPACE, DOWN, CTRL_C, CTRL_U = "\r", " ", "\x1b[B", "\x03", "\x15"
#: Long, because the machine may be slow; what ends a wait is what is waited for.
PATIENCE = 60


class Terminal:
    """A program in a terminal of 40 lines and 160 columns."""

    def __init__(self, words: Sequence[str], environment: Mapping[str, str], folder: Path) -> None:
        """Start it."""
        self.process, self.terminal = pty.fork()
        if self.process == 0:
            os.chdir(folder)
            os.execve(words[0], list(words), dict(environment))
        fcntl.ioctl(self.terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 160, 0, 0))
        self.told = ""
        self._seen = 0

    def _read(self) -> bool:
        """Whether there was more."""
        try:
            block = os.read(self.terminal, 65536)
        except OSError:  # the kernel's answer where the other side is gone
            return False
        if b"\x1b[6n" in block:  # where is the cursor?
            os.write(self.terminal, b"\x1b[1;1R")
        self.told += block.decode(errors="replace")
        return bool(block)

    def screen(self) -> str:
        """What was shown, without the sequences that place and colour it."""
        return re.sub(r"\x1b\[[0-9;?]*[ -/]*[@-~]", "", self.told).replace("\r", "")

    def expect(self, text: str) -> None:
        """Wait until a text is shown after the last one that was waited for."""
        until = time.monotonic() + PATIENCE
        while text not in self.screen()[self._seen :]:
            if select.select([self.terminal], [], [], max(0.0, until - time.monotonic()))[0] and self._read():
                continue
            raise AssertionError(f"{text!r} did not come; on the screen: {self.screen()}")
        self._seen += self.screen()[self._seen :].index(text) + len(text)

    def answer(self, question: str, keys: str = ENTER) -> None:
        """Wait for a question, then press keys."""
        self.expect(question)
        os.write(self.terminal, keys.encode())

    def end(self) -> int:
        """Wait for the program's end; its status."""
        while self._read():
            pass
        os.close(self.terminal)
        return os.waitstatus_to_exitcode(os.waitpid(self.process, 0)[1])

    def close(self) -> int:
        """Close the terminal while the program runs; the status that it ends with."""
        os.close(self.terminal)
        return os.waitstatus_to_exitcode(os.waitpid(self.process, 0)[1])

    def abandon(self) -> None:
        """End what is left of it."""
        with contextlib.suppress(OSError):
            os.close(self.terminal)
        with contextlib.suppress(OSError):
            os.kill(self.process, 9)
            os.waitpid(self.process, 0)
