"""The tables of data/*.toml: one dataclass per table, its fields are the keys.

Every table states its ``source`` and the day on which it was ``checked``. How values are written and how "unknown"
differs from "nothing" is in `strict`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from .strict import Day, Dotted

Modules = Literal["open", "proprietary"]


# --- architectures.toml -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ArchitectureRow:
    """A GPU architecture. A limit that is not there is left out: current drivers and toolkits still have it."""

    label: str
    compute_capability: Dotted
    first_driver: int
    modules: Literal["open", "proprietary", "both"]
    first_cuda: Dotted
    source: str
    last_driver: int | None = None
    last_cuda: Dotted | None = None
    last_cudnn: Dotted | None = None
    verdict: Literal["plan", "refuse", "refuse_compute", "out_of_scope"] = "plan"


@dataclass(frozen=True)
class Chip:
    """Chips by the beginning of their name (a regular expression), most specific first."""

    pattern: str
    architecture: str
    compute_capability: Dotted | None = None


@dataclass(frozen=True)
class OpenOnly:
    """PCI device ids that only the open modules drive although their architecture takes both."""

    source: str
    checked: Day
    device_ids: list[str]


@dataclass(frozen=True)
class Architectures:
    """architectures.toml."""

    source: str
    checked: Day
    architecture: dict[str, ArchitectureRow]
    chip: list[Chip]
    open_modules_only: OpenOnly


# --- drivers.toml -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class KernelGap:
    """Stable kernels inside one series that broke the build: the first bad one, the first series without it."""

    first_bad: Dotted
    fixed_series: Dotted
    modules: list[Modules]


@dataclass(frozen=True)
class BranchRow:
    """A driver branch."""

    kind: Literal["LTSB", "PB", "NFB", "legacy", "unknown"]
    end_of_life: Day | None
    native_cuda: Dotted
    kernel_min: Dotted
    source: str
    open_only: bool = False
    dead: bool = False
    confirmed: bool = True
    kernel_until: Dotted | None = None
    kernel_gap: KernelGap | None = None


@dataclass(frozen=True)
class ModuleHistory:
    """When the flavours of the kernel modules came and went, as branch numbers."""

    source: str
    checked: Day
    open_from: int
    open_recommended_from: int
    open_only_from: int


@dataclass(frozen=True)
class Drivers:
    """drivers.toml."""

    source: str
    checked: Day
    branch: dict[str, BranchRow]
    modules: ModuleHistory


# --- cuda.toml ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ToolkitRow:
    """A CUDA toolkit: the real architectures that its ptxas accepts, and the branch it was released with."""

    targets: list[int] | None
    native_branch: int
    source: str


@dataclass(frozen=True)
class CudaMajor:
    """The lowest driver under minor-version compatibility."""

    min_branch: int
    min_version: Dotted


@dataclass(frozen=True)
class Cudnn:
    """The releases of cuDNN at which support begins or ends."""

    source: str
    checked: Day
    newest: Dotted
    last_pre_turing: Dotted
    first_without_pre_turing: Dotted
    first_cuda13: Dotted
    last_cuda11: Dotted
    first_blackwell: Dotted
    first_9: Dotted


@dataclass(frozen=True)
class Cuda:
    """cuda.toml."""

    source: str
    checked: Day
    toolkit: dict[str, ToolkitRow]
    major: dict[str, CudaMajor]
    cudnn: Cudnn


# --- boards.toml --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Board:
    """A board's memory and power."""

    memory_gib: int
    power_w: int


@dataclass(frozen=True)
class Boards:
    """boards.toml."""

    source: str
    checked: Day
    board: dict[str, Board]


# --- nvidia.toml --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class SigningKey:
    """A key that signs repositories."""

    file: str
    fingerprint: str
    source: str


@dataclass(frozen=True)
class NvidiaBranch:
    """A branch that NVIDIA's repositories have, with the flavours of its modules."""

    branch: int
    modules: list[Modules]


@dataclass(frozen=True)
class NvidiaDirectory:
    """A directory of NVIDIA's repository."""

    source: str
    checked: Day
    directory: str
    key: str
    key_confirmed: bool
    toolkits: list[Dotted] | None
    architectures: list[Literal["x86_64", "sbsa"]] = field(default_factory=lambda: ["x86_64"])


@dataclass(frozen=True)
class Nvidia:
    """nvidia.toml."""

    source: str
    checked: Day
    url: str
    keyring_package: str
    architecture: dict[str, str]
    key: dict[str, SigningKey]
    driver: list[NvidiaBranch]
    wsl: NvidiaDirectory


# --- systems/*.toml -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class AptRow:
    """apt and the program that verifies signatures."""

    version: Dotted
    verifier: Literal["gpgv", "sqv"]


@dataclass(frozen=True)
class Ssh:
    """What starts sshd on a new installation."""

    version: str
    socket_activated: bool


@dataclass(frozen=True)
class EndOfLife:
    """Last days of the standard support and of the longest that costs a person nothing."""

    source: str
    checked: Day
    standard: Day
    extended: Day


