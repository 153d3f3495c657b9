"""`./dlbox lock` against the stand-in channel and the wheel index, for this machine as the host."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from ansible_collections.dlbox.workstation.plugins.module_utils.conda import definitions

TOP = Path(__file__).resolve().parents[3]
CHANNEL = TOP / ".cache/conda-channel"


@pytest.fixture
def inventory(tmp_path):
    """An inventory with this machine, two environments and a folder for locks beside it."""
    subprocess.run([sys.executable, TOP / "tests/fixtures/conda_channel/build.py", CHANNEL], check=True)
    host = {
        "ansible_connection": "local",
        "ansible_python_interpreter": sys.executable,
        "conda_base": False,
        "conda_channels": [CHANNEL.as_uri()],
        "conda_python": "3.11",
        "conda_environments": [
            {"name": "one", "kernel": False, "conda": ["tqdm"], "wheels": ["six==1.16.0"]},
            {"name": "two", "kernel": False, "conda": ["fixture-prefix <2"]},
        ],
    }

    def write(**more):
        (tmp_path / "hosts.json").write_text(json.dumps({"all": {"hosts": {"box": {**host, **more}}}}))
        return tmp_path / "hosts.json"

    return write


def lock(place, *arguments):
    command = [sys.executable, TOP / "scripts/lock.py", "-i", place, *arguments]
    return subprocess.run(command, text=True, capture_output=True, check=False)


@pytest.mark.full
def test_it_locks_shows_what_is_newer_and_keeps_what_is_the_same(inventory, tmp_path):
    first = lock(inventory())
    assert first.returncode == 0, first.stdout + first.stderr
    folder = tmp_path / "locks"
    assert {p.name for p in folder.iterdir()} == {"one", "two"}
    assert "six==1.16.0" in (folder / "one/wheels.txt").read_text()
    assert "--hash=sha256:" in (folder / "one/wheels.txt").read_text()
    assert "fixture-prefix-1.1-0" in (folder / "two/conda.lock").read_text()
    before = (folder / "two/lock.json").read_bytes()
    again = lock(inventory())
    assert "changed=0" in again.stdout and (folder / "two/lock.json").read_bytes() == before
    newer = [{"name": "one", "kernel": False, "conda": ["tqdm"], "wheels": ["six==1.17.0"]}]
    shown = lock(inventory(conda_environments=newer), "--check")
    assert "-six (wheel) 1.16.0" in shown.stdout and "+six (wheel) 1.17.0" in shown.stdout
    assert "six==1.16.0" in (folder / "one/wheels.txt").read_text()
    assert lock(inventory(conda_environments=newer), "one").returncode == 0
    assert "six==1.17.0" in (folder / "one/wheels.txt").read_text()


@pytest.mark.full
def test_what_cannot_be_locked_is_said(inventory):
    unknown = lock(inventory(), "three")
    assert unknown.returncode == 1 and "three is not declared" in unknown.stdout + unknown.stderr
    broken = lock(inventory(conda_environments=[{"name": "one", "conda": ["fixture-impossible"]}]))
    assert broken.returncode == 1 and "no candidates were found" in broken.stdout + broken.stderr


def test_wrong_usage_is_64():
    done = lock("nowhere", "--nonsense")
    assert done.returncode == 64 and "usage: dlbox lock" in done.stderr


def declared():
    """What the shipped environment pytorch declares, as a lock of it says."""
    shipped = yaml.safe_load((TOP / "roles/conda/vars/main.yml").read_text())["__conda_definitions"]
    found, _, _ = definitions.resolve([{"name": "pytorch", "kernel": False}], shipped, {}, "/opt/conda", [], "3.12")
    return found[0].declared


def test_a_host_alone_makes_no_other_lock_for_its_neighbours(tmp_path):
    """With --limit the neighbours do not say what they are; what the one says must not become their lock."""
    engine = {"conda_lock_python": sys.executable, "conda_lock_cache": str(tmp_path / "cache")}
    local = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable, "conda_base": False}
    local["conda_environments"] = [{"name": "pytorch", "kernel": False}]
    (tmp_path / "hosts.json").write_text(json.dumps({"all": {"hosts": {"box": local, "other": local, "third": local}}}))
    (tmp_path / "locks/pytorch").mkdir(parents=True)
    earlier = {"schema": 1, "request": "of an RTX 4090", "declared": declared()}
    (tmp_path / "locks/pytorch/lock.json").write_text(json.dumps(earlier))
    program = Path(sys.executable).with_name("ansible-playbook")
    command = [program, "-i", tmp_path / "hosts.json", "playbooks/tools/lock.yml", "-e", json.dumps(engine)]
    environment = {**os.environ, "ANSIBLE_CONFIG": str(TOP / "ansible.cfg"), "NO_COLOR": "1"}
    done = subprocess.run(
        [*command, "--limit", "box"], cwd=TOP, env=environment, text=True, capture_output=True, check=False
    )
    told = " ".join((done.stdout + done.stderr).split())
    assert done.returncode == 2 and "box asks for another pytorch than the lock in" in told
    assert "other, third may use it" in told and "Lock without" in told, told
    assert json.loads((tmp_path / "locks/pytorch/lock.json").read_text())["request"] == "of an RTX 4090"
    # All together: no refusal of this kind, the engine is what is missing then.
    asked = subprocess.run(command, cwd=TOP, env=environment, text=True, capture_output=True, check=False)
    assert "may use it" not in asked.stdout + asked.stderr and "The engine is not installed" in asked.stdout
    # What the owner declares anew is no host's claim.
    (tmp_path / "locks/pytorch/lock.json").write_text(json.dumps({**earlier, "declared": {"wheels": ["einops"]}}))
    limited = [*command, "--limit", "box"]
    anew = subprocess.run(limited, cwd=TOP, env=environment, text=True, capture_output=True, check=False)
    assert "may use it" not in anew.stdout + anew.stderr and "The engine is not installed" in anew.stdout
