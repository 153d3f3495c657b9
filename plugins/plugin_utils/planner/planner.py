"""Join driver, toolkit and frameworks into one plan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from . import toolkit as toolkits
from .advice import advise
from .alternatives import alternatives
from .cautions import warn
from .data import AS_OF
from .data.wheels import KERAS_RANGE, KERAS_VERSION
from .driver import Candidate, DriverSearch, branch_of, search
from .entries import driver_entry, gpu_entry, plan_reasons
from .frameworks import FrameworkBuild, choose, describe, keras, keras_release
from .intake import problem_from
from .model import FRAMEWORKS, Exclusion, Problem, UnknownSystem
from .refusals import component_refusals, driver_refusals, foreign_driver_refusals, refusal
from .system_cuda import system_cuda
from .versions import numbers


def plan(facts: Mapping[str, Any], preferences: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return the plan for a machine.

    facts: what `module_utils/machine/detect.py` returns, or the same shape for a machine that does not exist.
    preferences: policy, pins, headless, unattended, today (ISO date), gpu_roles, pypi_only, psu_watts,
    price_per_kwh, duty_hours, explain. Both are documented in docs/planner.md. Raises UsageError on input
    that has no meaning; what cannot be satisfied is in ``refusals``, with ``ok`` false.
    """
    preferences = preferences or {}
    try:
        problem = problem_from(facts, preferences)
    except UnknownSystem as error:
        return _unsupported(facts, preferences, error)
    result = solve(problem)
    result["alternatives"] = alternatives(problem, result, solve)
    result["advice"] = advise(problem, facts, preferences)
    excluded = result.pop("excluded")
    if preferences.get("explain"):
        result["excluded"] = [
            {
                "component": item.component,
                "candidate": item.candidate,
                "code": item.code,
                "cause": item.cause,
                "reason": item.reason,
            }
            for item in excluded
        ]
    return result


def _unsupported(facts: Mapping[str, Any], preferences: Mapping[str, Any], error: UnknownSystem) -> dict[str, Any]:
    """Return a refused plan for an operating system or architecture that the data does not cover."""
    message = str(error)
    system = {
        "id": "",
        "version": "",
        "codename": "",
        "glibc": "",
        "kernel": "",
        "arch": "",
        "secure_boot": None,
        "virtualization": "none",
        "wsl": False,
        **(facts.get("os") or {}),
    }
    nothing = describe(FrameworkBuild(None, 0, False), message)
    return {
        "ok": False,
        "host": str(facts.get("host") or "this machine"),
        "os": system,
        "policy": str(preferences.get("policy") or "stable"),
        "pins": dict(preferences.get("pins") or {}),
        "gpus": [],
        "driver": None,
        "cuda": None,
        "cudnn": None,
        "frameworks": {**{name: dict(nothing) for name in FRAMEWORKS}, "keras": {**nothing, "backend": None}},
        "reasons": [],
        "warnings": [],
        "refusals": [refusal("os", error.code, message, [error.cause], True)],
        "alternatives": [],
        "advice": [],
        "data": AS_OF,
    }


@dataclass
class DriverChoice:
    """The driver under which the rest is chosen, and what stood against others."""

    candidate: Candidate | None = None
    """The driver to install; None where none is, or where somebody else's is there."""
    branch: int | None = None
    on_gpu: bool = False
    """Whether CUDA and the frameworks can count on a GPU."""
    frameworks: dict[str, FrameworkBuild] | None = None
    """What was chosen to tell the candidates apart."""
    refusals: list[dict[str, Any]] = field(default_factory=list)
    excluded: list[Exclusion] = field(default_factory=list)


def choose_driver(problem: Problem) -> DriverChoice:
    """Return the driver for the machine's GPUs: the one that somebody else installed, or the best of the candidates."""
    choice = DriverChoice(on_gpu=bool(problem.compute))
    if problem.foreign_driver:
        choice.branch = branch_of(problem.loaded) if problem.loaded else None
        owner = "Windows" if problem.wsl else "the container's host" if problem.container else "the hypervisor"
        found = foreign_driver_refusals(problem, choice.branch, owner)
        choice.on_gpu = choice.on_gpu and not found
        code = "wsl_driver" if problem.wsl else "container_driver" if problem.container else "vgpu_guest"
        pins = [pin for pin in ("driver", "modules", "driver_source") if problem.pin(pin) and problem.driven]
        choice.refusals = found + [
            refusal(
                "driver",
                code,
                f"{pin}={problem.pin(pin)} is pinned, but the driver belongs to {owner}",
                [f"pin:{pin}"],
                True,
            )
            for pin in pins
        ]
    elif problem.driven:
        outcome = search(problem)
        choice.excluded = list(outcome.excluded)
        if outcome.ranked:
            choice.candidate, choice.frameworks = _driver_for_pins(problem, outcome)
            choice.branch = choice.candidate.offer.branch
        else:
            choice.refusals = driver_refusals(problem)
            choice.on_gpu = False
    return choice


