"""Text from a host, as a terminal or a page may show it: whatever steers them is spelt out instead of obeyed."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

# Of Unicode's categories: control characters (C0, DEL, C1), format characters (bidirectional overrides, zero width,
# tags), lone surrogates, and the line and paragraph separators.
STEERING = {"Cc", "Cf", "Cs", "Zl", "Zp"}
PLAIN = re.compile(r"[\n\t\x20-\x7e]*")
# What Ansible itself colours with, without black: a colour, bold or not, and its end.
COLOUR = re.compile(r"(\x1b\[(?:0|[01];3[1-7])m)")


def _spelt(char: str) -> str:
    """A character, or its escape where it would steer a terminal: \\x1b, \\u202e, \\U000e0041."""
    if char in "\n\t" or unicodedata.category(char) not in STEERING:
        return char
    number = ord(char)
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


def visible(text: str) -> str:
    """`text` with every character that steers a terminal spelt out; line feeds and tabs stay."""
    return text if PLAIN.fullmatch(text) else "".join(map(_spelt, text))


def visible_in_colour(text: str) -> str:
    """As `visible`, but Ansible's own colours stay."""
    parts = COLOUR.split(text)
    return "".join(part if number % 2 else visible(part) for number, part in enumerate(parts))


def visible_data(value: Any) -> Any:
    """`visible` for every text of a structure of lists and dicts, keys included."""
    if isinstance(value, str):
        return visible(value)
    if isinstance(value, dict):
        return {visible_data(key): visible_data(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [visible_data(item) for item in value]
    return value
