"""Kernels and modules are read from files, and the default boot entry from them and the menu."""

from __future__ import annotations

import gzip
import lzma
from pathlib import Path

import pytest
from ansible_collections.dlbox.workstation.plugins.module_utils.nvidia import kernels
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


NEW, OLD = "6.8.0-150-generic", "6.8.0-149-generic"


def entry(id_: str, release: str, arguments: str = "root=UUID=1 ro quiet", path: str = "/boot") -> str:
    """A menu entry as 10_linux writes it."""
    return (
        f"menuentry 'Ubuntu, with Linux {release}' --class ubuntu $menuentry_id_option '{id_}' {{\n"
        "\trecordfail\n\tif [ x$grub_platform = xxen ]; then insmod xzio; fi\n"
        f"\tlinux\t{path}/vmlinuz-{release} {arguments}\n\tinitrd\t{path}/initrd.img-{release}\n}}\n"
    )


SAVEDEFAULT = "function savedefault {\n  saved_entry=1\n}\n"
SUBMENU = (
    SAVEDEFAULT
    + entry("gnulinux-simple-UUID", NEW)
    + "submenu 'Advanced options for Ubuntu' $menuentry_id_option 'gnulinux-advanced-UUID' {\n"
    + entry(f"gnulinux-{NEW}-advanced-UUID", NEW)
    + entry(f"gnulinux-{NEW}-recovery-UUID", NEW, "root=UUID=1 ro recovery nomodeset")
    + entry(f"gnulinux-{OLD}-recovery-UUID", OLD, "root=UUID=1 ro recovery nomodeset")
    + entry(f"gnulinux-{OLD}-advanced-UUID", OLD)
    + "}\n"
)
# GRUB_DISABLE_SUBMENU=y
FLAT = SAVEDEFAULT + entry(f"gnulinux-{NEW}-advanced-UUID", NEW) + entry(f"gnulinux-{OLD}-advanced-UUID", OLD)
# 10_linux_zfs: ids are named after the datasets, paths are relative to the pool.
ZFS = (
    "submenu 'Advanced options for Ubuntu 24.04' $menuentry_id_option 'gnulinux-advanced-rpool/ROOT/ubuntu_abc' {\n"
    + entry(f"gnulinux-rpool/ROOT/ubuntu_abc-{NEW}", NEW, path='"/BOOT/ubuntu_abc@')
    + entry(f"gnulinux-rpool/ROOT/ubuntu_abc-{OLD}", OLD, path="/BOOT/ubuntu_abc@")
    + "}\nsubmenu 'History for Ubuntu 24.04' $menuentry_id_option 'gnulinux-history-rpool' {\n"
    + entry(f"gnulinux-rpool/ROOT/ubuntu_abc@snap-{OLD}", OLD, path="/BOOT/ubuntu_abc@snap")
    + "}\n"
)


@pytest.mark.parametrize(
    ("menu", "chosen"),
    [
        (SUBMENU, f"gnulinux-advanced-UUID>gnulinux-{OLD}-advanced-UUID"),
        (FLAT, f"gnulinux-{OLD}-advanced-UUID"),
        (ZFS, f"gnulinux-advanced-rpool/ROOT/ubuntu_abc>gnulinux-rpool/ROOT/ubuntu_abc-{OLD}"),
        (entry(f"gnulinux-{NEW}-advanced-UUID", NEW), ""),
        (entry(f"gnulinux-{OLD}1-advanced-UUID", f"{OLD}1"), ""),
        ("", ""),
    ],
    ids=["submenu", "without submenus", "ZFS", "not in the menu", "a longer release", "no menu"],
)
def test_a_kernel_without_module_is_not_the_default(tmp_path: Path, menu: str, chosen: str) -> None:
    found = host(tmp_path, bootable=[OLD, NEW], modules={OLD: ("kernel/nvidia-580/nvidia.ko", FIELD)})
    assert kernels.boot_default(found, menu) == chosen


def test_grub_decides_when_the_newest_kernel_has_a_module_or_none_has(tmp_path: Path) -> None:
    found = host(tmp_path, bootable=[OLD, NEW], modules={NEW: ("updates/dkms/nvidia.ko", FIELD)})
    assert kernels.boot_default(found, SUBMENU) == ""
    assert kernels.boot_default(found[:1], SUBMENU) == ""
    assert kernels.boot_default([], SUBMENU) == ""


@given(st.lists(st.integers(0, 300), min_size=3, max_size=5), st.lists(st.integers(0, 300), min_size=3, max_size=5))
def test_releases_compare_like_their_numbers(first: list[int], second: list[int]) -> None:
    key = [kernels.release_key(".".join(map(str, numbers)) + "-generic") for numbers in (first, second)]
    if len(first) == len(second):
        assert (key[0] < key[1]) == (first < second)
