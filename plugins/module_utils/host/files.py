"""Files of the kernel and of the system, which may be missing or unreadable."""

from __future__ import annotations

from pathlib import Path


def text_of(path: Path) -> str:
    """Return a file's text without surrounding white space, "" where it cannot be read."""
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


def matching(folder: Path, pattern: str) -> list[Path]:
    """Return the entries of a folder that match, sorted; none where it cannot be read."""
    try:
        return sorted(folder.glob(pattern))
    except OSError:
        return []
