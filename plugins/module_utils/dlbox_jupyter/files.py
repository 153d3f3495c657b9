"""Writing files so that they appear whole, with their final owner and mode, or not at all."""

from __future__ import annotations

import contextlib
import os
import pwd
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path


def write(file: Path, content: str, mode: int, uid: int = 0, gid: int = 0) -> None:
    """Replace a file in one step. It is never readable by others than its final mode allows, not for a moment."""
    fd, name = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)
    try:
        with os.fdopen(fd, "w", encoding="utf-8") as out:
            out.write(content)
            out.flush()
            os.fsync(out.fileno())
            if os.geteuid() == 0:
                os.fchown(out.fileno(), uid, gid)
            os.fchmod(out.fileno(), mode)
        Path(name).replace(file)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise


def as_user(account: pwd.struct_passwd, work: Callable[[], str]) -> str:
    """Run `work` in a child process with the user's own rights and return its text.

    Root that follows paths in a folder which a user controls can be led anywhere by a symbolic link; the user cannot
    be led to what is not already his. Raises OSError with the child's message.
    """
    if os.geteuid() != 0 or account.pw_uid == 0:
        return work()
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.close(reader)
            os.setgroups([])
            os.setgid(account.pw_gid)
            os.setuid(account.pw_uid)
            os.umask(0o077)
            try:
                answer = "0" + work()
            except OSError as error:
                answer = "1" + str(error)
            with os.fdopen(writer, "w", encoding="utf-8") as out:
                out.write(answer)
            status = 0
        finally:
            sys.stderr.flush()
            os._exit(status)
    os.close(writer)
    with os.fdopen(reader, encoding="utf-8") as source:
        answer = source.read()
    os.waitpid(child, 0)
    if not answer.startswith("0"):
        raise OSError(answer[1:] or f"the helper process of {account.pw_name} died")
    return answer[1:]
