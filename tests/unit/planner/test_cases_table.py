"""The table cases.toml: every statement under every combination of its conditions."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import tomllib
from ansible_collections.dlbox.workstation.plugins.plugin_utils.planner.gpus import from_name
from ansible_collections.dlbox.workstation.plugins.plugin_utils.planner.planner import plan
from planner_machines import AS_OF, machine

TABLE = tomllib.loads(Path(__file__).with_name("cases.toml").read_text(encoding="utf-8"))
CONDITIONS = (
    *("gpus", "os", "kernel", "kernel_flavours", "arch", "secure_boot"),
    *("wsl", "virtualization", "driver", "vgpu", "nvswitches", "options"),
)
Conditions = dict[str, Any]


def combinations(group: dict[str, Any]) -> Iterator[Conditions]:
    given = [name for name in CONDITIONS if name in group]
    for values in itertools.product(*(group[name] for name in given)):
        yield dict(zip(given, values, strict=True))


CASES = [(group, conditions) for group in TABLE["group"] for conditions in combinations(group)]


def label(case: tuple[dict[str, Any], Conditions]) -> str:
    group, conditions = case
    return f"{group['name']}: {', '.join(str(value) for value in conditions.values())}"[:150]


def facts_of(conditions: Conditions) -> dict[str, Any]:
    gpus = conditions["gpus"] if isinstance(conditions["gpus"], list) else [conditions["gpus"]]
    names = ("os", "kernel", "arch", "secure_boot", "wsl", "virtualization", "driver")
    facts = machine(*gpus, **{name: conditions[name] for name in names if name in conditions})
    facts["os"]["kernel_flavours"] = conditions.get("kernel_flavours", [])
    facts["nvswitches"] = conditions.get("nvswitches", 0)
    for gpu in facts["gpus"]:
        gpu["vgpu"] = conditions.get("vgpu", False)
    return facts


def value_at(tree: Any, path: str) -> Any:
    for key in path.split("."):
        tree = tree[int(key)] if isinstance(tree, list) else tree[key] if tree is not None else None
    return tree


@pytest.mark.parametrize("case", CASES, ids=map(label, CASES))
def test_case(case: tuple[dict[str, Any], Conditions]) -> None:
    group, conditions = case
    result = plan(facts_of(conditions), {"today": AS_OF, **conditions.get("options", {})})
    refused = group.get("refused", [])
    if refused != "any":
        fatal = [item["code"] for item in result["refusals"] if item["fatal"]]
        assert list(dict.fromkeys(fatal)) == refused, result["refusals"]
        assert result["ok"] is not bool(refused)
    for path, wanted in group.get("expect", {}).items():
        assert value_at(result, path) == (None if wanted == "none" else wanted), path
    component = {item["component"]: item["code"] for item in result["refusals"] if not item["fatal"]}
    assert group.get("component", {}) in ("any", component), result["refusals"]
    warned = {item["code"] for item in result["warnings"]}
    assert warned >= set(group.get("warns", ())), warned
    assert not warned & set(group.get("silent", ())), warned


NAMES: dict[str, str] = TABLE["names"]["capability"]


@pytest.mark.parametrize("name", NAMES)
def test_a_gpu_known_by_its_name_alone(name: str) -> None:
    gpu = from_name(name)
    assert f"{gpu.cc[0]}.{gpu.cc[1]}" == NAMES[name]
    facts = machine(wsl=True, driver="581.57")
    facts["gpus"] = [{"pci_id": "", "slot": "00000000:01:00.0", "name_hint": name}]
    [planned] = plan(facts, {"today": AS_OF})["gpus"]
    assert planned["compute_capability"] == NAMES[name]


def test_the_table_is_large_and_every_statement_cites_its_source() -> None:
    assert len(CASES) + len(NAMES) >= 250
    assert all(group["source"] and group["name"] for group in TABLE["group"])
    assert len({group["name"] for group in TABLE["group"]}) == len(TABLE["group"])
    known = {"name", "source", "expect", "refused", "component", "warns", "silent", *CONDITIONS}
    assert all(set(group) <= known for group in TABLE["group"])
