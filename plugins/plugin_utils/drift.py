"""What a run in check mode says of each host: as declared, changed since, or not reached; for ./dlbox drift."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, TypedDict

AS_DECLARED, DRIFT, NOT_REACHED = 0, 2, 4  # exit statuses; 1 and 3 are the shell's and Ansible's own

Status = Literal["as declared", "drift", "not reached"]
CHECK = "system.as-declared"


class Finding(TypedDict):
    """What is said of one host."""

    host: str
    status: Status
    tasks: list[str]  # what `up` would do
    stopped: bool  # by an error, so that there may be more
    checks: list[str]  # the doctor's that failed


def finding(host: str, outcome: dict[str, Any], report: dict[str, Any] | None = None) -> Finding:
    """The finding of one host.

    Args:
        host: name in the inventory.
        outcome: what the callback run_report wrote of it: ``changed``, ``failures``, ``unreachable``, ``tasks``.
        report: the doctor's, as docs/schemas/doctor.json has it; None where it was not asked.
    """
    failed = [entry["name"] for entry in (report or {}).get("checks", []) if entry["result"] == "fail"]
    tasks, stopped = list(dict.fromkeys(outcome["tasks"])), outcome["failures"] > 0
    status: Status = "drift" if tasks or stopped or failed else "as declared"
    if outcome["unreachable"] or (report and "error" in report):
        status = "not reached"
    return {"host": host, "status": status, "tasks": tasks, "stopped": stopped, "checks": failed}


def exit_status(findings: list[Finding]) -> int:
    """0 where every host is as declared, 2 where one is not, 4 where one was not reached."""
    found = {item["status"] for item in findings}
    return NOT_REACHED if "not reached" in found else DRIFT if "drift" in found else AS_DECLARED


def lines(item: Finding) -> list[str]:
    """The finding for people: a line, and one for each thing that differs."""
    more = [f"  would change: {task}" for task in item["tasks"]]
    more += [f"  failed check: {check}" for check in item["checks"]]
    if item["stopped"] and item["status"] != "not reached":
        more.append("  the check was stopped by an error, so there may be more: ./dlbox check shows it")
    return [f"{item['host']}: {item['status']}", *more]


def check_entry(item: Finding) -> dict[str, str]:
    """The finding as one of the doctor's entries, which the report page shows among the others."""
    count = len(item["tasks"])
    observed = f"{count} {'task' if count == 1 else 'tasks'} of ./dlbox up would change it: {'; '.join(item['tasks'])}"
    if not count:
        observed = "the check was stopped by an error" if item["stopped"] else "./dlbox up would change nothing"
    well = not count and not item["stopped"]
    return {
        "name": CHECK,
        "area": "system",
        "result": "ok" if well else "warn",
        "observed": observed,
        "remedy": "" if well else "./dlbox check shows the differences, ./dlbox up applies what is declared",
    }


def units(project: Path, when: str) -> dict[str, str]:
    """The unit files that run ./dlbox drift at a time of systemd.time(7): name -> text.

    The service fails with the finding, so that `systemctl --failed` lists it; its output is in the journal.
    """
    folder = str(project).replace("%", "%%")
    return {
        "dlbox-drift.service": f"""[Unit]
Description=dlbox: whether every machine is as declared

[Service]
Type=oneshot
WorkingDirectory={folder}
ExecStart="{folder}/dlbox" drift
Nice=10
""",
        "dlbox-drift.timer": f"""[Unit]
Description=dlbox: whether every machine is as declared, {when}

[Timer]
OnCalendar={when}
RandomizedDelaySec=1h
Persistent=true

[Install]
WantedBy=timers.target
""",
    }
