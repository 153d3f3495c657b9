"""Names of NVIDIA's driver packages: which belong to the driver, of which branch and flavour, and which set to install.

Names and relations are those of Ubuntu's restricted and multiverse, Debian's non-free and NVIDIA's network repository
as of
November 2026. A branch is a string of three digits ("580"); a server (data centre) build of it is "580-server".
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

# Everything that has to move together: kernel modules, userspace, firmware.
_FAMILY = re.compile(
    r"""^(?:
        nvidia-(?!settings|prime|cuda|cudnn|container|detect|nsight|profiler|visual|openjdk|opencl-dev$|support$|installer-cleanup$|modprobe|vpf).*
      | libnvidia-(?!container).*
      | xserver-xorg-video-nvidia.*
      | linux-(?:modules|objects|signatures)-nvidia-.*
      | firmware-nvidia-.*
      | cuda-drivers.*
      | (?:libcuda1|libcudadebugger1|libnvcuvid1|libnvoptix1)
      | (?:libgl1-nvidia-.*|libegl-nvidia0|libgles-nvidia.*|libglx-nvidia0)
    )$""",
    re.VERBOSE,
)
_SUFFIXED = re.compile(r"-(\d{3})(-server)?(?=-|$)")
_VERSION_BRANCH = re.compile(r"^(?:\d+:)?(\d{3})\.\d+")
_MODULES = re.compile(
    r"""^(?:
        nvidia-(?:tesla-\d+-)?(?:driver|dkms|kernel-source|kernel-dkms|open-kernel-dkms|headless|headless-no-dkms)
          (?:-\d{3}(?:-server)?)?(?:-open)?
      | nvidia-open(?:-\d{3})?
      | cuda-drivers(?:-\d{3})?
      | linux-(?:modules|objects)-nvidia-.*
    )$""",
    re.VERBOSE,
)
_OPEN_ONLY_FROM = 615


@dataclass(frozen=True)
class Wish:
    """The driver that the plan asks for.

    branch: three digits; modules: "open" or "proprietary"; source: "ubuntu", "debian" or "nvidia"; distribution:
    "ubuntu" or
    "debian", the host's; server: Ubuntu's server build; headless: no X and OpenGL; kernel_modules: False for userspace
    alone.
    """

    branch: str
    modules: str
    source: str
    distribution: str
    server: bool = False
    headless: bool = False
    kernel_modules: bool = True

    @property
    def label(self) -> str:
        """The branch as package names carry it, such as `580-server`."""
        return self.branch + ("-server" if self.server else "")

    @property
    def suffix(self) -> str:
        """What follows the branch in the names of packages with kernel code."""
        return self.label + ("-open" if self.modules == "open" else "")


def is_driver_package(name: str) -> bool:
    """Whether a package belongs to the set that has to be of one version."""
    return _FAMILY.match(name) is not None


def branch_of(name: str, version: str) -> str | None:
    """Return the branch of a driver package, `580` or `580-server`, from its name or else its version; None when
    neither tells.
    """
    if not is_driver_package(name) or name.startswith("linux-signatures-nvidia-"):
        return None  # signatures are of a kernel, whose ABI number looks like a branch
    match = _SUFFIXED.search(name)
    if match:
        return match[1] + (match[2] or "")
    match = _VERSION_BRANCH.match(version)
    return match[1] if match else None


def flavour_of(name: str) -> str | None:
    """Return "open" or "proprietary" for a package that carries or builds kernel modules, else None."""
    if not _MODULES.match(name):
        return None
    return "open" if re.search(r"-open(?:-|$)", name) else "proprietary"


def conflicting(installed: Iterable[tuple[str, str]], wish: Wish) -> list[str]:
    """Return the installed driver packages that are of another branch, flavour or naming than the wish.

    installed: pairs of name and version. Packages without branch (firmware-nvidia-gsp, pinning packages) stay with apt.
    """
    wanted_suffixed = wish.source == "ubuntu"
    out = []
    for name, version in installed:
        branch = branch_of(name, version)
        if branch is None or name.startswith(("nvidia-driver-pinning-", "firmware-nvidia-")):
            continue
        other_branch = branch != wish.label if wanted_suffixed else branch.split("-")[0] != wish.branch
        flavour = flavour_of(name)
        if other_branch or (flavour is not None and flavour != wish.modules and not _says_no_flavour(name, wish)):
            out.append(name)
    return sorted(out)


def _says_no_flavour(name: str, wish: Wish) -> bool:
    """Debian's nvidia-driver serves both flavours; NVIDIA's from 615 on are open whatever the name says."""
    if wish.source == "debian":
        return not name.endswith("kernel-dkms")
    return wish.source == "nvidia" and (
        int(wish.branch) >= _OPEN_ONLY_FROM or name in ("nvidia-driver", "nvidia-headless")
    )


def userspace_packages(wish: Wish) -> list[str]:
    """Return the packages without kernel modules: commands and libraries, with X and OpenGL unless headless."""
    if wish.source == "ubuntu":
        if not wish.kernel_modules:
            return [f"nvidia-utils-{wish.label}", f"libnvidia-compute-{wish.label}"]
        if wish.headless:
            return [
                f"nvidia-headless-no-dkms-{wish.suffix}",
                f"nvidia-utils-{wish.label}",
                f"libnvidia-decode-{wish.label}",
                f"libnvidia-encode-{wish.label}",
            ]
        return [f"nvidia-driver-{wish.suffix}"]
    if wish.source == "debian":
        legacy = "" if wish.branch not in ("470",) else f"tesla-{wish.branch}-"
        if not wish.kernel_modules or wish.headless:
            libcuda = f"libnvidia-{legacy}cuda1" if legacy else "libcuda1"
            out = [libcuda, f"nvidia-{legacy}smi"]
            return [*out, "nvidia-persistenced"] if wish.kernel_modules and not legacy else out
        return [f"nvidia-{legacy}driver"]
    if not wish.kernel_modules:
        return ["libnvidia-compute" if int(wish.branch) >= 590 else f"libnvidia-compute-{wish.branch}"]
    if int(wish.branch) >= 590 or wish.distribution == "debian":
        return ["nvidia-open" if wish.modules == "open" else "cuda-drivers"]
    return [f"nvidia-open-{wish.branch}" if wish.modules == "open" else f"cuda-drivers-{wish.branch}"]


def dkms_packages(wish: Wish) -> list[str]:
    """Return the packages that build the modules on the host; the header metapackages come with the kernels."""
    if wish.source == "ubuntu":
        return [f"nvidia-dkms-{wish.suffix}"]
    if wish.source == "debian":
        if wish.branch == "470":
            return ["nvidia-tesla-470-kernel-dkms"]
        return ["nvidia-open-kernel-dkms" if wish.modules == "open" else "nvidia-kernel-dkms"]
    return []


def prebuilt_package(wish: Wish, target: str) -> str:
    """Return Ubuntu's package of signed modules for a kernel flavour ("generic-hwe-24.04") or release
    ("6.8.0-149-generic").
    """
    return f"linux-modules-nvidia-{wish.suffix}-{target}"


def pinning_packages(wish: Wish, version: str) -> list[str]:
    """Return what NVIDIA's repository wants installed before the driver, so that it stays in its branch."""
    if wish.source != "nvidia":
        return []
    return [f"nvidia-driver-pinning-{version or wish.branch}"]


def refusals(wish: Wish) -> list[str]:
    """Return why the wish contradicts itself; empty when it does not."""
    out = []
    if not re.fullmatch(r"\d{3}", wish.branch):
        out.append(f"driver.branch is {wish.branch!r}, expected three digits such as '580'")
        return out
    if wish.modules == "proprietary" and int(wish.branch) >= _OPEN_ONLY_FROM:
        out.append(
            f"driver.modules is 'proprietary', but branch {wish.branch} has open modules only:"
            " use branch 580 or 595, or open"
        )
    if wish.modules == "open" and int(wish.branch) < 515:
        out.append(f"driver.modules is 'open', but branch {wish.branch} has proprietary modules only")
    if wish.server and wish.source != "ubuntu":
        out.append(
            f"nvidia_driver_server_branch is true, but source is {wish.source!r}:"
            " only Ubuntu's archive has server builds"
        )
    if wish.source in ("ubuntu", "debian") and wish.source != wish.distribution:
        out.append(f"driver.source is {wish.source!r} on {wish.distribution}: use {wish.distribution!r} or 'nvidia'")
    return out
