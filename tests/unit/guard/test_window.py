"""The controller's side of the window: no task starts when the host may have begun to put things back."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import yaml

PROJECT = Path(__file__).resolve().parents[3]
WINDOW, LATE = 10, 4


def test_the_window_is_counted_from_before_the_host_begins_to_count(tmp_path: Path) -> None:
    """The answer to `extend` comes late, as from a slow host: that time is gone from the window."""
    command = tmp_path / "dlbox-guard"
    command.write_text(f"#!/bin/sh\nexec sleep {LATE}\n")
    command.chmod(0o755)
    role = tmp_path / "roles" / "quick" / "tasks"
    role.mkdir(parents=True)
    (role / "main.yml").write_text("- name: Be done\n  ansible.builtin.meta: noop\n")
    tasks = [
        {"ansible.builtin.include_vars": {"file": str(PROJECT / "roles/access_guard/vars/main.yml")}},
        {"ansible.builtin.set_fact": {"__access_guard_end": "{{ now().timestamp() + 600 }}"}},
        {"ansible.builtin.include_tasks": str(PROJECT / "roles/access_guard/tasks/run.yml")},
        {
            "ansible.builtin.assert": {
                "that": f"(__access_guard_end | float) < now().timestamp() + {WINDOW - LATE}",
                "fail_msg": "tasks would start after the end of the host's window",
            }
        },
    ]
    variables = {
        "__access_guard_role": "quick",
        "access_guard_window": WINDOW,
        "ansible_become": False,
        "role_path": str(PROJECT / "roles/access_guard"),
    }
    play = {"hosts": "localhost", "connection": "local", "gather_facts": False, "vars": variables, "tasks": tasks}
    (tmp_path / "play.yml").write_text(yaml.safe_dump([play]))
    environment = {
        **os.environ, "ANSIBLE_CONFIG": str(PROJECT / "ansible.cfg"), "ANSIBLE_ROLES_PATH": str(tmp_path / "roles"),
        "ANSIBLE_STRATEGY": "linear",
    }  # fmt: skip
    argv = [
        "ansible-playbook",
        "-i",
        "localhost,",
        "-e",
        f"__access_guard_command={command}",
        str(tmp_path / "play.yml"),
    ]
    done = subprocess.run(argv, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
