"""Run the registered checks over one host's evidence and give the doctor's report."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from . import checks
from .model import AREAS, FAIL, REGISTRY, RESULTS, Check, Context

# What the page shows of a host beside its checks.
OF_THE_PAGE = ("addresses", "bench_runs", "os_release", "plan", "virtualization")

__all__ = ["checks", "collectors", "report", "selected", "worst"]


def selected(quick: bool = False, names: Iterable[str] | None = None) -> list[Check]:
    """The checks to run, in the order of the areas; `names` may hold areas ("ssh") and checks ("ssh.root").

    Raises KeyError with a full sentence for a name that is neither.
    """
    wanted = set(names or [])
    unknown = wanted - set(AREAS) - set(REGISTRY)
    if unknown:
        raise KeyError(
            f"--only {', '.join(sorted(unknown))}: expected an area ({', '.join(AREAS)}) or a check, such as ssh.root"
        )
    chosen = [
        item
        for item in REGISTRY.values()
        if (item.quick or not quick) and (not wanted or item.name in wanted or item.area in wanted)
    ]
    return sorted(chosen, key=lambda item: AREAS.index(item.area))


def collectors(chosen: Iterable[Check]) -> list[str]:
    """The probe's collectors that these checks and the page need."""
    return sorted({need for item in chosen for need in item.needs} | set(OF_THE_PAGE))


def report(host: str, context: Context, chosen: Iterable[Check]) -> dict[str, Any]:
    """{ok, host, checks: [{name, area, result, observed, remedy}]}, the worst first within each area's order."""
    found = []
    for item in chosen:
        for outcome in item.run(context):
            name = f"{item.name}[{outcome.subject}]" if outcome.subject else item.name
            found.append(
                {
                    "name": name,
                    "area": item.area,
                    "result": outcome.result,
                    "observed": " ".join(outcome.observed.split()),
                    "remedy": outcome.remedy,
                }
            )
    return {"ok": all(entry["result"] != FAIL for entry in found), "host": host, "checks": found}


def worst(entries: Iterable[dict[str, str]]) -> str:
    """The result that decides for a group: fail before warn before ok before na."""
    results = {entry["result"] for entry in entries}
    return next((result for result in RESULTS if result in results), "na")
