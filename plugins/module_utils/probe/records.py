"""What dlbox left on the host: its plan and measurements."""

# os.path and glob throughout: in the evidence, which becomes JSON, paths are texts.
# ruff: noqa: PTH207
from __future__ import annotations

import glob
import json
from typing import Any

from .common import Settings, read


def plan(settings: Settings) -> Any:
    """The plan that dlbox left on the host, or None."""
    text = read(settings.get("state_dir", "/var/lib/dlbox") + "/plan.json", 4194304)
    return json.loads(text) if text else None


def bench_runs(settings: Settings) -> list[Any]:
    """The newest two benchmark results kept on the host, oldest first."""
    paths = sorted(glob.glob(settings.get("state_dir", "/var/lib/dlbox") + "/bench/*.json"))
    return [json.loads(read(path, 4194304) or "null") for path in paths[-2:]]
