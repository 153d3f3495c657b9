"""The NVIDIA module in the running kernel: /proc/driver/nvidia and /sys/module."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from .files import matching, text_of

#: The kernel's own drivers for the same GPUs.
RIVALS = ("nouveau", "nova_core")


class LoadedModule(NamedTuple):
    """version: "580.178.04", None when none is loaded; flavour: open or proprietary, None where it does not say."""

    version: str | None
    flavour: str | None


def driver_version(text: str) -> str | None:
    """Return a driver's version (580.178.04), None for anything else."""
    return text if re.fullmatch(r"[0-9]{1,6}(\.[0-9]{1,6}){1,3}", text) else None


def read_module(root: Path = Path("/")) -> LoadedModule:
    """Return version and flavour of the module that is loaded."""
    text = text_of(root / "proc/driver/nvidia/version")
    match = re.search(r"Kernel Module(?: for \S+)?\s+(\d+(?:\.\d+)+)", text)
    version = driver_version(match[1] if match else text_of(root / "sys/module/nvidia/version"))
    flavour = ("open" if "Open Kernel Module" in text else "proprietary") if text else None
    return LoadedModule(version, flavour)


def loaded_modules(names: Iterable[str], root: Path = Path("/")) -> list[str]:
    """Return which of these kernel modules are loaded."""
    return [name for name in names if (root / "sys/module" / name).is_dir()]


def gpu_models(root: Path = Path("/")) -> dict[str, str]:
    """Return slot to model, of the GPUs that the module drives."""
    found = {}
    for path in matching(root / "proc/driver/nvidia/gpus", "*/information"):
        match = re.search(r"^Model:\s+(.+)$", text_of(path), re.MULTILINE)
        if match:
            found[path.parent.name] = match[1].strip()
    return found
