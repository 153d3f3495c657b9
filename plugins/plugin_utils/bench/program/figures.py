"""Times and rates as figures with their spread."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

Work = Callable[[int], None]  # does its work this many times, and returns when the device has done it


def spread(values: list[float]) -> dict[str, Any]:
    """Median, lowest and highest of several measurements."""
    return {"median": statistics.median(values), "low": min(values), "high": max(values), "runs": len(values)}


def seconds_of(work: Any, *given: Any) -> float:
    """Wall time of one call."""
    before = time.perf_counter()
    work(*given)
    return time.perf_counter() - before


def rates(work: Any, amount: float, runs: int, target: float) -> dict[str, Any]:
    """Amount per second of work(times), as a spread; `times` is chosen so that one run takes about `target` seconds."""
    work(1)
    single = max(seconds_of(work, 1), 1e-6)
    times = max(1, min(10000, int(target / single)))
    work(max(1, times // 4))
    return spread([amount * times / seconds_of(work, times) for _ in range(runs)])
