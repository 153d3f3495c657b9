"""Benchmark records: what a run leaves, its figures by name, and what changed since the run before.

A record is {"schema": 1, "date": ISO 8601 UTC, "host", "driver", "kernel", "gpus": [name...], "quick", "mnist",
"results": [the program's answers...]}; docs/schemas/bench.json describes it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

ENVIRONMENT_FRAMEWORKS = {"pytorch": "torch", "tensorflow": "tensorflow", "jax": "jax", "keras": "keras"}
NOISE = 0.05  # a change below this is not told, whatever the spread says


@dataclass(frozen=True)
class Figure:
    """One measured number; more is better, except for energy."""

    group: str  # "LeNet", "matmul", "copies", "energy", "all-reduce"
    label: str  # "pytorch, GPU 0"
    unit: str
    median: float
    low: float
    high: float

    @property
    def name(self) -> str:
        """What two records are compared by."""
        return f"{self.group}: {self.label}"


@dataclass(frozen=True)
class FigureChange:
    """A figure in two records: `ratio` is now / before, `certain` tells that the two ranges do not overlap."""

    figure: Figure
    before: Figure

    @property
    def ratio(self) -> float:
        """1.1 is ten percent more."""
        return self.figure.median / self.before.median if self.before.median else 1.0

    @property
    def certain(self) -> bool:
        """True when the change is larger than the noise of both runs."""
        apart = self.figure.low > self.before.high or self.figure.high < self.before.low
        return apart and abs(self.ratio - 1) >= NOISE


def frameworks_of(environment: dict[str, Any]) -> list[str]:
    """What to measure in an environment: the framework it is named for, else each that it holds."""
    held = [name for name in environment.get("holds", []) if name in ("torch", "tensorflow", "jax", "keras")]
    named = ENVIRONMENT_FRAMEWORKS.get(environment["name"])
    if named in held:
        return [str(named)]
    return [name for name in held if name != "keras"] or held


def _figure(group: str, label: str, unit: str, value: dict[str, Any] | None, scale: float = 1.0) -> Iterator[Figure]:
    if value:
        yield Figure(group, label, unit, value["median"] * scale, value["low"] * scale, value["high"] * scale)


def figures(record: dict[str, Any]) -> list[Figure]:
    """Every number of a record."""
    found: list[Figure] = []
    for result in record.get("results", []):
        where = (
            result["environment"]
            if ENVIRONMENT_FRAMEWORKS.get(result["environment"]) == result["framework"]
            else f"{result['environment']}/{result['framework']}"
        )
        for device in result["devices"]:
            label = f"{where}, {device['device']}"
            run = device.get("lenet") or {}
            found += _figure("LeNet", label, "samples/s", run.get("samples_per_second"))
            if run.get("energy_j_per_epoch") and run.get("samples"):
                each = run["energy_j_per_epoch"] / run["samples"] * 1000
                found.append(Figure("energy", label, "J per 1,000 samples", each, each, each))
            for kind, value in ((device.get("matmul") or {}).get("tflops") or {}).items():
                found += _figure("matmul", f"{label}, {kind}", "TFLOP/s", value)
            for kind, value in (device.get("bandwidth_gb_s") or {}).items():
                found += _figure("copies", f"{label}, {kind}", "GB/s", value)
        found += _figure("all-reduce", where, "GB/s", result.get("nccl"))
    return found


def compare(record: dict[str, Any], before: dict[str, Any] | None) -> list[FigureChange]:
    """Figures that both records have. A quick run is compared with quick runs only: its work is smaller."""
    if not before or before.get("quick") != record.get("quick"):
        return []
    old = {figure.name: figure for figure in figures(before)}
    return [FigureChange(figure, old[figure.name]) for figure in figures(record) if figure.name in old]


def differences(record: dict[str, Any], before: dict[str, Any] | None) -> list[str]:
    """What else is different from the record before: driver, kernel, GPUs, framework versions, the data."""
    if not before:
        return []
    found = [
        f"{word}: {before.get(word) or 'none'} before, {record.get(word) or 'none'} now"
        for word in ("driver", "kernel")
        if before.get(word) != record.get(word)
    ]
    if before.get("gpus") != record.get("gpus"):
        found.append(
            f"GPUs: {', '.join(before.get('gpus') or []) or 'none'} before,"
            f" {', '.join(record.get('gpus') or []) or 'none'} now"
        )
    old = {(result["environment"], result["framework"]): result for result in before.get("results", [])}
    for result in record.get("results", []):
        earlier = old.get((result["environment"], result["framework"]))
        if earlier and earlier["version"] != result["version"]:
            found.append(
                f"{result['framework']} in {result['environment']}:"
                f" {earlier['version']} before, {result['version']} now"
            )
        if earlier and earlier["data"]["name"] != result["data"]["name"]:
            found.append(
                f"data of {result['environment']}: {earlier['data']['name']} before, {result['data']['name']} now"
            )
    return found


def rounded(value: float) -> str:
    """A number with three significant digits and thousands separators."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"
