"""Ansible loads every filter file in each task's process: loading them has to cost nothing."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

PLUGINS = Path(__file__).resolve().parents[2] / "plugins"
# Without machine_plan, which runs on the controller (plugins/action).
MODULES = sorted(file for file in (PLUGINS / "modules").glob("*.py") if file.stem != "machine_plan")
COLLECTION = "ansible_collections.dlbox.workstation.plugins"
LOADED = f"""
import importlib, sys
importlib.import_module("{COLLECTION}.filter." + sys.argv[1])
print(*sorted(name for name in sys.modules if name.startswith("{COLLECTION}") and "_utils." in name))
"""


@pytest.mark.parametrize("file", sorted((PLUGINS / "filter").glob("*.py")), ids=lambda file: file.stem)
def test_a_filter_file_loads_no_package_of_ours(file: Path) -> None:
    env = {**os.environ, "PYTHONPATH": str(PLUGINS.parent / "collections")}
    command = [sys.executable, "-c", LOADED, file.stem]
    done = subprocess.run(command, text=True, capture_output=True, check=True, env=env)
    assert done.stdout.split() == []


# What these change is nothing that other accounts read: accounts and the firewall, or packages, which dpkg unpacks.
MAKES_NOTHING_SHARED = {
    "admin_accounts", "apt_transaction", "conda_lock", "conda_uninstall",
    "conda_wait", "host_evidence", "machine_facts",
"nvidia_leftovers", "nvidia_packages", "nvidia_state", "preflight_host", "ssh_preflight",
    "system_state", "ufw_rules",
}  # fmt: skip


@pytest.mark.parametrize("file", MODULES, ids=lambda file: file.stem)
def test_a_module_that_makes_what_others_read_does_not_leave_it_to_roots_umask(file: Path) -> None:
    """Observed: with umask 027 on the host no account saw its Jupyter kernels."""
    main = next(
        node for node in ast.parse(file.read_text()).body if isinstance(node, ast.FunctionDef) and node.name == "main"
    )
    decorators = [ast.unparse(node) for node in main.decorator_list]
    assert decorators == ([] if file.stem in MAKES_NOTHING_SHARED else ["with_umask(18)"])
