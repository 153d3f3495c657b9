"""Kernels and modules are read from files."""

from __future__ import annotations

import gzip
import lzma
from pathlib import Path

import pytest
from ansible_collections.dlbox.workstation.plugins.module_utils.host import kernels
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


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        ("6.8.0-9-generic", "6.8.0-31-generic"),
        ("6.8.0-31-generic", "6.12.1"),
        ("5.15.0-203", "6.8.0-1"),
        ("6.8.0-31", "6.8.0-31.1"),
    ],
)
def test_kernels_are_ordered_as_people_do(older: str, newer: str) -> None:
    assert kernels.release_key(older) < kernels.release_key(newer)


@given(st.lists(st.integers(0, 300), min_size=3, max_size=5), st.lists(st.integers(0, 300), min_size=3, max_size=5))
def test_releases_compare_like_their_numbers(first: list[int], second: list[int]) -> None:
    key = [kernels.release_key(".".join(map(str, numbers)) + "-generic") for numbers in (first, second)]
    if len(first) == len(second):
        assert (key[0] < key[1]) == (first < second)
