"""Write the small part of TOML that the tables need."""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Mapping, Sequence

WIDTH = 118


def key(name: str) -> str:
    """Return a bare key where TOML permits one, else a quoted one."""
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else value(name)


def value(item: object) -> str:
    """Return one value on one line. Raises TypeError for what TOML does not have here."""
    if isinstance(item, bool):
        return "true" if item else "false"
    if isinstance(item, int):
        return str(item)
    if isinstance(item, datetime.date):
        return item.isoformat()
    if isinstance(item, str):
        return json.dumps(item, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(item, Mapping):
        return "{" + ", ".join(f"{key(name)} = {value(one)}" for name, one in item.items()) + "}"
    if isinstance(item, Sequence):
        return "[" + ", ".join(map(value, item)) + "]"
    raise TypeError(f"no TOML for {item!r}")


def line(name: str, item: object) -> str:
    """Return ``name = value``; a long list gets a line per item."""
    text = f"{key(name)} = {value(item)}"
    if len(text) <= WIDTH or isinstance(item, (str, Mapping)) or not isinstance(item, Sequence):
        return text
    return f"{key(name)} = [\n" + "".join(f"  {value(one)},\n" for one in item) + "]"


def table(header: str, items: Mapping[str, object]) -> str:
    """Return a table under its header line (``[a.b]`` or ``[[a]]``; "" for the top of a file)."""
    return "\n".join(([header] if header else []) + [line(name, item) for name, item in items.items()]) + "\n"
