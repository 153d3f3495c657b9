"""Fixtures for the planner's tests."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "fixtures" / "machines"))


@pytest.fixture
def facts_of(tmp_path: Path) -> Any:
    """Return a function that detects a prepared root by name."""
    from dlbox_machine.detect import detect
    from machine_roots import build

    return lambda name: detect(build(name, tmp_path))
