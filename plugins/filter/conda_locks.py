"""Filter `conda_locks`: the locks beside the inventory, as the module conda_env takes them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

FILES = ("lock.json", "conda.lock", "wheels.txt")


def conda_locks(folder: str) -> dict[str, dict[str, str]]:
    """Environment's name -> file name -> text, of every folder below `folder`; empty where there are no locks."""
    root = Path(folder)
    if not root.is_dir():
        return {}
    return {
        place.name: {name: (place / name).read_text() for name in FILES if (place / name).is_file()}
        for place in sorted(root.iterdir())
        if place.is_dir()
    }


class FilterModule:
    """What Ansible looks for in this file."""

    def filters(self) -> dict[str, Any]:
        """Name of the filter -> function."""
        return {"conda_locks": conda_locks}
