"""What the firewall opens for JupyterLab is where the role jupyter puts it, whatever the owner chose."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROLES = Path(__file__).resolve().parents[3] / "roles"
OWNER = {"dlbox_admins": [{"name": "ada"}, {"name": "grace"}], "dlbox_home_networks": ["192.168.1.0/24"]}
HOME = {**OWNER, "dlbox_jupyter_access": "home"}
CHOICES: list[dict[str, Any]] = [
    OWNER,
    HOME,
    {**HOME, "dlbox_jupyter_port": 9000},
    {**HOME, "jupyter_ports": {"grace": 9999}},
    {**OWNER, "jupyter_access": "home", "jupyter_users": ["carl"], "jupyter_port": 7000},
    {**HOME, "conda_state": "absent"},
]
#: The ports that each choice opens.
OPEN = [[], [8888, 8889], [9000, 9001], [8888, 9999], [7000], []]


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """For each choice the rules of the role ufw, and the places and the access of the role jupyter."""
    folder = tmp_path_factory.mktemp("rules")
    files = [str(ROLES / role / kind / "main.yml") for role in ("jupyter", "ufw") for kind in ("defaults", "vars")]
    said = {"rules": "{{ ufw_service_rules }}", "places": "{{ __jupyter_places }}", "access": "{{ jupyter_access }}"}
    write = {
        "ansible.builtin.copy": {"content": "{{ said | to_json }}", "dest": f"{folder}/{{{{ inventory_hostname }}}}"},
        "vars": {"said": said},
    }
    hosts = {f"choice{number}": {**choice, "ansible_connection": "local"} for number, choice in enumerate(CHOICES)}
    play = {"hosts": "all", "gather_facts": False, "tasks": [write]}
    # As defaults and variables of the roles: below and above the owner's.
    roles = folder / "roles" / "both"
    for kind, chosen in (("defaults", files[::2]), ("vars", files[1::2])):
        (roles / kind).mkdir(parents=True)
        (roles / kind / "main.yml").write_text("".join(Path(file).read_text().replace("---", "", 1) for file in chosen))
    (folder / "play.json").write_text(json.dumps([{**play, "roles": ["both"]}]))
    (folder / "hosts.json").write_text(json.dumps({"all": {"hosts": hosts}}))
    command = [str(Path(sys.executable).with_name("ansible-playbook")), "-i", "hosts.json", "play.json"]
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "ANSIBLE_CONFIG": str(ROLES.parent / "ansible.cfg")},
        text=True,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return [json.loads((folder / name).read_text()) for name in hosts]


@pytest.mark.parametrize("number", range(len(CHOICES)))
def test_the_rules_open_the_places_of_the_servers(answers: list[dict[str, Any]], number: int) -> None:
    answer = answers[number]
    assert sorted(rule["port"] for rule in answer["rules"]) == OPEN[number]
    if answer["rules"]:
        assert answer["access"] == "home"
        assert [rule["port"] for rule in answer["rules"]] == list(answer["places"].values())
        assert all(rule["from"] == ["192.168.1.0/24"] for rule in answer["rules"])
        assert all(rule["name"].startswith("jupyter of ") for rule in answer["rules"])
