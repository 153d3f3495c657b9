"""Let a process write below some folders alone, by the kernel's Landlock (landlock(7)).

rattler 0.28 joins a package's own list of paths to the prefix as it is: an entry that leaves the prefix by `..` wrote
any file of root's. Landlock holds whatever the paths are. It is there since Linux 5.19 with all that is needed (Ubuntu
22.04's first kernel, 5.15, lacks links between folders), where it is not switched off.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterable
from pathlib import Path

CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446  # the same numbers on x86-64 and aarch64
VERSION, PATH_BENEATH, NO_NEW_PRIVS = 1, 1, 38
# linux/landlock.h: writing, removing and making of every kind; with version 2 linking and renaming, with 3 truncating.
WRITE_FILE = 1 << 1
WRITES = WRITE_FILE | sum(1 << bit for bit in range(4, 13))
REFER, TRUNCATE = 1 << 13, 1 << 14


class _Rule(ctypes.Structure):
    """struct landlock_path_beneath_attr."""

    _pack_ = 1
    _fields_ = (("allowed", ctypes.c_uint64), ("parent", ctypes.c_int32))


def _call(number: int, *arguments: object) -> int:
    """A system call. Raises OSError."""
    libc = ctypes.CDLL(None, use_errno=True)
    found = int(libc.syscall(ctypes.c_long(number), *arguments))
    if found < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return found


def write_only_below(folders: Iterable[Path]) -> bool:
    """Take from this process, and from all that it starts, every other right to write; whether the kernel can.

    Raises:
        OSError: a folder is not there.
    """
    try:
        version = _call(CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint32(VERSION))
    except OSError:
        return False
    if version < 2:
        return False
    handled = WRITES | REFER | (TRUNCATE if version > 2 else 0)
    rules = _call(CREATE_RULESET, ctypes.byref(ctypes.c_uint64(handled)), ctypes.c_size_t(8), ctypes.c_uint32(0))
    try:
        for folder in [*folders, Path(os.devnull)]:
            parent = os.open(folder, os.O_PATH | os.O_CLOEXEC)
            try:
                allowed = handled if folder.is_dir() else handled & (WRITE_FILE | TRUNCATE)
                rule = _Rule(allowed, parent)
                _call(ADD_RULE, ctypes.c_int(rules), ctypes.c_int(PATH_BENEATH), ctypes.byref(rule), ctypes.c_uint32(0))
            finally:
                os.close(parent)
        if ctypes.CDLL(None, use_errno=True).prctl(NO_NEW_PRIVS, 1, 0, 0, 0):
            raise OSError(ctypes.get_errno(), "PR_SET_NO_NEW_PRIVS")
        _call(RESTRICT_SELF, ctypes.c_int(rules), ctypes.c_uint32(0))
    finally:
        os.close(rules)
    return True
