"""Modules are called here as in the tests of Jupyter: with their arguments as Ansible gives them."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
