"""Filter: the files of a package of ours that runs as a program on a host."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

UTILITIES = Path(__file__).resolve().parents[1] / "module_utils"


def program_files(package: str, folder: str) -> list[dict[str, Any]]:
    """All modules of ``package`` below ``folder``, as the module host_files takes files."""
    return [
        {"path": f"{folder}/{package}/{file.name}", "content": file.read_text(encoding="utf-8"), "program": True}
        for file in sorted((UTILITIES / package).glob("*.py"))
    ]


class FilterModule:
    """The filter."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return name to function."""
        return {"program_files": program_files}
