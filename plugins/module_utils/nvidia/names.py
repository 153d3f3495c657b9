"""Names of installed packages: which belong to NVIDIA's driver, of which branch and of which kernel module flavour.

Which packages a machine gets is the plan's decision; here what is there is told apart, for conflicts, holds and apt's
preferences. Names are those of Ubuntu's restricted and multiverse, Debian's non-free and NVIDIA's network repository as
of November 2026. A branch is a string of three digits ("580"); a server (data centre) build of it is "580-server".
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

# Everything that has to move together: kernel modules, userspace, firmware. Listed by what follows "nvidia-" and
# "libnvidia-", because much else carries these names: the container toolkit (nvidia-docker2, libnvidia-container1),
# GPUDirect Storage (nvidia-fs-dkms, nvidia-gds), parts of the toolkit (libnvidia-ml-dev) and projects of their own
# (nvidia-settings, nvidia-prime, libnvidia-egl-wayland1).
_FAMILY = re.compile(
    r"""^(?:
        nvidia-(?:tesla-(?:\d{3}-)?|legacy-\d{3}xx-)?(?:
            driver(?!-local-repo|-assistant)(?:-.*)?
          | (?:open|headless|dkms|kernel|open-kernel|utils|compute|firmware|xconfig|alternative|legacy-check|powerd
              |suspend-common|persistenced|smi|cuda-mps|imex|fabricmanager|libopencl1|opencl-icd|opencl-common
              |egl-icd|egl-common|vdpau-driver|vulkan-icd|vulkan-common)(?:-.*)?
        )
      | nvidia-\d{3}(?:-.*)?
      | libnvidia-(?!container|egl-(?:wayland|gbm|xcb|xlib)|ml-dev).*
      | xserver-xorg-video-nvidia.*
      | linux-(?:modules|objects|signatures)-nvidia-.*
      | firmware-nvidia-(?:tesla-(?:\d{3}-)?)?gsp
      | cuda-drivers.*
      | libcuda1 | libcudadebugger1 | libnvcuvid1 | libnvoptix1
      | libgl1-nvidia-.* | libegl-nvidia.* | libgles-nvidia.* | libglx-nvidia.*
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
_BUILDS_MODULES = re.compile(
    r"^nvidia-(?:tesla-(?:\d+-)?|legacy-\d+xx-)?(?:open-)?(?:kernel-)?dkms(?:-\d{3}(?:-server)?)?(?:-open)?$"
)
_OPEN_ONLY_FROM = 615


@dataclass(frozen=True)
class DriverSet:
    """What every installed driver package has to belong to.

    branch: three digits; modules: "open" or "proprietary"; source: "ubuntu", "debian" or "nvidia"; server: Ubuntu's
    server build.
    """

    branch: str
    modules: str
    source: str
    server: bool = False

    @property
    def label(self) -> str:
        """The branch as package names carry it, such as `580-server`."""
        return self.branch + ("-server" if self.server else "")


def is_driver_package(name: str) -> bool:
    """Whether a package belongs to the set that has to be of one version."""
    return _FAMILY.match(name) is not None


def builds_modules(name: str) -> bool:
    """Whether a package builds the driver's modules on the host, with DKMS."""
    return _BUILDS_MODULES.match(name) is not None


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


def conflicting(installed: Iterable[tuple[str, str]], planned: DriverSet) -> list[str]:
    """Return the installed driver packages that are of another branch, flavour or naming than the planned set.

    installed: pairs of name and version. Packages without branch (firmware-nvidia-gsp, pinning packages) stay with apt.
    """
    suffixed = planned.source == "ubuntu"
    out = []
    for name, version in installed:
        branch = branch_of(name, version)
        if branch is None or name.startswith(("nvidia-driver-pinning-", "firmware-nvidia-")):
            continue
        other_branch = branch != planned.label if suffixed else branch.split("-")[0] != planned.branch
        flavour = flavour_of(name)
        if other_branch or (flavour not in (None, planned.modules) and not _says_no_flavour(name, planned)):
            out.append(name)
    return sorted(out)


def _says_no_flavour(name: str, planned: DriverSet) -> bool:
    """Debian's nvidia-driver serves both flavours; NVIDIA's from 615 on are open whatever the name says."""
    if planned.source == "debian":
        return not name.endswith("kernel-dkms")
    return planned.source == "nvidia" and (
        int(planned.branch) >= _OPEN_ONLY_FROM or name in ("nvidia-driver", "nvidia-headless")
    )
