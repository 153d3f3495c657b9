"""The nearest plans that would work: change as little as possible and plan again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

from .data.systems import SYSTEMS
from .data.wheels import BUILDS
from .model import PINS, Gpu, Problem
from .versions import numbers

Solve = Callable[[Problem], dict[str, Any]]
LIMIT = 4


@dataclass(frozen=True)
class Alternative:
    """One change of the problem: words for people, arguments for the command line, and the changed problem."""

    text: str
    arguments: tuple[str, ...]
    apply: Callable[[Problem], Problem]


def _roles(causes: set[str], role: str) -> Callable[[Problem], Problem]:
    def apply(problem: Problem) -> Problem:
        return problem.changed(
            gpus=tuple(replace(gpu, role=role) if gpu.cause in causes else gpu for gpu in problem.gpus)
        )

    return apply


def _unpin(name: str) -> Callable[[Problem], Problem]:
    return lambda problem: problem.changed(pins={key: value for key, value in problem.pins.items() if key != name})


def _pin(name: str, value: str) -> Callable[[Problem], Problem]:
    return lambda problem: problem.changed(pins={**problem.pins, name: value})


def _name(gpu: Gpu) -> str:
    return gpu.pci_id or gpu.name


def changes_for(problem: Problem, causes: set[str]) -> Iterator[Alternative]:
    """Yield changes that take away one of the causes, most modest first."""
    for name in PINS:
        if f"pin:{name}" in causes:
            yield Alternative(f"drop the pin {name}={problem.pins[name]}", (f"--pin {name}=",), _unpin(name))
    if "pypi_only" in causes:
        yield Alternative("allow PyTorch's own index", (), lambda p: p.changed(pypi_only=False))
    if "secure_boot" in causes:
        yield Alternative("run with somebody at the console", (), lambda p: p.changed(unattended=False))
        yield Alternative("turn Secure Boot off", ("--secure-boot off",), lambda p: p.changed(secure_boot=False))
    seen = set()
    for gpu in problem.driven:
        if gpu.cause in causes and gpu.cause not in seen:
            seen.add(gpu.cause)
            if len({one.cause for one in problem.driven}) > 1:
                yield Alternative(
                    f"leave out {gpu.title}", (f"--ignore-gpu {_name(gpu)}",), _roles({gpu.cause}, "ignored")
                )
    if "kernel" in causes:
        yield Alternative(
            f"use the release's kernel {problem.system.default_kernel}",
            (f"--kernel {problem.system.default_kernel}",),
            lambda p: p.changed(kernel=p.system.default_kernel),
        )
        yield Alternative("use NVIDIA's repository", ("--pin driver_source=nvidia",), _pin("driver_source", "nvidia"))
    if "os" in causes or "secure_boot" in causes:
        for system in SYSTEMS.values():
            if system.key != problem.system.key:
                yield Alternative(f"use {system.label}", (f"--os {system.key}",), _system(system.key))


def _system(key: str) -> Callable[[Problem], Problem]:
    system = SYSTEMS[key]
    return lambda problem: problem.changed(system=system, kernel=system.default_kernel)


def _entry(changes: tuple[Alternative, ...], result: dict[str, Any]) -> dict[str, Any]:
    return {
        "change": " and ".join(change.text for change in changes),
        "arguments": [word for change in changes for word in change.arguments],
        "summary": summary(result),
    }


def summary(result: dict[str, Any]) -> str:
    """Return one line for a plan: driver, CUDA, frameworks."""
    parts = []
    driver = result["driver"]
    if driver:
        parts.append(f"driver {driver['branch']}{'-open' if driver['modules'] == 'open' else ''} ({driver['source']})")
    if result["cuda"]:
        parts.append(f"CUDA {result['cuda']['version']}")
    for name, label in (("pytorch", "PyTorch"), ("tensorflow", "TensorFlow"), ("jax", "JAX")):
        entry = result["frameworks"][name]
        if entry["version"]:
            parts.append(f"{label} {entry['version']} {entry['build']}")
    return ", ".join(parts)


def alternatives(problem: Problem, result: dict[str, Any], solve: Solve) -> list[dict[str, Any]]:
    """Return up to LIMIT nearest plans: for a refusal, for a component without its GPU, for a mixed set."""
    if not result["ok"]:
        return _for_refusal(problem, result, solve)
    found = _for_components(problem, result, solve)
    return (found + _for_mixture(problem, result, solve))[:LIMIT]


def _for_refusal(problem: Problem, result: dict[str, Any], solve: Solve) -> list[dict[str, Any]]:
    causes = {cause for item in result["refusals"] if item["fatal"] for cause in item["causes"]}
    changes = list(changes_for(problem, causes))
    found = []
    for size in (1, 2):
        for group in combinations(changes[:8], size):
            changed = problem
            for change in group:
                changed = change.apply(changed)
            new = solve(changed)
            if new["ok"] and (new["driver"] or problem.foreign_driver):
                found.append(_entry(group, new))
            if len(found) >= LIMIT:
                return found
        if found:
            break
    if problem.driven and len(found) < LIMIT:
        everything = Alternative(
            "compute on the CPU only", ("--ignore-gpu all",), _roles({gpu.cause for gpu in problem.gpus}, "ignored")
        )
        new = solve(everything.apply(problem))
        if new["ok"]:
            found.append(_entry((everything,), new))
    return found


def _for_components(problem: Problem, result: dict[str, Any], solve: Solve) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    blocked = {item["component"]: set(item["causes"]) for item in result["refusals"]}
    for name, causes in blocked.items():
        if name not in result["frameworks"]:
            continue
        options: list[Alternative] = []
        if name == "tensorflow" and not problem.pin("tensorflow"):
            options.append(
                Alternative(
                    "take TensorFlow from conda-forge",
                    ("--pin tensorflow=conda-forge",),
                    _pin("tensorflow", "conda-forge"),
                )
            )
        if "pin:python" in causes:
            options.append(
                Alternative(f"drop the pin python={problem.pin('python')}", ("--pin python=",), _unpin("python"))
            )
        if not problem.pin(name):
            old = [build for build in BUILDS[name] if build.by_pin and not build.conda]
            old.sort(key=lambda build: numbers(build.version), reverse=True)
            options += [
                Alternative(
                    f"pin {name}={build.version}+{build.build}, its last release for such a GPU",
                    (f"--pin {name}={build.version}+{build.build}",),
                    _pin(name, f"{build.version}+{build.build}"),
                )
                for build in old
            ]
        others = {gpu.cause for gpu in problem.compute}
        for gpu in {gpu.cause: gpu for gpu in problem.compute if gpu.cause in causes}.values():
            if others - {gpu.cause}:
                options.append(
                    Alternative(
                        f"use {gpu.title} for the display only",
                        (f"--display-gpu {_name(gpu)}",),
                        _roles({gpu.cause}, "display"),
                    )
                )
        for option in options:
            new = solve(option.apply(problem))
            if new["ok"] and new["frameworks"][name]["gpu"]:
                found.append(_entry((option,), new))
                break
    return found


def _for_mixture(problem: Problem, result: dict[str, Any], solve: Solve) -> list[dict[str, Any]]:
    """Offer to compute on the newer GPUs only, when that gives newer frameworks."""
    kinds = {gpu.cause: gpu for gpu in problem.compute}
    if len({gpu.cc for gpu in kinds.values()}) < 2:
        return []
    oldest = min(kinds.values(), key=lambda gpu: (gpu.cc, gpu.cause))
    option = Alternative(
        f"compute without {oldest.title}, which keeps the display",
        (f"--display-gpu {_name(oldest)}",),
        _roles({oldest.cause}, "display"),
    )
    new = solve(option.apply(problem))
    if not new["ok"]:
        return []
    better = any(
        new["frameworks"][name]["version"] != result["frameworks"][name]["version"]
        or new["frameworks"][name]["gpu"] != result["frameworks"][name]["gpu"]
        for name in ("pytorch", "tensorflow", "jax")
    )
    return [_entry((option,), new)] if better else []
