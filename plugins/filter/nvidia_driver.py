"""Filters of the role nvidia_driver: judge the settings of the cards, and read the sources of the host's tool."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

# ansible.module_utils holds a project's own packages only on the hosts, not for plugins on the controller.
UTILITIES = Path(__file__).resolve().parents[1] / "module_utils"
sys.path.append(str(UTILITIES))


def gpu_settings_problems(settings: Any) -> list[str]:
    """Return a sentence for each setting that no card could follow."""
    # Not above: Ansible loads every filter file anew in the process of each task.
    from dlbox_nvidia import gpusettings

    return gpusettings.problems(settings)


def tool_sources(names: Sequence[str]) -> dict[str, str]:
    """Return name to text of modules of dlbox_nvidia, which the host's tool is made of."""
    return {name: (UTILITIES / "dlbox_nvidia" / f"{name}.py").read_text(encoding="utf-8") for name in names}


class FilterModule:
    """Filters of the role nvidia_driver."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return name to function."""
        return {"nvidia_gpu_settings_problems": gpu_settings_problems, "nvidia_tool_sources": tool_sources}
