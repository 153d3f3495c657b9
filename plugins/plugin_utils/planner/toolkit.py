"""Choose the system's CUDA toolkit and cuDNN. Frameworks bring their own; these are for nvcc users."""

from __future__ import annotations

from dataclasses import dataclass

from .data.cuda import (
    CUDNN_DROPS_PRE_TURING,
    CUDNN_FIRST_9,
    CUDNN_FIRST_BLACKWELL,
    CUDNN_FIRST_CUDA13,
    CUDNN_LAST_CUDA11,
    CUDNN_NEWEST,
    CUDNN_PRE_TURING,
    MINOR_COMPAT_BRANCH,
    NATIVE_BRANCH,
    TARGETS,
)
from .data.systems import (
    DISTRO_CUDNN,
    DISTRO_TOOLKITS,
    NVIDIA_ARCHITECTURES,
    NVIDIA_KEYS_CONFIRMED,
    NVIDIA_REPO_ARCH,
    NVIDIA_TOOLKITS,
    NVIDIA_TOOLKITS_UNKNOWN,
    SYSTEMS,
    System,
)
from .model import Exclusion, Problem
from .versions import at_least, numbers, starts_with


@dataclass(frozen=True)
class Toolkit:
    """One toolkit a source offers on a system. series is ``12.9``; known: False where nobody could read that."""

    system: str
    series: str
    version: str
    source: str
    packages: tuple[str, ...]
    known: bool = True

    @property
    def label(self) -> str:
        """Return the name used in sentences."""
        return f"CUDA {self.series} from {self.source}"


def offers(system: System, wsl: bool) -> list[Toolkit]:
    """Return the toolkits offered on a system; all that there are from a repository that nobody could read."""
    directory = "wsl-ubuntu" if wsl else system.nvidia_repo
    known = directory not in NVIDIA_TOOLKITS_UNKNOWN
    result = [
        Toolkit(system.key, series, series, "nvidia", (f"cuda-toolkit-{series.replace('.', '-')}",), known)
        for series in (NVIDIA_TOOLKITS[directory] if known else TARGETS)
    ]
    result += [
        Toolkit(system.key, series, version, system.id, packages)
        for series, version, packages in DISTRO_TOOLKITS[system.key]
    ]
    return result


