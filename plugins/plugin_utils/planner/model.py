"""The problem the planner solves: machine, preferences, and what excludes a candidate."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from .data.architectures import ARCHITECTURES, Architecture
from .data.systems import ALIASES, SYSTEMS, System

#: What an owner may pin, and the policies.
PINS = (
    "driver",
    "modules",
    "driver_source",
    "cuda",
    "cuda_source",
    "cudnn",
    "pytorch",
    "tensorflow",
    "jax",
    "keras",
    "python",
)
POLICIES = ("stable", "newest")
#: CUDA libraries that may be installed beside a toolkit.
LIBRARIES = ("cudnn", "cudnn_dev", "nccl")
FRAMEWORKS = ("pytorch", "tensorflow", "jax")
#: What a GPU may be used for: compute and display need a driver; ignored is left alone.
ROLES = ("compute", "display", "ignored")
CONTAINERS = frozenset(
    {
        "container",
        "docker",
        "podman",
        "lxc",
        "lxc-libvirt",
        "systemd-nspawn",
        "openvz",
        "rkt",
        "container-other",
        "containerd",
        "kubernetes",
        "proot",
        "pouch",
    }
)


class UsageError(ValueError):
    """Input that cannot be planned for: an unknown name, pin, policy or system."""


class UnknownSystem(UsageError):
    """An operating system that the data does not cover."""

    code = "os_unsupported"
    cause = "os"


class UnknownArchitecture(UnknownSystem):
    """A CPU architecture that the data does not cover."""

    code = "arch_unsupported"
    cause = "arch"


#: Names of the CPU architectures that plans are made for, and Debian's.
ARCHITECTURE_NAMES = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "aarch64", "arm64": "aarch64"}
DEBIAN_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


@dataclass(frozen=True)
class Gpu:
    """One GPU. cc is (major, minor); memory in MiB; power in W; unknown values are None or "".

    vgpu: whether it is a virtual GPU that a hypervisor made of a part of one, None when that could not be read.
    """

    pci_id: str
    slot: str = ""
    name: str = ""
    chip: str = ""
    architecture: str | None = None
    cc: tuple[int, int] = (0, 0)
    role: str = "compute"
    usable: bool = True
    note: str = ""
    memory_mib: int | None = None
    power_w: int | None = None
    open_required: bool = False
    last_driver: int | None = None
    vgpu: bool | None = False

    @property
    def arch(self) -> Architecture | None:
        """Return the architecture's data, None when the chip is unknown."""
        return ARCHITECTURES.get(self.architecture or "")

    @property
    def sm(self) -> int:
        """Return the compute capability as 10 * major + minor."""
        return self.cc[0] * 10 + self.cc[1]

    @property
    def last_branch(self) -> int | None:
        """Return the last driver branch that drives it, None while current ones do."""
        return self.last_driver or (self.arch.last_driver if self.arch else None)

    @property
    def modules(self) -> str:
        """Return the kernel module flavour that drives it: open, proprietary or both."""
        arch = self.arch
        return "open" if self.open_required else (arch.modules if arch else "both")

    @property
    def title(self) -> str:
        """Return the name for a sentence: ``GTX 960 (Maxwell)``."""
        arch = self.arch
        name = self.name or self.chip or f"PCI id {self.pci_id}"
        name = name.replace("NVIDIA ", "").replace("GeForce ", "")
        return f"{name} ({arch.label})" if arch else name

    @property
    def cause(self) -> str:
        """Return the key under which this GPU excludes candidates (equal GPUs share it)."""
        return f"gpu:{self.pci_id or self.name}"


@dataclass(frozen=True)
class Exclusion:
    """One candidate ruled out. cause: what would have to go away (see `Problem`)."""

    component: str
    candidate: str
    code: str
    cause: str
    reason: str


