"""The operating system: os-release(5), in /etc or else in /usr/lib."""

from __future__ import annotations

import re
from pathlib import Path

from .files import text_of

_FIELD = re.compile(r"""^(?P<name>[A-Za-z0-9_]+)=(?P<quote>["']?)(?P<value>.*?)(?P=quote)[ \t]*$""", re.MULTILINE)


def parse(text: str) -> dict[str, str]:
    """Return the fields of an os-release file, unquoted: ID, VERSION_ID, PRETTY_NAME, ..."""
    return {found["name"]: re.sub(r"\\([\\$\"'`])", r"\1", found["value"]) for found in _FIELD.finditer(text)}


def read_os_release(root: Path = Path("/")) -> dict[str, str]:
    """Return the fields of the host's os-release; none where it has no such file."""
    return parse(text_of(root / "etc/os-release") or text_of(root / "usr/lib/os-release"))


def release_name(fields: dict[str, str]) -> str:
    """Return ID-VERSION_ID, for instance ubuntu-24.04 or debian-13; "" where the fields name no system."""
    return "-".join(fields.get(name, "") for name in ("ID", "VERSION_ID")) if "ID" in fields else ""
