"""Choose the driver: branch, kernel module flavour, source, and how the module is built."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from .data.cuda import NATIVE_BRANCH
from .data.drivers import BRANCHES, OPEN_FROM, OPEN_ONLY_FROM, OPEN_RECOMMENDED_FROM, Branch
from .data.systems import (
    DEBIAN_HEADLESS,
    NVIDIA_ARCHITECTURES,
    NVIDIA_KEYS_CONFIRMED,
    NVIDIA_REPO_ARCH,
    OFFERS,
    OFFERS_BY_SYSTEM,
    SYSTEMS,
    TRANSITIONAL,
    Offer,
    System,
    resolve_transitional,
)
from .model import Exclusion, Gpu, Problem
from .versions import numbers, starts_with

#: Branches that a version can be of; 565 and 590 have no row of their own but a toolkit.
_RELEASE_BRANCHES = frozenset({*BRANCHES, *NATIVE_BRANCH.values()})
_KINDS = {"LTSB": 0, "PB": 1, "NFB": 2, "unknown": 3, "legacy": 4}


@dataclass(frozen=True)
class Candidate:
    """An offer on this kernel: provider is prebuilt (signed by the distribution) or dkms."""

    offer: Offer
    provider: str
    flavour: str

    @property
    def branch(self) -> Branch:
        """Return the branch's data."""
        return BRANCHES[self.offer.branch]

    @property
    def label(self) -> str:
        """Return the short name used in sentences: ``580-server-open from ubuntu``."""
        server = "-server" if self.offer.server else ""
        opened = "-open" if self.offer.modules == "open" else ""
        return f"{self.offer.branch}{server}{opened} from {self.offer.source}"


@dataclass(frozen=True)
class DriverPin:
    """A pinned driver, taken apart: ``580``, ``580-open``, ``580-server``, ``580.178.04``."""

    branch: int = 0
    version: str = ""
    server: bool = False
    modules: str = ""

    @classmethod
    @lru_cache(maxsize=256)
    def parse(cls, text: str) -> DriverPin:
        """Return the parts of a pinned driver; branch 0 when it is not a driver at all."""
        words = text.strip().lower().split("-")
        number = numbers(words[0])
        if not number or not set(words[1:]) <= {"open", "server", "proprietary"}:
            return cls()
        modules = "open" if "open" in words else "proprietary" if "proprietary" in words else ""
        return cls(number[0], words[0] if len(number) > 1 else "", "server" in words, modules)


def kernel_flavour(system: System, kernel: str, installed: Sequence[str] = ()) -> str:
    """Return the metapackage flavour that a running kernel belongs to, "" when it is none of the archive's.

    Ubuntu: 6.8.0-149-generic on 24.04 is ``generic``, a newer series up to the HWE one ``generic-hwe-24.04``.
    6.8.0-1020-aws is ``aws``, or the installed metapackage of that family (``aws-lts-24.04``).
    """
    series = numbers(kernel)[:2]
    if system.id == "ubuntu":
        family = kernel_suffix(kernel)
        if family not in ("", "generic"):
            if family not in system.flavours:
                return ""
            own = sorted(name for name in installed if name == family or name.startswith(f"{family}-"))
            return own[-1] if own else family
        for flavour, carried in system.kernels.items():
            if series <= carried:
                return flavour if series >= next(iter(system.kernels.values())) else ""
        return ""
    return "amd64" if series >= next(iter(system.kernels.values())) else ""


#: Kernel flavours that Ubuntu packages beside generic, and with headers of the same name (UA).
_UBUNTU_KERNELS = frozenset(
    {"generic", "lowlatency", "aws", "azure", "gcp", "oracle", "kvm", "ibm", "nvidia", "oem", "raspi", "realtime"}
)


def kernel_suffix(kernel: str) -> str:
    """Return what follows version and ABI: generic, aws, amd64, cloud-amd64; "" when there is nothing."""
    match = re.match(r"\d[^-]*(?:-\d+)?-(.+)$", kernel)
    return match.group(1) if match else ""


