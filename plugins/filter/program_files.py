"""Filter: the files of parts of ours that run as a program on a host."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

UTILITIES = Path(__file__).resolve().parents[1] / "module_utils"


def program_files(parts: Sequence[str], folder: str) -> list[dict[str, Any]]:
    """These parts of module_utils in a package ``dlbox`` below ``folder``, as host_files takes files."""
    files = []
    for part in parts:
        place = UTILITIES / part
        files += sorted(place.glob("*.py")) if place.is_dir() else [place.with_suffix(".py")]
    return [
        {
            "path": f"{folder}/dlbox/{file.relative_to(UTILITIES)}",
            "content": file.read_text(encoding="utf-8"),
            "program": True,
        }
        for file in files
    ]


class FilterModule:
    """The filter."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return name to function."""
        return {"program_files": program_files}
