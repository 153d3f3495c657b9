"""What to watch for: end of life, Secure Boot, kernels, wheels that drift, guests and containers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from .data import AGE_DAYS, AS_OF
from .data.systems import NVIDIA_KEYS_CONFIRMED, NVIDIA_TOOLKITS_UNKNOWN
from .driver import Candidate, ended, needs_subnet_manager, packaged_kernel
from .model import Problem
from .versions import numbers

_SOON_DAYS = 180


def _warning(code: str, message: str, remedy: str) -> dict[str, str]:
    return {"code": code, "message": message, "remedy": remedy}


def _days_between(first: str, last: str) -> int:
    return (date.fromisoformat(last) - date.fromisoformat(first)).days


def warn(
    problem: Problem,
    candidate: Candidate | None,
    branch: int | None,
    frameworks: Mapping[str, Mapping[str, Any]],
    cuda: Mapping[str, Any] | None,
    cudnn: Mapping[str, Any] | None,
) -> list[dict[str, str]]:
    """Return the plan's warnings, each with code, message and remedy."""
    found: list[dict[str, str]] = []

    def add(code: str, message: str, remedy: str) -> None:
        found.append(_warning(code, message, remedy))

    if problem.today and _days_between(AS_OF, problem.today) > AGE_DAYS:
        add("data_old", f"the compatibility data is of {AS_OF}", "Update dlbox.")
    for gpu in problem.gpus:
        if not gpu.usable:
            add("gpu_not_usable", f"{gpu.title}: {gpu.note}", "Nothing is installed for it.")
        elif "placed by" in gpu.note:
            add("gpu_by_prefix", gpu.note, "Update dlbox; check the architecture in the plan.")
        if gpu.vgpu is None and problem.virtualization not in ("none", "") and not problem.foreign_driver:
            add(
                "vgpu_unknown",
                f"whether {gpu.title} is a virtual GPU of the hypervisor could not be read",
                "If it is, install the guest driver of the hypervisor instead; run the plan as root to see.",
            )
    if candidate is not None:
        _driver_warnings(problem, candidate, add)
        if problem.nvswitch:
            _nvswitch_warnings(problem, candidate, add)
    if problem.wsl:
        add(
            "wsl",
            "under WSL2 the driver belongs to Windows; no Linux driver is installed",
            "Keep the NVIDIA driver in Windows current.",
        )
        if not problem.gpus:
            add(
                "wsl_no_gpu_seen",
                "no GPU could be read through /usr/lib/wsl/lib/nvidia-smi",
                "Install the NVIDIA driver in Windows and run again; until then the plan is for the CPU.",
            )
        elif branch is None:
            add(
                "driver_version_unknown",
                "the version of the Windows driver could not be read",
                "Check that it is 580 or newer: nvidia-smi.exe",
            )
        for gpu in problem.driven:
            if gpu.arch and gpu.cc < (6, 0):
                add(
                    "wsl_gpu_unsupported",
                    f"NVIDIA supports CUDA under WSL2 from Pascal on, not on {gpu.title}",
                    "If CUDA does not start, install Linux on the machine itself.",
                )
    elif problem.container and branch is not None:
        add(
            "container_userspace",
            f"the kernel module {problem.loaded} belongs to the container's host",
            f"Libraries of the driver in here must be exactly {problem.loaded}; the NVIDIA container toolkit sees to "
            "it.",
        )
    if not problem.driven:
        for pin in ("driver", "modules", "driver_source", "cudnn"):
            if problem.pin(pin):
                add(
                    "pin_not_applicable",
                    f"{pin}={problem.pin(pin)} is pinned, but there is no GPU to drive",
                    "Nothing to do; drop the pin for this host if it was not meant for it.",
                )
    if problem.today and problem.today > problem.system.end_of_life:
        over = problem.today > problem.system.extended_end_of_life
        add(
            "os_eol",
            f"the standard support of {problem.system.label} ended on {problem.system.end_of_life}; the long one "
            f"{'ended' if over else 'ends'} on {problem.system.extended_end_of_life}",
            "Install a newer release."
            if over
            else "Plan the upgrade; until then use the long support (Debian LTS, Ubuntu Pro).",
        )
    sources = {"driver": candidate.offer.source if candidate else "", "CUDA": cuda["source"] if cuda else ""}
    directory = "wsl-ubuntu" if problem.wsl else problem.system.nvidia_repo
    confirmed = directory in NVIDIA_KEYS_CONFIRMED or problem.own_repository_key
    if "nvidia" in sources.values() and not confirmed:
        add(
            "repository_unconfirmed",
            f"the signing key of NVIDIA's repository {directory} is assumed, nobody could check it",
            "Compare the key's fingerprint with the one in NVIDIA's installation guide before the run, "
            "and set it in dlbox_nvidia_repository.",
        )
    if sources["CUDA"] == "nvidia" and cuda and directory in NVIDIA_TOOLKITS_UNKNOWN:
        add(
            "toolkit_unconfirmed",
            f"nobody could read whether NVIDIA's repository {directory} has CUDA {' and '.join(cuda['versions'])}",
            "Look for it in the repository before the run; where it is not there, apt ends the run of the role cuda.",
        )
    _framework_warnings(problem, frameworks, add)
    if cuda is not None and problem.pin("cudnn") and cudnn is not None and not cudnn["packages"]:
        add(
            "cudnn_not_packaged",
            f"cudnn={problem.pin('cudnn')} is pinned, and the source of CUDA {cuda['version']} has no such package",
            "Take CUDA from NVIDIA's repository (cuda_source=nvidia); frameworks bring their own cuDNN.",
        )
    if cuda is not None and not cuda["native"]:
        add(
            "cuda_minor_compat",
            f"CUDA {cuda['version']} is newer than driver {branch}: it runs by minor-version "
            "compatibility, without compiling PTX of that toolkit at load time",
            "Compile for the real architecture (nvcc -arch=native), or take a newer driver branch.",
        )
    if problem.pin("cuda") and branch is None and problem.compute and problem.wsl:
        add(
            "driver_version_unknown",
            "the driver's version is not known, so CUDA was not checked against it",
            "Check with nvidia-smi.",
        )
    unique = {(item["code"], item["message"]): item for item in found}
    return list(unique.values())


