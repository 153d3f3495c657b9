"""Runs playbooks against the scenario's own containers, over the engine or over real ssh."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

PROJECT = Path(__file__).resolve().parents[3]
PASSWORD = "suite-of-admins"


def keys() -> Path:
    """Where prepare.yml made the keys."""
    return Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"])


def run(*words: str, **more: str) -> subprocess.CompletedProcess[str]:
    """A command in the project's folder, with its settings."""
    env = {
        **os.environ,
        "ANSIBLE_CONFIG": str(PROJECT / "ansible.cfg"),
        "MOLECULE_PROJECT_DIRECTORY": str(PROJECT),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "NO_COLOR": "1",
        **more,
    }
    typed = env.pop("DLBOX_STDIN", None)
    # Without a terminal of its own, so that a question for a password reads what is typed here.
    return subprocess.run(
        words, capture_output=True, text=True, cwd=PROJECT, env=env, input=typed, start_new_session=True
    )


class Machine:
    """One container: its name, a console (the engine), and an ssh inventory of it."""

    def __init__(self, host: Any, folder: Path) -> None:
        """`host` is testinfra's, over the engine; `folder` takes the inventory."""
        self.host, self.folder = host, folder
        self.name = host.backend.get_hostname()

    def role(self, *admins: dict[str, Any], check: bool = False, **variables: Any) -> subprocess.CompletedProcess[str]:
        """The role alone, over the engine; each admin has ada's key unless it says otherwise."""
        given = {"dlbox_admins": [{"keys": [str(keys() / "ada.pub")], **admin} for admin in admins], **variables}
        shared = [word for path in ("shared", "admins") for word in ("-i", f"molecule/{path}/inventory")]
        command = ["ansible-playbook", *shared, "--limit", self.name, "-e", json.dumps(given), "--diff"]
        return run(*command, *["--check"] * check, "molecule/admins/converge.yml")

    def over_ssh(self, **variables: Any) -> Path:
        """An inventory that reaches it as `owner`, with a key and over ssh, as a person would."""
        address = self.host.check_output("hostname -I").split()[0]
        known = self.folder / "known_hosts"
        host_key = self.host.file("/etc/ssh/ssh_host_ed25519_key.pub").content_string
        known.write_text(f"{address} {' '.join(host_key.split()[:2])}\n")
        inventory = {
            "all": {
                "hosts": {
                    "box": {
                        "ansible_host": address,
                        "ansible_user": "owner",
                        "ansible_ssh_private_key_file": str(keys() / "ada"),
                        "ansible_ssh_common_args": f"-o UserKnownHostsFile={known} -o IdentitiesOnly=yes",
                        **variables,
                    }
                }
            }
        }
        path = self.folder / "hosts.yml"
        path.write_text(json.dumps(inventory))
        return path

    def logins(self) -> int:
        """How many connections have logged in so far."""
        journal = self.host.check_output("journalctl -o cat --no-pager -t sshd -t sshd-session")
        return journal.count("Accepted publickey")


@pytest.fixture
def machine(host: Any, tmp_path: Path) -> Machine:
    """The container that the test is parametrized with."""
    return Machine(host, tmp_path)
