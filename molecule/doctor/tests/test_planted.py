"""Each check proved both ways on one machine: ok while it is healthy, and the planted fault found with its remedy."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.dlbox.workstation.plugins.plugin_utils.doctor import evaluate, runner
from ansible_collections.dlbox.workstation.plugins.plugin_utils.doctor.model import (
    FAIL,
    NA,
    REGISTRY,
    WARN,
    Check,
    Finding,
)
from faults import FAULTS, Fault

FROM_OUTSIDE = ("ssh.audit", "ssh.second-login", "firewall.outside")
# Nothing to be healthy here: the test machine has no swap of its own.
ABSENT = {"system.swap"}


def evaluated(host: Any, check: Check) -> list[Finding]:
    """One check's outcomes, asked now, with only the collectors that it needs."""
    variables = dict(host.ansible.get_variables())
    context = runner.context(host, variables["inventory_hostname"], variables, [check], look=check.name in FROM_OUTSIDE)
    return check.run(context)


def shell(host: Any, text: str) -> None:
    """Run shell text on the host; a step that fails fails the test with its output."""
    done = host.run("bash -c %s", f"set -e; exec 2>&1; {text}")
    assert done.rc == 0, f"{text}: {done.stdout}"


def test_every_check_has_a_planted_fault() -> None:
    """A check without a fault is a check that was never seen to fail."""
    assert {fault.check for fault in FAULTS} == set(REGISTRY)


def test_the_healthy_machine_has_nothing_to_report(host: Any) -> None:
    """No failure and no warning; nearly every check applies."""
    variables = dict(host.ansible.get_variables())
    chosen = evaluate.selected()
    context = runner.context(host, variables["inventory_hostname"], variables, chosen)
    found = {check.name: check.run(context) for check in chosen}
    assert not [
        (name, outcome) for name, outcomes in found.items() for outcome in outcomes if outcome.result in (FAIL, WARN)
    ]
    assert {name for name, outcomes in found.items() if all(outcome.result == NA for outcome in outcomes)} <= ABSENT


@pytest.fixture
def planted(host: Any, request: pytest.FixtureRequest) -> Iterator[Fault]:
    """The fault, planted for one test and taken away after it, whatever happened."""
    fault: Fault = request.param
    try:
        shell(host, fault.plant)
        yield fault
    finally:
        shell(host, fault.undo)


@pytest.mark.parametrize("planted", FAULTS, ids=[f"{fault.check}: {fault.title}" for fault in FAULTS], indirect=True)
def test_the_fault_is_found_and_then_gone(host: Any, planted: Fault) -> None:
    """The check gives the expected result, in words that name the fault, with a remedy of one line."""
    found = [outcome for outcome in evaluated(host, REGISTRY[planted.check]) if outcome.result == planted.result]
    text = " | ".join(f"{outcome.subject} {outcome.observed} {outcome.remedy}" for outcome in found)
    assert planted.words in text, text or evaluated(host, REGISTRY[planted.check])
    assert all(outcome.remedy and "\n" not in outcome.remedy for outcome in found)


def test_the_machine_is_healthy_again(host: Any) -> None:
    """Every fault was taken away: what was found above was the fault and nothing else."""
    test_the_healthy_machine_has_nothing_to_report(host)
