"""Validate a machine's facts against docs/schemas/machine.json, with the standard library alone.

`python3 scripts/plan.py` runs where jsonschema is not installed, so this reads the few keywords that the schema uses;
a test holds it to jsonschema, and another to knowing every keyword in the schema.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any

from .model import UsageError

SCHEMA_FILE = Path(__file__).resolve().parents[3] / "docs/schemas/machine.json"
#: Problems that one message names; a hostile host may have any number.
SHOWN = 5
_TYPES: dict[str, type | tuple[type, ...]] = {
    "object": Mapping,
    "array": (list, tuple),
    "string": str,
    "integer": int,
    "boolean": bool,
    "null": type(None),
}


@lru_cache(maxsize=1)
def schema() -> dict[str, Any]:
    """Return the schema of a machine's facts."""
    found: dict[str, Any] = json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))
    return found


def validate_facts(facts: object, origin: str) -> None:
    """Raise UsageError when the facts of a machine are not what the schema says; origin names where they come from."""
    _validate(facts, schema(), "facts", origin)


def validate_usual(facts: object, origin: str) -> None:
    """Raise UsageError when the facts beside the machine's are not what the schema says."""
    _validate(facts, schema()["$defs"]["usual"], "facts", origin)


def _validate(value: object, rule: Mapping[str, Any], where: str, origin: str) -> None:
    found = list(islice(_problems(value, rule, where), SHOWN + 1))
    if found:
        more = "; and more" if len(found) > SHOWN else ""
        raise UsageError(f"{origin}: {'; '.join(found[:SHOWN])}{more}")


def shape(value: object) -> str:
    """Return a short description of a value, safe to print whatever the value holds."""
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, str):
        return ascii(str(value)) if len(value) <= 40 else f"a text of {len(value)} characters"
    if isinstance(value, int):
        return str(int(value)) if abs(value) < 10**15 else "a number of more than 15 digits"
    if isinstance(value, float):
        return repr(float(value))
    if isinstance(value, Mapping):
        return f"a mapping of {len(value)}"
    if isinstance(value, (list, tuple)):
        return f"a list of {len(value)}"
    return f"a {type(value).__name__}"


def _is(value: object, kind: str) -> bool:
    if isinstance(value, bool) and kind != "boolean":
        return False
    return isinstance(value, _TYPES[kind])


def _problems(value: object, rule: Mapping[str, Any], where: str) -> Iterator[str]:
    """Yield what is wrong with a value; what is inside a value of the wrong type or length is not looked into."""
    if "$ref" in rule:
        rule = {**schema()["$defs"][rule["$ref"].rpartition("/")[2]], **rule}
    if "enum" in rule:
        if not any(value == one and _is(value, "null" if one is None else "string") for one in rule["enum"]):
            yield f"{where} is {shape(value)}, expected one of {json.dumps(rule['enum'])}"
        return
    kinds = rule["type"] if isinstance(rule["type"], list) else [rule["type"]]
    if not any(_is(value, kind) for kind in kinds):
        yield f"{where} is {shape(value)}, expected {' or '.join(kinds)}"
    elif isinstance(value, str):
        if len(value) > rule["maxLength"]:
            yield f"{where} is {shape(value)}, expected at most {rule['maxLength']}"
        elif not re.fullmatch(rule["pattern"], value):
            yield f"{where} is {shape(value)}, expected {rule['title']}"
    elif isinstance(value, int) and not isinstance(value, bool):
        if not rule["minimum"] <= value <= rule["maximum"]:
            yield f"{where} is {shape(value)}, expected {rule['minimum']} to {rule['maximum']}"
    elif isinstance(value, (list, tuple)):
        if len(value) > rule["maxItems"]:
            yield f"{where} is {shape(value)}, expected at most {rule['maxItems']}"
            return
        for number, item in enumerate(value):
            yield from _problems(item, rule["items"], f"{where}.{number}")
    elif isinstance(value, Mapping):
        yield from _object_problems(value, rule, where)


def _object_problems(value: Mapping[Any, Any], rule: Mapping[str, Any], where: str) -> Iterator[str]:
    for key in rule.get("required", ()):
        if key not in value:
            yield f"{where}.{key} is missing"
    for key, item in value.items():
        if key in rule["properties"]:
            yield from _problems(item, rule["properties"][key], f"{where}.{key}")
        else:
            yield f"{where} has the key {shape(key)}, expected only {', '.join(rule['properties'])}"
