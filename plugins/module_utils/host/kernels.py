"""Installed kernels and the NVIDIA modules that they have: /boot and /lib/modules, without loading anything."""

from __future__ import annotations

import gzip
import lzma
import mmap
import re
import subprocess
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

_MODULE_FILE = re.compile(r"^nvidia(?:-current(?:-open)?|-tesla-\d+|-legacy-\w+)?\.ko(?:\.(xz|zst|gz))?$")
_VERSION_FIELD = re.compile(rb"(?:^|\x00)version=([0-9][0-9.]+)\x00")


@dataclass(frozen=True)
class Kernel:
    """One kernel on the host.

    release: as `uname -r` says it; bootable: has an image in /boot; headers: can build modules; module_version: of the
    NVIDIA module on disk ("580.178.04") or None; module_path: its file or None; provider: "prebuilt" for the
    distribution's signed module, "dkms" for one built here, "other" for one that neither put there, None without one.
    """

    release: str
    bootable: bool
    headers: bool
    module_version: str | None
    module_path: str | None
    provider: str | None

    def as_dict(self) -> dict[str, object]:
        """Return the fields as a plain dictionary."""
        return asdict(self)


def release_key(release: str) -> tuple[tuple[int, int | str], ...]:
    """Sort key of a kernel release: numbers compare as numbers, as boot loaders order them."""
    return tuple((1, int(part)) if part.isdigit() else (0, part) for part in re.findall(r"\d+|[a-zA-Z]+", release))


def newest(kernels: Iterable[Kernel]) -> Kernel | None:
    """Return the bootable kernel with the highest release, or None."""
    return max((k for k in kernels if k.bootable), key=lambda k: release_key(k.release), default=None)


def bootable_with_module(kernels: Iterable[Kernel]) -> Kernel | None:
    """Return the newest bootable kernel that has an NVIDIA module, or None."""
    return newest(k for k in kernels if k.module_version is not None)


def module_version(path: Path) -> str | None:
    """Return the version in a kernel module's .modinfo, reading compressed files too; None when it has none."""
    kind = path.name.rpartition(".")[2]
    if kind == "zst":
        return _from_modinfo(path)
    try:
        if kind == "xz":
            return _search(lzma.decompress(path.read_bytes()))
        if kind == "gz":
            return _search(gzip.decompress(path.read_bytes()))
        if path.stat().st_size == 0:
            return None
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            return _search(data)
    except (OSError, lzma.LZMAError, EOFError):
        return None


def _search(data: bytes | mmap.mmap) -> str | None:
    match = _VERSION_FIELD.search(data)
    return match[1].decode() if match else None


def _from_modinfo(path: Path) -> str | None:
    """Zstandard is in no Python before 3.14: ask kmod."""
    try:
        done = subprocess.run(
            ["modinfo", "-F", "version", str(path)], capture_output=True, text=True, check=False, timeout=30
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() or None


def find_module(tree: Path) -> Path | None:
    """Return the file of the NVIDIA module in /lib/modules/RELEASE, in
    the order in which depmod prefers directories.
    """
    places = [tree / "updates", tree / "extra", tree / "misc", *sorted(tree.glob("kernel/nvidia-*"))]
    for place in places:
        if place.is_dir():
            for path in sorted(place.rglob("nvidia*.ko*")):
                if _MODULE_FILE.match(path.name):
                    return path
    for path in sorted((tree / "kernel/drivers/video").glob("nvidia.ko*")):
        return path
    return None


def _provider(path: Path, tree: Path) -> str:
    inside = path.relative_to(tree).as_posix()
    if inside.startswith("updates/dkms/"):
        return "dkms"
    return "prebuilt" if inside.startswith("kernel/nvidia-") else "other"


def read_kernels(root: Path = Path("/"), versions: bool = True) -> list[Kernel]:
    """Return the host's kernels, oldest first: those with an image in /boot and those with headers to build for.

    versions: False leaves the modules' versions out, for which compressed files are read whole.
    """
    boot, modules = root / "boot", root / "lib/modules"
    bootable = {path.name.removeprefix("vmlinuz-") for path in boot.glob("vmlinuz-*")} if boot.is_dir() else set()
    trees = {path.name for path in modules.iterdir() if path.is_dir()} if modules.is_dir() else set()
    kernels = []
    for release in bootable | trees:
        tree = modules / release
        headers = (tree / "build").exists()
        if release not in bootable and not headers:
            continue  # what a removed kernel left behind
        path = find_module(tree)
        kernels.append(
            Kernel(
                release=release,
                bootable=release in bootable,
                headers=headers,
                module_version=module_version(path) if path and versions else None,
                module_path=str(path) if path else None,
                provider=_provider(path, tree) if path else None,
            )
        )
    return sorted(kernels, key=lambda kernel: release_key(kernel.release))
