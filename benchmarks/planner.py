#!/usr/bin/env python3
"""Plan 1,000 random machines and report the time of each.

    PYTHONPATH=collections python3 benchmarks/planner.py [--machines 1000] [--seed 1] [--json]

Compared in one run: planning alone (`solve`), planning with alternatives and advice (`plan`), detection of this
machine, loading the planner with its tables, and the whole command for one GPU by its name. Times are wall
clock of one process, best of three rounds per machine; of the last two CPU time of a new process, best of nine.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ansible_collections.dlbox.workstation.plugins.module_utils.machine.detect import detect
from ansible_collections.dlbox.workstation.plugins.plugin_utils.planner.data.gpu_ids import rows
from ansible_collections.dlbox.workstation.plugins.plugin_utils.planner.data.systems import SYSTEMS
from ansible_collections.dlbox.workstation.plugins.plugin_utils.planner.intake import problem_from
from ansible_collections.dlbox.workstation.plugins.plugin_utils.planner.planner import plan, solve

TOP = Path(__file__).resolve().parent.parent
ROUNDS = 3


def machines(number: int, seed: int) -> list[dict[str, Any]]:
    """Return facts of random machines: up to four GPUs out of the whole table, any system and condition."""
    choose = random.Random(seed)
    ids = sorted({row.device for row in rows()})
    modern = ids[len(ids) // 2 :]
    result = []
    for _ in range(number):
        system = choose.choice(list(SYSTEMS.values()))
        gpus = [
            choose.choice(modern if choose.random() < 0.9 else ids) for _ in range(choose.choice((0, 1, 1, 1, 2, 2, 4)))
        ]
        result.append(
            {
                "host": "random",
                "os": {
                    "id": system.id,
                    "version": system.version,
                    "kernel": system.default_kernel,
                    "arch": "x86_64",
                    "secure_boot": choose.choice((True, False)),
                    "virtualization": "none",
                    "wsl": False,
                },
                "cpu": {"flags": ["avx", "avx2"]},
                "memory_mib": 65536,
                "gpus": [{"pci_id": f"10de:{gpu}", "slot": f"0000:0{number}:00.0"} for number, gpu in enumerate(gpus)],
            }
        )
    return result


def measure(work: Callable[[], object]) -> float:
    """Return the best time of a few rounds, in milliseconds."""
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        work()
        times.append((time.perf_counter() - start) * 1000)
    return min(times)


def processes(*arguments: str) -> float:
    """Return the least CPU time of a few new interpreters that run the arguments, in milliseconds."""
    times = []
    for _ in range(3 * ROUNDS):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-S", *arguments], check=True, stdout=subprocess.DEVNULL)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        times.append((after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) * 1000)
    return min(times)


def spread(times: list[float]) -> dict[str, float]:
    """Return median, 95th percentile and maximum, in milliseconds."""
    ordered = sorted(times)
    return {
        "median_ms": round(statistics.median(ordered), 3),
        "p95_ms": round(ordered[int(len(ordered) * 0.95)], 3),
        "max_ms": round(ordered[-1], 3),
        "machines": len(ordered),
    }


def main() -> int:
    """Run the benchmark and print it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--machines", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    facts = machines(args.machines, args.seed)
    preferences = {"today": "2026-11-20"}
    plan(facts[0], preferences)
    results: dict[str, list[float]] = {"solve": [], "plan accepted": [], "plan refused": []}
    for one in facts:
        problem = problem_from(one, preferences)
        results["solve"].append(measure(lambda problem=problem: solve(problem)))  # type: ignore[misc]
        kind = "plan accepted" if plan(one, preferences)["ok"] else "plan refused"
        results[kind].append(measure(lambda one=one: plan(one, preferences)))  # type: ignore[misc]
    report = {name: spread(times) for name, times in results.items() if times}
    detection = measure(lambda: detect())
    report["detect this machine"] = {"median_ms": round(detection, 3)}
    load = f"import {plan.__module__}"
    report["load"] = {"cpu_ms": round(processes("-c", load) - processes("-c", "pass"), 1)}
    command = [str(TOP / "scripts/plan.py"), "--gpu", "RTX 3090", "--os", "ubuntu-24.04"]
    report["whole command"] = {"cpu_ms": round(processes(*command), 1)}
    if args.json:
        print(json.dumps(report, indent=2))
    else:
        for name, values in report.items():
            print(f"{name:<20} " + "  ".join(f"{key} {value}" for key, value in values.items()))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
