"""The system's own CUDA: toolkit, cuDNN and NCCL, where the owner or the GPUs ask for them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from . import toolkit as toolkits
from .entries import components, nvidia_repository
from .model import Exclusion, Problem
from .reasons import cores
from .refusals import component_refusals, refusal

#: Driver branch that the toolkit is chosen for where Windows does not tell its own: the lowest that CUDA 13 runs on.
ASSUMED_WINDOWS_BRANCH = 580


def system_cuda(
    problem: Problem, branch: int | None, on_gpu: bool, driver_source: str
) -> tuple[dict[str, Any] | None, dict[str, Any] | None, list[dict[str, Any]], list[Exclusion]]:
    """Return (toolkit, cuDNN, refusals, exclusions) for the system's own CUDA."""
    asks = problem.pin("cuda") or problem.toolkits or problem.libraries
    if not (on_gpu and problem.compute) and not asks:
        return None, None, [], []
    refusals: list[dict[str, Any]] = []
    if problem.wsl and branch is None:
        branch = ASSUMED_WINDOWS_BRANCH
    best, dropped = toolkits.search(problem, branch, driver_source)
    cuda = None
    asked = toolkits.wanted(problem, best, branch)
    refusals.extend(refusal("cuda", code, text, ["toolkits"], True) for code, text in asked.refused)
    best = asked.default or best
    if best is not None:
        together = asked.toolkits or (best,)
        cuda = {
            "version": best.series,
            "versions": [toolkit.series for toolkit in together],
            "source": best.source,
            "packages": list(dict.fromkeys(name for toolkit in together for name in toolkit.packages)),
            "native": toolkits.native(best, branch),
            "nccl": toolkits.nccl(best),
            "repository": nvidia_repository(problem) if best.source == "nvidia" else None,
            "components": [] if best.source == "nvidia" else components(problem, "multiverse"),
        }
    elif problem.pin("cuda") or problem.pin("cuda_source"):
        pairs = toolkits.everywhere(problem, branch)
        reasons: dict[str, list[Exclusion]] = {}
        for _, found in pairs:
            for item in found:
                reasons.setdefault(item.cause, []).append(item)
        blocked = cores([frozenset(item.cause for item in found) for _, found in pairs])
        if problem.pin("cuda"):
            _prefer_pinned(reasons, problem.pin("cuda"))
        refusals.extend(component_refusals(problem, "cuda", blocked, reasons, True))
    entry, wrong = toolkits.cudnn(problem, best)
    dropped.extend(wrong)
    for item in wrong[:1]:
        refusals.append(
            refusal(
                "cudnn",
                item.code,
                f"cudnn={problem.pin('cudnn')} is pinned; {item.reason}",
                ["pin:cudnn"] if item.cause.startswith("pin:") else ["pin:cudnn", item.cause],
                True,
            )
        )
    if entry is not None:
        entry["repository"] = nvidia_repository(problem) if entry["source"] == "nvidia" else None
    refusals.extend(_library_refusals(problem, best, entry))
    return cuda, entry, refusals, dropped


def _library_refusals(
    problem: Problem, toolkit: toolkits.Toolkit | None, cudnn: Mapping[str, Any] | None
) -> list[dict[str, Any]]:
    """Return a refusal for each CUDA library that the owner asked for and no source of the plan has."""
    there = {
        "cudnn": bool(cudnn and cudnn["source"] == "nvidia"),
        "cudnn_dev": bool(cudnn and cudnn["source"] == "nvidia"),
        "nccl": toolkits.nccl(toolkit) is not None,
    }
    source = toolkit.source if toolkit else "no source"
    return [
        refusal(
            "cuda",
            "library_not_offered",
            f"cuda_{name} is true, but the plan's toolkit is from {source}, and only NVIDIA's repository has it",
            ["libraries"],
            True,
        )
        for name in problem.libraries
        if not there[name]
    ]


def _prefer_pinned(reasons: dict[str, list[Exclusion]], pinned: str) -> None:
    """Put the pinned toolkit's own exclusions first, so that the message speaks of it."""
    for items in reasons.values():
        items.sort(key=lambda item: 0 if f" {pinned} " in f"{item.candidate} " else 1)