def packaged_kernel(system: System, kernel: str) -> bool:
    """Tell whether the running kernel looks like one of the distribution's, so that headers exist for it."""
    suffix = kernel_suffix(kernel)
    if system.id == "ubuntu":
        return not suffix or suffix in _UBUNTU_KERNELS
    return not suffix or suffix.split("-")[-1] in ("amd64", "arm64")


def full_kernel(system: System, kernel: str) -> tuple[int, ...]:
    """Return the kernel's version; a bare series of the release's own kernel means its current one."""
    version = numbers(kernel)
    if len(version) < 3 and version[:2] == numbers(system.default_kernel)[:2]:
        return numbers(system.default_kernel)
    return version


def candidates(problem: Problem, system: System | None = None) -> list[Candidate]:
    """Return what the sources offer on a system (default: the problem's own)."""
    here = system or problem.system
    kernel = problem.kernel if here.key == problem.system.key else here.default_kernel
    flavour = kernel_flavour(here, kernel, problem.kernel_flavours)
    pinned = DriverPin.parse(problem.pin("driver")) if problem.pin("driver") else DriverPin()
    # Fabric Manager has to be of the driver's exact version, and follows the data-centre series
    server = pinned.server or problem.headless or problem.nvswitch
    return list(_candidates(here.key, flavour, server, problem.deb_arch))


@lru_cache(maxsize=64)
def _candidates(key: str, flavour: str, server: bool, deb_arch: str) -> tuple[Candidate, ...]:
    """Return a system's offers with the way their module gets onto a kernel flavour.

    Prebuilt modules count only where they are for the flavour's current kernel: those of a frozen branch stay behind.
    """
    offers = OFFERS_BY_SYSTEM[key]
    flavours = SYSTEMS[key].flavours
    name = flavour if flavour in flavours else flavour.partition("-")[0]
    known = flavours.get(name)
    abis = {offer: offer.prebuilt[name] for offer in offers if name in offer.prebuilt}
    newest = max(abis.values(), default="", key=lambda abi: (abi == "current", numbers(abi.replace("-", "."))))
    signed = known is not None and deb_arch in known.architectures and newest
    return tuple(
        Candidate(offer, "prebuilt" if signed and abis.get(offer) == newest else "dkms", flavour)
        for offer in offers
        if offer.source != "ubuntu" or offer.server == server or offer.branch == 418
    )


def has_signed_modules(offer: Offer, flavour: str, deb_arch: str) -> bool:
    """Tell whether the distribution has signed modules of an offer for the current kernel of a flavour."""
    offered = _candidates(offer.system, flavour, offer.server, deb_arch)
    return any(item.offer == offer and item.provider == "prebuilt" for item in offered)


def structural(problem: Problem, candidate: Candidate) -> Exclusion | None:
    """Rule out branches that only a pin may choose: dead ones and unconfirmed ones."""
    branch = candidate.branch
    offer = candidate.offer
    if offer.source == "nvidia" and problem.pin("driver_source") != "nvidia" and not problem.own_repository_key:
        directory = SYSTEMS[offer.system].nvidia_repo
        if directory not in NVIDIA_KEYS_CONFIRMED:
            return Exclusion(
                "driver",
                candidate.label,
                "repository_unconfirmed",
                "data",
                f"the signing key of NVIDIA's repository {directory} is not confirmed; "
                "pin driver_source=nvidia to use it",
            )
    if DriverPin.parse(problem.pin("driver")).branch == branch.number:
        return None
    if branch.dead:
        return Exclusion("driver", candidate.label, "branch_dead", "data", f"branch {branch.number} is out of support")
    if not branch.confirmed:
        return Exclusion(
            "driver",
            candidate.label,
            "branch_unconfirmed",
            "data",
            f"branch {branch.number} is named by an installation guide only; pin it to use it",
        )
    return None


def gpu_verdict(gpu: Gpu) -> tuple[str, str] | None:
    """Return (code, reason) where no driver at all can be planned for a GPU."""
    arch = gpu.arch
    if arch is None:
        return "gpu_unknown", f"{gpu.title} is not in the GPU table and its chip is not known"
    if arch.verdict == "out_of_scope":
        return "gpu_out_of_scope", f"{gpu.title} is part of a Jetson board, whose driver is in JetPack"
    if arch.verdict == "refuse":
        return (
            "gpu_too_old",
            f"{gpu.title} needs branch {gpu.last_branch}, which does not build on current "
            "kernels, and no framework computes on it",
        )
    if arch.verdict == "refuse_compute" and gpu.role == "compute":
        return (
            "gpu_no_framework",
            f"no framework computes on {gpu.title} (compute capability {gpu.cc[0]}.{gpu.cc[1]})",
        )
    return None


