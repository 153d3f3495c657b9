"""Where there is no driver to install, both roles say why in one line, ask the host for nothing and change nothing.

From prepared files of such machines through detection, the planner and the roles, as `dlbox up` runs them.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from machine_roots import build

PROJECT = Path(__file__).resolve().parents[3]

REASONS = {
    "no-gpu": "no NVIDIA GPU in this machine, nothing done",
    "wsl": "WSL2 uses the driver of Windows, nothing done",
    "wsl-without-driver": "WSL2 uses the driver of Windows, nothing done",
    "container-without-gpu": "this is a container, the driver belongs to the machine outside, nothing done",
    "container-with-gpu": "this is a container, the driver belongs to the machine outside, nothing done",
    "vfio": "the plan leaves the GPUs of this machine alone, nothing done: "
    "bound to vfio-pci for a virtual machine: left alone",
    "unknown-chip": "the plan has no driver for this machine, nothing done: ",
    "no-plan": "there is no plan for this host, nothing done (run the whole site, or `dlbox plan`)",
}
PLAY = """
- hosts: all
  gather_facts: false
  tasks:
    - dlbox.workstation.machine_plan: {root: "{{ root }}", today: "2026-11-20"}
      when: root | length > 0
    - include_role: {name: dlbox.workstation.nvidia_driver}
    - include_role: {name: dlbox.workstation.cuda}
"""


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Run the play once for all machines; return ansible's own account of it."""
    top = tmp_path_factory.mktemp("machines")
    (top / "play.yml").write_text(PLAY)
    local = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
    hosts = {name: {**local, "root": "" if name == "no-plan" else str(build(name, top))} for name in REASONS}
    (top / "hosts.json").write_text(json.dumps({"all": {"hosts": hosts}}))
    env = {
        **os.environ,
        "ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json",
        "ANSIBLE_CALLBACKS_ENABLED": "ansible.posix.json",
    }
    env.update(ANSIBLE_CONFIG=str(PROJECT / "ansible.cfg"), ANSIBLE_LOCALHOST_WARNING="false", ANSIBLE_FORKS="2")
    command = [
        str(Path(sys.executable).with_name("ansible-playbook")),
        "-i",
        str(top / "hosts.json"),
        str(top / "play.yml"),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=env, cwd=PROJECT)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-2000:]
    return json.loads(done.stdout[done.stdout.index("{") :])


@pytest.mark.parametrize("name", REASONS)
def test_it_says_why_in_one_line(told: Any, name: str) -> None:
    results = [task["hosts"][name] for task in told["plays"][0]["tasks"] if name in task["hosts"]]
    lines = [result["msg"] for result in results if result.get("action") == "ansible.builtin.debug" and "msg" in result]
    (driver,) = [line for line in lines if line.startswith("nvidia_driver: ")]
    (cuda,) = [line for line in lines if line.startswith("cuda: ")]
    expected = "nvidia_driver: " + REASONS[name]
    assert driver.startswith(expected) if REASONS[name].endswith(": ") else driver == expected
    assert "\n" not in driver and len(driver) > len("nvidia_driver: ") + 20
    assert cuda == (
        "cuda: no toolkit asked for (cuda_toolkits is empty), nothing done; frameworks bring their own CUDA libraries"
    )


@pytest.mark.parametrize("name", REASONS)
def test_nothing_is_changed_and_nothing_asked_of_the_host(told: Any, name: str) -> None:
    assert told["stats"][name]["changed"] == told["stats"][name]["failures"] == 0
    ran = [
        task["hosts"][name]["action"]
        for task in told["plays"][0]["tasks"]
        if name in task["hosts"] and not task["hosts"][name].get("skipped")
    ]
    on_the_controller = {
        "ansible.builtin.validate_argument_spec",
        "ansible.builtin.debug",
        "ansible.builtin.include_tasks",
        "include_role",
    }
    assert set(ran) - on_the_controller == ({"dlbox.workstation.machine_plan"} if name != "no-plan" else set())
