"""Detect a machine's facts from its files.

Every reader takes the root directory first and never raises for a missing or unreadable file: a machine
without pciutils, without a driver, inside a container or under WSL2 still yields facts.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

from ..host import dpkg, nvidia_module, nvidia_smi, pci, virtualization
from ..host.files import matching, text_of
from ..host.memory import read_memory
from ..host.os_release import read_os_release
from ..host.secure_boot import has_efi, secure_boot

_FLAGS = frozenset({"avx", "avx2", "avx512f", "f16c", "fma", "hypervisor", "sse4_2", "ssse3"})
_PCI_IDS = ("usr/share/misc/pci.ids", "usr/share/hwdata/pci.ids")
_SMI_FIELDS = ("name", "driver_version", "memory.total", "pci.device_id", "pci.bus_id")
#: Longest text and word that a fact may be (docs/schemas/machine.json).
_TEXT, _WORD = 200, 64


def text(value: str) -> str:
    """Return a text as a fact may hold it: one line of printable characters, no braces, cut to its length."""
    return "".join(char for char in value if char.isprintable() and char not in "{}")[:_TEXT]


def word(value: str) -> str:
    """Return a name or a version as a fact may hold it; other characters become ``_``."""
    return re.sub(r"[^A-Za-z0-9._:+~-]", "_", value)[:_WORD]


def detect(root: str | Path = "/") -> dict[str, Any]:
    """Return the machine's facts, as docs/schemas/machine.json describes them.

    root: directory that holds etc, proc, sys and dev.
    """
    top = Path(root)
    real = str(top) == "/"
    wsl = virtualization.is_wsl(top)
    container = not wsl and virtualization.container(top)
    module = nvidia_module.read_module(top)
    nodes = sorted(word(path.name) for path in matching(top / "dev", "nvidia[0-9]*"))
    driver: dict[str, Any] = {"loaded": module.version, "modules": module.flavour, "devices": nodes}
    gpus = pci_gpus(top)
    if not gpus and (wsl or nodes or driver["loaded"]):
        gpus, version = _gpus_without_pci(top, real, wsl)
        driver["loaded"] = driver["loaded"] or version
    if container and not nodes:
        driver["loaded"] = None
        for gpu in gpus:
            gpu["usable"] = False
            gpu["note"] = "belongs to the container's host, which has passed no NVIDIA device into it"
    for gpu in gpus:
        if gpu["kernel_driver"] == "vfio-pci":
            gpu["usable"] = False
            gpu["note"] = "bound to vfio-pci for a virtual machine: left alone"
    return {
        "host": text((os.uname().nodename if real else "") or text_of(top / "etc/hostname")) or "localhost",
        "os": {
            **system(top),
            "kernel": kernel(top, real),
            "kernel_flavours": kernel_flavours(top),
            "arch": word(machine(top, real)),
            "secure_boot": None if container or wsl else has_efi(top) and secure_boot(top),
            "virtualization": word(virtualization.virtualization(top)),
            "wsl": wsl,
        },
        "cpu": cpu(top),
        "memory_mib": memory_mib(top),
        "gpus": gpus,
        "nvswitches": min(len(pci.nvswitches(top)), 64),
        "driver": driver,
    }


def system(top: Path) -> dict[str, str]:
    """Return id, version, codename and name from os-release."""
    fields = read_os_release(top)
    return {
        "id": word(fields.get("ID", "")),
        "version": word(fields.get("VERSION_ID", "")),
        "codename": word(fields.get("VERSION_CODENAME", "")),
        "name": text(fields.get("PRETTY_NAME", "")),
    }


def kernel(top: Path, real: bool) -> str:
    """Return the running kernel's release (uname -r)."""
    release = text_of(top / "proc/sys/kernel/osrelease") or (os.uname().release if real else "")
    return release if re.fullmatch(r"[0-9]{1,6}[A-Za-z0-9.+~_-]{0,120}", release) else ""


def kernel_flavours(top: Path) -> list[str]:
    """Return the installed kernel metapackages, without ``linux-image-``."""
    try:
        known = dpkg.read_packages(top / "var/lib/dpkg", "linux-image-")
    except OSError:
        return []
    flavours = (
        name.removeprefix("linux-image-")
        for name, package in known.items()
        if package.installed and re.match("linux-image-[a-z]", name)
    )
    return sorted(
        word(one) for one in flavours if not one.startswith(("unsigned-", "extra-")) and not one.endswith("-dbg")
    )[:32]