@dataclass(frozen=True)
class Problem:
    """Machine and preferences in the planner's own terms.

    kernel is the text of ``uname -r`` or a series, arch is x86_64 or aarch64, secure_boot None means unknown;
    loaded is the version of a driver that is already there and is not ours to change (container, WSL2);
    kernel_flavours are the installed kernel metapackages (``generic-hwe-24.04``), as far as they are known;
    nvidia_repository is the owner's mirror: what of ``url``, ``suite``, ``components``, ``key_url`` and
    ``key_fingerprints`` differs from NVIDIA's own; toolkits are the CUDA toolkits to install (``12.9`` or
    ``auto``), default_toolkit the one that is used, libraries what goes with it (see LIBRARIES).
    """

    host: str
    system: System
    kernel: str
    kernel_flavours: tuple[str, ...] = ()
    arch: str = "x86_64"
    secure_boot: bool | None = False
    virtualization: str = "none"
    wsl: bool = False
    avx: bool | None = True
    avx2: bool | None = True
    gpus: tuple[Gpu, ...] = ()
    memory_mib: int | None = None
    loaded: str | None = None
    policy: str = "stable"
    pins: dict[str, str] = field(default_factory=dict)
    headless: bool = False
    unattended: bool = False
    pypi_only: bool = False
    today: str | None = None
    nvswitch: bool = False
    nvidia_repository: dict[str, Any] = field(default_factory=dict)
    toolkits: tuple[str, ...] = ()
    default_toolkit: str = ""
    libraries: tuple[str, ...] = ()

    @property
    def foreign_driver(self) -> bool:
        """Tell whether the driver is not ours to install: that of Windows, of a container's host, of a vGPU's guest."""
        return self.wsl or self.container or (bool(self.loaded) and any(gpu.vgpu for gpu in self.driven))

    @property
    def deb_arch(self) -> str:
        """Return Debian's name of the architecture."""
        return DEBIAN_ARCHITECTURES[self.arch]

    @property
    def container(self) -> bool:
        """Tell whether the kernel, and with it the driver, belongs to somebody else."""
        return self.virtualization in CONTAINERS and not self.wsl

    @property
    def driven(self) -> tuple[Gpu, ...]:
        """Return the GPUs that need a driver."""
        return tuple(gpu for gpu in self.gpus if gpu.usable and gpu.role != "ignored")

    @property
    def compute(self) -> tuple[Gpu, ...]:
        """Return the GPUs that frameworks shall compute on."""
        return tuple(gpu for gpu in self.gpus if gpu.usable and gpu.role == "compute")

    @property
    def nvidia_directory(self) -> str:
        """Return the directory of NVIDIA's repository that is for this system."""
        return "wsl-ubuntu" if self.wsl else self.system.nvidia_repo

    @property
    def own_repository_key(self) -> bool:
        """Tell whether the owner named the repository's key, which counts as confirmed then."""
        return bool(self.nvidia_repository.get("key_url") and self.nvidia_repository.get("key_fingerprints"))

    def driver_cause(self) -> str:
        """Return what decides the driver's branch here: the key of the cause that would have to change."""
        if self.foreign_driver:
            return "driver"
        for name in ("driver", "driver_source"):
            if self.pin(name):
                return f"pin:{name}"
        bound = [gpu for gpu in self.driven if gpu.arch and gpu.arch.last_driver is not None]
        bound.sort(key=lambda gpu: (gpu.arch.last_driver if gpu.arch else 0, gpu.cause))
        return bound[0].cause if bound else "os"

    def pin(self, name: str) -> str:
        """Return the pinned value of a component, "" when it is free."""
        return self.pins.get(name, "")

    def changed(self, **changes: object) -> Problem:
        """Return a copy with some fields changed."""
        return replace(self, **changes)  # type: ignore[arg-type]


def find_system(text: str) -> System:
    """Return the system for ``ubuntu-24.04``, ``noble``, ``debian13``; raises UsageError."""
    wanted = text.strip().lower().replace(" ", "-").replace("_", "-")
    key = ALIASES.get(wanted, wanted)
    for system in SYSTEMS.values():
        if key in (system.key, system.id + system.version, system.id + system.version.replace(".", "")):
            return system
    raise UnknownSystem(f"operating system {text!r} is not known: expected one of {', '.join(SYSTEMS)}")