def rules(problem: Problem, toolkit: Toolkit, branch: int | None) -> list[Exclusion]:
    """Return everything that rules a toolkit out."""
    found: list[Exclusion] = []

    def out(cause: str, code: str, reason: str) -> None:
        found.append(Exclusion("cuda", toolkit.label, code, cause, reason))

    targets = TARGETS[toolkit.series]
    for gpu in problem.compute:
        if not any(target // 10 == gpu.cc[0] and target % 10 <= gpu.cc[1] for target in targets):
            old = gpu.sm < min(targets)
            out(
                gpu.cause,
                "cuda_dropped_gpu" if old else "cuda_too_old_for_gpu",
                f"CUDA {toolkit.series} does not compile for {gpu.title}, compute capability "
                f"{gpu.cc[0]}.{gpu.cc[1]}" + (" any more" if old else " yet"),
            )
    need = MINOR_COMPAT_BRANCH[numbers(toolkit.series)[0]]
    if branch is not None and branch < need:
        out(
            problem.driver_cause(),
            "driver_too_old_for_build",
            f"CUDA {toolkit.series} needs driver {need} or newer; the driver here is {branch}",
        )
    if toolkit.source == "nvidia":
        directory = "wsl-ubuntu" if problem.wsl else SYSTEMS[toolkit.system].nvidia_repo
        if NVIDIA_REPO_ARCH[problem.deb_arch] not in NVIDIA_ARCHITECTURES[directory]:
            out(
                "arch",
                "arch_not_offered",
                f"NVIDIA's repository {directory} is not known to have packages for {problem.arch}",
            )
        if not toolkit.known and not problem.pin("cuda") and toolkit.series not in problem.toolkits:
            out(
                "data",
                "toolkit_unconfirmed",
                f"nobody could read whether NVIDIA's repository {directory} has CUDA {toolkit.series}; "
                "pin it to use it",
            )
        confirmed = directory in NVIDIA_KEYS_CONFIRMED or problem.own_repository_key
        if not confirmed and problem.pin("cuda_source") != "nvidia":
            out(
                "data",
                "repository_unconfirmed",
                f"the signing key of NVIDIA's repository {directory} is not confirmed; "
                "pin cuda_source=nvidia to use it",
            )
    text = problem.pin("cuda")
    if text and not (
        starts_with(toolkit.version, text) or starts_with(toolkit.series, text) or starts_with(text, toolkit.series)
    ):
        out("pin:cuda", "pin", f"cuda={text} is pinned")
    if problem.pin("cuda_source") and toolkit.source != problem.pin("cuda_source"):
        out("pin:cuda_source", "pin", f"cuda_source={problem.pin('cuda_source')} is pinned")
    cudnn_pin = problem.pin("cudnn")
    if (
        cudnn_pin
        and problem.compute
        and numbers(toolkit.series)[0] == 13
        and not at_least(cudnn_pin, CUDNN_FIRST_CUDA13)
    ):
        out(
            "pin:cudnn",
            "cudnn_lacks_cuda",
            f"cuDNN {cudnn_pin} is pinned, and the first with a build for CUDA 13 is {CUDNN_FIRST_CUDA13}",
        )
    if toolkit.system != problem.system.key:
        out("os", "other_system", f"no source offers it on {problem.system.label}")
    return found


def native(toolkit: Toolkit, branch: int | None) -> bool:
    """Tell whether the driver is at least the one the toolkit was released with."""
    return branch is None or branch >= NATIVE_BRANCH[toolkit.series]


def _rank(toolkit: Toolkit, branch: int | None, driver_source: str) -> tuple[object, ...]:
    """Return the sort key, best first.

    With Debian's own driver Debian's own toolkit, so that NVIDIA's repository stays out. Then the CUDA major
    version that the driver brings, native before minor-version compatibility; then the newest.
    """
    series = numbers(toolkit.series)
    majors = [numbers(name)[0] for name, needs in NATIVE_BRANCH.items() if branch is None or needs <= branch]
    own = toolkit.source == driver_source
    return (
        0 if toolkit.known else 1,
        0 if own or driver_source != "debian" else 1,
        0 if series[0] == max(majors, default=0) else 1,
        0 if native(toolkit, branch) else 1,
        [-part for part in series],
        0 if toolkit.source == "nvidia" else 1,
    )


def search(problem: Problem, branch: int | None, driver_source: str = "") -> tuple[Toolkit | None, list[Exclusion]]:
    """Return the best toolkit for a driver branch and its source, and every exclusion."""
    kept, dropped = [], []
    for toolkit in offers(problem.system, problem.wsl):
        found = rules(problem, toolkit, branch)
        if found:
            dropped.extend(found)
        else:
            kept.append(toolkit)
    kept.sort(key=lambda toolkit: _rank(toolkit, branch, driver_source))
    return (kept[0] if kept else None), dropped


@dataclass(frozen=True)
class Wanted:
    """The toolkits that the owner asked for: all, and the one that is used; and (code, sentence) of what is not."""

    toolkits: tuple[Toolkit, ...] = ()
    default: Toolkit | None = None
    refused: tuple[tuple[str, str], ...] = ()


def wanted(problem: Problem, best: Toolkit | None, branch: int | None) -> Wanted:
    """Return the owner's toolkits, which may be of several versions side by side, all from one source.

    best: the plan's own choice, which ``auto`` stands for.
    """
    refused: list[tuple[str, str]] = []
    chosen: dict[str, Toolkit] = {}
    for text in problem.toolkits:
        if text == "auto":
            if best is None:
                refused.append(("toolkit_not_offered", "cuda_toolkits has 'auto', but no toolkit fits this machine"))
            else:
                chosen[text] = best
            continue
        offered = [item for item in offers(problem.system, problem.wsl) if item.series == text]
        offered.sort(key=lambda item: (not item.known, best is None or item.source != best.source))
        if not offered:
            known = ", ".join(dict.fromkeys(item.series for item in offers(problem.system, problem.wsl)))
            refused.append(
                (
                    "toolkit_not_offered",
                    f"cuda_toolkits has {text}, and {problem.system.label} is known to have {known}",
                )
            )
            continue
        found = [item for item in rules(problem, offered[0], branch) if item.cause != "pin:cuda"]
        refused += [(item.code, f"cuda_toolkits has {text}: {item.reason}") for item in found]
        chosen[text] = offered[0]
    if len({item.source for item in chosen.values()}) > 1:
        refused.append(("pins_conflict", "cuda_toolkits names toolkits of two sources: pin cuda_source=nvidia"))
    name = problem.default_toolkit or next(iter(chosen), "")
    default = chosen.get(name) or next((item for item in chosen.values() if item.series == name), None)
    if problem.default_toolkit and problem.toolkits and default is None:
        refused.append(
            (
                "toolkit_not_offered",
                f"cuda_default_toolkit is {name}, which is not in cuda_toolkits {', '.join(problem.toolkits)}",
            )
        )
    return Wanted(tuple({item.series: item for item in chosen.values()}.values()), default, tuple(refused))


def nccl(toolkit: Toolkit | None) -> dict[str, object] | None:
    """Return the plan's entry for NCCL, which NVIDIA's repository has per toolkit; None for other sources."""
    if toolkit is None or toolkit.source != "nvidia":
        return None
    return {"source": "nvidia", "packages": ["libnccl2", "libnccl-dev"], "built_for": f"+cuda{toolkit.series}"}


def everywhere(problem: Problem, branch: int | None) -> list[tuple[Toolkit, list[Exclusion]]]:
    """Return every toolkit of every system with its exclusions, for finding the causes of a refusal."""
    return [
        (toolkit, rules(problem, toolkit, branch))
        for system in SYSTEMS.values()
        for toolkit in offers(system, problem.wsl)
    ]


def cudnn(problem: Problem, toolkit: Toolkit | None) -> tuple[dict[str, object] | None, list[Exclusion]]:
    """Return (the plan's entry for cuDNN, exclusions of a pinned version).

    Without a toolkit there are no packages, but pip's constraint stays.
    """
    if not problem.compute or any(gpu.cc < (5, 0) for gpu in problem.compute):
        return None, []
    pre_turing = [gpu for gpu in problem.compute if gpu.cc < (7, 5)]
    blackwell = [gpu for gpu in problem.compute if gpu.cc[0] >= 10]
    major = numbers(toolkit.series)[0] if toolkit else (12 if pre_turing else 13)
    pinned = problem.pin("cudnn")
    if pinned and not at_least(pinned, CUDNN_FIRST_CUDA13) and major == 13:
        major = 12
    found: list[Exclusion] = []

    def out(cause: str, code: str, reason: str) -> None:
        found.append(Exclusion("cudnn", pinned, code, cause, reason))

    if pinned:
        if not at_least(pinned, CUDNN_FIRST_9) or numbers(pinned)[:2] > numbers(CUDNN_NEWEST)[:2]:
            out(
                "pin:cudnn",
                "pin_unknown",
                f"cuDNN {pinned} is outside {CUDNN_FIRST_9} to {CUDNN_NEWEST}, which is what the data covers",
            )
        for gpu in pre_turing:
            if at_least(pinned, CUDNN_DROPS_PRE_TURING):
                out(
                    gpu.cause,
                    "cudnn_dropped_gpu",
                    f"cuDNN {CUDNN_DROPS_PRE_TURING} and newer has no code for "
                    f"{gpu.title}; the last with it is {CUDNN_PRE_TURING}",
                )
        for gpu in blackwell:
            if not at_least(pinned, CUDNN_FIRST_BLACKWELL):
                out(gpu.cause, "cudnn_too_old_for_gpu", f"{gpu.title} needs cuDNN {CUDNN_FIRST_BLACKWELL} or newer")
        if found:
            return None, found
    version = pinned or (CUDNN_PRE_TURING if pre_turing or major == 11 else CUDNN_NEWEST)
    if major == 11 and not at_least(CUDNN_LAST_CUDA11, version):
        version = CUDNN_LAST_CUDA11
    exact = len(numbers(version)) == 4
    pip = f"nvidia-cudnn-cu{major}=={version}" if exact else None
    entry: dict[str, object] = {
        "version": version,
        "source": None,
        "packages": [],
        "dev_packages": [],
        "pip": pip,
        # What apt has to install, or the newest that the repository has: of that the tables know one day.
        "exact_version": version if pinned or pre_turing or major == 11 else None,
    }
    if toolkit is not None:
        here = DISTRO_CUDNN.get((problem.system.key, major))
        if toolkit.source == "nvidia":
            entry.update(
                source="nvidia",
                packages=[f"libcudnn9-cuda-{major}"],
                dev_packages=[f"libcudnn9-dev-cuda-{major}"],
            )
        elif here is not None and (not pinned or starts_with(here[0], pinned)):
            entry.update(version=here[0], source=problem.system.id, packages=list(here[1]), pip=pip)
    return entry, []
