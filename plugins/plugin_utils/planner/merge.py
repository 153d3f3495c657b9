"""Lay what an owner says over what was read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def merge(facts: Mapping[str, Any], overrides: Mapping[str, Any]) -> dict[str, Any]:
    """Return facts with overrides laid over them, mapping by mapping; lists are replaced as a whole."""
    result = dict(facts)
    for key, value in overrides.items():
        old = result.get(key)
        result[key] = merge(old, value) if isinstance(value, Mapping) and isinstance(old, Mapping) else value
    return result
