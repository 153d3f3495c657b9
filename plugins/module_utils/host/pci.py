"""NVIDIA's devices on the PCI bus: sysfs, /sys/bus/pci/devices."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .files import matching, text_of

_NVIDIA = "0x10de"
#: PCI classes of a GPU: VGA, 3D controller, other display. Audio and USB functions have others.
_GPU_CLASSES = ("0300", "0302", "0380")
_BRIDGE = "0680"


@dataclass(frozen=True)
class Device:
    """A device. slot: 0000:01:00.0; number: its id in four hexadecimal digits, "" where unreadable; kind: PCI class and
    subclass (0300); driver: the kernel's driver that is bound to it, or None.
    """

    path: Path
    slot: str
    number: str
    kind: str
    driver: str | None

    @property
    def virtual_function(self) -> bool:
        """Whether this machine made it of one of its GPUs, for its guests."""
        return (self.path / "physfn").is_symlink()


def _hexadecimal(path: Path) -> str:
    """Return a number of sysfs without 0x, "" where there is none."""
    match = re.fullmatch("0x([0-9a-f]{4,6})", text_of(path).lower())
    return match[1] if match else ""


def nvidia_devices(root: Path = Path("/")) -> list[Device]:
    """Return NVIDIA's devices, by slot."""
    found = []
    for path in matching(root / "sys/bus/pci/devices", "*"):
        if text_of(path / "vendor").lower() == _NVIDIA:
            try:
                driver = (path / "driver").readlink().name
            except OSError:
                driver = None
            kind = _hexadecimal(path / "class")[:4]
            found.append(Device(path, path.name, _hexadecimal(path / "device"), kind, driver))
    return found


def nvidia_gpus(root: Path = Path("/")) -> list[Device]:
    """Return NVIDIA's GPUs, by slot; those made for guests of this machine are left out."""
    return [one for one in nvidia_devices(root) if one.kind in _GPU_CLASSES and not one.virtual_function]


def nvswitches(root: Path = Path("/")) -> list[Device]:
    """Return the NVSwitch bridges: those of A100 and H100 boards are NVIDIA's devices on the PCI bus."""
    return [one for one in nvidia_devices(root) if one.kind == _BRIDGE]


def subsystem(path: Path) -> str:
    """Return vendor and device id of a device's subsystem (the board's maker and model), "" where unreadable."""
    ids = [_hexadecimal(path / f"subsystem_{part}") for part in ("vendor", "device")]
    return ":".join(ids) if all(ids) else ""


def link(path: Path) -> dict[str, Any]:
    """Return negotiated and possible PCIe width, and speeds in GT/s, of a device; unknown ones are left out."""
    result: dict[str, Any] = {}
    for key, name in (("width", "current_link_width"), ("max_width", "max_link_width")):
        width = re.fullmatch("[0-9]{1,2}", text_of(path / name))
        if width and 0 < int(width.group()) <= 32:
            result[key] = int(width.group())
    for key, name in (("speed", "current_link_speed"), ("max_speed", "max_link_speed")):
        match = re.match("[0-9.]{1,8}", text_of(path / name))
        if match:
            result[key] = match.group()
    return result


def is_vgpu(path: Path) -> bool | None:
    """Tell whether a GPU is a virtual one of a hypervisor (NVIDIA vGPU), None where its config space cannot be read.

    A vGPU has a vendor-specific PCI capability with the signature "VF", as go-nvlib of NVIDIA's feature discovery reads
    it. Only root may read beyond the first 64 bytes, where capabilities are.
    """
    try:
        with (path / "config").open("rb") as file:
            config = file.read(256)
    except OSError:
        return None
    if len(config) < 256:
        return None
    position, steps = config[0x34] if config[0x06] & 0x10 else 0, 0
    while 0x40 <= position <= 0xFA and steps < 48:
        if config[position] == 0x09 and config[position + 3 : position + 5] == b"VF":
            return True
        position, steps = config[position + 1], steps + 1
    return False
