"""What a host runs in: a container, WSL2, a virtual machine, or nothing (the words of systemd-detect-virt)."""

from __future__ import annotations

import re
from pathlib import Path

from .files import text_of

#: What firmware calls itself (/sys/class/dmi/id), and the hypervisor that it is of.
_FIRMWARE = (
    ("QEMU", "kvm"),
    ("KVM", "kvm"),
    ("VMware", "vmware"),
    ("VirtualBox", "oracle"),
    ("innotek", "oracle"),
    ("Xen", "xen"),
    ("Amazon EC2", "amazon"),
    ("Google", "google"),
    ("Bochs", "bochs"),
    ("Parallels", "parallels"),
)


def is_wsl(root: Path = Path("/")) -> bool:
    """Tell whether this is WSL2: by the kernel's name, or by the device that reaches Windows' driver."""
    version = text_of(root / "proc/version").lower() + text_of(root / "proc/sys/kernel/osrelease").lower()
    return "microsoft" in version or (root / "dev/dxg").exists()


def container(root: Path = Path("/")) -> str:
    """Return the kind of container ("docker", "podman", "lxc", "systemd-nspawn", ...), "" outside one.

    From what systemd wrote, else the mark that the engine left, else the environment of process 1.
    """
    kind = text_of(root / "run/systemd/container")
    if kind:
        return kind.split()[0]
    if (root / ".dockerenv").exists():
        return "docker"
    if (root / "run/.containerenv").exists():
        return "podman"
    match = re.search(r"(?:^|\0)container=([^\0]+)", text_of(root / "proc/1/environ"))
    return match.group(1) if match else ""


def hypervisor(root: Path = Path("/")) -> str:
    """Return the hypervisor's name by the firmware's, "vm-other" where only the CPU tells of one, else "none"."""
    vendor = " ".join(
        text_of(root / "sys/class/dmi/id" / name) for name in ("sys_vendor", "product_name", "bios_vendor")
    )
    for word, name in _FIRMWARE:
        if word in vendor:
            return name
    if "Microsoft Corporation" in vendor and "Virtual Machine" in vendor:
        return "microsoft"
    flags = re.search(r"^(?:flags|Features)\s*:.*\bhypervisor\b", text_of(root / "proc/cpuinfo"), re.MULTILINE)
    return "vm-other" if flags else "none"


def virtualization(root: Path = Path("/")) -> str:
    """Return "wsl", the kind of container, the hypervisor's name, or "none"; the innermost counts."""
    return "wsl" if is_wsl(root) else container(root) or hypervisor(root)
