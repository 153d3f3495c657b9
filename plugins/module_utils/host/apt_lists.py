"""apt's package lists: when they were read last."""

from __future__ import annotations

from pathlib import Path

LISTS = Path("var/lib/apt/lists")
#: What an update touches: new lists, a try to get some, and the stamp of the hooks of apt's timers and PackageKit.
TOUCHED = (LISTS, LISTS / "partial", Path("var/lib/apt/periodic/update-success-stamp"))


def release_files(root: Path = Path("/")) -> list[Path]:
    """Return the index of each repository; empty on a host whose apt never read any."""
    return sorted((root / LISTS).glob("*Release"))


def last_read(root: Path = Path("/")) -> float:
    """Return when apt read its lists last, in Unix time; 0 where there are none, whatever their folder's age."""
    if not release_files(root):
        return 0.0
    return max(path.stat().st_mtime for path in (root / name for name in TOUCHED) if path.exists())
