"""NVIDIA's GPUs: on the bus, in the kernel, by nvidia-smi; DKMS and Secure Boot."""

from __future__ import annotations

from typing import Any

from ..host import nvidia_module as loaded
from ..host import nvidia_smi as smi
from ..host import pci
from ..host.kernels import read_kernels
from ..host.secure_boot import COMMAND
from ..host.secure_boot import secure_boot as read_secure_boot
from .common import Settings, read, run

GPU_FIELDS = (
    *("index", "uuid", "pci.bus_id", "name", "driver_version", "persistence_mode"),
    *("power.draw", "power.limit", "power.default_limit", "power.max_limit", "temperature.gpu"),
    *("pcie.link.width.current", "pcie.link.width.max", "ecc.errors.uncorrected.volatile.total"),
    *("clocks_throttle_reasons.hw_slowdown", "memory.total", "memory.used", "utilization.gpu"),
)


def gpus(_: Settings) -> list[dict[str, Any]]:
    """NVIDIA GPUs on the PCI bus: slot, bound driver, PCIe link width now and at most (None where unknown)."""
    found = []
    for gpu in pci.nvidia_gpus():
        link, slot = pci.link(gpu.path), pci.link(gpu.path.resolve().parent)
        widths = {
            "width": link.get("width"),
            "width_max": link.get("max_width"),
            "slot_width_max": slot.get("max_width"),
        }
        found.append({"slot": gpu.slot, "driver": gpu.driver, **widths})
    return found


def nvidia_module(_: Settings) -> dict[str, Any]:
    """What of the driver is loaded in the kernel: version, flavour, and the competing open-source drivers."""
    module = loaded.read_module()
    return {
        "version": module.version,
        "open": module.flavour == "open",
        "loaded": loaded.loaded_modules(("nvidia", "nvidia_uvm", "nvidia_drm", *loaded.RIVALS)),
        "params": read("/proc/driver/nvidia/params") or "",
    }


def nvidia_smi(_: Settings) -> dict[str, Any]:
    """One query of all the fields that the checks use, GPU_FIELDS."""
    answer = run(["nvidia-smi", *smi.arguments(GPU_FIELDS)], timeout=60)
    return {**answer, "gpus": smi.rows(answer["out"], GPU_FIELDS) if answer["rc"] == 0 else []}


def dkms(_: Settings) -> dict[str, Any]:
    """`dkms status`, one line per module, kernel and state."""
    return run(["dkms", "status"], timeout=60)


def secure_boot(_: Settings) -> dict[str, Any]:
    """Whether Secure Boot is on (None: no UEFI, or not readable); if so, mokutil's lists of keys that are enrolled and
    that wait for the next start, and what modinfo says of every NVIDIA module that was built here, by kernel release.
    """
    enabled = read_secure_boot(mokutil=run(list(COMMAND))["out"])
    if not enabled:
        return {"enabled": enabled, "enrolled": "", "staged": "", "built": {}}
    built = [one for one in read_kernels(versions=False) if one.provider == "dkms" and one.module_path]
    return {
        "enabled": enabled,
        "enrolled": run(["mokutil", "--list-enrolled"])["out"],
        "staged": run(["mokutil", "--list-new"])["out"],
        "built": {one.release: run(["modinfo", str(one.module_path)])["out"] for one in built},
    }
