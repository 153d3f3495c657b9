"""What a host runs in, from what engines, firmware and kernel leave there."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.dlbox.workstation.plugins.module_utils.host.virtualization import container, virtualization


@pytest.mark.parametrize(
    ("path", "content", "kind"),
    [
        ("run/systemd/container", "systemd-nspawn\n", "systemd-nspawn"),
        (".dockerenv", "", "docker"),
        ("run/.containerenv", "", "podman"),
        ("proc/1/environ", "PATH=/bin\0container=lxc\0TERM=linux\0", "lxc"),
        ("proc/1/environ", "PATH=/bin\0nocontainer=lxc\0", ""),
    ],
)
def test_kinds_of_containers(tmp_path: Path, path: str, content: str, kind: str) -> None:
    (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / path).write_text(content)
    assert container(tmp_path) == kind
    assert virtualization(tmp_path) == (kind or "none")


@pytest.mark.parametrize(
    ("vendor", "flags", "name"),
    [
        ("QEMU", "", "kvm"),
        ("innotek GmbH", "", "oracle"),
        ("Microsoft Corporation\0Virtual Machine", "", "microsoft"),
        ("Microsoft Corporation\0Surface", "", "none"),
        ("ASUS", "fpu hypervisor sse4_2", "vm-other"),
        ("ASUS", "fpu sse4_2", "none"),
    ],
)
def test_hypervisors(tmp_path: Path, vendor: str, flags: str, name: str) -> None:
    firmware = tmp_path / "sys/class/dmi/id"
    firmware.mkdir(parents=True)
    for file, text in zip(("sys_vendor", "product_name"), vendor.split("\0"), strict=False):
        (firmware / file).write_text(text + "\n")
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/cpuinfo").write_text(f"processor\t: 0\nflags\t\t: {flags}\n")
    assert virtualization(tmp_path) == name
    (tmp_path / ".dockerenv").touch()
    assert virtualization(tmp_path) == "docker", "a container in a virtual machine is a container"
    (tmp_path / "dev").mkdir()
    (tmp_path / "dev/dxg").touch()
    assert virtualization(tmp_path) == "wsl"
