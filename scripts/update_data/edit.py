"""Change values in a TOML file where they stand, so that comments and order stay."""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Mapping
from typing import Any

import tomllib

from . import toml

ANY_KEY = re.compile(r"^[^\s#\[][^\n]*? = (?:\[\n(?:  .*\n)*\]|.*)\n", re.MULTILINE)


def _blocks(text: str) -> list[str]:
    """Return the text in pieces that begin with a table's header (the first: the top of the file)."""
    return re.split(r"^(?=\[)", text, flags=re.MULTILINE)


def _set(block: str, changes: Mapping[str, object]) -> str:
    for name, item in changes.items():
        line = toml.line(name, item) + "\n"
        pattern = re.compile(rf"^{re.escape(toml.key(name))} = (?:\[\n(?:  .*\n)*\]|.*)\n", re.MULTILINE)
        if pattern.search(block):
            block = pattern.sub(lambda _, line=line: line, block, count=1)  # type: ignore[misc]
        else:
            # after the last key, before a comment that belongs to the next table
            ends = [match.end() for match in ANY_KEY.finditer(block)] or [block.index("\n") + 1]
            block = block[: ends[-1]] + line + block[ends[-1] :]
    return block


def set_values(
    text: str, header: str, changes: Mapping[str, object], match: Callable[[Any], bool] | None = None
) -> str:
    """Return the text with keys changed in the tables of a header line for which ``match`` says so.

    header "" is the top of the file. Lists of tables (``[[build]]``) are matched row by row.
    """
    blocks = _blocks(text)
    for number, block in enumerate(blocks):
        first = block.partition("\n")[0].partition("#")[0].strip()
        if (number == 0 and header == "") or (number > 0 and first == header):
            row = tomllib.loads(block.partition("\n")[2] if header else block)
            if match is None or match(row):
                blocks[number] = _set(block, {k: v for k, v in changes.items() if row.get(k) != v})
    return "".join(blocks)


def checked(text: str, header: str, today: datetime.date) -> str:
    """Return the text with the day of a table's check."""
    return set_values(text, header, {"checked": today})
