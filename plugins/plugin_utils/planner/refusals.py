"""Say in one sentence per reason why a component has no solution, and what would remove the reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .data.systems import OFFERS_BY_SYSTEM
from .driver import DriverPin, ended, everywhere, gpu_branch, gpu_verdict, transitional
from .frameworks import LABELS
from .model import Exclusion, Gpu, Problem
from .reasons import cores

#: code -> what removes the cause.
REMEDIES = {
    "gpu_too_old": "Use a newer GPU, or compute on the CPU.",
    "gpu_no_framework": "Use it for the display only, or compute on the CPU; a GPU from Maxwell on computes.",
    "gpu_unknown": "Update dlbox (scripts/update-data), or name the chip.",
    "gpu_out_of_scope": "Jetson boards are set up with NVIDIA's JetPack.",
    "module_flavour_conflict": "Only one flavour of the kernel modules can be loaded: plan for one of the GPUs, "
    "and remove the other or pass it to a virtual machine.",
    "no_common_branch": "No driver branch knows all of these GPUs: plan for a part of them.",
    "not_packaged": "Use a release that packages the branch, or leave the GPU out.",
    "branch_dropped_gpu": "Pin an older branch, or leave the GPU out.",
    "branch_too_old_for_gpu": "Pin a newer branch or another source.",
    "gpu_needs_open_modules": "Pin modules=open or drop the pin.",
    "gpu_needs_proprietary_modules": "Pin modules=proprietary or drop the pin.",
    "open_only_branch": "Use the open modules, or a branch before 615.",
    "branch_not_offered": "Pin a branch that a source offers on this release, or drop the pin.",
    "branch_transitional": "Pin the branch that the name leads to.",
    "kernel_too_new": "Use the driver of NVIDIA's repository, or the release's older kernel.",
    "kernel_too_old": "Install the release's current kernel.",
    "toolkit_not_offered": "Correct cuda_toolkits and cuda_default_toolkit, or pin cuda_source.",
    "library_not_offered": "Pin cuda_source=nvidia, or leave the library out: frameworks bring their own.",
    "packages_skewed": "Use the proprietary modules or NVIDIA's repository.",
    "secure_boot_dkms_unattended": "Run with somebody at the console, turn Secure Boot off in the firmware, or use a "
    "release with signed modules.",
    "vgpu_guest": "Install the vGPU guest driver that the hypervisor's or the cloud's documentation names, and run "
    "again; or pass a whole GPU through.",
    "wsl_driver": "Install or update the NVIDIA driver in Windows.",
    "container_driver": "Install the driver on the container's host.",
    "pin_unknown": "Correct the pin or drop it.",
    "pins_conflict": "Drop one of the pins.",
    "cuda_dropped_gpu": "Use CUDA 12.9 or older for GPUs before Turing.",
    "cuda_too_old_for_gpu": "Use a newer toolkit.",
    "driver_too_old_for_build": "Use driver 580 or newer (NVIDIA's repository), or a build for an older CUDA.",
    "cudnn_dropped_gpu": "Pin cudnn=9.10.2.21 or drop the pin.",
    "cudnn_too_old_for_gpu": "Pin a newer cuDNN or drop the pin.",
    "cudnn_lacks_cuda": "Pin a newer cuDNN or an older CUDA.",
    "tensorflow_blackwell": "Pin tensorflow=conda-forge for the build that conda-forge compiles for Blackwell, "
    "or let TensorFlow compute on the CPU.",
    "wheel_lacks_gpu": "Take a build that has code for it, where the alternatives name one, or use that GPU for the "
    "display only.",
    "python_unsupported": "Drop the pin of Python, or that of the framework.",
    "cpu_lacks_avx": "Give the virtual machine the CPU model of its host, or pin tensorflow=conda-forge.",
    "index_not_allowed": "Allow PyTorch's own index.",
    "arch_unsupported": "Use a machine with an x86_64 or an aarch64 CPU.",
    "arch_lacks_build": "Take another framework, or let this one compute on the CPU.",
    "arch_not_offered": "Use what the distribution's archive has, or Ubuntu 22.04 or 24.04.",
    "toolkit_unconfirmed": "Pin the toolkit (cuda=VERSION) to try it, or take another source.",
    "repository_unconfirmed": "Use the distribution's archive, or pin the source after checking its key with NVIDIA.",
    "os_unsupported": "Install one of the systems named.",
    "no_solution": "Drop pins or leave out a GPU.",
}

_PRIORITY = (
    "gpu_unknown",
    "gpu_out_of_scope",
    "gpu_too_old",
    "gpu_no_framework",
    "arch_lacks_build",
    "arch_not_offered",
    "cpu_lacks_avx",
    "tensorflow_blackwell",
    "python_unsupported",
    "driver_too_old_for_build",
    "cuda_dropped_gpu",
    "cuda_too_old_for_gpu",
    "cudnn_lacks_cuda",
    "wheel_lacks_gpu",
    "index_not_allowed",
    "secure_boot_dkms_unattended",
    "kernel_too_new",
    "kernel_too_old",
    "packages_skewed",
)


def refusal(component: str, code: str, message: str, causes: Sequence[str], fatal: bool) -> dict[str, object]:
    """Return one entry of the plan's refusals."""
    return {
        "component": component,
        "code": code,
        "message": message,
        "remedy": REMEDIES[code],
        "causes": sorted(causes),
        "fatal": fatal,
    }


