"""What the doctor says of the services that the plan's driver needs."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.dlbox.workstation.plugins.plugin_utils.doctor import evaluate
from ansible_collections.dlbox.workstation.plugins.plugin_utils.doctor.model import REGISTRY, Context

FABRIC = "nvidia-fabricmanager.service"


def told(plan: dict[str, Any], **unit: str) -> list[tuple[str, str]]:
    """Return (result, words and remedy) of the check for a plan and what systemd shows of Fabric Manager."""
    evidence = {"plan": plan, "units": {"states": {FABRIC: {"Id": FABRIC, **unit}} if unit else {}}, "errors": {}}
    found = evaluate.report("box", Context(evidence), [REGISTRY["gpu.services"]])["checks"]
    return [(item["result"], f"{item['observed']} {item['remedy']}") for item in found]


@pytest.mark.parametrize("plan", [{}, {"driver": None}, {"driver": {"services": []}}])
def test_nothing_is_asked_without_nvswitch(plan: dict[str, Any]) -> None:
    assert [result for result, _text in told(plan)] == ["na"]


@pytest.mark.parametrize(
    ("load", "active", "file", "result", "says"),
    [
        ("loaded", "active", "enabled", "ok", "runs and is started at boot"),
        ("loaded", "active", "disabled", "fail", "is not started at boot sudo systemctl enable --now"),
        ("loaded", "failed", "enabled", "fail", "is failed, and CUDA does not start without it (error 802)"),
        ("not-found", "inactive", "", "fail", "is not installed"),
    ],
)
def test_fabric_manager_has_to_run(load: str, active: str, file: str, result: str, says: str) -> None:
    plan = {"driver": {"services": [FABRIC]}}
    ((seen, text),) = told(plan, LoadState=load, ActiveState=active, UnitFileState=file)
    assert seen == result and says in text


def test_a_unit_that_was_not_read_is_not_taken_for_a_running_one() -> None:
    ((seen, _text),) = told({"driver": {"services": [FABRIC]}})
    assert seen == "fail"
