"""The default boot entry, from the host's kernels and the menu."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.dlbox.workstation.plugins.module_utils.host import kernels
from ansible_collections.dlbox.workstation.plugins.module_utils.nvidia import grub

FIELD = b"\0license=NVIDIA\0version=580.178.04\0srcversion=1234\0"


def host(root: Path, *, bootable: list[str], modules: dict[str, tuple[str, bytes]]) -> list[kernels.Kernel]:
    for release in bootable:
        (root / "boot").mkdir(exist_ok=True)
        (root / "boot" / f"vmlinuz-{release}").touch()
    for release, (path, content) in modules.items():
        file = root / "lib/modules" / release / path
        file.parent.mkdir(parents=True)
        file.write_bytes(content)
    return kernels.read_kernels(root)


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
    assert grub.boot_default(found, menu) == chosen


def test_grub_decides_when_the_newest_kernel_has_a_module_or_none_has(tmp_path: Path) -> None:
    found = host(tmp_path, bootable=[OLD, NEW], modules={NEW: ("updates/dkms/nvidia.ko", FIELD)})
    assert grub.boot_default(found, SUBMENU) == ""
    assert grub.boot_default(found[:1], SUBMENU) == ""
    assert grub.boot_default([], SUBMENU) == ""
