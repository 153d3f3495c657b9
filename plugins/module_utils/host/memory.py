"""Memory: /proc/meminfo, which containers see with their own limits where their engine arranges it (lxcfs)."""

from __future__ import annotations

import re
from pathlib import Path

from .files import text_of


def read_memory(root: Path = Path("/")) -> dict[str, int]:
    """Return bytes by the kernel's names (MemTotal, MemAvailable, SwapTotal, ...)."""
    lines = re.findall(r"^(\w+):\s+([0-9]{1,12}) kB$", text_of(root / "proc/meminfo"), re.MULTILINE)
    return {name: int(kib) * 1024 for name, kib in lines}
