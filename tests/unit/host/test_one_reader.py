"""Each fact of a host has one reader, in module_utils/host: what reads it elsewhere is a second one."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[3]
#: Code that runs, on hosts or on the controller. What planner data says, and YAML of stories and tests, reads no host.
SOURCES = [
    file
    for place, pattern in (("plugins", "*.py"), ("scripts", "*.py"), ("roles", "*.y*ml"), ("playbooks", "*.y*ml"))
    for file in sorted((PROJECT / place).rglob(pattern))
    if "ansible_collections" not in file.parts and "data" not in file.parts
]
#: fact: (how its source looks in code, the one reader, {another place: why it is there})
FACTS: dict[str, tuple[str, str, dict[str, str]]] = {
    "GPUs as nvidia-smi has them": (r"--query-gpu", "host/nvidia_smi.py", {}),
    "packages on offer": (r"Candidate: ", "host/apt_policy.py", {}),
    "dpkg's packages": (
        r"dpkg-query\", \"(-W|--show)|dpkg/(status|info)|db:Status",
        "host/dpkg.py",
        {"plugins/module_utils/host/apt_policy.py": "apt's name of the source that dpkg is"},
    ),
    "PCI devices": (r"bus/pci/devices|\"0x10de|current_link", "host/pci.py", {}),
    "Secure Boot": (r"efivars|\"--sb-state|SecureBoot-", "host/secure_boot.py", {}),
    "installed kernels": (r"vmlinuz-\*|lib/modules\"", "host/kernels.py", {}),
    "loaded NVIDIA module": (r"driver/nvidia/(version|gpus)|sys/module", "host/nvidia_module.py", {}),
    "operating system": (r"(?<!in )/os-release[\"']", "host/os_release.py", {}),
    "container, WSL2, hypervisor": (
        r"dockerenv|containerenv|run/systemd/container|class/dmi|detect-virt\"|dev/dxg|container=",
        "host/virtualization.py",
        {},
    ),
    "systemd units": (r"\"systemctl\", \"show\"|systemctl show [-a-z]|ActiveState=", "host/units.py", {}),
}


@pytest.mark.parametrize("fact", FACTS)
def test_a_fact_is_read_in_one_place(fact: str) -> None:
    pattern, reader, others = FACTS[fact]
    found = {
        str(file.relative_to(PROJECT / "plugins/module_utils" if reader in str(file) else PROJECT))
        for file in SOURCES
        if re.search(pattern, file.read_text(encoding="utf-8"))
    }
    assert found == {reader, *others}
