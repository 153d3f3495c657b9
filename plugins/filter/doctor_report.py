"""The doctor's evaluation as filters, so that the end of a run uses the same checks as ./dlbox doctor."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible.errors import AnsibleFilterError

# As in plugin_utils/doctor/model.py, which is not loaded here: Ansible loads every filter file in each task's process.
FAIL = "fail"
WARN = "warn"
# A driver that was just installed is not loaded, and an old one still is, until the machine boots again.
CURED_BY_REBOOT = ("system.reboot", "gpu.module-loaded", "gpu.versions-match", "gpu.nouveau")

DOCUMENTATION = r"""
name: doctor_report
short_description: Evaluate a host's evidence with the doctor's quick checks
description: Takes what the module host_evidence returned, gives what ./dlbox doctor --format json gives.
positional: host, variables
author: [dlbox (!UNKNOWN)]
version_added: 0.1.0
options:
  _input: {description: the evidence, type: dict, required: true}
  host: {description: name for the report, type: str, required: true}
  variables: {description: the owner's variables that checks compare with (dlbox_admins ...), type: dict, default: {}}
"""


def doctor_report(evidence: dict[str, Any], host: str, variables: dict[str, Any] | None = None) -> dict[str, Any]:
    """See DOCUMENTATION."""
    from ..plugin_utils.doctor import evaluate
    from ..plugin_utils.doctor.model import Context

    if not isinstance(evidence, dict) or "errors" not in evidence:
        raise AnsibleFilterError(
            f"doctor_report: expected the evidence of host_evidence, got {type(evidence).__name__}"
        )
    return evaluate.report(host, Context(evidence, {}, variables or {}), evaluate.selected(quick=True))


def doctor_collectors(_: Any = None) -> list[str]:
    """The collectors that the quick checks and the page need."""
    from ..plugin_utils.doctor import evaluate

    return evaluate.collectors(evaluate.selected(quick=True))


def doctor_lines(report: dict[str, Any], result: str) -> list[str]:
    """The entries with this result (fail or warn), each as one sentence with its remedy."""
    if result not in (FAIL, WARN):
        raise AnsibleFilterError(f"doctor_lines: result {result!r}, expected fail or warn")
    return [
        f"{item['name']}: {item['observed']}. {item['remedy']}" for item in report["checks"] if item["result"] == result
    ]


def doctor_reboot_reasons(report: dict[str, Any]) -> list[str]:
    """The names of the checks that a reboot is expected to cure; empty when none is needed."""
    return [
        item["name"] for item in report["checks"] if item["result"] in (FAIL, WARN) and item["name"] in CURED_BY_REBOOT
    ]


def doctor_broken(report: dict[str, Any]) -> list[str]:
    """The failures that end a run: all, but for those that a pending reboot is expected to cure."""
    waiting = set(doctor_reboot_reasons(report))
    return [
        f"{item['name']}: {item['observed']}. {item['remedy']}"
        for item in report["checks"]
        if item["result"] == FAIL and item["name"] not in waiting
    ]


def doctor_summary(report: dict[str, Any]) -> str:
    """The counts as a phrase: 12 checks ok, 1 warning, 1 failure."""
    count = {result: sum(item["result"] == result for item in report["checks"]) for result in (FAIL, WARN, "ok")}
    words = [f"{count['ok']} checks ok"]
    for result, word in ((WARN, "warning"), (FAIL, "failure")):
        if count[result]:
            words.append(f"{count[result]} {word}{'s' if count[result] > 1 else ''}")
    return ", ".join(words) + (", a reboot is pending" if doctor_reboot_reasons(report) else "")


class FilterModule:
    """Register the filters with Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Names that playbooks use."""
        functions = (
            doctor_report,
            doctor_collectors,
            doctor_lines,
            doctor_reboot_reasons,
            doctor_broken,
            doctor_summary,
        )
        return {function.__name__: function for function in functions}
