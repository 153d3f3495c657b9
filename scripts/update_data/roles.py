"""Keep the roles' metadata in step with the supported releases."""

from __future__ import annotations

import re
from pathlib import Path

from .schema import SystemRow

NAMES = {"debian": "Debian", "ubuntu": "Ubuntu"}
PLATFORMS = re.compile(r"^  platforms:\n(?:    .*\n)+", re.MULTILINE)


def platforms(systems: dict[str, SystemRow]) -> str:
    """Return the block ``platforms`` of a role's meta/main.yml."""
    lines = ["  platforms:\n"]
    for name in sorted({system.release.id for system in systems.values()}):
        codenames = [system.release.codename for system in systems.values() if system.release.id == name]
        lines.append(f"    - name: {NAMES.get(name, name)}\n      versions: [{', '.join(codenames)}]\n")
    return "".join(lines)


def metadata(roles: Path, systems: dict[str, SystemRow]) -> dict[Path, str]:
    """Return the text that each role's meta/main.yml should have."""
    block = platforms(systems)
    files = sorted(roles.glob("*/meta/main.yml"))
    return {path: PLATFORMS.sub(lambda _: block, path.read_text(encoding="utf-8")) for path in files}
