"""Ansible loads every filter file in each task's process: loading them has to cost nothing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

PLUGINS = Path(__file__).resolve().parents[2] / "plugins"
LOADED = """
import runpy, sys
runpy.run_path(sys.argv[1])
print(*sorted(name for name in sys.modules if name.startswith("dlbox_")))
"""


@pytest.mark.parametrize("file", sorted((PLUGINS / "filter").glob("*.py")), ids=lambda file: file.stem)
def test_a_filter_file_loads_no_package_of_ours(file: Path) -> None:
    done = subprocess.run([sys.executable, "-c", LOADED, str(file)], text=True, capture_output=True, check=True)
    assert done.stdout.split() == []