def gpu_branch(gpu: Gpu, branch: int) -> tuple[str, str] | None:
    """Return (code, reason) where drivers of a branch cannot drive a GPU."""
    arch = gpu.arch
    if arch is None:
        return None
    if gpu.last_branch is not None and branch > gpu.last_branch:
        return "branch_dropped_gpu", f"{gpu.title} needs branch {gpu.last_branch} or older"
    if branch < arch.first_driver:
        return "branch_too_old_for_gpu", f"{gpu.title} needs branch {arch.first_driver} or newer"
    return None


def branch_of(version: str) -> int:
    """Return the branch of a driver version of Linux or Windows: 580.95.05 and Windows' 581.57 are of branch 580."""
    number = numbers(version)[0]
    return max((branch for branch in _RELEASE_BRANCHES if branch <= number), default=number)


def _gpu_rule(gpu: Gpu, candidate: Candidate) -> Exclusion | None:
    offer = candidate.offer

    def out(code: str, reason: str) -> Exclusion:
        return Exclusion("driver", candidate.label, code, gpu.cause, reason)

    if gpu.vgpu:
        return out(
            "vgpu_guest",
            f"{gpu.title} is a virtual GPU: it needs the guest driver of its hypervisor's vGPU release, which no "
            "public repository has",
        )
    found = gpu_verdict(gpu) or gpu_branch(gpu, offer.branch)
    if found:
        return out(*found)
    if gpu.modules == "open" and offer.modules != "open":
        return out("gpu_needs_open_modules", f"{gpu.title} works with the open kernel modules only")
    if gpu.modules == "proprietary" and offer.modules != "proprietary":
        return out(
            "gpu_needs_proprietary_modules",
            f"{gpu.title} needs the proprietary kernel modules (the open ones begin with Turing)",
        )
    return None


def _kernel_rule(problem: Problem, candidate: Candidate) -> Exclusion | None:
    branch = candidate.branch
    system = SYSTEMS[candidate.offer.system]
    kernel = problem.kernel if system.key == problem.system.key else system.default_kernel
    version = full_kernel(system, kernel)
    text = ".".join(map(str, version))
    if version < branch.kernel_min:
        return Exclusion(
            "driver",
            candidate.label,
            "kernel_too_old",
            "kernel",
            f"branch {branch.number} needs Linux {'.'.join(map(str, branch.kernel_min))} or newer, this is {text}",
        )
    if candidate.provider == "prebuilt":
        return None
    gap = branch.kernel_gap if candidate.offer.modules in branch.gap_modules else None
    broken = gap is not None and gap[0] <= version and version[:2] < gap[1]
    until = candidate.offer.tested_linux or branch.kernel_until
    if broken or (until is not None and version[:2] > until):
        limit = ".".join(map(str, gap[0] if broken and gap else until or ()))
        reason = (
            f"the {candidate.offer.modules} modules of {candidate.offer.version or branch.number} "
            f"do not build from Linux {limit} on"
            if broken
            else f"{candidate.offer.version or branch.number} builds up to Linux {limit}"
        )
        return Exclusion("driver", candidate.label, "kernel_too_new", "kernel", f"{reason}, this is {text}")
    return None


def _pin_rules(problem: Problem, candidate: Candidate) -> list[Exclusion]:
    found = []
    offer = candidate.offer

    def out(cause: str, code: str, reason: str) -> None:
        found.append(Exclusion("driver", candidate.label, code, f"pin:{cause}", reason))

    text = problem.pin("driver")
    if text:
        pin = DriverPin.parse(text)
        if (
            offer.branch != pin.branch
            or (pin.server and offer.source == "ubuntu" and not offer.server)
            or (pin.modules and offer.modules != pin.modules)
            or (pin.version and offer.version is not None and not starts_with(offer.version, pin.version))
        ):
            out("driver", "pin", f"driver={text} is pinned")
    if problem.pin("modules") and offer.modules != problem.pin("modules"):
        out("modules", "pin", f"modules={problem.pin('modules')} is pinned")
    if problem.pin("driver_source") and offer.source != problem.pin("driver_source"):
        out("driver_source", "pin", f"driver_source={problem.pin('driver_source')} is pinned")
    return found


