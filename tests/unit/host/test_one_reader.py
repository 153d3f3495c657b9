"""Each fact of a host has one reader, in module_utils/host: what reads it elsewhere is a second one."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

import pytest

PROJECT = Path(__file__).resolve().parents[3]
HOST = "plugins/module_utils/host"
CODE = (("plugins", "*.py"), ("scripts", "*.py"), ("roles", "*.y*ml"), ("roles", "*.j2"), ("playbooks", "*.y*ml"))
#: Code that runs, on hosts or on the controller. The planner's data reads no host.
SOURCES = [
    file
    for folder, pattern in CODE
    for file in sorted((PROJECT / folder).rglob(pattern))
    if "ansible_collections" not in file.parts and "data" not in file.parts
]


class Fact(NamedTuple):
    """How the source of a fact looks in code, its one reader, and other places that name it, each with the reason."""

    source: str
    reader: str
    others: dict[str, str] = {}


CONDITION = "a condition in a unit, which systemd or a shell evaluates at boot"
FACTS = {
    "GPUs as nvidia-smi has them": Fact(r"--query-gpu", "nvidia_smi.py"),
    "age of apt's lists": Fact(r"apt/lists\"", "apt_lists.py"),
    "apt's sources": Fact(r"deb-src", "apt_sources.py"),
    "OpenPGP keys": Fact(r"--show-keys|--with-colons", "gpg_keys.py"),
    "packages on offer": Fact(r"Candidate: ", "apt_policy.py"),
    "dpkg's packages": Fact(
        r"dpkg-query\", \"(-W|--show)|dpkg/(status|info)|db:Status",
        "dpkg.py",
        {f"{HOST}/apt_policy.py": "apt's name of the source that dpkg is"},
    ),
    "PCI devices": Fact(
        r"bus/pci/devices|\"0x10de|current_link",
        "pci.py",
        {"roles/nvidia_driver/templates/persistenced.conf.j2": CONDITION},
    ),
    "Secure Boot": Fact(r"efivars|\"--sb-state|SecureBoot-", "secure_boot.py"),
    "installed kernels": Fact(r"vmlinuz-\*|lib/modules\"", "kernels.py"),
    "loaded NVIDIA module": Fact(
        r"driver/nvidia/(version|gpus)|sys/module",
        "nvidia_module.py",
        {"roles/nvidia_driver/templates/dlbox-gpu-settings.service.j2": CONDITION},
    ),
    "memory": Fact(r"proc/meminfo\"|SC_PHYS_PAGES", "memory.py"),
    "operating system": Fact(r"(?<!in )/os-release[\"']", "os_release.py"),
    "container, WSL2, hypervisor": Fact(
        r"dockerenv|containerenv|run/systemd/container|class/dmi|detect-virt\"|dev/dxg|\bcontainer=",
        "virtualization.py",
    ),
    "systemd units": Fact(r"\"systemctl\", \"show\"|systemctl show [-a-z]|ActiveState=", "units.py"),
}


@pytest.mark.parametrize("fact", FACTS.values(), ids=FACTS)
def test_a_fact_is_read_in_one_place(fact: Fact) -> None:
    found = {
        str(file.relative_to(PROJECT)) for file in SOURCES if re.search(fact.source, file.read_text(encoding="utf-8"))
    }
    assert found == {f"{HOST}/{fact.reader}", *fact.others}


def test_the_page_on_architecture_lists_every_reader() -> None:
    page = (PROJECT / "docs/architecture.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| `(\w+\.py)` \|", page, re.MULTILINE)
    readers = {file.name for file in (PROJECT / HOST).glob("*.py")} - {"__init__.py", "files.py"}
    assert sorted(listed) == sorted(readers)