def _driver_warnings(problem: Problem, candidate: Candidate, add: Any) -> None:
    branch = candidate.branch
    offer = candidate.offer
    if ended(branch, problem.today):
        add(
            "branch_eol",
            f"support of driver branch {branch.number} ended on {branch.eol}",
            "Use a maintained branch where the GPU allows it."
            if offer.source != "debian"
            else "Use NVIDIA's repository (driver_source=nvidia) for a maintained branch.",
        )
    elif problem.today and branch.eol and _days_between(problem.today, branch.eol) <= _SOON_DAYS:
        add(
            "branch_eol_soon",
            f"support of driver branch {branch.number} ends on {branch.eol}",
            "Plan the move to the next branch.",
        )
    last = [gpu for gpu in problem.driven if gpu.arch and gpu.arch.last_driver == branch.number]
    if last and not ended(branch, problem.today):
        names = ", ".join(dict.fromkeys(gpu.title for gpu in last))
        add(
            "last_branch",
            f"{branch.number} is the last branch for {names}; after {branch.eol} there is no maintained driver",
            "Plan for another GPU by then.",
        )
    if candidate.provider == "dkms" and problem.secure_boot:
        add(
            "mok_enrolment",
            "Secure Boot is on and the modules are built here: their key has to be enrolled at the "
            "console at the next boot",
            "Have somebody at the console for the reboot (MokManager), or turn Secure Boot off.",
        )
    if candidate.provider == "dkms" and problem.secure_boot is None:
        add(
            "secure_boot_unknown",
            "the state of Secure Boot could not be read; if it is on, the built modules need "
            "their key enrolled at the console",
            "Check with: mokutil --sb-state",
        )
    series = numbers(problem.kernel)[:2]
    newest = max(problem.system.kernels.values())
    if candidate.provider == "dkms" and series > newest:
        add(
            "kernel_unproven",
            f"Linux {'.'.join(map(str, series))} is newer than {problem.system.label}'s own kernels;"
            f" nobody has shown that {branch.number} builds on it",
            "Use the release's kernel if the build fails.",
        )
    if candidate.provider == "dkms" and not packaged_kernel(problem.system, problem.kernel):
        add(
            "kernel_not_packaged",
            f"Linux {problem.kernel} is not one of {problem.system.label}'s kernels: its "
            "headers are not in the archive",
            "Install its headers by hand, or boot the release's kernel.",
        )
    if candidate.provider == "prebuilt" and series < problem.system.kernels.get(candidate.flavour, (0, 0)):
        add(
            "kernel_will_change",
            f"the signed modules are for the kernel series "
            f"{'.'.join(map(str, problem.system.kernels[candidate.flavour]))}, this machine runs "
            f"{'.'.join(map(str, series))}",
            "A newer kernel is installed with them; reboot into it.",
        )
    if offer.source == "ubuntu" and offer.component == "multiverse":
        add(
            "component_multiverse",
            f"driver {branch.number} is in Ubuntu's multiverse, which has no security promise",
            "Stay with a branch from restricted if that matters: policy stable.",
        )
    if offer.source == "nvidia" and problem.headless:
        add(
            "full_package_set",
            "NVIDIA's repository is used with its full driver set, libraries for displays included",
            "Nothing to do; they are not started on a headless machine.",
        )
    if offer.source == "debian" and branch.number < 580:
        add(
            "driver_below_580",
            f"Debian's driver {branch.number} is too old for CUDA 13 wheels, which are the default "
            "of PyTorch 2.11 and newer and of jax[cuda13]",
            "Use driver_source=nvidia, or keep to the builds in this plan.",
        )
    if problem.arch != "x86_64":
        add(
            "arch_unproven",
            f"the wheels' contents were read for x86_64, not for {problem.arch}",
            "Verify with dlbox doctor after the run.",
        )
    if not branch.confirmed:
        add(
            "branch_unconfirmed",
            f"branch {branch.number} is known from an installation guide only",
            "Check that the repository has it.",
        )