def _needs(gpu: Gpu) -> str:
    arch = gpu.arch
    if arch is None:
        return f"{gpu.title} is not known"
    flavour = {"open": ", open modules only", "proprietary": ", proprietary modules only", "both": ""}[gpu.modules]
    if arch.last_driver is not None:
        span = f"branch {arch.last_driver} or older"
    else:
        span = f"branch {arch.first_driver} or newer"
    return f"{gpu.title} needs {span}{flavour}"


def _offered(problem: Problem) -> str:
    names = sorted(
        {
            offer.branch
            for offer in OFFERS_BY_SYSTEM[problem.system.key]
            if not (offer.branch in (340, 390, 418, 545) or (offer.branch == 620))
        }
    )
    return f"{problem.system.label} offers {', '.join(map(str, names))}"


def driver_refusals(problem: Problem) -> list[dict[str, object]]:
    """Return why no driver is left: one refusal per smallest set of causes."""
    pin = DriverPin.parse(problem.pin("driver"))
    if pin.branch:
        real = transitional(problem, pin.branch)
        known = {offer.branch for offers in OFFERS_BY_SYSTEM.values() for offer in offers}
        if real != pin.branch and problem.pin("driver_source") in ("", problem.system.id):
            return [
                refusal(
                    "driver",
                    "branch_transitional",
                    f"{problem.system.label}'s nvidia-driver-{pin.branch} is an empty package that leads to {real}",
                    ["pin:driver"],
                    True,
                )
            ]
        if pin.branch not in known:
            return [
                refusal(
                    "driver",
                    "pin_unknown",
                    f"driver={problem.pin('driver')} is pinned, and no source offers "
                    f"branch {pin.branch}; known are {', '.join(map(str, sorted(known)))}",
                    ["pin:driver"],
                    True,
                )
            ]
    pairs = everywhere(problem)
    by_cause: dict[str, list[Exclusion]] = {}
    for _, found in pairs:
        for item in found:
            by_cause.setdefault(item.cause, []).append(item)
    result = []
    gpus = {gpu.cause: gpu for gpu in problem.driven}
    for core in cores([frozenset(item.cause for item in found) for _, found in pairs]):
        parts = []
        for cause in sorted(core, key=_order):
            if cause in gpus and len(core) == 1:
                parts.append(by_cause[cause][0].reason)
            elif cause in gpus:
                parts.append(_needs(gpus[cause]))
            elif cause == "os":
                local = [item for item in by_cause[cause] if item.code == "packages_skewed"]
                parts.append(local[0].reason if local and problem.pin("modules") == "open" else _offered(problem))
            else:
                parts.append(by_cause[cause][0].reason)
        end = "" if len(core) == 1 else ": no driver satisfies this"
        code = _driver_code(problem, core, gpus, by_cause)
        result.append(refusal("driver", code, "; ".join(parts) + end, core, True))
    return result


def foreign_driver_refusals(problem: Problem, branch: int | None, owner: str) -> list[dict[str, object]]:
    """Return the GPUs that a driver which is not ours to choose cannot drive: one refusal per kind of GPU."""
    result = []
    for gpu in {gpu.cause: gpu for gpu in problem.driven}.values():
        found = gpu_verdict(gpu)
        if found:
            result.append(refusal("driver", found[0], found[1], [gpu.cause], True))
            continue
        found = gpu_branch(gpu, branch) if branch is not None else None
        if found is None:
            continue
        code, reason = found
        result.append(
            {
                **refusal(
                    "driver", code, f"{reason}; the driver of {owner} is {problem.loaded}", [gpu.cause, "driver"], True
                ),
                "remedy": f"Change the driver of {owner}, or leave the GPU out.",
            }
        )
    return result


