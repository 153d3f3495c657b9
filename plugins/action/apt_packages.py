"""Call the module apt_packages until no other apt is at work on the host, and say for whom it waits.

Documentation: plugins/modules/apt_packages.py. What waits is here, because a module cannot say anything before it ends.
"""

from __future__ import annotations

import time
from typing import Any

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

PAUSE = 5.0  # seconds
SAY_AGAIN = 60.0

display = Display()


class ActionModule(ActionBase):  # type: ignore[misc]
    """Install packages on one host."""

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return the module's result, or a failure that names who kept the lock all the time."""
        super().run(tmp, task_vars)
        variables = task_vars or {}
        host = variables.get("inventory_hostname", "the host")
        wait = int(self._task.args.get("wait", 600))
        began = time.monotonic()
        said = -SAY_AGAIN
        while True:
            result: dict[str, Any] = self._execute_module(task_vars=variables)
            if not result.get("locked"):
                return result
            waited = time.monotonic() - began
            if waited >= wait:
                msg = (
                    f"{result['locked']} has been at work on {host}'s packages for {wait} s: end it, or try again later"
                )
                return {**result, "failed": True, "msg": msg}
            if waited - said >= SAY_AGAIN:
                display.display(f"{host}: waiting for {result['locked']}, which is at work on its packages")
                said = waited
            time.sleep(PAUSE)
