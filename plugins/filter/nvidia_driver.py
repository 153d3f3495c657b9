"""Filters of the role nvidia_driver: judge the settings of the cards, and name the files of the host's tool."""

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


def tool_files(names: Sequence[str], folder: str) -> list[dict[str, Any]]:
    """Return the package dlbox_nvidia, these modules of it, below ``folder``, as the module host_files takes files."""
    texts = {name: (UTILITIES / "dlbox_nvidia" / f"{name}.py").read_text(encoding="utf-8") for name in names}
    texts["__init__"] = '"""Written by dlbox."""\n'
    return [
        {"path": f"{folder}/dlbox_nvidia/{name}.py", "content": text, "program": True} for name, text in texts.items()
    ]


class FilterModule:
    """Filters of the role nvidia_driver."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return name to function."""
        return {"nvidia_gpu_settings_problems": gpu_settings_problems, "nvidia_tool_files": tool_files}
