"""Wait for a host's environments that are being made in the background, and say how far they are.

Documentation: plugins/modules/conda_wait.py. Ansible's own waiting for a job cannot say anything but that it waits.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from ansible.errors import AnsibleConnectionFailure
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ..module_utils.conda.progress import FAILED, MADE
from ..plugin_utils.text import visible

#: Seconds without a connection after which the host is unreachable.
WITHOUT_CONNECTION = 300.0
#: Seconds that a job may be without the lock, which it takes first, before it is taken for dead.
WITHOUT_LOCK = 120.0
#: What belongs to the job, and not to what it did.
ABOUT_THE_JOB = ("ansible_job_id", "started", "finished", "results_file", "erased", "stdout_lines", "stderr_lines")
ARGUMENTS = {
    "root": {"type": "path", "required": True},
    "job": {"type": "str", "required": True},
    "every": {"type": "int", "default": 10},
}

display = Display()


def sentence(progress: Mapping[str, str]) -> str:
    """How far the environments are, in one line. progress: name -> how far it is."""
    lines: dict[str, list[str]] = {}
    for name, line in progress.items():
        if line not in (MADE, FAILED):
            lines.setdefault(line, []).append(name)
    over = sum(line in (MADE, FAILED) for line in progress.values())
    parts = [f"{', '.join(names)}: {line}" for line, names in lines.items()]
    return "; ".join([f"{over} of {len(progress)} environments done", *parts])


class ActionModule(ActionBase):  # type: ignore[misc]  # ansible-core ships no types
    """Wait for the job of one host."""

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return what the job returned."""
        super().run(tmp, task_vars)
        variables = task_vars or {}
        _, options = self.validate_argument_spec(argument_spec=ARGUMENTS)
        host = variables.get("inventory_hostname", "the host")
        said = ""
        reached = at_work = time.monotonic()
        while True:
            try:
                job = self.ask("status", variables)
                if job.get("finished") or job.get("failed"):
                    self.ask("cleanup", variables)
                    return {key: value for key, value in job.items() if key not in ABOUT_THE_JOB}
                seen: dict[str, Any] = self._execute_module(task_vars=variables)
            except AnsibleConnectionFailure:
                if time.monotonic() - reached > WITHOUT_CONNECTION:
                    raise
                self._connection.reset()
            else:
                reached = time.monotonic()
                if seen.get("at_work"):
                    at_work = reached
                elif reached - at_work > WITHOUT_LOCK:
                    msg = (
                        f"the job that made the environments ended without an answer: it was killed, or {host} was "
                        "restarted. Run again, which completes what is there"
                    )
                    return {"failed": True, "msg": msg}
                line = sentence(seen.get("progress", {}))
                if line != said:
                    display.display(f"{host}: {visible(line)}")
                    said = line
            time.sleep(options["every"])

    def ask(self, mode: str, variables: dict[str, Any]) -> dict[str, Any]:
        """Ask for the state of the job, or have it forgotten (mode `cleanup`)."""
        task = self._task.copy()
        task.args = {"jid": self._task.args["job"], "mode": mode}
        action = self._shared_loader_obj.action_loader.get(
            "ansible.legacy.async_status",
            task=task,
            connection=self._connection,
            play_context=self._play_context,
            loader=self._loader,
            templar=self._templar,
            shared_loader_obj=self._shared_loader_obj,
        )
        found: dict[str, Any] = action.run(task_vars=variables)
        return found
