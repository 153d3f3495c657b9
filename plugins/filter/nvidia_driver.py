"""Filters of the role nvidia_driver: judge the settings of the cards, and read the sources of the host's tool."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

# ansible.module_utils holds a project's own packages only on the hosts, not for plugins on the controller.
UTILITIES = Path(__file__).resolve().parents[1] / "module_utils"
sys.path.append(str(UTILITIES))
from dlbox_nvidia import gpusettings  # noqa: E402  (the path has to be set first)


def tool_sources(names: Sequence[str]) -> dict[str, str]:
    """Return name to text of modules of dlbox_nvidia, which the host's tool is made of."""
    return {name: (UTILITIES / "dlbox_nvidia" / f"{name}.py").read_text(encoding="utf-8") for name in names}


class FilterModule:
    """Filters of the role nvidia_driver."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return name to function."""
        return {"nvidia_gpu_settings_problems": gpusettings.problems, "nvidia_tool_sources": tool_sources}
