"""What ansible.cfg has a run print: changes, what is said to a person, warnings; all tasks with -v."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[3]
PLAYBOOK = """
- hosts: all
  gather_facts: false
  tasks:
    - name: Change nothing
      ansible.builtin.command: "true"
      changed_when: false
    - name: Be skipped
      ansible.builtin.command: "false"
      when: false
    - name: Say something
      ansible.builtin.debug:
        msg: log in from a second terminal
    - name: Say something of each
      ansible.builtin.debug:
        msg: "{{ item }}"
      loop: [a first item, "a second\\nbox: one of its own"]
    - name: Say nothing of a secret
      ansible.builtin.debug:
        msg: "password {{ item }}"
      loop: [one, two]
      no_log: true
    - name: Warn
      warns:
    - name: Include
      ansible.builtin.include_tasks: more.yml
"""
WARNS = """
from ansible.module_utils.basic import AnsibleModule
module = AnsibleModule({})
module.warn("a disk is nearly full")
module.exit_json()
"""
MORE = """
- name: Change something
  ansible.builtin.command: "true"
- name: Change nothing either
  ansible.builtin.command: "true"
  changed_when: false
- name: Take long
  ansible.builtin.command: sleep 1
  changed_when: false
  async: 60
  poll: 1
"""


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Output of the playbook, without and with -v."""
    folder = tmp_path_factory.mktemp("changes")
    (folder / "play.yml").write_text(PLAYBOOK)
    (folder / "more.yml").write_text(MORE)
    (folder / "library").mkdir()
    (folder / "library/warns.py").write_text(WARNS)
    env = {**os.environ, "ANSIBLE_CONFIG": str(PROJECT / "ansible.cfg"), "NO_COLOR": "1", "ANSIBLE_STRATEGY": "linear"}
    program = str(Path(sys.executable).parent / "ansible-playbook")
    command = [program, "-i", "box,", "-c", "local", str(folder / "play.yml")]
    return {
        option: subprocess.run(
            [*command, *option.split()],
            env=env,
            cwd=PROJECT,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=True,
        ).stdout
        for option in ("", "-v")
    }


def test_what_changed_nothing_is_not_shown(printed: dict[str, str]) -> None:
    tasks = [line for line in printed[""].splitlines() if line.startswith(("TASK", "ok:", "skipping:", "included:"))]
    assert tasks == ["TASK [Change something] " + "*" * 56]
    assert "changed: [box]" in printed[""]


def test_what_is_said_to_a_person_is_shown(printed: dict[str, str]) -> None:
    assert "[WARNING]: a disk is nearly full" in printed[""]
    assert "box: log in from a second terminal" in printed[""].splitlines()


def test_every_item_says_what_it_has_to_say_under_its_host(printed: dict[str, str]) -> None:
    lines = printed[""].splitlines()
    first = lines.index("box: a first item")
    assert lines[first + 1 : first + 3] == ["box: a second", "    box: one of its own"]
    assert "All items completed" not in printed[""] and "password" not in printed[""]


def test_jobs_of_asynchronous_tasks_are_not_shown(printed: dict[str, str]) -> None:
    assert "ASYNC" not in printed[""] and "ASYNC OK on box" in printed["-v"]


def test_every_task_is_shown_when_asked(printed: dict[str, str]) -> None:
    for task in ("Change nothing", "Say something", "Include", "Change something", "Change nothing either"):
        assert f"TASK [{task}]" in printed["-v"]
    assert printed["-v"].count("log in from a second terminal") == 1
    assert "included: " in printed["-v"]
