"""The host's own programs, as root runs them: a clean environment, no terminal, and never for longer than a minute."""

from __future__ import annotations

import subprocess

ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8"}


class CommandError(OSError):
    """A program is missing, failed or took too long."""


def run(argv: list[str], text: str = "", seconds: float = 60) -> tuple[int, str]:
    """Run a program with ``text`` on its standard input; its exit code and output. 127 where it is missing or hangs."""
    try:
        done = subprocess.run(
            argv, input=text, text=True, errors="replace", cwd="/", env=ENVIRONMENT, check=False, timeout=seconds,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        return 127, str(error)
    return done.returncode, done.stdout


def must(argv: list[str], text: str = "") -> str:
    """Run a program that has to succeed; its output.

    Raises:
        CommandError: it did not; with what it said.
    """
    code, out = run(argv, text)
    if code != 0:
        raise CommandError(f"{' '.join(argv[:3])} ended with {code}: {out.strip()[:300]}")
    return out
