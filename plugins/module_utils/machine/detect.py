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

from ..host import dpkg, nvidia_smi, virtualization
from ..host.files import matching, text_of
from ..host.os_release import read_os_release

_EFI_GLOBAL = "8be4df61-93ca-11d2-aa0d-00e098032b8c"
#: PCI classes of a GPU: VGA, 3D controller, other display. Audio and USB functions have others.
_GPU_CLASSES = ("0300", "0302", "0380")
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
    driver = loaded_driver(top)
    nodes = sorted(word(path.name) for path in matching(top / "dev", "nvidia[0-9]*"))
    driver["devices"] = nodes
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
            "secure_boot": None if container or wsl else secure_boot(top),
            "virtualization": word(virtualization.virtualization(top)),
            "wsl": wsl,
        },
        "cpu": cpu(top),
        "memory_mib": memory_mib(top),
        "gpus": gpus,
        "nvswitches": nvswitches(top),
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
        known = dpkg.read_packages(top / "var/lib/dpkg")
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


def secure_boot(top: Path) -> bool | None:
    """Return the state of Secure Boot: False without EFI, None when EFI does not tell."""
    if not (top / "sys/firmware/efi").exists():
        return False
    try:
        value = (top / f"sys/firmware/efi/efivars/SecureBoot-{_EFI_GLOBAL}").read_bytes()
    except FileNotFoundError:
        return False if matching(top / "sys/firmware/efi/efivars", "*") else None
    except OSError:
        return None
    return value[4] == 1 if len(value) >= 5 else None


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
    match = re.search(r"^MemTotal:\s+([0-9]{1,12}) kB", text_of(top / "proc/meminfo"), re.MULTILINE)
    return int(match.group(1)) // 1024 if match else None


def loaded_driver(top: Path) -> dict[str, Any]:
    """Return version and flavour of the NVIDIA kernel module that is loaded, None for each that is not."""
    told = text_of(top / "proc/driver/nvidia/version")
    match = re.search(r"Kernel Module[^\d]*(?:for \S+\s+)?(\d+\.\d+(?:\.\d+)?)", told)
    version = match.group(1) if match else text_of(top / "sys/module/nvidia/version")
    modules = None
    if told:
        modules = "open" if "Open Kernel Module" in told else "proprietary"
    return {"loaded": driver_version(version), "modules": modules}


def driver_version(value: str) -> str | None:
    """Return a driver's version (580.178.04), None for anything else."""
    return value if re.fullmatch(r"[0-9]{1,6}(\.[0-9]{1,6}){1,3}", value) else None


def pci_gpus(top: Path) -> list[dict[str, Any]]:
    """Return the NVIDIA GPUs on the PCI bus, from sysfs."""
    result = []
    for device in matching(top / "sys/bus/pci/devices", "*"):
        if text_of(device / "vendor").lower() != "0x10de":
            continue
        pci_class = text_of(device / "class").lower().removeprefix("0x")[:4]
        if pci_class not in _GPU_CLASSES:
            continue
        if (device / "physfn").is_symlink():
            continue  # a virtual function that this machine made of one of its GPUs, for its guests
        number = text_of(device / "device").lower().removeprefix("0x")
        if not re.fullmatch("[0-9a-f]{4}", number):
            continue
        entry = _entry(f"10de:{number}", word(device.name))
        entry["subsystem"] = _subsystem(device)
        entry["class"] = pci_class
        entry["kernel_driver"] = _driver_of(device)
        entry["link"] = _link(device)
        entry["vgpu"] = is_vgpu(device)
        entry["chip_hint"], entry["name_hint"] = _hint(top, number)
        entry["name_hint"] = entry["name_hint"] or _model(top, device.name)
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


def nvswitches(top: Path) -> int:
    """Return the number of NVSwitch bridges: those of A100 and H100 boards are NVIDIA's devices on the PCI bus."""
    devices = matching(top / "sys/bus/pci/devices", "*")
    found = [
        device
        for device in devices
        if text_of(device / "vendor").lower() == "0x10de" and text_of(device / "class").lower().startswith("0x0680")
    ]
    return min(len(found), 64)


def is_vgpu(device: Path) -> bool | None:
    """Tell whether a GPU is a virtual one of a hypervisor (NVIDIA vGPU), None where its config space cannot be read.

    A vGPU has a vendor-specific PCI capability with the signature "VF", as go-nvlib of NVIDIA's feature discovery reads
    it. Only root may read beyond the first 64 bytes, where capabilities are.
    """
    try:
        with (device / "config").open("rb") as file:
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


def _subsystem(device: Path) -> str:
    """Return vendor and device id of a PCI device's subsystem (the board's maker and model), "" where unreadable."""
    ids = [text_of(device / f"subsystem_{part}").lower().removeprefix("0x") for part in ("vendor", "device")]
    return ":".join(ids) if all(re.fullmatch("[0-9a-f]{4}", number) for number in ids) else ""


def _driver_of(device: Path) -> str | None:
    try:
        return re.sub(r"[^A-Za-z0-9_.-]", "_", (device / "driver").readlink().name)[:64]
    except OSError:
        return None


def _link(device: Path) -> dict[str, Any]:
    """Return negotiated and possible PCIe width, and speeds in GT/s; unknown ones are left out."""
    result: dict[str, Any] = {}
    for key, name in (("width", "current_link_width"), ("max_width", "max_link_width")):
        width = re.fullmatch("[0-9]{1,2}", text_of(device / name))
        if width and 0 < int(width.group()) <= 32:
            result[key] = int(width.group())
    for key, name in (("speed", "current_link_speed"), ("max_speed", "max_link_speed")):
        match = re.match("[0-9.]{1,8}", text_of(device / name))
        if match:
            result[key] = match.group()
    return result


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


def _model(top: Path, slot: str) -> str:
    match = re.search(r"^Model:\s+(.+)$", text_of(top / "proc/driver/nvidia/gpus" / slot / "information"), re.MULTILINE)
    return text(match.group(1).strip()) if match else ""


def _gpus_without_pci(top: Path, real: bool, wsl: bool) -> tuple[list[dict[str, Any]], str | None]:
    """Return (GPUs, driver version) where the PCI bus shows none: nvidia-smi, else the driver's procfs."""
    program = str(top / "usr/lib/wsl/lib/nvidia-smi") if wsl else (shutil.which("nvidia-smi") or "" if real else "")
    if program and Path(program).exists():
        gpus, version = _parse_smi(_run([program, *nvidia_smi.arguments(_SMI_FIELDS)]))
        if gpus:
            return gpus, version
    result = []
    for directory in matching(top / "proc/driver/nvidia/gpus", "*"):
        model = _model(top, directory.name)
        if model:
            result.append({**_entry("", word(directory.name)), "name_hint": model})
    return result, None


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
        version = driver_version(told)
        match = re.fullmatch(r"0x([0-9a-fA-F]{4})10de", device, re.IGNORECASE)
        entry = _entry(f"10de:{match.group(1).lower()}" if match else "", word(slot.lower()))
        entry["name_hint"] = text(name)
        entry["memory_mib"] = int(memory) if re.fullmatch("[0-9]{1,7}", memory) else None
        gpus.append(entry)
    return gpus, version
