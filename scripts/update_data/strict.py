"""Turn parsed TOML into dataclasses, or say which file, table and key is wrong.

A dataclass is the schema of a table: its fields are the keys, its annotations their types. Nothing is converted
silently: a key that no field has, a field without a default that has no key, and a value of another type are
problems. A field annotated ``X | None`` without a default takes the text ``unknown`` for what nobody could read;
an empty list or table says that there is nothing. The two are different answers.
"""

from __future__ import annotations

import dataclasses
import datetime
import re
import types
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, NewType, TypeVar, Union, get_args, get_origin, get_type_hints

import tomllib

#: A version or series such as ``12.9``; a day as ISO 8601 text, which TOML writes without quotes.
Dotted = NewType("Dotted", str)
Day = NewType("Day", str)

#: What stands for "not known" in the place of a value.
UNKNOWN = "unknown"
T = TypeVar("T")
_TEXTS: dict[Any, tuple[str, str]] = {
    str: (r"(?s).*\S.*", "a text"),
    Dotted: (r"\d+(\.\d+)*", 'a version such as "12.9"'),
}


class DataError(ValueError):
    """Tables that are not what their schema says: one line per problem, each with file, table and key."""


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else f'"{name}"'


def _found(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


class Reader:
    """Collects the problems of one file."""

    def __init__(self, file: str) -> None:
        """Start without problems."""
        self.file = file
        self.problems: list[str] = []

    def wrong(self, table: str, key: str, expected: str, value: object) -> None:
        """Record one wrong value."""
        self.problems.append(f"{self.file}: {table} key {key}: expected {expected}, found {_found(value)}")

    def value(self, kind: Any, value: object, table: str, key: str) -> Any:
        """Return a value of an annotated type; a problem is recorded and None returned when it is not one."""
        origin, arguments = get_origin(kind), get_args(kind)
        if origin in (Union, types.UnionType):
            if value == UNKNOWN:
                return None
            return self.value(next(one for one in arguments if one is not type(None)), value, table, key)
        if origin is Literal:
            if not any(value == one and type(value) is type(one) for one in arguments):
                self.wrong(table, key, "one of " + ", ".join(map(str, arguments)), value)
            return value
        if origin is list:
            if not isinstance(value, list):
                return self.wrong(table, key, "a list", value)
            return [self.value(arguments[0], item, table, f"{key}[{number}]") for number, item in enumerate(value)]
        if origin is dict:
            if not isinstance(value, dict):
                return self.wrong(table, key, "a table", value)
            inner = f"[{table.strip('[]')}.{key}]".replace("[.", "[")
            return {name: self.value(arguments[1], item, inner, _key(name)) for name, item in value.items()}
        if dataclasses.is_dataclass(kind):
            return self.table(kind, value, f"[{table.strip('[]')}.{key}]".replace("[.", "["))
        if kind is Day:
            if type(value) is not datetime.date:
                return self.wrong(table, key, "a day such as 2026-11-20, without quotes", value)
            return value.isoformat()
        if kind in _TEXTS:
            pattern, expected = _TEXTS[kind]
            if not isinstance(value, str) or not re.fullmatch(pattern, value):
                self.wrong(table, key, expected, value)
            return value
        if type(value) is not kind:
            self.wrong(table, key, {int: "a whole number", bool: "true or false"}[kind], value)
        return value

    def table(self, kind: Any, table: object, where: str) -> Any:
        """Return a table as its dataclass, None with recorded problems when it does not fit."""
        if not isinstance(table, Mapping):
            return self.wrong(where, "itself", "a table", table)
        before = len(self.problems)
        hints = get_type_hints(kind)
        fields = {field.name: field for field in dataclasses.fields(kind)}
        for name in table:
            if name not in fields:
                self.problems.append(f"{self.file}: {where} key {_key(name)}: not known; expected {', '.join(fields)}")
        values = {}
        for name, field in fields.items():
            if name in table:
                values[name] = self.value(hints[name], table[name], where, name)
            elif field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
                self.problems.append(f"{self.file}: {where} key {name}: missing")
        return kind(**values) if len(self.problems) == before else None


def parse(kind: type[T], text: str, file: str) -> T:
    """Return TOML text as a dataclass; raises DataError with every problem."""
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise DataError(f"{file}: {_where(text, str(error))}") from error
    reader = Reader(file)
    result = reader.table(kind, table, "[]")
    if reader.problems:
        raise DataError("\n".join(reader.problems))
    assert isinstance(result, kind)
    return result


def _where(text: str, message: str) -> str:
    """Return a decoder's message with the table and key it concerns."""
    line = re.search(r"at line (\d+)", message)
    lines = text.splitlines()[: int(line.group(1))] if line else text.splitlines()
    headers = [one.strip() for one in lines if re.match(r"\s*\[", one) and "=" not in one.split("#")[0]]
    last = lines[-1].partition("=")[0].strip() if lines and "=" in lines[-1] else ""
    place = " ".join(filter(None, (headers[-1] if headers else "[]", f"key {last}" if last else "")))
    return f"{place}: {message}"


def load(kind: type[T], path: Path, file: str) -> T:
    """Return a TOML file as a dataclass; raises DataError, OSError when it cannot be read."""
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise DataError(f"{file}: not UTF-8 text: {error}") from error
    return parse(kind, text, file)
