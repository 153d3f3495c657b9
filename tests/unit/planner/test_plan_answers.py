"""What the plan says beside versions: dates, power, memory, links, reasons, alternatives, usage."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.dlbox.workstation.plugins.plugin_utils.planner.data.drivers import BRANCHES
from ansible_collections.dlbox.workstation.plugins.plugin_utils.planner.model import UsageError
from ansible_collections.dlbox.workstation.plugins.plugin_utils.planner.planner import plan
from ansible_collections.dlbox.workstation.plugins.plugin_utils.planner.refusals import REMEDIES
from ansible_collections.dlbox.workstation.plugins.plugin_utils.planner.text import render
from planner_machines import AS_OF, machine


def codes(result: dict[str, Any], key: str) -> set[str]:
    return {item["code"] for item in result[key]}


@pytest.mark.parametrize(("today", "branch", "present", "absent"), [
    ("2026-11-20", "580", set(), {"branch_eol", "branch_eol_soon", "data_old"}),
    ("2026-11-20", "595", {"branch_eol_soon"}, {"branch_eol"}),      # NVDOC: 595 ends 2027-03
    ("2027-04-01", "595", {"branch_eol"}, {"branch_eol_soon"}),
    ("2028-03-01", "580", {"branch_eol_soon", "data_old"}, {"branch_eol"}),  # NVDOC: 580 ends June 2028
    ("2028-07-01", "580", {"branch_eol", "data_old"}, set()),
    (None, "595", set(), {"branch_eol", "branch_eol_soon", "data_old"}),
])  # fmt: skip
def test_end_of_life_by_date(today: str | None, branch: str, present: set[str], absent: set[str]) -> None:
    result = plan(machine("RTX 3090"), {"today": today, "pins": {"driver": branch}})
    assert result["driver"]["branch"] == branch
    assert present <= codes(result, "warnings") and not absent & codes(result, "warnings")


def test_the_stable_policy_leaves_a_branch_that_ended() -> None:
    assert plan(machine("RTX 3090"), {"today": "2028-07-01"})["driver"]["branch"] == "615"
    # a GPU that has no other branch keeps it, with the warning
    old = plan(machine("GTX 1080 Ti"), {"today": "2028-07-01"})
    assert old["driver"]["branch"] == "580" and "branch_eol" in codes(old, "warnings")


def test_no_date_is_read_inside(monkeypatch: pytest.MonkeyPatch) -> None:
    import datetime

    class Frozen(datetime.date):
        @classmethod
        def today(cls) -> Frozen:
            raise AssertionError("the planner read the clock")

    monkeypatch.setattr(datetime, "date", Frozen)
    assert plan(machine("RTX 3090"), {"today": AS_OF})["ok"]


def test_advice_on_memory_power_and_energy() -> None:
    facts = machine("RTX 3090", "RTX 3090", ram=65536)
    result = plan(facts, {"psu_watts": 750, "price_per_kwh": 0.30, "duty_hours": 4})
    advice = {item["code"]: item["message"] for item in result["advice"]}
    assert set(advice) == {"ram_below_twice_gpu_memory", "pcie_lanes", "power_supply_small", "energy"}
    assert "64 GiB of RAM for 48 GiB" in advice["ram_below_twice_gpu_memory"]
    # 2 x 350 W and 200 W for the rest, at 80 % of the supply; 4 h a day
    assert "700 W" in advice["power_supply_small"] and "1125 W" in advice["power_supply_small"]
    assert "1314 kWh" in advice["energy"] and "394 at 0.3" in advice["energy"]
    assert result["ok"]


def test_advice_is_silent_where_there_is_enough_or_nothing_known() -> None:
    enough = plan(machine("RTX 3090", ram=131072), {"psu_watts": 850})
    assert enough["advice"] == []
    assert codes(plan(machine("GT 1030 Pascal"), {}), "advice") >= {"power_supply", "gpu_memory_small"}
    assert plan(machine(), {"psu_watts": 400, "price_per_kwh": 1})["advice"] == []
    assert codes(plan(machine("GB300"), {"psu_watts": 400}), "advice") == {"power_unknown"}


def test_alternatives_of_a_refused_set() -> None:
    result = plan(machine("GTX 960", "RTX 5090"), {"today": AS_OF})
    changes = [item["change"] for item in result["alternatives"]]
    assert changes[:2] == ["leave out GTX 960 (Maxwell)", "leave out RTX 5090 (Blackwell)"]
    assert changes[-1] == "compute on the CPU only"
    assert result["alternatives"][0]["arguments"] == ["--ignore-gpu 10de:1401"]
    [refusal] = result["refusals"]
    assert refusal["message"] == (
        "GTX 960 (Maxwell) needs branch 580 or older, proprietary modules only; RTX 5090 (Blackwell) needs branch 570 "
        "or newer, open modules only: no driver satisfies this"
    )


def test_alternatives_of_an_accepted_mixture() -> None:
    result = plan(machine("GTX 960", "RTX 4090"), {"today": AS_OF})
    [option] = result["alternatives"]
    assert option["change"] == "compute without GTX 960 (Maxwell), which keeps the display"
    assert "PyTorch 2.15.0" in option["summary"]


@pytest.mark.parametrize(("facts", "preferences", "change"), [
    (machine("RTX 5090"), {}, "take TensorFlow from conda-forge"),
    (machine("Tesla K80"), {}, "pin pytorch=2.7.1+cu118, its last release for such a GPU"),
    (machine("Tesla K80"), {}, "pin tensorflow=2.14.1+cu118, its last release for such a GPU"),
    (machine("GTX 780 Ti", os="ubuntu-26.04"), {}, "use Ubuntu 22.04"),
    (machine("RTX 3090", os="debian-12", secure_boot=True), {"unattended": True}, "run with somebody at the console"),
    (machine("GTX 1080 Ti"), {"pins": {"cuda": "13.0"}}, "drop the pin cuda=13.0"),
    (machine("RTX 3090", os="debian-13"), {"pins": {"driver": "550-open"}}, "drop the pin driver=550-open"),
    (machine("RTX 3090"), {"pins": {"python": "3.14"}}, "drop the pin python=3.14"),
])  # fmt: skip
def test_the_nearest_alternative(facts: dict[str, Any], preferences: dict[str, Any], change: str) -> None:
    assert change in [item["change"] for item in plan(facts, preferences)["alternatives"]]


def test_explain_lists_every_exclusion_with_its_cause() -> None:
    result = plan(machine("GTX 960"), {"explain": True, "today": AS_OF})
    drivers = {item["candidate"]: item for item in result["excluded"] if item["component"] == "driver"}
    assert drivers["595-open from ubuntu"]["code"] == "branch_dropped_gpu"
    assert drivers["620-open from nvidia"]["code"] == "branch_unconfirmed"
    assert all(item["reason"] and item["cause"] for item in result["excluded"])
    text = render(result)
    assert "Excluded" in text and "595-open from ubuntu: GTX 960 (Maxwell) needs branch 580 or older" in text
    assert "excluded" not in plan(machine("GTX 960"), {})


@pytest.mark.parametrize(
    "facts", [machine("GTX 960", "RTX 4090", ram=16384), machine("RTX 5090", os="debian-13"), machine()]
)
def test_the_text_fits_a_screen(facts: dict[str, Any]) -> None:
    text = render(plan(facts, {"today": AS_OF, "psu_watts": 500, "price_per_kwh": 0.3}))
    lines = text.splitlines()
    assert len(lines) <= 50 and max(len(line) for line in lines) <= 100
    assert "PyTorch" in text


@pytest.mark.parametrize(("preferences", "message"), [
    ({"policy": "fastest"}, "expected one of stable, newest"),
    ({"pins": {"gpu": "1"}}, "pin 'gpu' is not known"),
    ({"pins": {"driver": "latest"}}, "expected a branch such as 580"),
    ({"pins": {"modules": "closed"}}, "expected one of open, proprietary"),
    ({"pins": {"python": "312"}}, "expected a version such as 3.12"),
    ({"pins": {"cuda": "twelve"}}, "expected a version such as 12.9"),
    ({"today": "tomorrow"}, "expected a date"),
    ({"gpu_roles": {"10de:2204": "games"}}, "expected one of compute, display, ignored"),
    ({"colour": "red"}, "option 'colour' is not known"),
])  # fmt: skip
def test_meaningless_preferences_are_usage_errors(preferences: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        plan(machine("RTX 3090"), preferences)


def test_a_cpu_build_can_be_pinned_beside_a_gpu() -> None:
    result = plan(machine("RTX 5090"), {"pins": {"tensorflow": "cpu"}})
    assert result["ok"] and result["refusals"] == []
    assert result["frameworks"]["tensorflow"]["build"] == "cpu"


def test_the_same_gpu_by_slot_may_have_another_role() -> None:
    result = plan(machine("RTX 3090", "RTX 3090"), {"gpu_roles": {"0000:02:00.0": "ignored"}})
    assert [gpu["role"] for gpu in result["gpus"]] == ["compute", "ignored"]


def test_every_branch_has_a_source_and_every_code_a_remedy() -> None:
    assert all(branch.source for branch in BRANCHES.values())
    assert all(text.endswith(".") for text in REMEDIES.values())
