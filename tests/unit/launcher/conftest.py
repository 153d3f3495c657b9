"""Machines for the launcher: a bare one, and one whose environment is made."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest
from launcher_machine import EVERYWHERE, PROJECT, Machine


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """A machine without Python, engine and root; the launcher's .venv is not made."""
    folder, commands = tmp_path / "dlbox project", tmp_path / "bin"  # a folder with a space in its name
    commands.mkdir()
    folder.mkdir()
    for name in EVERYWHERE:
        if found := shutil.which(name):
            (commands / name).symlink_to(found)
    for name in ("dlbox", "requirements.txt", "requirements-test.txt", "requirements-collections.txt", "site.yml"):
        shutil.copy(PROJECT / name, folder / name)
    for name in ("scripts", "inventory"):
        shutil.copytree(PROJECT / name, folder / name, symlinks=True)
    made = Machine(folder, commands)
    made.command("id", '[ "$1" = -un ] && echo ada || echo 1000')
    made.command("sudo", "exit 1")
    made.command("apt-get", "exit 0")
    return made


@pytest.fixture
def prepared(machine: Machine) -> Machine:
    """The same with a .venv that is up to date, whose ansible-playbook only notes how it was called."""
    programs = machine.folder / ".venv/bin"
    programs.mkdir(parents=True)
    # The interpreter of the tests, without its environment: mitogen is not found, so Ansible's own strategy is used.
    (programs / "python").symlink_to(Path(os.path.realpath(sys.executable)))
    for layer in ("run", "test"):
        files = ["requirements.txt"]
        if layer == "test":
            files += ["requirements-test.txt", "requirements-collections.txt", "scripts/install-collections"]
        listed = machine.bash("bash", "-c", 'sha256sum "$@" | sha256sum | cut -c1-16', "bash", *files).stdout
        (machine.folder / f".venv/dlbox-{layer}").write_text(listed)
    stand_in = programs / "ansible-playbook"
    stand_in.write_text(
        f'#!/bin/bash\necho "ansible-playbook $*" >>"{machine.folder}/calls"\n'
        f'echo "config $ANSIBLE_CONFIG" >>"{machine.folder}/calls"\nexit "${{STATUS:-0}}"\n'
    )
    stand_in.chmod(0o755)
    return machine
