"""Operating systems, what their archives ship, and NVIDIA's apt repositories (data/systems/*.toml, data/nvidia.toml).

Transitional packages are not offers: they are listed by the name they lead to.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from . import tables


class Kernel(NamedTuple):
    """A kernel flavour: ``linux`` series, whether the archive has signed NVIDIA modules for it; None is not known."""

    linux: tuple[int, int] | None
    signed_modules: bool | None
    architectures: tuple[str, ...]


class System(NamedTuple):
    """One supported release. Kernel series are (major, minor).

    kernels: flavours of an ordinary installation -> the series each carries, oldest first. flavours: all that the
    archive has, by their name in ``uname -r`` and in linux-image-NAME. mok: directory of the DKMS signing key.
    apt_verifier: gpgv or sqv. ssh_socket: whether ssh.socket starts sshd on a new installation. sudo: sudo or
    sudo-rs. end_of_life: last day of the standard support, extended_end_of_life of the long one (ISO dates).
    """

    key: str
    id: str
    version: str
    codename: str
    label: str
    kernels: dict[str, tuple[int, int]]
    default_kernel: str
    python: str
    nvidia_repo: str
    mok: str
    glibc: str
    sudo: str
    initramfs: str
    apt: str
    apt_verifier: str
    ssh: str
    ssh_socket: bool
    driver_components: tuple[str, ...]
    flavours: dict[str, Kernel]
    end_of_life: str
    extended_end_of_life: str


SYSTEMS: dict[str, System] = {
    row["key"]: System(**{**row, "flavours": {name: Kernel(**one) for name, one in row["flavours"].items()}})
    for row in tables.SYSTEMS
}
#: Supported releases as os-release(5) names them: ID -> VERSION_IDs.
SUPPORTED: dict[str, list[str]] = {
    name: [system.version for system in SYSTEMS.values() if system.id == name]
    for name in dict.fromkeys(system.id for system in SYSTEMS.values())
}


@dataclass(frozen=True)
class Offer:
    """One driver that a source offers on one system.

    modules: "open" or "proprietary". server: NVIDIA's data-centre series (Ubuntu's -server).
    version: upstream version, None when the repository's contents could not be read.
    prebuilt: kernel flavour -> ABI of the signed modules ("current": that of the flavour's newest kernel), empty
    when there are none.
    broken: why the packages exist but do not install together.
    tested_linux: newest Linux series that the package's own text says its modules were built on, None: it says none.
    """

    system: str
    source: str
    branch: int
    modules: str
    version: str | None
    server: bool = False
    component: str = ""
    prebuilt: dict[str, str] = field(default_factory=dict, hash=False)
    packages: tuple[str, ...] = ()
    broken: str = ""
    origin: str = ""
    tested_linux: tuple[int, int] | None = None


#: Ubuntu's transitional names: system -> {branch asked for: branch that is installed}.
TRANSITIONAL: dict[str, dict[int, int]] = tables.TRANSITIONAL


def resolve_transitional(system: str, branch: int) -> int:
    """Follow Ubuntu's transitional driver names to the branch that is really installed."""
    names = TRANSITIONAL.get(system, {})
    seen: set[int] = set()
    while branch in names and branch not in seen:
        seen.add(branch)
        branch = names[branch]
    return branch


#: Debian's compute-only set, replacing the first package of an offer: no X server.
DEBIAN_HEADLESS: dict[str, tuple[str, ...]] = tables.HEADLESS
#: Components that Debian's driver needs beside main.
DEBIAN_COMPONENTS: tuple[str, ...] = next(one.driver_components for one in SYSTEMS.values() if one.id == "debian")

OFFERS: tuple[Offer, ...] = (
    *(Offer(**row) for row in tables.ARCHIVE_OFFERS),
    *(
        Offer(system, "nvidia", branch, modules, None, origin="NVDOC, EXT")
        for system in SYSTEMS
        for branch, flavours in tables.NVIDIA_BRANCHES
        for modules in flavours
    ),
)
OFFERS_BY_SYSTEM: dict[str, tuple[Offer, ...]] = {
    key: tuple(offer for offer in OFFERS if offer.system == key) for key in SYSTEMS
}

NVIDIA_REPO_URL: str = tables.NVIDIA_REPO_URL
#: Debian architecture -> directory of NVIDIA's repository.
NVIDIA_REPO_ARCH: dict[str, str] = tables.NVIDIA_REPO_ARCH
#: Repository directory -> signing key (file, fingerprint).
NVIDIA_KEYS: dict[str, dict[str, str]] = tables.NVIDIA_KEYS
#: Directories whose key a primary source names; that of the others is assumed.
NVIDIA_KEYS_CONFIRMED: frozenset[str] = frozenset(tables.NVIDIA_KEYS_CONFIRMED)
NVIDIA_KEYRING: str = tables.NVIDIA_KEYRING

#: Toolkits in NVIDIA's repository by directory. Directories of which nobody could read them are in the second set.
NVIDIA_TOOLKITS: dict[str, tuple[str, ...]] = tables.NVIDIA_TOOLKITS
#: Architectures that each directory is known to have.
NVIDIA_ARCHITECTURES: dict[str, tuple[str, ...]] = tables.NVIDIA_ARCHITECTURES
NVIDIA_TOOLKITS_UNKNOWN: frozenset[str] = frozenset(tables.NVIDIA_TOOLKITS_UNKNOWN)

#: Toolkits in the distribution's own archive: system -> ((series, version, packages), ...).
DISTRO_TOOLKITS: dict[str, tuple[tuple[str, str, tuple[str, ...]], ...]] = tables.DISTRO_TOOLKITS
#: cuDNN in the distribution's archive: (system, CUDA major) -> (version, packages).
DISTRO_CUDNN: dict[tuple[str, int], tuple[str, tuple[str, ...]]] = tables.DISTRO_CUDNN

#: Code names of the releases.
ALIASES: dict[str, str] = {system.codename: system.key for system in SYSTEMS.values()}
