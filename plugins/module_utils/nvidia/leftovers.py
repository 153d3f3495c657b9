"""What another way of installing the driver left on a host, each with the commands that remove it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from ..host import dpkg, kernels
from ..host.apt_sources import SourceEntry
from . import dkms, sources

RUN_INSTALLER, PPA, REPOSITORY, DKMS_TREE = "run_installer", "ppa", "repository", "dkms_tree"
DISABLED = ".dlbox-disabled"


@dataclass(frozen=True)
class Leftover:
    """One finding. kind: see the constants; where: a path or a DKMS tree; commands: what removes it, run as root."""

    kind: str
    where: str
    says: str
    commands: tuple[tuple[str, ...], ...]

    @property
    def remedy(self) -> str:
        """Return the commands as an owner types them."""
        return " && ".join("sudo " + " ".join(command) for command in self.commands)

    def as_dict(self) -> dict[str, object]:
        """Return the fields and the remedy as a plain dictionary."""
        return {**asdict(self), "commands": [list(command) for command in self.commands], "remedy": self.remedy}


def from_run_installer(root: Path, owned: Iterable[str], found: Iterable[kernels.Kernel]) -> list[Leftover]:
    """Return the traces of a .run installer: its uninstaller, or modules where only it puts them."""
    uninstaller = root / "usr/bin/nvidia-uninstall"
    if uninstaller.exists() and "/usr/bin/nvidia-uninstall" not in set(owned):
        says = "a .run installer put a driver here that apt does not know and would overwrite"
        return [Leftover(RUN_INSTALLER, "/usr/bin/nvidia-uninstall", says, (("nvidia-uninstall", "--silent"),))]
    stray = [kernel for kernel in found if kernel.provider == "other" and kernel.module_path]
    return [
        Leftover(
            RUN_INSTALLER,
            str(kernel.module_path),
            f"a module for {kernel.release} that no package and no DKMS tree put there",
            (("rm", str(kernel.module_path)), ("depmod", kernel.release)),
        )
        for kernel in stray
    ]


def from_sources(entries: Iterable[SourceEntry], own_files: Sequence[str]) -> list[Leftover]:
    """Return repositories of NVIDIA drivers that dlbox did not write: two origins leave half of two drivers."""
    out = []
    for kind, entry in sources.foreign(entries, own_files):
        what = "the graphics-drivers PPA" if kind == "ppa" else "NVIDIA's repository, set up by something else,"
        says = f"{what} offers driver packages from a second origin ({entry.uri})"
        out.append(
            Leftover(
                PPA if kind == "ppa" else REPOSITORY, entry.file, says, (("mv", entry.file, entry.file + DISABLED),)
            )
        )
    return list({item.where: item for item in out}.values())


def from_dkms(builds: Iterable[dkms.Build], packages: Mapping[str, dpkg.Package]) -> list[Leftover]:
    """Return DKMS trees of NVIDIA versions that no installed package brought: they are built again for every kernel."""
    upstream = {
        dpkg.upstream(package.version)
        for package in packages.values()
        if package.installed and "nvidia" in package.name
    }
    trees = sorted({(build.module, build.version) for build in builds if build.version not in upstream})
    return [
        Leftover(
            DKMS_TREE,
            f"{module}/{version}",
            "a DKMS tree of a driver version that no installed package brought",
            (("dkms", "remove", f"{module}/{version}", "--all"),),
        )
        for module, version in trees
    ]
