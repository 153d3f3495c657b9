"""site.yml is its stages in order, and each stage runs alone: by its playbook and by its tag."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

PROJECT = Path(__file__).resolve().parents[2]
STAGES = ["preflight", "base", "secure", "gpu", "environments", "verify"]


def ansible_playbook(*arguments: str) -> str:
    result = subprocess.run(
        [str(Path(sys.executable).parent / "ansible-playbook"), *arguments],
        cwd=PROJECT,
        env={**os.environ, "ANSIBLE_CONFIG": str(PROJECT / "ansible.cfg"), "NO_COLOR": "1"},
        text=True,
        capture_output=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def test_the_site_is_its_stages_in_order() -> None:
    imported = [play["ansible.builtin.import_playbook"] for play in yaml.safe_load((PROJECT / "site.yml").read_text())]
    # Preflight runs once, and verify needs nothing of it.
    folders = {"preflight": "playbooks", "verify": "playbooks"}
    assert imported == [f"{folders.get(stage, 'playbooks/stages')}/{stage}.yml" for stage in STAGES]


@pytest.mark.parametrize("stage", STAGES[1:-1])
def test_a_stage_alone_is_refused_by_preflight_too(stage: str) -> None:
    plays = yaml.safe_load((PROJECT / f"playbooks/{stage}.yml").read_text())
    assert [play["ansible.builtin.import_playbook"] for play in plays] == ["preflight.yml", f"stages/{stage}.yml"]


@pytest.mark.parametrize("stage", STAGES)
def test_a_tag_runs_preflight_and_its_stage_alone(stage: str) -> None:
    listing = ansible_playbook("site.yml", "--list-tasks", "--tags", stage)
    plays: dict[str, int] = {}
    for line in listing.splitlines():
        if line.strip().startswith("play #"):
            name = line.split("): ", 1)[1].split("\t", 1)[0].strip().lower()
            plays[name] = 0
        # Ansible holds the variables to each role's argument spec whatever the tag; that changes nothing.
        elif "TAGS:" in line and "Validating arguments against arg spec" not in line:
            plays[name] += 1
    assert {name for name, tasks in plays.items() if tasks} == {"preflight", stage}


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_has_a_playbook_of_its_own(stage: str) -> None:
    assert f"playbook: playbooks/{stage}.yml" in ansible_playbook(f"playbooks/{stage}.yml", "--syntax-check")


def test_the_shipped_inventory_is_this_machine() -> None:
    hosts = yaml.safe_load((PROJECT / "inventory/home/hosts.yml").read_text())["all"]["hosts"]
    assert hosts == {"localhost": {"ansible_connection": "local"}}
