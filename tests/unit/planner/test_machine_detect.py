"""Detection on prepared roots, and the plan for each: nothing odd may raise."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.dlbox.workstation.plugins.module_utils.machine.detect import detect
from ansible_collections.dlbox.workstation.plugins.plugin_utils.planner.merge import merge
from ansible_collections.dlbox.workstation.plugins.plugin_utils.planner.planner import plan
from machine_roots import ROOTS

Facts = Callable[[str], dict[str, Any]]
TOP = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize("name", sorted(ROOTS))
def test_every_machine_yields_facts_and_a_plan(name: str, facts_of: Facts) -> None:
    facts = facts_of(name)
    assert set(facts) == {"host", "os", "cpu", "memory_mib", "gpus", "nvswitches", "driver"}
    result = plan(facts, {"today": "2026-11-20"})
    assert result["ok"] or result["refusals"]


def test_bare_metal(facts_of: Facts) -> None:
    facts = facts_of("bare-metal")
    assert facts["os"] == {
        "id": "ubuntu", "version": "24.04", "codename": "noble", "name": "Ubuntu 24.04.4 LTS",
        "kernel": "6.8.0-149-generic", "kernel_flavours": [],
        "arch": "x86_64", "secure_boot": True, "virtualization": "none", "wsl": False,
    }  # fmt: skip
    assert facts["cpu"] == {"model": "AMD Ryzen 9", "count": 2, "flags": ["avx", "avx2", "fma", "sse4_2"]}
    assert facts["memory_mib"] == 64277
    [gpu] = facts["gpus"]
    assert (gpu["pci_id"], gpu["slot"], gpu["kernel_driver"]) == ("10de:1b06", "0000:01:00.0", "nouveau")
    assert gpu["subsystem"] == "1043:8787"
    assert gpu["link"] == {"width": 16, "max_width": 16, "speed": "8.0", "max_speed": "16.0"}


@pytest.mark.parametrize(("name", "state"), [("secure-boot-off", False), ("secure-boot-unreadable", None),
                                             ("no-gpu", False), ("container-with-gpu", None)])  # fmt: skip
def test_secure_boot(name: str, state: bool | None, facts_of: Facts) -> None:
    assert facts_of(name)["os"]["secure_boot"] is state


def test_several_gpus_and_a_loaded_driver(facts_of: Facts) -> None:
    facts = facts_of("several")
    assert [gpu["slot"] for gpu in facts["gpus"]] == ["0000:01:00.0", "0000:41:00.0", "0000:81:00.0"]
    assert facts["driver"] == {"loaded": "595.99.02", "modules": "open", "devices": ["nvidia0", "nvidia1"]}
    result = plan(facts, {})
    assert [gpu["name"] for gpu in result["gpus"]] == ["NVIDIA GeForce RTX 3090"] * 2 + ["Tesla T4"]
    assert [item["message"] for item in result["advice"] if item["code"] == "pcie_width"] == [
        "the GPU at 0000:41:00.0 runs at x4 of x16: check the slot, the riser, and the board's lane sharing"
    ]


def test_a_board_has_the_name_that_the_vendor_gives_its_subsystem(facts_of: Facts) -> None:
    facts = facts_of("max-q")
    assert [gpu["subsystem"] for gpu in facts["gpus"]] == ["1028:08ed"]
    assert plan(facts, {})["gpus"][0]["name"] == "NVIDIA GeForce RTX 2070 with Max-Q Design"
    facts["gpus"][0]["subsystem"] = "1043:8787"
    assert plan(facts, {})["gpus"][0]["name"] == "NVIDIA GeForce RTX 2070"


def test_a_gpu_bound_to_vfio_is_left_alone(facts_of: Facts) -> None:
    result = plan(facts_of("vfio"), {})
    assert result["ok"] and result["driver"] is None
    assert not result["gpus"][0]["usable"] and "vfio-pci" in result["gpus"][0]["note"]
    assert not result["frameworks"]["pytorch"]["gpu"]


def test_a_virtual_machine_with_a_masked_cpu(facts_of: Facts) -> None:
    facts = facts_of("virtual-machine")
    assert facts["os"]["virtualization"] == "kvm"
    result = plan(facts, {})
    assert result["driver"]["branch"] == "580"
    assert result["frameworks"]["tensorflow"]["version"] is None


def test_containers(facts_of: Facts) -> None:
    without = facts_of("container-without-gpu")
    assert without["os"]["virtualization"] == "docker" and without["driver"]["loaded"] is None
    assert plan(without, {})["driver"] is None
    inside = plan(facts_of("container-with-gpu"), {})
    assert inside["driver"] is None and inside["frameworks"]["pytorch"]["gpu"]
    assert "container_userspace" in {item["code"] for item in inside["warnings"]}
    named = plan(facts_of("container-without-pci"), {})
    assert named["gpus"][0]["architecture"] == "Ampere" and named["frameworks"]["jax"]["gpu"]


def test_wsl(facts_of: Facts) -> None:
    facts = facts_of("wsl")
    assert facts["os"]["wsl"] and facts["driver"]["loaded"] == "591.44"
    result = plan(facts, {})
    assert result["gpus"][0]["name"] == "NVIDIA GeForce RTX 4090" and result["gpus"][0]["memory_mib"] == 24564
    assert result["driver"] is None and result["cuda"]["repository"]["name"] == "wsl-ubuntu"
    bare = plan(facts_of("wsl-without-driver"), {})
    assert bare["ok"] and "wsl_no_gpu_seen" in {item["code"] for item in bare["warnings"]}


def test_unknown_ids(facts_of: Facts) -> None:
    newer = plan(facts_of("newer-id"), {})
    assert newer["ok"] and newer["gpus"][0]["architecture"] == "Blackwell" and newer["driver"]["modules"] == "open"
    assert "newer than the table" in next(w["message"] for w in newer["warnings"] if w["code"] == "gpu_by_prefix")
    for name in ("unknown-id", "unknown-chip"):
        refused = plan(facts_of(name), {})
        assert [item["code"] for item in refused["refusals"]] == ["gpu_unknown"]
    named = plan(facts_of("named-by-driver"), {})
    assert named["ok"] and named["gpus"][0]["compute_capability"] == "12.0"


def test_a_system_the_data_does_not_cover(facts_of: Facts) -> None:
    result = plan(facts_of("other-system"), {})
    assert not result["ok"] and [item["code"] for item in result["refusals"]] == ["os_unsupported"]
    assert set(result) == set(plan(facts_of("no-gpu"), {}))


def test_facts_are_overridden_by_parts() -> None:
    facts = merge({"os": {"id": "debian", "kernel": "6.1"}, "gpus": [1]}, {"os": {"kernel": "6.8"}, "gpus": []})
    assert facts == {"os": {"id": "debian", "kernel": "6.8"}, "gpus": []}


def test_this_machine_quickly() -> None:
    start = time.process_time()
    facts = detect()
    plan(facts, {})
    assert time.process_time() - start < 0.3
    assert facts["os"]["kernel"]


def test_a_fresh_python_detects_and_plans_without_ansible() -> None:
    """As on a host: no site packages, nothing compiled beforehand; the time is the interpreter's, too."""
    program = (
        "import sys, time; start = time.process_time(); sys.dont_write_bytecode = True\n"
        f"sys.path.insert(0, {str(TOP / 'collections')!r})\n"
        "from ansible_collections.dlbox.workstation.plugins.module_utils.machine.detect import detect\n"
        "from ansible_collections.dlbox.workstation.plugins.plugin_utils.planner.planner import plan\n"
        "result = plan(detect(), {'today': '2026-11-20'}); assert 'ansible' not in sys.modules\n"
        "print(time.process_time() - start)"
    )
    times = [float(subprocess.run([sys.executable, "-I", "-S", "-c", program], check=True, capture_output=True,
                                  text=True).stdout) for _ in range(3)]  # fmt: skip
    assert min(times) < 0.3


def test_installed_kernel_metapackages_are_the_flavours(tmp_path: Path) -> None:
    folder = tmp_path / "var/lib/dpkg"
    folder.mkdir(parents=True)
    releases = ["linux-image-6.8.0-149-generic", "linux-image-unsigned-6.8.0-31-generic", "linux-image-amd64-dbg"]
    names = [*releases, "linux-image-generic", "linux-image-generic-hwe-24.04", "linux-image-cloud-amd64"]
    entries = [f"Package: {name}\nStatus: install ok installed\n\n" for name in names]
    gone = "Package: linux-image-rt-amd64\nStatus: deinstall ok config-files\n\n"
    (folder / "status").write_text("".join([*entries, gone]))
    assert detect(tmp_path)["os"]["kernel_flavours"] == ["cloud-amd64", "generic", "generic-hwe-24.04"]
