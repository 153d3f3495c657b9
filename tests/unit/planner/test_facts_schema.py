"""Facts are validated by one schema: every keyword of it is known, and jsonschema says the same."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from ansible_collections.dlbox.workstation.plugins.module_utils.machine.detect import detect
from ansible_collections.dlbox.workstation.plugins.plugin_utils.planner.facts import SCHEMA_FILE, schema, validate_facts
from ansible_collections.dlbox.workstation.plugins.plugin_utils.planner.model import UsageError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from machine_roots import ROOTS, build
from planner_machines import machine

KEYWORDS = {
    "array": {"type", "maxItems", "items"},
    "boolean": {"type"},
    "integer": {"type", "minimum", "maximum"},
    "object": {"type", "required", "additionalProperties", "properties"},
    "string": {"type", "maxLength", "pattern", "title"},
}
LABELS = {"description", "title", "$schema", "$defs"}


def rules(rule: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield rule
    for inner in (*rule.get("properties", {}).values(), *rule.get("$defs", {}).values()):
        yield from rules(inner)
    if "items" in rule:
        yield from rules(rule["items"])


def test_the_reader_knows_every_keyword_of_the_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(json.loads(SCHEMA_FILE.read_text(encoding="utf-8")))
    for rule in rules(schema()):
        if "$ref" in rule or "enum" in rule:
            assert set(rule) <= {"$ref", "enum", "description"}
            continue
        kinds = {rule["type"]} if isinstance(rule["type"], str) else set(rule["type"]) - {"null"}
        (kind,) = kinds
        assert KEYWORDS[kind] - {"required"} <= set(rule) <= KEYWORDS[kind] | LABELS, rule
        assert kind != "object" or rule["additionalProperties"] is False


SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=300),
    st.sampled_from(["10de:2204", "580.1", "6.8", "{{ x }}", "\ud800", "a\n", "\u202e", "open", "x" * 201]),
)  # fmt: skip
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3)
)


@st.composite
def spoilt(draw: st.DrawFn) -> Any:
    """Facts of a machine with one value somewhere replaced."""
    facts: Any = copy.deepcopy(machine("RTX 3090"))
    place = facts
    while isinstance(place, (dict, list)) and place:
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        key = draw(st.sampled_from(keys))
        if not isinstance(place[key], (dict, list)) or draw(st.booleans()):
            place[key] = draw(VALUES)
            return facts
        place = place[key]
    return draw(VALUES)


@given(spoilt())
@settings(max_examples=400, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck))
def test_what_it_accepts_jsonschema_accepts(facts: Any) -> None:
    try:
        validate_facts(facts, "test")
    except UsageError as error:
        text = str(error)
        assert text.isprintable() and len(text) < 3000
    else:
        jsonschema.validate(facts, schema())


@pytest.mark.parametrize("key", ["os", "gpus"])
def test_what_is_missing_is_said(key: str) -> None:
    facts = machine("RTX 3090")
    del facts[key]
    with pytest.raises(UsageError, match=f"^test: facts.{key} is missing$"):
        validate_facts(facts, "test")


@pytest.mark.parametrize("name", sorted(ROOTS))
def test_what_is_detected_is_valid(name: str, tmp_path: Path) -> None:
    facts = detect(build(name, tmp_path))
    validate_facts(facts, name)
    jsonschema.validate(facts, schema())


DEVICE = "sys/bus/pci/devices/0000:01:00.0"
FILES = [
    "etc/os-release",
    "etc/hostname",
    "proc/sys/kernel/osrelease",
    "proc/sys/kernel/arch",
    "proc/cpuinfo",
    "proc/version",
    "proc/meminfo",
    "proc/driver/nvidia/version",
    "proc/driver/nvidia/gpus/0000:01:00.0/information",
    "sys/module/nvidia/version",
    "run/systemd/container",
    "proc/1/environ",
    "sys/class/dmi/id/sys_vendor",
    "usr/share/misc/pci.ids",
    f"{DEVICE}/device",
    f"{DEVICE}/subsystem_vendor",
    f"{DEVICE}/subsystem_device",
    f"{DEVICE}/current_link_width",
    f"{DEVICE}/max_link_speed",
]
TEXTS = st.one_of(
    st.binary(max_size=300),
    st.sampled_from(
        [
            b"ID=ubuntu\nVERSION_ID=\x1b[31m24\nPRETTY_NAME={{x}}" + b"y" * 5000,
            b"NVRM version: Kernel Module  " + b"9" * 5000 + b".1",
            b"MemTotal:  " + b"9" * 5000 + b" kB",
            "²".encode(),
            b"container={{ evil }}",
            b"Model: \x1b]0;a\x07" + b"z" * 5000,
            b"\n10de  NVIDIA\n\t2204  {{x}} [\x1b" + b"q" * 5000 + b"]",
            b"0x",
            b"6.8\n7",
            "model name : \u202e".encode(),
        ]
    ),
)


@given(st.dictionaries(st.sampled_from(FILES), TEXTS, max_size=6))
@settings(max_examples=150, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck))
def test_whatever_its_files_say_what_is_detected_is_valid(tmp_path_factory: Any, files: dict[str, bytes]) -> None:
    root = tmp_path_factory.mktemp("root")
    known = {f"{DEVICE}/vendor": b"0x10de", f"{DEVICE}/class": b"0x030000", f"{DEVICE}/device": b"0x2204"}
    for name, content in {**known, **files}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    validate_facts(detect(root), "test")