def _nvswitch_warnings(problem: Problem, candidate: Candidate, add: Any) -> None:
    if candidate.offer.source == "debian":
        add(
            "fabric_manager",
            "these GPUs are joined by NVSwitch, and Debian's archive has no Fabric Manager of the driver's version",
            "Use NVIDIA's repository (driver_source=nvidia), which has it.",
        )
        return
    add(
        "fabric_manager",
        "these GPUs are joined by NVSwitch: CUDA starts only while Fabric Manager of the driver's exact version runs",
        "Nothing to do: the driver role enables its service; dlbox doctor says whether it runs.",
    )
    if candidate.offer.source == "ubuntu" and needs_subnet_manager(problem):
        add(
            "subnet_manager",
            "NVSwitch of Blackwell boards also needs NVLink's subnet manager (package nvlsm), and whether Ubuntu's "
            "archive has it is not known",
            "Use NVIDIA's repository (driver_source=nvidia), which has it.",
        )


def _framework_warnings(problem: Problem, frameworks: Mapping[str, Mapping[str, Any]], add: Any) -> None:
    if any(entry["gpu"] and "cuDNN is pinned" in str(entry["note"]) for entry in frameworks.values()):
        add(
            "cudnn_pinned",
            "cuDNN 9.11 and newer has no code for GPUs before Turing, and pip would choose it",
            "Keep the pin of nvidia-cudnn in the environment; put it into a constraints file before installing more.",
        )
    torch = frameworks["pytorch"]
    if problem.avx2 is False and torch["requirements"]:
        add(
            "cpu_without_avx2",
            "PyTorch computes slowly, or not at all, on a CPU without AVX2",
            "Give a virtual machine the CPU model of its host.",
        )
    if problem.container and not problem.compute and problem.gpus:
        add(
            "container_no_gpu",
            "this container sees GPUs of its host but was given none",
            "Start it with --gpus all (NVIDIA container toolkit) to use them.",
        )
