"""Judge the owner's settings of the cards before anything is changed."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

# ansible.module_utils holds a project's own packages only on the hosts, not for plugins on the controller.
sys.path.append(str(Path(__file__).resolve().parents[1] / "module_utils"))
from dlbox_nvidia import gpusettings


class FilterModule:
    """Filters of the role nvidia_driver."""

    def filters(self) -> dict[str, Callable[[Sequence[dict[str, Any]]], list[str]]]:
        """Return name to function."""
        return {"nvidia_gpu_settings_problems": gpusettings.problems}