@dataclass(frozen=True)
class Release:
    """A supported release."""

    source: str
    checked: Day
    id: str
    version: Dotted
    codename: str
    label: str
    python: Dotted
    glibc: Dotted
    sudo: Literal["sudo", "sudo-rs"]
    initramfs: Literal["initramfs-tools", "dracut"]
    signing_key_directory: str
    driver_components: list[str]
    apt: AptRow
    ssh: Ssh
    end_of_life: EndOfLife


@dataclass(frozen=True)
class KernelRow:
    """A kernel flavour. signed_modules: whether the archive has signed NVIDIA modules for it (DKMS otherwise)."""

    linux: Dotted | None
    signed_modules: bool | None
    architectures: list[Literal["amd64", "arm64"]]
    abi: str | None = None


@dataclass(frozen=True)
class Kernels:
    """Kernel flavours: the name in ``uname -r`` and in linux-image-NAME, oldest first."""

    source: str
    checked: Day
    default: str
    general: list[str]
    flavour: dict[str, KernelRow]


@dataclass(frozen=True)
class DriverOffer:
    """A driver of the distribution's archive.

    signed_for: kernel flavours whose signed modules are of an older kernel than the flavour's own, with that ABI;
    ``current = true`` for a branch that every flavour with signed modules has.
    tested_linux: newest Linux series that the package's own text says its modules were built on.
    """

    branch: int
    modules: list[Modules]
    version: Dotted | None
    component: str
    server: bool = False
    current: bool = False
    signed_for: dict[str, str] = field(default_factory=dict)
    packages: list[str] = field(default_factory=list)
    headless_packages: list[str] = field(default_factory=list)
    broken: str = ""
    source: str = ""
    tested_linux: Dotted | None = None


@dataclass(frozen=True)
class ArchiveDrivers:
    """Drivers of the archive. transitional: branch asked for -> branch that is installed."""

    source: str
    checked: Day
    offer: list[DriverOffer]
    transitional: dict[str, int]


@dataclass(frozen=True)
class ArchiveToolkit:
    """A CUDA toolkit of the archive."""

    series: Dotted
    version: Dotted
    packages: list[str]


@dataclass(frozen=True)
class ArchiveCudnn:
    """A cuDNN of the archive."""

    cuda_major: int
    version: Dotted
    packages: list[str]


@dataclass(frozen=True)
class ArchiveCuda:
    """CUDA and cuDNN of the archive."""

    source: str
    checked: Day
    toolkit: list[ArchiveToolkit]
    cudnn: list[ArchiveCudnn]


@dataclass(frozen=True)
class SystemRow:
    """systems/*.toml: one supported release."""

    release: Release
    kernels: Kernels
    drivers: ArchiveDrivers
    cuda: ArchiveCuda
    nvidia: NvidiaDirectory


# --- pytorch.toml, tensorflow.toml, jax.toml, keras.toml ------------------------------------------------------------


@dataclass(frozen=True)
class BuildRow:
    """An installable build of a framework, best first.

    architectures and pythons: those that have wheels. code: architectures (10 * major + minor) it is compiled for;
    ptx: the virtual one that newer GPUs may compile when loading.
    """

    version: Dotted
    build: str
    source: str
    pythons: list[Dotted]
    architectures: list[Literal["x86_64", "aarch64"]] = field(default_factory=lambda: ["x86_64"])
    cuda: Dotted | None = None
    cudnn: Dotted | None = None
    code: list[int] = field(default_factory=list)
    ptx: int = 0
    requirements: list[str] = field(default_factory=list)
    conda: list[str] = field(default_factory=list)
    index_url: str | None = None
    pre_turing: list[str] = field(default_factory=list)
    companions: list[str] = field(default_factory=list)
    cudnn_drifts: bool = False
    by_pin: bool = False
    needs_avx: bool = False
    min_compute_capability: Dotted | None = None
    min_branch: int = 0
    note: str = ""


@dataclass(frozen=True)
class Framework:
    """One framework's builds."""

    source: str
    checked: Day
    build: list[BuildRow]


@dataclass(frozen=True)
class KerasRelease:
    """A release of Keras for Pythons that the newest one has left."""

    version: Dotted
    pythons: list[Dotted]


@dataclass(frozen=True)
class KerasRow:
    """keras.toml: Keras has no CUDA of its own, the plan picks its backend."""

    source: str
    checked: Day
    version: Dotted
    pythons: list[Dotted]
    first_tensorflow: Dotted
    first_series: Dotted
    last_series: Dotted
    older: list[KerasRelease]
    tensorflow_needs: dict[str, str]


@dataclass(frozen=True)
class SizeRow:
    """What a shipped environment downloads and then occupies, in MB."""

    environment: str
    runs_on: Literal["any", "gpu", "cpu"]
    download: int
    disk: int
    source: str


@dataclass(frozen=True)
class Environments:
    """environments.toml: the Pythons offered for environments, best first, and how large the shipped ones are."""

    source: str
    checked: Day
    pythons: list[Dotted]
    size: list[SizeRow]
