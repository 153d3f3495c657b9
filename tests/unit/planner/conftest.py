"""Fixtures for the planner's tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def facts_of(tmp_path: Path) -> Any:
    """Return a function that detects a prepared root by name."""
    from ansible_collections.dlbox.workstation.plugins.module_utils.machine.detect import detect
    from machine_roots import build

    return lambda name: detect(build(name, tmp_path))
