"""site.yml is its stages in order, each stage runs alone by its tag, and the owner's hooks run beside them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

PROJECT = Path(__file__).resolve().parents[2]
STAGES = ["preflight", "base", "secure", "gpu", "environments", "verify"]
# What is begun before the stage that it belongs to: the play's file -> the stage.
EARLY = {"background": "environments"}


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
    return result.stdout + result.stderr


def test_the_site_is_its_stages_in_order() -> None:
    imported = [play["ansible.builtin.import_playbook"] for play in yaml.safe_load((PROJECT / "site.yml").read_text())]
    plays = [Path(file).stem for file in imported]
    assert [play for play in plays if play not in EARLY] == STAGES
    assert all((PROJECT / file).is_file() for file in imported)


def test_the_environments_begin_once_the_machine_is_secured() -> None:
    """A host that the stage secure stops has no job running, and the GPU's driver need not be built first."""
    plays = [play["name"] for play in yaml.safe_load((PROJECT / "site.yml").read_text())]
    place = plays.index("Environments in the background")
    assert plays[place - 1 : place + 2] == ["Secure", "Environments in the background", "GPU"]


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
    early = {"environments in the background"} if stage in EARLY.values() else set()
    assert {name for name, tasks in plays.items() if tasks} == {"preflight", stage, *early}


@pytest.fixture
def inventory(tmp_path: Path) -> Path:
    (tmp_path / "hosts.yml").write_text("all: {hosts: {box: {}}}\n")
    (tmp_path / "hooks").mkdir()
    return tmp_path


@pytest.mark.parametrize("source", ["", "hosts.yml"], ids=["folder", "file"])
@pytest.mark.parametrize("stage", STAGES)
def test_the_owners_tasks_run_before_and_after_a_stage(stage: str, source: str, inventory: Path) -> None:
    for moment in ("before", "after"):
        text = f"- name: Mine, {moment}\n  ansible.builtin.import_tasks: more/{moment}.yml\n"
        (inventory / f"hooks/{moment}-{stage}.yml").write_text(text)
        (inventory / "hooks/more").mkdir(exist_ok=True)
        (inventory / f"hooks/more/{moment}.yml").write_text(
            f"- name: Mine, {moment}\n  ansible.builtin.debug:\n    msg: x\n"
        )
    listing = ansible_playbook("site.yml", "-i", str(inventory / source), "--list-tasks", "--tags", stage)
    play = next(play for play in listing.split("\n\n") if re.search(rf"\): {stage}\t", play, re.IGNORECASE))
    tasks = re.findall(r"^      (.+?)\tTAGS:", play, re.MULTILINE)
    assert tasks[0] == "Mine, before" and tasks[-1] == "Mine, after" and len(tasks) > 3
    assert listing.count("Mine, ") == 2


def test_the_hook_of_the_last_inventory_counts(inventory: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    other = tmp_path_factory.mktemp("other")
    for folder, name in ((inventory, "first"), (other, "last")):
        (folder / "hooks").mkdir(exist_ok=True)
        (folder / "hooks/after-gpu.yml").write_text(f"- name: Mine, {name}\n  ansible.builtin.debug: {{msg: x}}\n")
    arguments = ["--list-tasks", "--tags", "gpu"]
    assert "Mine, last" in ansible_playbook("site.yml", "-i", str(inventory), "-i", str(other), *arguments)
    assert "Mine, first" in ansible_playbook("site.yml", "-i", str(inventory), "-i", "box,", *arguments)


@pytest.mark.parametrize("name", ["before-secur.yml", "before-secure.yaml", "secure.yml"])
def test_a_hook_that_no_stage_would_run_is_refused(name: str, inventory: Path) -> None:
    (inventory / f"hooks/{name}").write_text("[]\n")
    (inventory / "hooks/README.md").write_text("Mine\n")
    with pytest.raises(AssertionError) as refused:
        ansible_playbook("site.yml", "-i", str(inventory), "--list-tasks")
    message = " ".join(str(refused.value).split())
    assert f"{name} in {inventory}/hooks: no stage runs a file of this name" in message
    assert ", ".join(STAGES) in message


def test_hooks_and_locks_are_no_hosts(inventory: Path) -> None:
    (inventory / "hooks/before-base.yml").write_text("- name: Mine\n  ansible.builtin.debug: {msg: x}\n")
    lock = inventory / "locks/pytorch"
    lock.mkdir(parents=True)
    (lock / "lock.json").write_text('{"version": 1}')
    (lock / "conda.lock").write_text("version: 6\nenvironments: {}\n")
    (lock / "wheels.txt").write_text("six==1.17.0 \\\n    --hash=sha256:00\n")
    assert "WARNING" not in ansible_playbook("site.yml", "-i", str(inventory), "--list-hosts")


def test_the_shipped_inventory_is_this_machine() -> None:
    hosts = yaml.safe_load((PROJECT / "inventory/home/hosts.yml").read_text())["all"]["hosts"]
    assert hosts == {"localhost": {"ansible_connection": "local"}}


def test_every_playbook_of_a_scenario_is_one_that_molecule_runs() -> None:
    """Molecule's shared configuration names prepare.yml of `shared`; a scenario's own one ran only where it says so."""
    unused = []
    for file in sorted((PROJECT / "molecule").glob("*/molecule.yml")):
        named = (yaml.safe_load(file.read_text()) or {}).get("ansible", {}).get("playbooks", {}).values()
        for kind in ("create", "prepare", "side_effect", "cleanup", "destroy"):
            if (file.parent / f"{kind}.yml").exists() and f"{kind}.yml" not in named:
                unused.append(f"{file.parent.name}/{kind}.yml")
    assert unused == []
