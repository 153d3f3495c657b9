"""The state of the driver is read from a host's files and from what its commands say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.dlbox.workstation.plugins.module_utils.nvidia import hosttool, state
from ansible_collections.dlbox.workstation.plugins.module_utils.nvidia.apt import Done

PROC = (
    "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.126.09  Release Build  (root@host)\nGCC version: 13\n"
)
STATUS = """\
Package: libnvidia-compute-580
Status: hold ok installed
Version: 580.178.04-0ubuntu0.24.04.1

Package: linux-image-generic
Status: install ok installed
Version: 6.8

Package: broken
Status: install ok unpacked
Version: 1
"""
MODULE = b"\0version=580.178.04\0"


def machine(root: Path, *, loaded: str = "", library: str = "580.178.04") -> Path:
    """A host with two kernels, the newer one without module, a loaded module and libraries."""
    for release in ("6.8.0-149-generic", "7.0.0-43-generic"):
        (root / "boot").mkdir(exist_ok=True)
        (root / f"boot/vmlinuz-{release}").touch()
        (root / f"lib/modules/{release}").mkdir(parents=True)
    module = root / "lib/modules/6.8.0-149-generic/kernel/nvidia-580-open/nvidia.ko"
    module.parent.mkdir(parents=True)
    module.write_bytes(MODULE)
    libraries = root / "usr/lib/x86_64-linux-gnu"
    libraries.mkdir(parents=True)
    if library:
        (libraries / f"libnvidia-ml.so.{library}").touch()
        (libraries / "libnvidia-ml.so.1").touch()
    if loaded:
        (root / "proc/driver/nvidia").mkdir(parents=True)
        (root / "proc/driver/nvidia/version").write_text(PROC.replace("580.126.09", loaded))
    return root


def told(root: Path, running: str = "6.8.0-149-generic") -> dict[str, Any]:
    (root / "var/lib/dpkg").mkdir(parents=True, exist_ok=True)
    (root / "var/lib/dpkg/status").write_text(STATUS)
    return state.read_state(root, lambda _argv: Done(127, "", "absent"), running)


def test_a_module_that_is_older_than_the_libraries_asks_for_a_restart(tmp_path: Path) -> None:
    found = told(machine(tmp_path, loaded="580.126.09"))
    reason = "the loaded NVIDIA module is 580.126.09, the installed libraries are 580.178.04"
    assert found["reboot_reasons"] == [reason]
    light = state.light_state(tmp_path)
    assert light["reboot_reasons"] == [reason], "the login message reads the same from files alone"
    assert hosttool.message(light).splitlines()[0] == f"NVIDIA: {reason}: restart the machine (sudo systemctl reboot)."


def test_the_same_version_asks_for_nothing(tmp_path: Path) -> None:
    found = told(machine(tmp_path, loaded="580.178.04"))
    assert found["reboot_reasons"] == []
    assert hosttool.message({"reboot_reasons": [], "waiting_kernels": []}) == ""


def test_a_module_that_was_replaced_on_disk_asks_for_a_restart(tmp_path: Path) -> None:
    found = told(machine(tmp_path, loaded="580.126.09", library=""))
    assert found["reboot_reasons"] == ["the loaded NVIDIA module is 580.126.09, the installed one is 580.178.04"]


def test_nouveau_and_a_kernel_without_module_ask_for_a_restart(tmp_path: Path) -> None:
    machine(tmp_path)
    assert told(tmp_path)["reboot_reasons"] == [], "installed, and not loaded because there is no GPU: nothing is due"
    assert "7.0.0-43-generic has no NVIDIA module" in told(tmp_path, "7.0.0-43-generic")["reboot_reasons"][0]
    (tmp_path / "sys/module/nouveau").mkdir(parents=True)
    assert told(tmp_path)["reboot_reasons"] == ["nouveau drives the GPU until the next start"]


@pytest.mark.parametrize(
    ("vendor", "kind", "bound", "started", "due"),
    [
        ("0x10de", "0x030000", "", 1, True),
        ("0x10de", "0x030000", "nouveau", 1, True),
        ("0x10de", "0x030000", "vfio-pci", 1, False),
        ("0x10de", "0x040300", "", 1, False),
        ("0x8086", "0x030000", "", 1, False),
        ("0x10de", "0x030000", "", 9999999999, False),
    ],
)
def test_a_module_that_came_since_the_start_waits_for_the_next_where_there_is_a_gpu(
    tmp_path: Path, vendor: str, kind: str, bound: str, started: int, due: bool
) -> None:
    device = machine(tmp_path) / "sys/bus/pci/devices/0000:01:00.0"
    device.mkdir(parents=True)
    (device / "vendor").write_text(vendor + "\n")
    (device / "class").write_text(kind + "\n")
    if bound:
        (device / "driver").symlink_to(f"../../../../bus/pci/drivers/{bound}")
    (tmp_path / "proc").mkdir(exist_ok=True)
    (tmp_path / "proc/stat").write_text(f"cpu 1 2\nbtime {started}\n")
    expected = ["the NVIDIA module is installed and not loaded yet"] if due else []
    assert told(tmp_path)["reboot_reasons"] == expected


def test_a_kernel_that_waits_for_its_module_is_named(tmp_path: Path) -> None:
    found = told(machine(tmp_path))
    assert found["waiting_kernels"] == ["7.0.0-43-generic"]
    assert "kernel 7.0.0-43-generic has no NVIDIA module yet" in hosttool.message(found)
    menu = tmp_path / "grub.cfg"
    assert hosttool.guard_choice(menu, tmp_path) == "", "without a menu there is nothing to tell GRUB"
    menu.write_text("menuentry 'x' --id 'old' {\n\tlinux /vmlinuz-6.8.0-149-generic ro\n}\n")
    assert hosttool.guard_choice(menu, tmp_path) == "old"


@pytest.mark.parametrize(
    ("files", "guarded"),
    [
        ({}, False),
        ({"etc/default/grub": "GRUB_DEFAULT=0\n"}, True),
        ({"etc/default/grub": "#GRUB_DEFAULT=saved\nGRUB_TIMEOUT=5\n"}, True),
        ({"etc/default/grub": "GRUB_DEFAULT=saved\n"}, False),
        ({"etc/default/grub": "GRUB_DEFAULT=0\n", "etc/default/grub.d/50-mine.cfg": 'GRUB_DEFAULT="1>2"\n'}, False),
        ({"etc/default/grub": "GRUB_DEFAULT=saved\n", "etc/default/grub.d/50-mine.cfg": "GRUB_DEFAULT=0\n"}, True),
    ],
)
def test_an_owner_who_chose_an_entry_keeps_it_and_the_message_says_so(
    tmp_path: Path, files: dict[str, str], guarded: bool
) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    if files:
        (tmp_path / state.GRUB_SCRIPT).parent.mkdir(parents=True)
        (tmp_path / state.GRUB_SCRIPT).touch()
    found = told(machine(tmp_path))
    assert found["boot_guarded"] is guarded
    assert ("is not started by default" in hosttool.message(found)) is guarded


def test_packages_are_read_with_their_holds_and_what_is_half_done(tmp_path: Path) -> None:
    found = told(machine(tmp_path))
    assert found["packages"] == {"libnvidia-compute-580": "580.178.04-0ubuntu0.24.04.1"}
    assert found["held"] == ["libnvidia-compute-580"] and found["half_configured"] == ["broken"]
    assert found["branches"] == ["580"]
    assert found["secure_boot"] is None and found["leftovers"] == []


@pytest.mark.parametrize(
    ("files", "tool", "dracut"),
    [
        ([], None, False),
        (["usr/sbin/update-initramfs"], "update-initramfs", False),
        (["usr/bin/dracut"], "dracut", True),
        (["usr/sbin/update-initramfs", "usr/bin/dracut"], "update-initramfs", True),
    ],
)
def test_what_makes_the_initramfs(tmp_path: Path, files: list[str], tool: str | None, dracut: bool) -> None:
    for file in files:
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).touch()
    found = told(tmp_path)
    assert found["initramfs"] == tool and found["dracut"] is dracut


@pytest.mark.parametrize(
    ("started", "command"),
    [
        (
            "ExecStart=/usr/bin/nvidia-persistenced --user nvpd",
            "/usr/bin/nvidia-persistenced --user nvpd --persistence-mode",
        ),
        (
            "ExecStart=/usr/bin/nvidia-persistenced --user nvidia-persistenced --no-persistence-mode --verbose",
            "/usr/bin/nvidia-persistenced --user nvidia-persistenced --verbose --persistence-mode",
        ),
        (
            "ExecStart=-/usr/bin/nvidia-persistenced \\\n  --verbose",
            "/usr/bin/nvidia-persistenced --verbose --persistence-mode",
        ),
        ("ExecStopPost=/bin/rm -rf /var/run/nvidia-persistenced", None),
    ],
    ids=["Debian", "Ubuntu", "NVIDIA, as root", "no command"],
)
def test_the_persistence_daemon_runs_under_the_account_of_its_packaged_unit(
    tmp_path: Path, started: str, command: str | None
) -> None:
    assert state.persistence_command(tmp_path) is None, "no unit"
    unit = tmp_path / "lib/systemd/system/nvidia-persistenced.service"
    unit.parent.mkdir(parents=True)
    unit.write_text(f"[Unit]\nDescription=NVIDIA Persistence Daemon\n[Service]\nType=forking\n{started}\n")
    assert state.persistence_command(tmp_path) == command


def test_firmware_without_mokutil_tells_secure_boot(tmp_path: Path) -> None:
    variable = tmp_path / "sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"
    variable.parent.mkdir(parents=True)
    variable.write_bytes(b"\x06\0\0\0\1")
    assert told(tmp_path)["secure_boot"] is True


def test_systemd_tells_several_units_at_once() -> None:
    shown = (
        "Id=nvidia-persistenced.service\nLoadState=loaded\nActiveState=active\nUnitFileState=enabled\n\n"
        "Id=nvidia-fabricmanager.service\nLoadState=not-found\nActiveState=inactive\nUnitFileState=\n\n"
        "Id=dlbox-gpu-settings.service\nActiveState=inactive\nUnitFileState=\n"
    )
    assert state.unit_states(shown) == {
        "nvidia-persistenced.service": {"enabled": True, "active": True},
        "dlbox-gpu-settings.service": {"enabled": False, "active": False},
    }
    assert state.unit_states("") == {}