def machine(top: Path, real: bool) -> str:
    """Return the machine type (uname -m); x86_64 for a prepared root that does not say."""
    if real:
        return os.uname().machine
    return text_of(top / "proc/sys/kernel/arch") or "x86_64"


def cpu(top: Path) -> dict[str, Any]:
    """Return model, number of logical CPUs, and those flags that matter to wheels."""
    model, count, flags = "", 0, ""
    for line in text_of(top / "proc/cpuinfo").splitlines():
        key, _, value = line.partition(":")
        key = key.strip()
        if key == "processor":
            count += 1
        elif key in ("flags", "Features") and not flags:
            flags = value
        elif key == "model name" and not model:
            model = value.strip()
    return {"model": text(model), "count": min(count, 65536), "flags": sorted(_FLAGS & set(flags.split()))}


def memory_mib(top: Path) -> int | None:
    """Return the machine's memory in MiB."""
    total = read_memory(top).get("MemTotal")
    return total // 2**20 if total is not None else None


def pci_gpus(top: Path) -> list[dict[str, Any]]:
    """Return the NVIDIA GPUs on the PCI bus."""
    result = []
    models = nvidia_module.gpu_models(top)
    for device in pci.nvidia_gpus(top):
        if not device.number:
            continue
        entry = _entry(f"10de:{device.number}", word(device.slot))
        entry["subsystem"] = pci.subsystem(device.path)
        entry["class"] = device.kind
        entry["kernel_driver"] = re.sub(r"[^A-Za-z0-9_.-]", "_", device.driver)[:64] if device.driver else None
        entry["link"] = pci.link(device.path)
        entry["vgpu"] = pci.is_vgpu(device.path)
        entry["chip_hint"], entry["name_hint"] = _hint(top, device.number)
        entry["name_hint"] = entry["name_hint"] or text(models.get(device.slot, ""))
        result.append(entry)
    return result


def _entry(pci_id: str, slot: str) -> dict[str, Any]:
    return {
        "pci_id": pci_id,
        "subsystem": "",
        "slot": slot,
        "class": "",
        "kernel_driver": None,
        "link": {},
        "chip_hint": "",
        "name_hint": "",
        "memory_mib": None,
        "usable": True,
        "vgpu": False,
        "note": "",
    }


def _hint(top: Path, number: str) -> tuple[str, str]:
    """Return (chip, name) of an NVIDIA device from the host's own pci.ids, "" for what it does not tell."""
    for name in _PCI_IDS:
        ids = text_of(top / name)
        start = ids.find("\n10de  ")
        if start < 0:
            continue
        match = re.compile(rf"^\t{re.escape(number)}  (\S+)(?:.*?\[(.*)\])?", re.MULTILINE).search(ids, start)
        end = re.compile(r"^[0-9a-f]{4}  ", re.MULTILINE).search(ids, start + 6)
        if match and (end is None or match.start() < end.start()):
            return word(match.group(1)), text(match.group(2) or "")
    return "", ""


def _gpus_without_pci(top: Path, real: bool, wsl: bool) -> tuple[list[dict[str, Any]], str | None]:
    """Return (GPUs, driver version) where the PCI bus shows none: nvidia-smi, else the driver's procfs."""
    program = str(top / "usr/lib/wsl/lib/nvidia-smi") if wsl else (shutil.which("nvidia-smi") or "" if real else "")
    if program and Path(program).exists():
        gpus, version = _parse_smi(_run([program, *nvidia_smi.arguments(_SMI_FIELDS)]))
        if gpus:
            return gpus, version
    models = nvidia_module.gpu_models(top)
    return [{**_entry("", word(slot)), "name_hint": text(model)} for slot, model in models.items()], None


def _run(command: list[str]) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=10, check=False).stdout
    except (OSError, subprocess.SubprocessError):
        return ""


def _parse_smi(answer: str) -> tuple[list[dict[str, Any]], str | None]:
    gpus: list[dict[str, Any]] = []
    version = None
    for row in nvidia_smi.rows(answer, _SMI_FIELDS):
        name, told, memory, device, slot = row.values()
        version = nvidia_module.driver_version(told)
        match = re.fullmatch(r"0x([0-9a-fA-F]{4})10de", device, re.IGNORECASE)
        entry = _entry(f"10de:{match.group(1).lower()}" if match else "", word(slot.lower()))
        entry["name_hint"] = text(name)
        entry["memory_mib"] = int(memory) if re.fullmatch("[0-9]{1,7}", memory) else None
        gpus.append(entry)
    return gpus, version
