"""Join driver, toolkit and frameworks into one plan."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from . import toolkit as toolkits
from .advice import advise
from .alternatives import alternatives
from .cautions import warn
from .data import AS_OF
from .data.cuda import MINOR_COMPAT_VERSION
from .data.systems import (
    DEBIAN_COMPONENTS,
    NVIDIA_KEYRING,
    NVIDIA_KEYS,
    NVIDIA_REPO_ARCH,
    NVIDIA_REPO_URL,
)
from .data.wheels import KERAS_RANGE, KERAS_VERSION
from .driver import Candidate, DriverPin, DriverSearch, branch_of, kernel_suffix, packaged_kernel, packages, search
from .frameworks import FrameworkBuild, choose, describe, keras, keras_release
from .intake import problem_from
from .model import FRAMEWORKS, Exclusion, Gpu, Problem, UnknownSystem
from .reasons import cores
from .refusals import component_refusals, driver_refusals, foreign_driver_refusals, refusal
from .versions import numbers

#: The service of Fabric Manager's packages, Ubuntu's and NVIDIA's; installing them does not enable it.
FABRIC_MANAGER = "nvidia-fabricmanager.service"
#: Driver branch that the toolkit is chosen for where Windows does not tell its own: the lowest that CUDA 13 runs on.
ASSUMED_WINDOWS_BRANCH = 580


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


def solve(problem: Problem) -> dict[str, Any]:
    """Return the plan without alternatives and advice; ``excluded`` holds every exclusion."""
    refusals: list[dict[str, Any]] = []
    excluded: list[Exclusion] = []
    candidate: Candidate | None = None
    branch: int | None = None
    on_gpu = bool(problem.compute)
    chosen: dict[str, FrameworkBuild] | None = None
    if problem.foreign_driver:
        branch = branch_of(problem.loaded) if problem.loaded else None
        owner = "Windows" if problem.wsl else "the container's host" if problem.container else "the hypervisor"
        found = foreign_driver_refusals(problem, branch, owner)
        refusals.extend(found)
        on_gpu = on_gpu and not found
        for pin in ("driver", "modules", "driver_source"):
            if problem.pin(pin) and problem.driven:
                code = "wsl_driver" if problem.wsl else "container_driver" if problem.container else "vgpu_guest"
                refusals.append(
                    refusal(
                        "driver",
                        code,
                        f"{pin}={problem.pin(pin)} is pinned, but the driver belongs to {owner}",
                        [f"pin:{pin}"],
                        True,
                    )
                )
    elif problem.driven:
        outcome = search(problem)
        excluded.extend(outcome.excluded)
        if outcome.ranked:
            candidate, chosen = _driver_for_pins(problem, outcome)
            branch = candidate.offer.branch
        else:
            refusals.extend(driver_refusals(problem))
            on_gpu = False
    if chosen is None:
        chosen = {name: choose(problem, name, branch, on_gpu) for name in FRAMEWORKS}
    for name, choice in chosen.items():
        excluded.extend(choice.excluded)
        refusals.extend(_framework_refusals(problem, name, choice))
    refusals.extend(_keras_refusal(problem))
    entries = {name: describe(choice, _note(choice)) for name, choice in chosen.items()}
    cuda, cudnn, found, dropped = _system_cuda(problem, branch, on_gpu, candidate.offer.source if candidate else "")
    refusals.extend(found)
    excluded.extend(dropped)
    frameworks: dict[str, dict[str, Any]] = {**entries, "keras": keras(problem, entries)}
    fatal = any(item["fatal"] for item in refusals)
    result: dict[str, Any] = {
        "ok": not fatal,
        "host": problem.host,
        "os": {
            "id": problem.system.id,
            "version": problem.system.version,
            "codename": problem.system.codename,
            "glibc": problem.system.glibc,
            "kernel": problem.kernel,
            "arch": problem.arch,
            "secure_boot": problem.secure_boot,
            "virtualization": problem.virtualization,
            "wsl": problem.wsl,
        },
        "policy": problem.policy,
        "pins": dict(problem.pins),
        "gpus": [_gpu(gpu) for gpu in sorted(problem.gpus, key=lambda gpu: (gpu.slot, gpu.pci_id))],
        "driver": _driver(problem, candidate) if candidate else None,
        "cuda": cuda,
        "cudnn": cudnn,
        "frameworks": frameworks,
        "reasons": _reasons(problem, candidate, chosen, excluded),
        "warnings": warn(problem, candidate, branch, frameworks, cuda, cudnn),
        "refusals": refusals,
        "alternatives": [],
        "advice": [],
        "data": AS_OF,
        "excluded": excluded,
    }
    return result


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


def _system_cuda(
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
            "repository": _nvidia_repository(problem) if best.source == "nvidia" else None,
            "components": [] if best.source == "nvidia" else _components(problem, "multiverse"),
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
        entry["repository"] = _nvidia_repository(problem) if entry["source"] == "nvidia" else None
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


def _components(problem: Problem, component: str) -> list[str]:
    return list(DEBIAN_COMPONENTS) if problem.system.id == "debian" else [component]


def _nvidia_repository(problem: Problem) -> dict[str, Any]:
    """Return NVIDIA's apt repository for this system, or the owner's mirror of it: address, key and fingerprints."""
    name = problem.nvidia_directory
    arch = problem.deb_arch
    url = f"{NVIDIA_REPO_URL}/{name}/{NVIDIA_REPO_ARCH[arch]}"
    key = NVIDIA_KEYS[name]
    return {
        "name": name,
        "url": f"{url}/",
        "suite": "/",
        "components": [],
        "architecture": arch,
        "key_url": f"{url}/{key['file']}",
        "key_fingerprints": [key["fingerprint"]],
        "keyring_package_url": f"{url}/{NVIDIA_KEYRING}",
        **problem.nvidia_repository,
    }


#: The key that DKMS signs with, below the system's directory for it, and the packages that create, enrol and use it.
#: Ubuntu's dkms signs with kmodsign, of sbsigntool; Debian's with the kernel's own sign-file.
_MOK = {
    "ubuntu": ("MOK.priv", "MOK.der", ["mokutil", "openssl", "sbsigntool"]),
    "debian": ("mok.key", "mok.pub", ["mokutil", "openssl"]),
}


def _mok(problem: Problem, candidate: Candidate) -> dict[str, Any] | None:
    """Return the key that modules built here are signed with, where Secure Boot asks for one."""
    if candidate.provider != "dkms" or not problem.secure_boot:
        return None
    key, certificate, names = _MOK[problem.system.id]
    folder = problem.system.mok
    return {"key": f"{folder}/{key}", "certificate": f"{folder}/{certificate}", "packages": list(names)}


def _gpu(gpu: Gpu) -> dict[str, Any]:
    arch = gpu.arch
    return {
        "pci_id": gpu.pci_id,
        "slot": gpu.slot,
        "name": gpu.name,
        "chip": gpu.chip,
        "architecture": arch.label if arch else None,
        "compute_capability": f"{gpu.cc[0]}.{gpu.cc[1]}" if arch else None,
        "usable": gpu.usable,
        "role": gpu.role,
        "note": gpu.note,
        "memory_mib": gpu.memory_mib,
        "power_w": gpu.power_w,
    }


def _driver(problem: Problem, candidate: Candidate) -> dict[str, Any]:
    offer = candidate.offer
    names, first = packages(problem, candidate)
    components: list[str] = []
    if offer.source == "ubuntu":
        # multiverse's drivers too: signatures and modules of every kernel are in restricted
        components = list(dict.fromkeys(["restricted", offer.component]))
    elif offer.source == "debian":
        components = list(DEBIAN_COMPONENTS)
    exact = DriverPin.parse(problem.pin("driver")).version
    minimum = MINOR_COMPAT_VERSION.get(int(candidate.branch.cuda_native.split(".")[0]), "")
    return {
        "branch": str(offer.branch),
        "version": exact or offer.version,
        "exact_version": exact or None,
        "modules": offer.modules,
        "source": offer.source,
        "server": offer.server,
        "provider": candidate.provider,
        "packages": names,
        "before": first,
        "services": [FABRIC_MANAGER] if any(name.startswith("nvidia-fabricmanager") for name in names) else [],
        "repository": _nvidia_repository(problem) if offer.source == "nvidia" else None,
        "components": components,
        "kernel_flavour": candidate.flavour,
        "kernel_headers": (
            f"linux-headers-{problem.kernel}"
            if candidate.provider == "dkms"
            and kernel_suffix(problem.kernel)
            and packaged_kernel(problem.system, problem.kernel)
            else None
        ),
        "cuda_native": candidate.branch.cuda_native,
        "eol": candidate.branch.eol,
        "support": candidate.branch.kind,
        "min_version": minimum if minimum.startswith(f"{offer.branch}.") else None,
        "mok": _mok(problem, candidate),
    }


def _reasons(
    problem: Problem, candidate: Candidate | None, chosen: Mapping[str, FrameworkBuild], excluded: list[Exclusion]
) -> list[str]:
    """Return why the plan is not simply the newest of everything: one sentence per reason."""
    sentences: list[str] = []
    if candidate is not None:
        offer = candidate.offer
        wanted = {"LTSB": "long-lived", "PB": "production", "NFB": "new-feature"}.get(
            candidate.branch.kind, candidate.branch.kind
        )
        limits = [item.reason for item in excluded if item.component == "driver" and item.cause.startswith("gpu:")]
        sentences.append(
            f"Driver {offer.branch}: {wanted} branch, policy {problem.policy}"
            + (f", pinned driver={problem.pin('driver')}" if problem.pin("driver") else "")
        )
        sentences.extend(f"Driver: {reason}" for reason in dict.fromkeys(limits))
    for choice in chosen.values():
        if choice.build is None or not choice.gpu:
            continue
        newer = [
            item
            for item in choice.excluded
            if item.code != "pin" and numbers(item.candidate) >= numbers(choice.build.version)
        ]
        texts = list(dict.fromkeys(item.reason for item in newer if "(cpu)" not in item.candidate))
        sentences.extend(texts[:1])
    return list(dict.fromkeys(sentences))
