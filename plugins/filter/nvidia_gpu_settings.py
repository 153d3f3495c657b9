"""Judge the owner's settings of the cards before anything is changed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ansible.module_utils.dlbox_nvidia import gpusettings


class FilterModule:
    """Filters of the role nvidia_driver."""

    def filters(self) -> dict[str, Callable[[Sequence[dict[str, Any]]], list[str]]]:
        """Return name to function."""
        return {"nvidia_gpu_settings_problems": gpusettings.problems}
