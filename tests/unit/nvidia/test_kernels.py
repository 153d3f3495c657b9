"""Kernels and modules are read from files, and the default boot entry from both."""

from __future__ import annotations

import gzip
import lzma
from pathlib import Path

from dlbox_nvidia import kernels
from hypothesis import given
from hypothesis import strategies as st

FIELD = b"\0license=NVIDIA\0version=580.178.04\0srcversion=1234\0"


def host(root: Path, *, bootable: list[str], modules: dict[str, tuple[str, bytes]]) -> list[kernels.Kernel]:
    (root / "boot").mkdir()
    for release in bootable:
        (root / "boot" / f"vmlinuz-{release}").touch()
        (root / "lib/modules" / release).mkdir(parents=True)
    for release, (path, content) in modules.items():
        file = root / "lib/modules" / release / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    return kernels.read_kernels(root)


def test_kernels_sort_as_boot_loaders_sort(tmp_path: Path) -> None:
    found = host(tmp_path, bootable=["6.8.0-9-generic", "6.8.0-149-generic", "7.0.0-43-generic"], modules={})
    assert [kernel.release for kernel in found] == ["6.8.0-9-generic", "6.8.0-149-generic", "7.0.0-43-generic"]


def test_modules_of_every_origin_are_found(tmp_path: Path) -> None:
    found = host(
        tmp_path,
        bootable=["6.8.0-149-generic", "6.1.0-56-amd64", "7.0.0-43-generic", "6.8.0-31-generic"],
        modules={
            "6.8.0-149-generic": ("kernel/nvidia-580-open/nvidia.ko", FIELD),
            "6.1.0-56-amd64": ("updates/dkms/nvidia-current.ko.xz", lzma.compress(FIELD)),
            "7.0.0-43-generic": ("updates/dkms/nvidia.ko.gz", gzip.compress(FIELD)),
            "6.8.0-31-generic": ("kernel/drivers/video/nvidia.ko", FIELD),
        },
    )
    assert {kernel.release: kernel.provider for kernel in found} == {
        "6.8.0-149-generic": "prebuilt",
        "6.1.0-56-amd64": "dkms",
        "7.0.0-43-generic": "dkms",
        "6.8.0-31-generic": "other",
    }
    assert {kernel.module_version for kernel in found} == {"580.178.04"}


def test_companion_modules_are_not_the_module(tmp_path: Path) -> None:
    found = host(
        tmp_path, bootable=["6.1.0-56-amd64"], modules={"6.1.0-56-amd64": ("updates/dkms/nvidia-current-drm.ko", FIELD)}
    )
    assert found[0].module_version is None


def test_a_kernel_without_module_is_not_the_default(tmp_path: Path) -> None:
    found = host(
        tmp_path,
        bootable=["6.8.0-149-generic", "6.8.0-150-generic"],
        modules={"6.8.0-149-generic": ("kernel/nvidia-580/nvidia.ko", FIELD)},
    )
    entry = "gnulinux-advanced-UUID>gnulinux-6.8.0-149-generic-advanced-UUID"
    assert kernels.grub_default(found, "UUID") == entry


def test_grub_decides_when_the_newest_kernel_has_a_module_or_none_has(tmp_path: Path) -> None:
    found = host(
        tmp_path,
        bootable=["6.8.0-149-generic", "6.8.0-150-generic"],
        modules={"6.8.0-150-generic": ("updates/dkms/nvidia.ko", FIELD)},
    )
    assert kernels.grub_default(found, "UUID") == ""
    assert kernels.grub_default(found[:1], "UUID") == ""
    assert kernels.grub_default([], "UUID") == ""


def test_flavours_come_from_metapackages_and_else_from_releases() -> None:
    metas = ["linux-image-generic", "linux-image-generic-hwe-24.04", "linux-image-6.8.0-149-generic"]
    assert kernels.flavours(metas, []) == ["generic", "generic-hwe-24.04"]
    assert kernels.flavours(["linux-image-6.8.0-149-generic"], ["6.8.0-149-generic"]) == ["generic"]
    assert kernels.flavours([], ["6.12.117+deb13-amd64", "6.1.0-56-amd64"]) == ["amd64"]
    assert kernels.flavours([], ["6.1.0-56-cloud-amd64"]) == ["cloud-amd64"]


def test_header_metapackages_and_the_kernels_own_headers() -> None:
    wanted = kernels.header_packages(["generic"], ["6.8.0-149-generic"])
    assert wanted == ["linux-headers-6.8.0-149-generic", "linux-headers-generic"]


@given(st.lists(st.integers(0, 300), min_size=3, max_size=5), st.lists(st.integers(0, 300), min_size=3, max_size=5))
def test_releases_compare_like_their_numbers(first: list[int], second: list[int]) -> None:
    key = [kernels.release_key(".".join(map(str, numbers)) + "-generic") for numbers in (first, second)]
    if len(first) == len(second):
        assert (key[0] < key[1]) == (first < second)
