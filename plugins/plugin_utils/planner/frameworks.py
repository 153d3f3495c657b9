"""Choose framework builds: PyTorch, TensorFlow, JAX, and Keras over one of them."""

from __future__ import annotations

from dataclasses import dataclass, field

from .data.cuda import CUDNN_DROPS_PRE_TURING, CUDNN_PRE_TURING, NATIVE_BRANCH
from .data.wheels import (
    BUILDS,
    KERAS_FIRST_TENSORFLOW,
    KERAS_FOR_TENSORFLOW,
    KERAS_OLDER,
    KERAS_PYTHONS,
    KERAS_VERSION,
    PYTHONS,
    Build,
)
from .model import Exclusion, Gpu, Problem
from .reasons import cores
from .versions import at_least, numbers, starts_with

LABELS = {
    "pytorch": "PyTorch",
    "tensorflow": "TensorFlow",
    "jax": "JAX",
    "keras": "Keras",
    "cuda": "CUDA",
    "cudnn": "cuDNN",
    "driver": "driver",
}


@dataclass(frozen=True)
class FrameworkBuild:
    """A chosen build with the Python it runs on (minor version of Python 3), and what was ruled out."""

    build: Build | None
    python: int
    gpu: bool
    extra: tuple[str, ...] = ()
    excluded: tuple[Exclusion, ...] = ()
    gpu_blocked: tuple[tuple[str, ...], ...] = ()
    all_blocked: tuple[tuple[str, ...], ...] = ()
    reasons: dict[str, tuple[Exclusion, ...]] = field(default_factory=dict)


