"""Compatibility data, generated from data/*.toml, where each table names its source and the day it was checked."""

from __future__ import annotations

from . import tables

#: Day on which the oldest table was last checked (ISO 8601). Older than AGE_DAYS: the plan warns.
AS_OF: str = min(tables.CHECKED.values())
AGE_DAYS = 180
