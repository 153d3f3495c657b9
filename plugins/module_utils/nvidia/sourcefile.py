"""Write a file of apt's sources so that one which apt refuses is not left behind."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

from .apt import Apt, Failed

# A URL of the owner's own source may hold a password; apt_auth.conf(5) is the better place.
_CREDENTIALS = re.compile(r"(?<=://)[^/\s]*@")


def shown(text: str) -> str:
    """The file's text as a diff may show it."""
    return _CREDENTIALS.sub("********@", text)


def ensure(path: Path, text: str, apt: Apt, check: bool, read_again: bool = False) -> dict[str, Any]:
    """Have this text in the file, unless only checking; return whether it changes and the diff. Raises as `put` does.

    read_again: read the lists although the file is as it was.
    """
    have = path.read_text() if path.exists() else ""
    changed = have != text
    if (changed or read_again) and not check:
        put(path, text, apt)
    diff = {"before": shown(have), "after": shown(text), "before_header": str(path), "after_header": str(path)}
    return {"changed": changed, "diff": diff}


def put(path: Path, text: str, apt: Apt) -> None:
    """Write the file ("" removes it) and read its package lists.

    When apt refuses it (signature, date, address, another entry for the same suite), what was there before is put back
    and Failed carries apt's words: a bad source would make every later run of apt fail, and one whose lists were never
    read would look as if it were done.
    """
    before = path.read_text() if path.exists() else ""
    _write(path, text)
    said = apt.refresh(str(path)) if text else ""
    if said:
        _write(path, before)
        raise Failed(f"apt refuses what {path} was to name, so it is as it was before:\n{said}")


def _write(path: Path, text: str) -> None:
    if not text:
        path.unlink(missing_ok=True)
        return
    path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    temporary = path.with_name(path.name + ".dlbox-new")  # a suffix that apt does not read
    temporary.touch(mode=0o600)
    temporary.write_text(text)
    temporary.chmod(0o600 if _CREDENTIALS.search(text) else 0o644)
    os.replace(temporary, path)  # noqa: PTH105  (a rename within the directory: the old file or the new one, never none)
