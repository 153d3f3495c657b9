"""The checks as pure functions: whatever a host answers, or does not answer, each ends in one of the four results."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from ansible_collections.dlbox.workstation.plugins.module_utils.probe import collect as probe
from ansible_collections.dlbox.workstation.plugins.plugin_utils.doctor import evaluate
from ansible_collections.dlbox.workstation.plugins.plugin_utils.doctor.model import (
    AREAS,
    FAIL,
    REGISTRY,
    RESULTS,
    Context,
    Finding,
    check,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

SCHEMA = json.loads((Path(__file__).resolve().parents[3] / "docs/schemas/doctor.json").read_text())
CHECKS = evaluate.selected()


@pytest.fixture(scope="module")
def answered(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What this machine, whatever it is, answers; without the two collectors that take seconds."""
    nowhere = str(tmp_path_factory.mktemp("nothing"))
    names = [name for name in evaluate.collectors(CHECKS) if name not in ("updates", "smoke_tests")]
    evidence = probe.collect({"collect": names, "conda_root": nowhere, "state_dir": nowhere})
    evidence["updates"] = {"rc": 0, "err": "", "all": [], "security": []}
    evidence["smoke_tests"] = {"direct": {}, "kernel": {}, "launcher": False}
    return evidence


def test_every_check_is_named_titled_and_asks_for_known_things() -> None:
    assert len(REGISTRY) >= 50
    assert {item.area for item in REGISTRY.values()} == set(AREAS)
    for item in REGISTRY.values():
        assert item.title and item.title[0].isalnum(), item.name
        assert item.needs and set(item.needs) <= set(probe.COLLECTORS), item.name


def test_this_machine_gets_a_valid_report(answered: dict[str, Any]) -> None:
    report = evaluate.report("here", Context(answered), CHECKS)
    jsonschema.validate(report, SCHEMA)
    assert answered["errors"] == {}
    assert not [entry for entry in report["checks"] if "could not be evaluated" in entry["observed"]]


def test_a_host_that_answers_nothing_gets_a_report_too() -> None:
    jsonschema.validate(evaluate.report("mute", Context({"errors": {}}), CHECKS), SCHEMA)
    failed = {"errors": dict.fromkeys(probe.COLLECTORS, "PermissionError: no")}
    report = evaluate.report("mute", Context(failed), CHECKS)
    jsonschema.validate(report, SCHEMA)
    assert {entry["result"] for entry in report["checks"]} == {"warn"}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_damaged_answer_never_ends_in_a_traceback(answered: dict[str, Any], data: st.DataObject) -> None:
    """Any part of the evidence may be of another shape than ever seen; the report stays a report."""
    evidence = copy.deepcopy(answered)
    junk: st.SearchStrategy[Any] = st.one_of(
        st.none(), st.text(max_size=5), st.integers(), st.lists(st.text(max_size=3), max_size=2), st.just({})
    )
    for name in data.draw(st.lists(st.sampled_from(sorted(probe.COLLECTORS)), max_size=6)):
        evidence[name] = data.draw(junk)
    report = evaluate.report("odd", Context(evidence), CHECKS)
    jsonschema.validate(report, SCHEMA)
    assert all(entry["result"] in RESULTS for entry in report["checks"])


def test_a_check_of_another_area_or_a_taken_name_is_refused() -> None:
    with pytest.raises(ValueError, match=r"expected AREA\.NAME"):
        check("weather.rain", ["units"])
    with pytest.raises(ValueError, match="is taken"):
        check("ssh.root", ["units"])


def test_a_bad_result_needs_a_remedy() -> None:
    with pytest.raises(ValueError, match="needs a remedy"):
        Finding(FAIL, "broken")
    with pytest.raises(ValueError, match="expected one of"):
        Finding("maybe", "who knows")


def test_only_takes_areas_and_checks_and_names_what_it_does_not_know() -> None:
    assert {item.area for item in evaluate.selected(names=["ssh"])} == {"ssh"}
    assert [item.name for item in evaluate.selected(names=["gpu.dkms"])] == ["gpu.dkms"]
    with pytest.raises(KeyError, match="rain"):
        evaluate.selected(names=["rain"])


def test_the_quick_checks_are_those_that_end_a_run() -> None:
    quick = {item.name for item in evaluate.selected(quick=True)}
    assert {"gpu.versions-match", "ssh.server", "firewall.active", "system.reboot"} <= quick
    slow = {"smoke_tests", "updates", "apt_keys", "package_origins", "smart"}
    assert not slow & set(evaluate.collectors(evaluate.selected(quick=True)))
