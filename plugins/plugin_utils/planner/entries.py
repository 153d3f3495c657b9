"""How GPUs, driver, repository and reasons are written into a plan."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .data.cuda import MINOR_COMPAT_VERSION
from .data.systems import (
    DEBIAN_COMPONENTS,
    NVIDIA_KEYRING,
    NVIDIA_KEYS,
    NVIDIA_REPO_ARCH,
    NVIDIA_REPO_URL,
)
from .driver import Candidate, DriverPin, kernel_suffix, packaged_kernel, packages
from .frameworks import FrameworkBuild
from .model import Exclusion, Gpu, Problem
from .versions import numbers

#: The service of Fabric Manager's packages, Ubuntu's and NVIDIA's; installing them does not enable it.
FABRIC_MANAGER = "nvidia-fabricmanager.service"
#: The key that DKMS signs with, below the system's directory for it, and the packages that create, enrol and use it.
#: Ubuntu's dkms signs with kmodsign, of sbsigntool; Debian's with the kernel's own sign-file.
MOK = {
    "ubuntu": ("MOK.priv", "MOK.der", ["mokutil", "openssl", "sbsigntool"]),
    "debian": ("mok.key", "mok.pub", ["mokutil", "openssl"]),
}


def components(problem: Problem, component: str) -> list[str]:
    """Return the components of the distribution's archive that have it: Debian's own, or the named one of Ubuntu."""
    return list(DEBIAN_COMPONENTS) if problem.system.id == "debian" else [component]


def nvidia_repository(problem: Problem) -> dict[str, Any]:
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


def machine_owner_key(problem: Problem, candidate: Candidate) -> dict[str, Any] | None:
    """Return the key that modules built here are signed with, where Secure Boot asks for one."""
    if candidate.provider != "dkms" or not problem.secure_boot:
        return None
    key, certificate, names = MOK[problem.system.id]
    folder = problem.system.mok
    return {"key": f"{folder}/{key}", "certificate": f"{folder}/{certificate}", "packages": list(names)}


def gpu_entry(gpu: Gpu) -> dict[str, Any]:
    """Return what the plan says of a GPU."""
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


def driver_entry(problem: Problem, candidate: Candidate) -> dict[str, Any]:
    """Return what the plan says of the driver that is to be installed."""
    offer = candidate.offer
    names, first = packages(problem, candidate)
    archive: list[str] = []
    if offer.source == "ubuntu":
        # multiverse's drivers too: signatures and modules of every kernel are in restricted
        archive = list(dict.fromkeys(["restricted", offer.component]))
    elif offer.source == "debian":
        archive = list(DEBIAN_COMPONENTS)
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
        "repository": nvidia_repository(problem) if offer.source == "nvidia" else None,
        "components": archive,
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
        "mok": machine_owner_key(problem, candidate),
    }


def plan_reasons(
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