def exclusions(problem: Problem, candidate: Candidate) -> list[Exclusion]:
    """Return everything that rules a candidate out."""
    found = []
    for gpu in problem.driven:
        item = _gpu_rule(gpu, candidate)
        if item:
            found.append(item)
    item = _kernel_rule(problem, candidate)
    if item:
        found.append(item)
    found.extend(_pin_rules(problem, candidate))
    if candidate.offer.source == "nvidia":
        directory = SYSTEMS[candidate.offer.system].nvidia_repo
        if NVIDIA_REPO_ARCH[problem.deb_arch] not in NVIDIA_ARCHITECTURES[directory]:
            found.append(
                Exclusion(
                    "driver",
                    candidate.label,
                    "arch_not_offered",
                    "arch",
                    f"NVIDIA's repository {directory} is not known to have packages for {problem.arch}",
                )
            )
    if candidate.offer.broken:
        found.append(Exclusion("driver", candidate.label, "packages_skewed", "os", candidate.offer.broken))
    if problem.secure_boot and problem.unattended and candidate.provider == "dkms":
        found.append(
            Exclusion(
                "driver",
                candidate.label,
                "secure_boot_dkms_unattended",
                "secure_boot",
                "Secure Boot accepts a DKMS module only after its key was enrolled at the console, "
                "and the run is unattended",
            )
        )
    if candidate.offer.system != problem.system.key:
        found.append(
            Exclusion("driver", candidate.label, "other_system", "os", f"it is not offered on {problem.system.label}")
        )
    return found


def ended(branch: Branch, today: str | None) -> bool:
    """Tell whether support of the branch has ended on a day (ISO date), False without a day."""
    return bool(today and branch.eol and branch.eol < today)


def rank(problem: Problem, candidate: Candidate) -> tuple[int | str, ...]:
    """Return the sort key: best candidate first, by policy.

    stable: maintained long-lived branches, then production, then new-feature ones; newest: highest branch.
    Then prebuilt before dkms, the distribution before NVIDIA, open before proprietary (from branch 560 on).
    """
    offer = candidate.offer
    branch = candidate.branch
    over = ended(branch, problem.today)
    recommended = "open" if offer.branch >= OPEN_RECOMMENDED_FROM else "proprietary"
    tail: tuple[int | str, ...] = (
        0 if candidate.provider == "prebuilt" else 1,
        0 if offer.source != "nvidia" else 1,
        0 if offer.modules == recommended else 1,
        offer.source,
    )
    if problem.policy == "newest":
        return (0 if not over else 1, -offer.branch, *tail)
    kind = 0 if over else _KINDS[branch.kind]
    return (1 if over else 0, kind, -offer.branch, *tail)


@dataclass(frozen=True)
class DriverSearch:
    """What the search for a driver found: ranked candidates, or why there are none."""

    ranked: tuple[Candidate, ...]
    excluded: tuple[Exclusion, ...]


def search(problem: Problem) -> DriverSearch:
    """Return the surviving candidates, best first, and every exclusion."""
    kept: list[Candidate] = []
    dropped: list[Exclusion] = []
    for candidate in candidates(problem):
        ruled = structural(problem, candidate)
        found = [ruled] if ruled else exclusions(problem, candidate)
        if found:
            dropped.extend(found)
        else:
            kept.append(candidate)
    kept.sort(key=lambda candidate: rank(problem, candidate))
    return DriverSearch(tuple(kept), tuple(dropped))


def everywhere(problem: Problem) -> list[tuple[Candidate, list[Exclusion]]]:
    """Return every candidate of every system with its exclusions, for finding the causes of a refusal."""
    result = []
    for system in SYSTEMS.values():
        for candidate in candidates(problem, system):
            if structural(problem, candidate) is None:
                result.append((candidate, exclusions(problem, candidate)))
    return result


