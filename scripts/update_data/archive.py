"""Package archives: where this machine gets its own from, indexes, packages."""

from __future__ import annotations

import re
from pathlib import Path


def own_mirror(apt: Path = Path("/etc/apt")) -> str:
    """Return the Debian mirror of this machine's apt sources; raises ValueError where there is none."""
    files = [apt / "sources.list", *sorted((apt / "sources.list.d").glob("*"))]
    for path in files:
        text = path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
        match = re.search(r"^(?:deb\s+(?:\[[^\]]*\]\s+)?|URIs:\s*)(https?://\S+/debian)/?(?:\s|$)", text, re.MULTILINE)
        if match:
            return match.group(1)
    raise ValueError("no Debian mirror in /etc/apt: give --mirror")
