"""Callback ``changes``: what a run changes, refuses and says to a person; with -v every task, as Ansible shows it."""

from __future__ import annotations

DOCUMENTATION = """
name: changes
type: stdout
short_description: Ansible's output without the tasks that changed nothing
description:
  - The output of P(ansible.builtin.default#callback), where a task that changed nothing is not shown, and neither is
    that a file of tasks was included. Messages of C(debug) and warnings are shown, whatever came of their task.
  - With C(-v) it is the output of P(ansible.builtin.default#callback).
author: [dlbox (!UNKNOWN)]
version_added: 0.1.0
extends_documentation_fragment: [ansible.builtin.default_callback, ansible.builtin.result_format_callback]
"""

from typing import Any

from ansible import constants
from ansible.playbook.task_include import TaskInclude
from ansible.plugins.callback.default import CallbackModule as Default


class CallbackModule(Default):  # type: ignore[misc]  # ansible-core ships no types
    """What Ansible loads."""

    CALLBACK_NAME = "changes"

    def set_options(self, *arguments: Any, **options: Any) -> None:
        """Show tasks that changed nothing only with -v."""
        super().set_options(*arguments, **options)
        if not self._display.verbosity:
            self.set_option("display_ok_hosts", False)
            self.set_option("display_skipped_hosts", False)

    def v2_playbook_on_include(self, included_file: Any) -> None:
        """Say which file is included only with -v."""
        if self._display.verbosity:
            super().v2_playbook_on_include(included_file)

    def v2_runner_on_async_poll(self, result: Any) -> None:
        """Say every few seconds that an asynchronous task runs only with -v; the heartbeat says which one, in words."""
        if self._display.verbosity:
            super().v2_runner_on_async_poll(result)

    def v2_runner_on_async_ok(self, result: Any) -> None:
        """Say which job of an asynchronous task has ended only with -v."""
        if self._display.verbosity:
            super().v2_runner_on_async_ok(result)

    def v2_runner_on_ok(self, result: Any) -> None:
        """Show what a task that is not shown has to say."""
        if self._display.verbosity or result.result.get("changed", False):
            super().v2_runner_on_ok(result)
        elif not isinstance(result.task, TaskInclude):
            self._handle_warnings_and_exception(result)
            if "results" not in result.result:  # the items of a loop have said it
                self._say(result)

    def v2_runner_item_on_ok(self, result: Any) -> None:
        """Show what an item has to say, as a task without a loop."""
        shown = self._display.verbosity or result.result.get("changed", False)
        super().v2_runner_item_on_ok(result)
        if not shown:
            self._say(result)

    def _say(self, result: Any) -> None:
        """The message of a debug task, under its host, so that no host writes a line of another."""
        if result.task.action in constants._ACTION_DEBUG and "msg" in result.result:
            message = result.result["msg"]
            lines = message if isinstance(message, list) else [message]
            text = "\n".join(str(line) for line in lines).replace("\n", "\n    ")
            self._display.display(f"{self.host_label(result)}: {text}")
