"""Build machines in mind for the planner's tests."""

from __future__ import annotations

from typing import Any

from ansible_collections.dlbox.workstation.plugins.plugin_utils.planner.gpus import from_name
from ansible_collections.dlbox.workstation.plugins.plugin_utils.planner.model import find_system

AS_OF = "2026-11-20"
AVX = ("avx", "avx2", "fma")


def machine(
    *gpus: str,
    os: str = "ubuntu-24.04",
    kernel: str | None = None,
    secure_boot: bool | None = False,
    flags: tuple[str, ...] = AVX,
    virtualization: str = "none",
    wsl: bool = False,
    driver: str | None = None,
    ram: int | None = None,
    arch: str = "x86_64",
) -> dict[str, Any]:
    """Return facts of a machine with these GPUs (names), in the shape that detection returns."""
    system = find_system(os)
    return {
        "host": "test",
        "os": {
            "id": system.id,
            "version": system.version,
            "codename": system.codename,
            "kernel": kernel or system.default_kernel,
            "arch": arch,
            "secure_boot": secure_boot,
            "virtualization": virtualization,
            "wsl": wsl,
        },
        "cpu": {"model": "", "count": 8, "flags": list(flags)},
        "memory_mib": ram,
        "gpus": [
            {"pci_id": gpu.pci_id, "subsystem": "1043:8787", "slot": f"0000:{number + 1:02x}:00.0"}
            for number, gpu in enumerate(from_name(name) for name in gpus)
        ],
        "driver": {"loaded": driver, "modules": None, "devices": []},
    }