def choose_frameworks(problem: Problem, driver: DriverChoice) -> tuple[dict[str, FrameworkBuild], list[dict[str, Any]]]:
    """Return the build of each framework under the driver, and the refusals."""
    chosen = driver.frameworks
    if chosen is None:
        chosen = {name: choose(problem, name, driver.branch, driver.on_gpu) for name in FRAMEWORKS}
    refused = [item for name, choice in chosen.items() for item in _framework_refusals(problem, name, choice)]
    return chosen, refused + _keras_refusal(problem)


def system_entry(problem: Problem) -> dict[str, Any]:
    """Return what the plan says of the operating system."""
    return {
        "id": problem.system.id,
        "version": problem.system.version,
        "codename": problem.system.codename,
        "glibc": problem.system.glibc,
        "kernel": problem.kernel,
        "arch": problem.arch,
        "secure_boot": problem.secure_boot,
        "virtualization": problem.virtualization,
        "wsl": problem.wsl,
    }


def solve(problem: Problem) -> dict[str, Any]:
    """Return the plan without alternatives and advice; ``excluded`` holds every exclusion."""
    driver = choose_driver(problem)
    chosen, framework_refusals = choose_frameworks(problem, driver)
    source = driver.candidate.offer.source if driver.candidate else ""
    cuda, cudnn, cuda_refusals, dropped = system_cuda(problem, driver.branch, driver.on_gpu, source)
    entries = {name: describe(choice, _note(choice)) for name, choice in chosen.items()}
    frameworks: dict[str, dict[str, Any]] = {**entries, "keras": keras(problem, entries)}
    refusals = driver.refusals + framework_refusals + cuda_refusals
    excluded = driver.excluded + [item for choice in chosen.values() for item in choice.excluded] + dropped
    return {
        "ok": not any(item["fatal"] for item in refusals),
        "host": problem.host,
        "os": system_entry(problem),
        "policy": problem.policy,
        "pins": dict(problem.pins),
        "gpus": [gpu_entry(gpu) for gpu in sorted(problem.gpus, key=lambda gpu: (gpu.slot, gpu.pci_id))],
        "driver": driver_entry(problem, driver.candidate) if driver.candidate else None,
        "cuda": cuda,
        "cudnn": cudnn,
        "frameworks": frameworks,
        "reasons": plan_reasons(problem, driver.candidate, chosen, excluded),
        "warnings": warn(problem, driver.candidate, driver.branch, frameworks, cuda, cudnn),
        "refusals": refusals,
        "alternatives": [],
        "advice": [],
        "data": AS_OF,
        "excluded": excluded,
    }


def _driver_for_pins(problem: Problem, outcome: DriverSearch) -> tuple[Candidate, dict[str, FrameworkBuild]]:
    """Return the best driver under which every pinned framework has a build, with the choices made under it."""
    pinned = [name for name in FRAMEWORKS if problem.pin(name)]
    first: tuple[Candidate, dict[str, FrameworkBuild]] | None = None
    tried: set[int] = set()
    for candidate in outcome.ranked:
        branch = candidate.offer.branch
        if branch in tried:
            continue
        tried.add(branch)
        chosen = {name: choose(problem, name, branch, bool(problem.compute)) for name in FRAMEWORKS}
        first = first or (candidate, chosen)
        cuda_fits = not problem.pin("cuda") or toolkits.search(problem, branch)[0] is not None
        if cuda_fits and all(chosen[name].build is not None for name in pinned):
            return candidate, chosen
    if first is None:
        raise AssertionError("a search without candidates has no best one")
    return first


def _note(choice: FrameworkBuild) -> str:
    if choice.build is None:
        return "no build fits; see refusals"
    if choice.extra:
        return "cuDNN is pinned: a newer one has no code for a GPU before Turing"
    return ""


def _framework_refusals(problem: Problem, name: str, choice: FrameworkBuild) -> list[dict[str, Any]]:
    pinned = bool(problem.pin(name))
    if choice.build is None:
        blocked = choice.gpu_blocked or choice.all_blocked
        return component_refusals(problem, name, blocked, choice.reasons, pinned)
    if choice.gpu_blocked and not choice.gpu:
        # the owner pinned a CPU build: nothing is refused
        if problem.pin(name).endswith("cpu"):
            return []
        return component_refusals(problem, name, choice.gpu_blocked, choice.reasons, pinned)
    return []


def _keras_refusal(problem: Problem) -> list[dict[str, Any]]:
    """Return the refusal of a pinned Keras that is not of the known Keras 3 series, or of no Keras for the Python."""
    pinned, python = problem.pin("keras"), problem.pin("python")
    first, last = KERAS_RANGE
    if not pinned or first <= numbers(pinned)[:2] <= last:
        newest = keras_release(numbers(python)[1]) if python else KERAS_VERSION
        if newest and numbers(pinned or newest) <= numbers(newest):
            return []
        return [
            refusal(
                "keras",
                "python_unsupported",
                f"Keras {pinned or KERAS_VERSION} has no release for Python {python}, which is pinned"
                + (f"; the last is {newest}" if newest else ""),
                ["pin:python", *(["pin:keras"] if pinned else [])],
                bool(pinned),
            )
        ]
    return [
        refusal(
            "keras",
            "pin_unknown",
            f"keras={pinned} is pinned; the data knows Keras {first[0]}.{first[1]} to {last[0]}.{last[1]}",
            ["pin:keras"],
            True,
        )
    ]
