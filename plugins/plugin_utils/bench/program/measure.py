"""Measure one framework on each device."""

from __future__ import annotations

import contextlib
import os
import platform
import sys
import time
from pathlib import Path
from typing import Any

from .data import data_set
from .figures import rates, seconds_of, spread
from .lenet import BATCH
from .meter import Meter
from .on_jax import Jax
from .on_keras import Keras
from .on_tensorflow import TensorFlow
from .on_torch import Torch

FRAMEWORKS: dict[str, Any] = {"torch": Torch, "jax": Jax, "tensorflow": TensorFlow, "keras": Keras}


def lenet(framework: Any, index: int | None, train: Any, test: Any, runs: int, target: float) -> dict[str, Any]:
    """Train: one epoch to warm up, then `runs` measurements; see the module text for the fields.

    A measurement on a GPU repeats the epoch for about `target` seconds: NVML's readings are too slow for less.
    """
    epoch, accuracy = framework.trainer(index, train, test)
    done = len(train[0]) // BATCH * BATCH
    warm = seconds_of(epoch)
    repeat = 1 if index is None else max(1, min(200, int(target / max(seconds_of(epoch), 1e-3))))

    def several() -> None:
        for _ in range(repeat):
            epoch()

    meter = Meter(index) if index is not None else None
    with meter if meter else contextlib.nullcontext():
        times = [seconds_of(several) for _ in range(runs)]
    result = {
        "samples_per_second": spread([done * repeat / value for value in times]), "accuracy": accuracy(),
        "epochs": runs * repeat + 1 + (index is not None), "batch": BATCH, "samples": done, "first_epoch_s": warm,
    }  # fmt: skip
    used = meter.result() if meter else None
    if used:
        used["energy_j_per_epoch"] = used.pop("energy_j") / (runs * repeat)
        result.update(used)
    return result


def guarded(notes: list[str], what: str, work: Any) -> Any:
    """work(), or None and a note that says what failed: one figure less is no reason for none at all."""
    try:
        return work()
    except Exception as error:
        notes.append(
            "{}: {}: {}".format(what, type(error).__name__, (str(error).strip().splitlines() or [""])[0][:200])
        )
        return None


def products(framework: Any, index: int | None, quick: bool, runs: int, notes: list[str]) -> dict[str, Any]:
    """TFLOP/s by number format, and the size of the matrices."""
    size = (1024 if quick else 2048) if index is None else (4096 if quick else 8192)
    found = {}
    for kind in ["fp32"] if index is None else framework.formats(index):
        value = guarded(
            notes,
            f"matmul {kind}",
            lambda kind=kind: rates(
                framework.product(index, size, kind), 2 * size**3 / 1e12, runs, 0.1 if quick else 0.5
            ),
        )
        if value:
            found[kind] = value
    return {"size": size, "tflops": found}


def measure(name: str, quick: bool, devices: list[str], folder: str) -> dict[str, Any]:
    """The whole answer for one framework; see the module text."""
    began = time.perf_counter()
    framework: Any = FRAMEWORKS[name]()
    notes: list[str] = []
    names = framework.gpus()
    facts, train, test = data_set(folder, 12800 if quick else 60000, 1024 if quick else 10000)
    runs = 3 if quick else 5
    wanted = [None] * ("cpu" in devices) + [i for i in range(len(names)) if "gpu" in devices or str(i) in devices]
    measured: list[dict[str, Any]] = []
    for index in wanted:
        label = "CPU" if index is None else f"GPU {index}"
        entry: dict[str, Any] = {"device": label, "name": cpu_name() if index is None else names[index]}
        # The CPU trains on a part of the data: its samples per second are as steady, and nobody waits an hour.
        part = train if index is not None else tuple(side[: 6400 if quick else 12800] for side in train)
        entry["lenet"] = guarded(
            notes,
            label + " lenet",
            lambda index=index, part=part: lenet(framework, index, part, test, runs, 0.5 if quick else 2.0),
        )
        if hasattr(framework, "product"):
            entry["matmul"] = products(framework, index, quick, runs, notes)
        if index is not None and hasattr(framework, "copies"):
            entry["bandwidth_gb_s"] = guarded(
                notes, label + " bandwidth", lambda index=index: bandwidth(framework, index, runs, quick)
            )
        measured.append(entry)
    answer: dict[str, Any] = {
        "schema": 1,
        "framework": name,
        "version": framework.version,
        "build": framework.build,
        "python": platform.python_version(),
        "environment": Path(sys.prefix).name,
        "quick": quick,
        "data": facts,
        "devices": measured,
        "nccl": None,
        "notes": notes,
        "driver": Meter(0).driver(),
        "cpu_threads": os.cpu_count(),
    }
    if len(names) > 1 and hasattr(framework, "all_reduce") and "gpu" in devices:
        answer["nccl"] = guarded(notes, "all-reduce", lambda: all_reduce(framework, runs, quick))
    cpu = next((d["lenet"] for d in measured if d["device"] == "CPU" and d["lenet"]), None)
    for entry in measured:
        if cpu and entry["device"] != "CPU" and entry["lenet"]:
            entry["times_cpu"] = entry["lenet"]["samples_per_second"]["median"] / cpu["samples_per_second"]["median"]
    answer["seconds"] = time.perf_counter() - began
    return answer


def bandwidth(framework: Any, index: int, runs: int, quick: bool) -> dict[str, Any]:
    """GB/s of each kind of copy."""
    count = (256 if quick else 1024) << 20
    seconds = 0.1 if quick else 0.5
    return {kind: rates(work, amount / 1e9, runs, seconds) for kind, amount, work in framework.copies(index, count)}


def all_reduce(framework: Any, runs: int, quick: bool) -> Any:
    """Bus bandwidth of an all-reduce over every GPU, GB/s."""
    amount, work = framework.all_reduce((64 if quick else 256) << 20)
    return rates(work, amount / 1e9, runs, 0.2)


def cpu_name() -> str:
    """The processor's model, from /proc/cpuinfo."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.machine()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())