def covers(build: Build, gpu: Gpu, branch: int | None) -> bool:
    """Tell whether a build has code for a GPU: a binary of the same major version and no newer minor one,
    or PTX that a driver at least as new as its toolkit compiles when loading."""
    major, minor = gpu.cc
    if any(cc // 10 == major and cc % 10 <= minor for cc in build.cc):
        return True
    native = NATIVE_BRANCH.get(build.cuda or "", 0)
    return bool(build.ptx) and gpu.sm >= build.ptx and (branch is None or branch >= native)


def _label(build: Build) -> str:
    return f"{build.version} ({build.build})"


def pythons(problem: Problem, build: Build) -> list[int]:
    """Return the Pythons (minor versions) a build may run on, best first; the pinned one only, if pinned."""
    first, last = build.pythons
    pinned = problem.pin("python")
    wanted = [numbers(pinned)[1]] if pinned else list(PYTHONS)
    return [python for python in wanted if first <= python <= last]


def _pin_matches(build: Build, text: str) -> bool:
    version, _, local = text.strip().lower().partition("+")
    if not numbers(version):
        version, local = "", local or version
    if version and not starts_with(build.version, version):
        return False
    return not local or build.build == local


def rules(problem: Problem, build: Build, branch: int | None) -> list[Exclusion]:
    """Return everything that rules a build out on this machine with a driver branch (None: not limited)."""
    found: list[Exclusion] = []
    name = LABELS[build.framework]

    def out(cause: str, code: str, reason: str) -> None:
        found.append(Exclusion(build.framework, _label(build), code, cause, reason))

    if problem.arch not in build.architectures:
        some = any(other.cuda and problem.arch in other.architectures for other in BUILDS[build.framework])
        what = f"{_label(build)} has no wheel" if some or build.cuda is None else "has no GPU build"
        out("arch", "arch_lacks_build", f"{name} {what} for {problem.arch}")
        return found
    if build.cuda is not None:
        for gpu in problem.compute:
            cc = f"{gpu.cc[0]}.{gpu.cc[1]}"
            if build.framework == "tensorflow" and gpu.cc[0] >= 10 and build.build != "conda-forge":
                out(
                    gpu.cause,
                    "tensorflow_blackwell",
                    f"no TensorFlow on PyPI (2.21 and older) has code that runs on {gpu.title}, compute capability "
                    f"{cc}",
                )
            elif not covers(build, gpu, branch):
                out(
                    gpu.cause,
                    "wheel_lacks_gpu",
                    f"{name} {_label(build)} has no code for {gpu.title}, compute capability {cc}",
                )
            elif gpu.cc < build.min_cc:
                out(
                    gpu.cause,
                    "wheel_lacks_gpu",
                    f"{name} {_label(build)} needs compute capability {build.min_cc[0]}.{build.min_cc[1]}, "
                    f"{gpu.title} has {cc}",
                )
        if branch is not None and branch < build.min_branch:
            out(
                problem.driver_cause(),
                "driver_too_old_for_build",
                f"{name} {_label(build)} carries CUDA {build.cuda}, which needs driver {build.min_branch} or newer; "
                f"the driver here is {branch}",
            )
    text = problem.pin(build.framework)
    if text and not _pin_matches(build, text):
        out(f"pin:{build.framework}", "pin", f"{build.framework}={text} is pinned")
    if not pythons(problem, build):
        out(
            "pin:python",
            "python_unsupported",
            f"{name} {_label(build)} has wheels for Python 3.{build.pythons[0]} to 3.{build.pythons[1]}, "
            f"python={problem.pin('python')} is pinned",
        )
    if build.needs_avx and problem.avx is False:
        out("avx", "cpu_lacks_avx", f"{name}'s wheels use AVX instructions, which this CPU does not offer")
    if problem.pypi_only and build.index_url is not None:
        out("pypi_only", "index_not_allowed", f"{name} {_label(build)} is on PyTorch's index, and only PyPI is allowed")
    return found


def _considered(framework: str, arch: str, pinned: str) -> list[Build]:
    """Return the builds for a CPU architecture; those for others only where there is none of the kind for this one."""
    builds = BUILDS[framework]
    own = [build for build in builds if arch in build.architectures]
    kinds = {build.cuda is not None for build in own}
    if pinned and not any(_pin_matches(build, pinned) for build in own):
        return [build for build in builds if build in own or _pin_matches(build, pinned)]
    return [build for build in builds if build in own or (build.cuda is not None) not in kinds]


def _rank(problem: Problem, build: Build, pre_turing: bool) -> tuple[int | tuple[int, ...], ...]:
    # stable prefers builds that pin their own cuDNN where a newer one would break the GPU
    avoid = problem.policy == "stable" and pre_turing and build.framework == "tensorflow"
    drifting = 1 if avoid and build.drifts else 0
    newest = tuple(-part for part in (*numbers(build.version), 0, 0, 0, 0)[:4])
    cuda = -NATIVE_BRANCH.get(build.cuda or "", 0)
    return drifting, newest, 1 if build.index_url and build.cuda else 0, cuda


def choose(problem: Problem, framework: str, branch: int | None, gpu: bool) -> FrameworkBuild:
    """Return the best build of a framework.

    gpu tells whether there is a GPU with a driver to compute on. A GPU build wins over a CPU build; when
    none fits, the smallest sets of causes are kept in ``gpu_blocked`` (or ``all_blocked`` when not even a
    CPU build is left).
    """
    pre_turing = any(one.cc < (7, 5) for one in problem.compute)
    pinned = problem.pin(framework)
    kept: dict[bool, list[Build]] = {True: [], False: []}
    by: dict[bool, list[frozenset[str]]] = {True: [], False: []}
    excluded: list[Exclusion] = []
    reasons: dict[str, list[Exclusion]] = {}
    for build in _considered(framework, problem.arch, pinned):
        on_gpu = build.cuda is not None
        if (on_gpu and not gpu) or (build.by_pin and not (pinned and _pin_matches(build, pinned))):
            continue
        found = rules(problem, build, branch)
        if found:
            excluded.extend(found)
            by[on_gpu].append(frozenset(item.cause for item in found))
            for item in found:
                reasons.setdefault(item.cause, []).append(item)
        else:
            kept[on_gpu].append(build)
    shown = {cause: tuple(items) for cause, items in reasons.items()}
    gpu_blocked = tuple(cores(by[True])) if gpu and not kept[True] else ()
    for on_gpu in (True, False):
        if kept[on_gpu]:
            best = min(kept[on_gpu], key=lambda build: _rank(problem, build, pre_turing and on_gpu))
            extra: tuple[str, ...] = ()
            if on_gpu and pre_turing and best.pre_turing:
                extra = best.pre_turing
            pinned_cudnn = problem.pin("cudnn")
            fits = not pre_turing or not at_least(pinned_cudnn, CUDNN_DROPS_PRE_TURING)
            if on_gpu and best.drifts and best.cuda and len(numbers(pinned_cudnn)) == 4 and fits:
                extra = (f"nvidia-cudnn-cu{best.cuda.split('.')[0]}=={pinned_cudnn}",)
            return FrameworkBuild(
                best, pythons(problem, best)[0], on_gpu, extra, tuple(excluded), gpu_blocked, (), shown
            )
    everything = [*by[True], *by[False]]
    return FrameworkBuild(None, 0, False, (), tuple(excluded), gpu_blocked, tuple(cores(everything)), shown)


def describe(choice: FrameworkBuild, note: str = "") -> dict[str, object]:
    """Return the plan's entry for a choice."""
    build = choice.build
    if build is None:
        return {
            "version": None,
            "build": None,
            "python": None,
            "requirements": [],
            "index_url": None,
            "gpu": False,
            "companions": [],
            "conda": [],
            "cuda": None,
            "cudnn": None,
            "note": note,
        }
    notes = "; ".join(filter(None, (build.note, note)))
    cudnn = CUDNN_PRE_TURING if choice.extra and not build.cudnn else build.cudnn
    return {
        "version": build.version,
        "build": build.build,
        "python": f"3.{choice.python}",
        "requirements": [*build.requirements, *choice.extra],
        "index_url": build.index_url,
        "gpu": choice.gpu,
        "companions": list(build.companions),
        "conda": list(build.conda),
        "cuda": build.cuda,
        "cudnn": cudnn,
        "note": notes,
    }


def keras(problem: Problem, chosen: dict[str, dict[str, object]]) -> dict[str, object]:
    """Return the plan's entry for Keras: the first backend that computes on the GPU, else the first there is."""
    order = ("tensorflow", "jax", "pytorch")
    usable = [
        name
        for name in order
        if chosen[name]["requirements"] and _takes_keras(name, chosen[name], problem.pin("keras"))
    ]
    on_gpu = [name for name in usable if chosen[name]["gpu"]]
    if not usable:
        return {
            "version": None,
            "build": None,
            "backend": None,
            "python": None,
            "requirements": [],
            "index_url": None,
            "gpu": False,
            "companions": [],
            "conda": [],
            "cuda": None,
            "cudnn": None,
            "note": "no backend fits",
        }
    backend = (on_gpu or usable)[0]
    base = chosen[backend]
    version = problem.pin("keras") or keras_release(numbers(str(base["python"]))[1])
    requirements = [f"keras=={version}"]
    got = base["requirements"]
    if isinstance(got, list):
        requirements += got
    return {
        **base,
        "version": version,
        "backend": backend,
        "requirements": requirements,
        "companions": [],
        "note": f"backend {LABELS[backend]}",
    }


def _takes_keras(name: str, entry: dict[str, object], pinned: str) -> bool:
    """Tell whether a chosen framework can be the backend of Keras 3."""
    if name == "tensorflow" and not at_least(str(entry["version"]), KERAS_FIRST_TENSORFLOW):
        return False
    newest = keras_release(numbers(str(entry["python"]))[1])
    if name == "tensorflow":
        series = ".".join(str(entry["version"]).split(".")[:2])
        if numbers(pinned or newest) < numbers(KERAS_FOR_TENSORFLOW.get(series, "3.0")):
            return False
    # a later Keras than the last for this Python does not install on it
    return bool(newest) and numbers(pinned or newest) <= numbers(newest)


def keras_release(python: int) -> str:
    """Return the newest Keras for a Python (minor version), "" when there is none."""
    if KERAS_PYTHONS[0] <= python <= KERAS_PYTHONS[1]:
        return KERAS_VERSION
    return next((version for version, pythons in KERAS_OLDER if python in pythons), "")
