"""Every case of the table, and what the table as a whole must hold."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.dlbox.workstation.plugins.plugin_utils.planner.planner import plan
from plan_cases import CASES, Case
from planner_machines import AS_OF

MISSING = object()


def value_at(tree: Any, path: str) -> Any:
    for key in path.split("."):
        tree = tree.get(key, MISSING) if isinstance(tree, dict) else MISSING
    return tree


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_case(case: Case) -> None:
    result = plan(case.facts, {"today": AS_OF, **case.preferences})
    fatal = [item["code"] for item in result["refusals"] if item["fatal"]]
    assert tuple(dict.fromkeys(fatal)) == case.refused, result["refusals"]
    assert result["ok"] is not bool(case.refused)
    for path, wanted in case.expect.items():
        assert value_at(result, path) == wanted, f"{path} ({case.fact})"
    assert {item["code"] for item in result["warnings"]} >= set(case.warns), result["warnings"]
    if not case.refused:
        got = {item["component"]: item["code"] for item in result["refusals"]}
        assert got == case.component
    for item in result["refusals"]:
        assert item["message"] and item["remedy"] and item["causes"]


def test_the_table_is_large_and_every_case_cites_a_fact() -> None:
    assert len(CASES) >= 60
    assert all(case.fact for case in CASES)
    assert len({case.name for case in CASES}) == len(CASES)


def test_every_refusal_of_the_matrix_is_in_the_table() -> None:
    cited = {case.fact for case in CASES if "refusal matrix" in case.fact}
    assert len(cited) >= 20