def packages(problem: Problem, candidate: Candidate) -> tuple[list[str], list[str]]:
    """Return (packages, packages to install before them) of a candidate, in apt's names."""
    offer = candidate.offer
    system = problem.system
    opened = "-open" if offer.modules == "open" else ""
    deb_arch = problem.deb_arch
    headers = f"linux-headers-{_headers_flavour(problem, candidate, deb_arch)}"
    # The other installed flavours that the archive knows; the running one decides how modules get there.
    first = headers.removeprefix("linux-headers-")
    others = [flavour for flavour in problem.kernel_flavours if flavour != first and flavour in system.flavours]
    more = [f"linux-headers-{flavour}" for flavour in others]
    if offer.source == "ubuntu":
        name = f"{offer.branch}{'-server' if offer.server else ''}"
        if candidate.provider == "prebuilt":
            flavours = [
                candidate.flavour,
                *(flavour for flavour in others if has_signed_modules(offer, flavour, problem.deb_arch)),
            ]
            modules = [f"linux-modules-nvidia-{name}{opened}-{flavour}" for flavour in flavours]
        else:
            modules = [f"nvidia-dkms-{name}{opened}", headers, *more]
        fabric = [f"nvidia-fabricmanager-{offer.branch}"] if problem.nvswitch else []
        if problem.headless:
            return [
                f"nvidia-headless-no-dkms-{name}{opened}",
                *modules,
                f"nvidia-utils-{name}",
                f"nvidia-compute-utils-{name}",
                f"libnvidia-decode-{name}",
                f"libnvidia-encode-{name}",
                *fabric,
            ], []
        return [f"nvidia-driver-{name}{opened}", *modules, *fabric], []
    if offer.source == "debian":
        base = list(offer.packages)
        if problem.headless:
            base = [*DEBIAN_HEADLESS[base[0]], *base[1:]]
        return [*base, headers, *more], []
    if system.id == "ubuntu" and offer.branch < 590:
        name = f"nvidia-open-{offer.branch}" if opened else f"cuda-drivers-{offer.branch}"
    else:
        name = "nvidia-open" if opened else "cuda-drivers"
    pin = DriverPin.parse(problem.pin("driver"))
    fabric = ["nvidia-fabricmanager"] if problem.nvswitch else []
    if problem.nvswitch and needs_subnet_manager(problem):
        fabric.append("nvlsm")
    return [name, headers, *more, *fabric], [f"nvidia-driver-pinning-{pin.version or offer.branch}"]


def needs_subnet_manager(problem: Problem) -> bool:
    """Tell whether NVSwitch is of the generation (Blackwell) that also needs NVLink's subnet manager."""
    return any(gpu.cc[0] == 10 for gpu in problem.driven)


def _headers_flavour(problem: Problem, candidate: Candidate, deb_arch: str) -> str:
    """Return the flavour whose header metapackage follows the kernel's updates."""
    suffix = kernel_suffix(problem.kernel) if packaged_kernel(problem.system, problem.kernel) else ""
    if problem.system.id == "ubuntu":
        return candidate.flavour or suffix or "generic"
    return suffix or deb_arch


def transitional(problem: Problem, branch: int) -> int:
    """Return the branch that a transitional name of this system really installs (itself when it is real)."""
    return (
        resolve_transitional(problem.system.key, branch)
        if branch in TRANSITIONAL.get(problem.system.key, {})
        else branch
    )


def known_branches() -> list[int]:
    """Return the branches that any source offers."""
    return sorted({offer.branch for offer in OFFERS})


__all__ = [
    "OPEN_FROM",
    "OPEN_ONLY_FROM",
    "Candidate",
    "DriverPin",
    "DriverSearch",
    "branch_of",
    "candidates",
    "ended",
    "everywhere",
    "exclusions",
    "gpu_branch",
    "gpu_verdict",
    "kernel_suffix",
    "known_branches",
    "needs_subnet_manager",
    "packaged_kernel",
    "packages",
    "rank",
    "search",
    "structural",
    "transitional",
]
