"""Filter of the role nvidia_driver: validate the settings of the GPUs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def gpu_settings_problems(settings: Any) -> list[str]:
    """Return a sentence for each setting that no GPU could follow."""
    # Not above: Ansible loads every filter file anew in the process of each task.
    from ..module_utils.nvidia import gpusettings

    return gpusettings.problems(settings)


class FilterModule:
    """The filter."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return name to function."""
        return {"nvidia_gpu_settings_problems": gpu_settings_problems}
