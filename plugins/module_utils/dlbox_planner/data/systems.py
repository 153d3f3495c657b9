"""Operating systems, what their archives ship, and NVIDIA's apt repositories.

Sources: UA (Ubuntu archive), DA (Debian archive), EXT and NVDOC (NVIDIA's repository, whose contents
are [S] at best), MEAS. As of 2026-11-20. Transitional packages are not offers: they are listed by the
name they lead to.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class System:
    """One supported release. Kernel series are (major, minor); ``kernels`` maps kernel flavour
    metapackage to the series it carries, oldest first."""

    key: str
    id: str
    version: str
    codename: str
    label: str
    kernels: dict[str, tuple[int, int]]
    default_kernel: str
    python: str
    nvidia_repo: str
    headers: str
    mok: str


SYSTEMS: dict[str, System] = {
    s.key: s
    for s in (
        System(
            "ubuntu-22.04",
            "ubuntu",
            "22.04",
            "jammy",
            "Ubuntu 22.04",
            {"generic": (5, 15), "generic-hwe-22.04": (6, 8)},
            "5.15.0-203-generic",
            "3.10",
            "ubuntu2204",
            "linux-headers-{flavour}",
            "/var/lib/shim-signed/mok",
        ),
        System(
            "ubuntu-24.04",
            "ubuntu",
            "24.04",
            "noble",
            "Ubuntu 24.04",
            {"generic": (6, 8), "generic-hwe-24.04": (7, 0)},
            "6.8.0-149-generic",
            "3.12",
            "ubuntu2404",
            "linux-headers-{flavour}",
            "/var/lib/shim-signed/mok",
        ),
        System(
            "ubuntu-26.04",
            "ubuntu",
            "26.04",
            "resolute",
            "Ubuntu 26.04",
            {"generic": (7, 0)},
            "7.0.0-43-generic",
            "3.14",
            "ubuntu2604",
            "linux-headers-{flavour}",
            "/var/lib/shim-signed/mok",
        ),
        System(
            "debian-12",
            "debian",
            "12",
            "bookworm",
            "Debian 12",
            {"amd64": (6, 1)},
            "6.1.0-56-amd64",
            "3.11",
            "debian12",
            "linux-headers-{arch}",
            "/var/lib/dkms",
        ),
        System(
            "debian-13",
            "debian",
            "13",
            "trixie",
            "Debian 13",
            {"amd64": (6, 12)},
            "6.12.117+deb13-amd64",
            "3.13",
            "debian13",
            "linux-headers-{arch}",
            "/var/lib/dkms",
        ),
    )
}


@dataclass(frozen=True)
class Offer:
    """One driver that a source offers on one system.

    modules: "open" or "proprietary". server: NVIDIA's data-centre series (Ubuntu's -server).
    version: upstream version, None when the repository's contents could not be read.
    prebuilt: kernel flavour -> ABI of the signed modules, empty when there are none.
    installable: False with a reason when the packages exist but do not install together.
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


_JAMMY = {"generic": "5.15.0-203", "generic-hwe-22.04": "6.8.0-149"}
_NOBLE = {"generic": "6.8.0-149", "generic-hwe-24.04": "7.0.0-43"}
_RESOLUTE = {"generic": "7.0.0-43"}
_JAMMY_470 = {"generic": "5.15.0-153", "generic-hwe-22.04": "6.8.0-79"}
_NOBLE_470 = {"generic": "6.8.0-31", "generic-hwe-24.04": "6.11.0-29"}
_P = ("proprietary",)
_PO = ("open", "proprietary")
_O = ("open",)

#: (system, branch, server, flavours, version, component, prebuilt). UA, non-transitional only.
_UBUNTU: tuple[tuple[str, int, bool, tuple[str, ...], str, str, dict[str, str]], ...] = (
    ("ubuntu-22.04", 390, False, _P, "390.157", "restricted", {}),
    ("ubuntu-22.04", 418, True, _P, "418.226.00", "restricted", {}),
    ("ubuntu-22.04", 470, False, _P, "470.256.02", "restricted", _JAMMY_470),
    ("ubuntu-22.04", 470, True, _P, "470.256.02", "restricted", _JAMMY_470),
    ("ubuntu-22.04", 545, False, _PO, "545.29.06", "restricted", {}),
    ("ubuntu-22.04", 580, False, _PO, "580.178.04", "restricted", _JAMMY),
    ("ubuntu-22.04", 580, True, _PO, "580.178.04", "restricted", _JAMMY),
    ("ubuntu-22.04", 595, False, _PO, "595.99.02", "multiverse", _JAMMY),
    ("ubuntu-22.04", 595, True, _PO, "595.91.07", "multiverse", _JAMMY),
    ("ubuntu-22.04", 615, False, _O, "615.71.09", "multiverse", _JAMMY),
    ("ubuntu-22.04", 615, True, _O, "615.71.09", "multiverse", _JAMMY),
    ("ubuntu-24.04", 470, False, _P, "470.256.02", "restricted", _NOBLE_470),
    ("ubuntu-24.04", 470, True, _P, "470.256.02", "restricted", _NOBLE_470),
    ("ubuntu-24.04", 580, False, _PO, "580.178.04", "restricted", _NOBLE),
    ("ubuntu-24.04", 580, True, _PO, "580.178.04", "restricted", _NOBLE),
    ("ubuntu-24.04", 595, False, _PO, "595.99.02", "restricted", _NOBLE),
    ("ubuntu-24.04", 595, True, _PO, "595.91.07", "multiverse", _NOBLE),
    ("ubuntu-24.04", 615, False, _O, "615.71.09", "multiverse", _NOBLE),
    ("ubuntu-24.04", 615, True, _O, "615.71.09", "multiverse", _NOBLE),
    ("ubuntu-26.04", 580, False, _PO, "580.178.04", "restricted", _RESOLUTE),
    ("ubuntu-26.04", 580, True, _PO, "580.178.04", "restricted", _RESOLUTE),
    ("ubuntu-26.04", 595, False, _PO, "595.99.02", "restricted", _RESOLUTE),
    ("ubuntu-26.04", 595, True, _PO, "595.91.07", "restricted", _RESOLUTE),
    ("ubuntu-26.04", 615, False, _O, "615.71.09", "multiverse", _RESOLUTE),
    ("ubuntu-26.04", 615, True, _O, "615.71.09", "multiverse", _RESOLUTE),
)