def _order(cause: str) -> tuple[int, str]:
    return (0 if cause.startswith("gpu:") else 1 if cause.startswith("pin:") else 2, cause)


def _driver_code(
    problem: Problem, core: Sequence[str], gpus: Mapping[str, Gpu], by_cause: Mapping[str, Sequence[Exclusion]]
) -> str:
    involved = [gpus[cause] for cause in core if cause in gpus]
    others = {cause for cause in core if cause not in gpus}
    if len(core) == 1 and involved:
        return by_cause[core[0]][0].code
    if "secure_boot" in others:
        return "secure_boot_dkms_unattended"
    if "kernel" in others:
        return by_cause["kernel"][0].code
    if len(involved) > 1 and not others:
        flavours = {gpu.modules for gpu in involved} - {"both"}
        limits = [gpu.arch for gpu in involved if gpu.arch]
        newest = min((arch.last_driver for arch in limits if arch.last_driver is not None), default=10_000)
        if len(flavours) > 1 and max(arch.first_driver for arch in limits) <= newest:
            return "module_flavour_conflict"
        return "no_common_branch"
    if involved and others == {"os"}:
        return "not_packaged"
    if involved and "pin:modules" in others and "pin:driver" not in others:
        wanted = problem.pin("modules")
        return "gpu_needs_proprietary_modules" if wanted == "open" else "gpu_needs_open_modules"
    if involved and "pin:driver" in others:
        pin = DriverPin.parse(problem.pin("driver"))
        for gpu in involved:
            if gpu.arch and gpu.arch.last_driver is not None and pin.branch > gpu.arch.last_driver:
                return "branch_dropped_gpu"
            if gpu.arch and pin.branch < gpu.arch.first_driver:
                return "branch_too_old_for_gpu"
        if pin.modules or problem.pin("modules"):
            wanted = pin.modules or problem.pin("modules")
            return "gpu_needs_proprietary_modules" if wanted == "open" else "gpu_needs_open_modules"
        # the branch is right, its modules on offer are not
        return (
            "gpu_needs_open_modules"
            if any(gpu.modules == "open" for gpu in involved)
            else "gpu_needs_proprietary_modules"
        )
    if involved and "pin:driver_source" in others:
        newer = any(gpu.arch and gpu.arch.last_driver is None for gpu in involved)
        return "branch_too_old_for_gpu" if newer else "not_packaged"
    if "pin:driver" in others and "pin:modules" in others:
        pin = DriverPin.parse(problem.pin("driver"))
        return "open_only_branch" if pin.branch >= 615 else "pins_conflict"
    if "pin:modules" in others and "os" in others:
        return "packages_skewed"
    if "pin:driver" in others and "os" in others:
        return "branch_not_offered"
    if others == {"pin:driver"}:
        pin = DriverPin.parse(problem.pin("driver"))
        return "open_only_branch" if pin.modules == "proprietary" and pin.branch >= 615 else "pin_unknown"
    return "pins_conflict" if len(others) > 1 and all(c.startswith("pin:") for c in others) else "no_solution"


def component_refusals(
    problem: Problem,
    component: str,
    blocked: Sequence[Sequence[str]],
    reasons: Mapping[str, Sequence[Exclusion]],
    fatal: bool,
) -> list[dict[str, object]]:
    """Return why a toolkit or framework has no (GPU) build left: one refusal per smallest set of causes."""
    result = []
    for core in blocked[:2]:
        parts, codes = [], []
        for cause in sorted(core, key=_order):
            # the newest build's reason says most; data is ordered newest first
            item = reasons[cause][0]
            codes.append(item.code)
            parts.append(item.reason)
        code = next((code for code in _PRIORITY if code in codes), None)
        if code is None:
            code = (
                "pin_unknown"
                if all(item == "pin" for item in codes) and len(codes) == 1
                else "pins_conflict"
                if set(codes) == {"pin"}
                else "no_solution"
            )
            if code == "pin_unknown":
                parts = [f"{parts[0]}, and the data has no such {LABELS[component]} build"]
        result.append(refusal(component, code, "; ".join(dict.fromkeys(parts)), core, fatal))
    return result


__all__ = ["REMEDIES", "component_refusals", "driver_refusals", "ended", "foreign_driver_refusals", "refusal"]