#: Ubuntu's transitional names: system -> {branch asked for: branch that is installed}. UA.
TRANSITIONAL: dict[str, dict[int, int]] = {
    "ubuntu-22.04": {
        495: 510,
        510: 535,
        515: 535,
        520: 535,
        525: 535,
        530: 535,
        535: 580,
        550: 580,
        570: 580,
        575: 580,
        590: 595,
        610: 615,
    },
    "ubuntu-24.04": {
        510: 535,
        515: 535,
        520: 535,
        525: 535,
        530: 535,
        535: 580,
        550: 580,
        570: 580,
        575: 580,
        590: 595,
        610: 615,
    },
    "ubuntu-26.04": {535: 580, 550: 580, 560: 580, 570: 580, 575: 580, 590: 595, 610: 615},
}


def resolve_transitional(system: str, branch: int) -> int:
    """Follow Ubuntu's transitional driver names to the branch that is really installed."""
    names = TRANSITIONAL.get(system, {})
    seen: set[int] = set()
    while branch in names and branch not in seen:
        seen.add(branch)
        branch = names[branch]
    return branch


_SKEW = (
    "nvidia-driver 535.309.01 from bookworm-security needs nvidia-open-kernel-535.309.01, and the "
    "archive has nvidia-open-kernel-dkms 535.261.03 only"
)
_DEBIAN: tuple[Offer, ...] = (
    Offer(
        "debian-12",
        "debian",
        470,
        "proprietary",
        "470.256.02",
        component="non-free",
        packages=("nvidia-tesla-470-driver", "nvidia-tesla-470-kernel-dkms"),
        origin="DA",
    ),
    Offer(
        "debian-12",
        "debian",
        535,
        "proprietary",
        "535.309.01",
        component="non-free",
        packages=("nvidia-driver", "nvidia-kernel-dkms", "firmware-nvidia-gsp"),
        origin="DA, MEAS",
    ),
    Offer(
        "debian-12",
        "debian",
        535,
        "open",
        "535.309.01",
        component="non-free",
        packages=("nvidia-driver", "nvidia-open-kernel-dkms", "firmware-nvidia-gsp"),
        broken=_SKEW,
        origin="DA",
    ),
    Offer(
        "debian-13",
        "debian",
        535,
        "proprietary",
        "535.274.02",
        component="non-free",
        packages=("nvidia-tesla-535-driver", "nvidia-tesla-535-kernel-dkms", "firmware-nvidia-tesla-535-gsp"),
        origin="DA",
    ),
    Offer(
        "debian-13",
        "debian",
        550,
        "proprietary",
        "550.163.01",
        component="non-free",
        packages=("nvidia-driver", "nvidia-kernel-dkms", "firmware-nvidia-gsp"),
        origin="DA, MEAS",
    ),
    Offer(
        "debian-13",
        "debian",
        550,
        "open",
        "550.163.01",
        component="non-free",
        packages=("nvidia-driver", "nvidia-open-kernel-dkms", "firmware-nvidia-gsp"),
        origin="DA, MEAS",
    ),
)

#: Debian's compute-only set, replacing nvidia-driver (DA): no X server.
DEBIAN_HEADLESS: dict[str, tuple[str, ...]] = {
    "nvidia-driver": ("nvidia-smi", "libcuda1", "libnvidia-ml1", "nvidia-driver-bin", "nvidia-persistenced"),
    "nvidia-tesla-470-driver": (
        "nvidia-tesla-470-smi",
        "libnvidia-tesla-470-cuda1",
        "libnvidia-tesla-470-ml1",
        "nvidia-tesla-470-driver-bin",
        "nvidia-persistenced",
    ),
    "nvidia-tesla-535-driver": (
        "nvidia-tesla-535-smi",
        "libnvidia-tesla-535-cuda1",
        "libnvidia-tesla-535-ml1",
        "nvidia-tesla-535-driver-bin",
        "nvidia-persistenced",
    ),
}
#: Components that Debian's driver needs beside main (DA).
DEBIAN_COMPONENTS = ("contrib", "non-free", "non-free-firmware")

#: Branches of NVIDIA's repository and flavours. NVDOC; per-distribution contents [S].
_NVIDIA_BRANCHES: tuple[tuple[int, tuple[str, ...]], ...] = (
    (580, _PO),
    (595, _PO),
    (615, _O),
    (620, _O),
)


def _ubuntu_offers() -> list[Offer]:
    offers: list[Offer] = []
    for system, branch, server, flavours, version, component, prebuilt in _UBUNTU:
        for modules in flavours:
            offers.append(Offer(system, "ubuntu", branch, modules, version, server, component, prebuilt, origin="UA"))
    return offers


def _nvidia_offers() -> list[Offer]:
    return [
        Offer(system, "nvidia", branch, modules, None, origin="NVDOC, EXT")
        for system in SYSTEMS
        for branch, flavours in _NVIDIA_BRANCHES
        for modules in flavours
    ]


OFFERS: tuple[Offer, ...] = (*_ubuntu_offers(), *_DEBIAN, *_nvidia_offers())
OFFERS_BY_SYSTEM: dict[str, tuple[Offer, ...]] = {
    key: tuple(offer for offer in OFFERS if offer.system == key) for key in SYSTEMS
}

NVIDIA_REPO_URL = "https://developer.download.nvidia.com/compute/cuda/repos"
#: Debian architecture -> directory of NVIDIA's repository (EXT).
NVIDIA_REPO_ARCH = {"amd64": "x86_64", "arm64": "sbsa"}
KEY_CLASSIC = {"file": "3bf863cc.pub", "fingerprint": "EB693B3035CD5710E231E123A4B469963BF863CC"}
KEY_DEBIAN13 = {"file": "8793F200.pub", "fingerprint": "02182E60104FCDC26EAE1B8597A5D4CB8793F200"}
#: Repository directory -> signing key. EXT; ubuntu2604 not verified: the classic key is assumed [M].
NVIDIA_KEYS: dict[str, dict[str, str]] = {
    "ubuntu2204": KEY_CLASSIC,
    "ubuntu2404": KEY_CLASSIC,
    "ubuntu2604": KEY_CLASSIC,
    "debian12": KEY_CLASSIC,
    "debian13": KEY_DEBIAN13,
    "wsl-ubuntu": KEY_CLASSIC,
}
NVIDIA_KEYRING = "cuda-keyring_1.1-1_all.deb"

#: Toolkits in NVIDIA's repository by directory. NVDOC names; which old ones the two newest
#: directories hold could not be read, so only what a source names is listed there.
NVIDIA_TOOLKITS: dict[str, tuple[str, ...]] = {
    "ubuntu2204": ("12.6", "12.8", "12.9", "13.0", "13.2", "13.3", "13.4"),
    "ubuntu2404": ("12.6", "12.8", "12.9", "13.0", "13.2", "13.3", "13.4"),
    "ubuntu2604": ("13.3",),
    "debian12": ("12.6", "12.8", "12.9", "13.0", "13.2", "13.3", "13.4"),
    "debian13": ("13.0", "13.2", "13.3", "13.4"),
    "wsl-ubuntu": ("12.6", "12.8", "12.9", "13.0", "13.2", "13.3", "13.4"),
}

#: Toolkits in the distribution's own archive: system -> ((series, version, packages), ...). UA, DA.
DISTRO_TOOLKITS: dict[str, tuple[tuple[str, str, tuple[str, ...]], ...]] = {
    "ubuntu-22.04": (("11.5", "11.5.1", ("nvidia-cuda-toolkit",)),),
    "ubuntu-24.04": (("12.0", "12.0.140", ("nvidia-cuda-toolkit",)),),
    "ubuntu-26.04": (("12.4", "12.4.131", ("nvidia-cuda-toolkit",)), ("13.1", "13.1.1", ("cuda-toolkit-13-1",))),
    "debian-12": (("11.8", "11.8.89", ("nvidia-cuda-toolkit",)),),
    "debian-13": (("12.4", "12.4.131", ("nvidia-cuda-toolkit",)),),
}
#: cuDNN in the distribution's archive: (system, CUDA major) -> (version, packages). UA, DA.
DISTRO_CUDNN: dict[tuple[str, int], tuple[str, tuple[str, ...]]] = {
    ("ubuntu-26.04", 12): ("9.0.0.312", ("nvidia-cudnn",)),
    ("debian-12", 11): ("8.5.0.96", ("nvidia-cudnn",)),
    ("debian-13", 12): ("9.0.0.312", ("nvidia-cudnn",)),
}

#: Systems with an even older archive than this planner knows are refused by name.
ALIASES: dict[str, str] = {
    "jammy": "ubuntu-22.04",
    "noble": "ubuntu-24.04",
    "resolute": "ubuntu-26.04",
    "bookworm": "debian-12",
    "trixie": "debian-13",
}
