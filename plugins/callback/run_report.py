"""Callback ``run_report``: signs of life during long steps, and one short summary per host at the end."""

from __future__ import annotations

DOCUMENTATION = """
name: run_report
type: aggregate
short_description: Signs of life, a closing summary, and no control over the terminal for hosts
description:
  - While a task runs long, prints a line to standard error now and then that says which task and for how long.
  - At the end prints, for each host whose roles have reported with C(set_stats), what was set up, what changed, what
    the owner still has to do, where things answer, and how long each stage took.
  - Spells out what would steer the terminal in everything that Ansible displays, as hosts have a say in it.
  - Roles report with the lists C(dlbox_setup), C(dlbox_access) and C(dlbox_todo), per host and aggregated. What the
    roles named in C(dlbox_undone) have reported is left out, because their changes were undone.
  - What the verify stage has reported as C(doctor_page) is kept for the page, where O(pages) is set.
author: [dlbox (!UNKNOWN)]
version_added: 0.1.0
options:
  pages:
    description: Folder of the report pages. Nothing is kept where it is empty.
    type: str
    default: ""
    env: [{name: DLBOX_PAGES}]
  outcome:
    description:
      - File to write what came of the run to, as JSON; by host, the numbers of the recap and the names of the C(tasks)
        that changed something, or would have. Nothing is written where it is empty.
    type: str
    default: ""
    env: [{name: DLBOX_OUTCOME}]
  heartbeat:
    description: Seconds after which a running task is named, and again each time that they have passed.
    type: int
    default: 20
    ini: [{section: callback_dlbox_report, key: heartbeat}]
    env: [{name: DLBOX_HEARTBEAT}]
"""

import json
import os
import threading
import time
from pathlib import Path
from typing import Any

from ansible.plugins.callback import CallbackBase

from ..plugin_utils.text import visible, visible_in_colour

WAITS_FOR_A_PERSON = {"pause", "ansible.builtin.pause", "ansible.legacy.pause"}


def duration(seconds: float) -> str:
    """Return ``seconds`` as people say it: ``42 s``, ``3 min 05 s``, ``1 h 02 min``."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"


def _lines(title: str, entries: list[str]) -> list[str]:
    """Return ``entries`` under ``title``, the title beside the first of them."""
    # Under the entry, so that no host writes a line of its own into the summary.
    shown = [visible(entry).replace("\n", "\n" + 13 * " ") for entry in entries]
    return [f"  {title if number == 0 else '':<11}{entry}" for number, entry in enumerate(shown)]


def host_summary(host: str, reports: dict[str, list[str]], counts: dict[str, int], check: bool) -> list[str]:
    """Return the summary of one host, line by line.

    Args:
        host: the host's inventory name.
        reports: ``dlbox_setup``, ``dlbox_access`` and ``dlbox_todo``, each a list of lines; all optional.
        counts: ``changed``, ``failures`` and ``unreachable`` of the play recap.
        check: whether this was a run in check mode.
    """
    changed, failed = counts["changed"], counts["failures"] + counts["unreachable"]
    verb = "would change" if check else "changed"
    outcome = f"{changed} {verb}" if changed else "nothing to change"
    if counts["unreachable"]:
        outcome = "could not be reached, see above"
    elif failed:
        outcome = "stopped by an error, see above"
    unique = {key: list(dict.fromkeys(entry for entry in entries if entry)) for key, entries in reports.items()}
    return [
        f"{host}: {outcome}",
        *_lines("would be" if check else "set up", unique.get("dlbox_setup", [])),
        *_lines("reach it", unique.get("dlbox_access", [])),
        *_lines("to do", unique.get("dlbox_todo", []) or ["nothing"] * (not failed)),
    ]


def display_harmlessly(display: Any) -> None:
    """Have everything that `display` (Ansible's, one per process) shows spelt out where it would steer the terminal."""
    original = display.display
    if getattr(original, "harmless", False):
        return

    def harmless(msg: str, *arguments: Any, **options: Any) -> Any:
        return original(visible_in_colour(msg.replace("\r\n", "\n")), *arguments, **options)

    harmless.harmless = True  # type: ignore[attr-defined]
    display.display = harmless


def without_undone(reports: dict[str, list[str]], by_role: dict[str, list[str]]) -> dict[str, list[str]]:
    """Return the reports of one host without the lines of roles whose changes were undone.

    Args:
        reports: as `host_summary` takes them, and ``dlbox_undone``, names of roles.
        by_role: the lines that each role has reported.
    """
    undone = {line for role in reports.get("dlbox_undone", []) for line in by_role.get(role, [])}
    return {key: [entry for entry in entries if entry not in undone] for key, entries in reports.items()}


def keep_pages(output: Path, pages: dict[str, dict[str, Any]]) -> None:
    """Keep what was verified for the report pages: by host, the doctor's report and the evidence that it is of."""
    from ..plugin_utils.page import kept

    for host, page in pages.items():
        kept.save(output, kept.checked(kept.load(output, host), page["report"], page["evidence"], {}))


class Heartbeat:
    """A thread that names the running task each ``interval`` seconds, until the next one starts."""

    def __init__(self, interval: float) -> None:
        """Start beating; ``interval`` in seconds, 0 for never."""
        self._interval = interval
        self._task: tuple[str, float] | None = None
        self._stop = threading.Event()
        if interval > 0:
            threading.Thread(target=self._beat, daemon=True, name="dlbox-heartbeat").start()

    def watch(self, task: str | None) -> None:
        """Name ``task`` from now on; None for no task."""
        self._task = (task, time.monotonic()) if task else None

    def stop(self) -> None:
        """End the thread."""
        self._stop.set()

    def _beat(self) -> None:
        named: tuple[str, float] | None = None
        count = 0
        while not self._stop.wait(1.0):
            task = self._task
            if task != named:
                named, count = task, 0
            if task and time.monotonic() - task[1] >= (count + 1) * self._interval:
                count += 1
                # os.write, not the Display: its lock might be held in a worker that is being forked right now.
                os.write(
                    2, f"  ... still at it after {duration(time.monotonic() - task[1])}: {visible(task[0])}\n".encode()
                )


class CallbackModule(CallbackBase):  # type: ignore[misc]  # ansible-core ships no types
    """What Ansible loads."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "run_report"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self) -> None:
        """Start without a play or task."""
        super().__init__()
        display_harmlessly(self._display)
        self._stages: dict[str, float] = {}
        self._stage: tuple[str, float] | None = None
        self._heartbeat: Heartbeat | None = None
        self._by_role: dict[str, dict[str, list[str]]] = {}
        self._changing: dict[str, list[str]] = {}

    def v2_playbook_on_start(self, playbook: Any) -> None:
        """Start the heartbeat."""
        self._heartbeat = Heartbeat(float(self.get_option("heartbeat")))

    def v2_playbook_on_play_start(self, play: Any) -> None:
        """Take the time of the stage before and start that of this one."""
        self._close_stage()
        self._stage = (play.get_name().strip(), time.monotonic())

    def v2_playbook_on_task_start(self, task: Any, is_conditional: bool) -> None:
        """Watch the task, unless it waits for what somebody types."""
        if self._heartbeat:
            self._heartbeat.watch(None if task.action in WAITS_FOR_A_PERSON else task.get_name().strip())

    v2_playbook_on_handler_task_start = v2_playbook_on_cleanup_task_start = lambda self, task: (
        self.v2_playbook_on_task_start(task, False)
    )

    def v2_runner_on_ok(self, result: Any) -> None:
        """Note which role has reported what, and which task changed something."""
        if result.result.get("changed"):
            self._changing.setdefault(result.host.get_name(), []).append(result.task.get_name().strip())
        role, data = result.task._role, result.result.get("ansible_stats", {}).get("data", {})
        if role:
            lines = self._by_role.setdefault(result.host.get_name(), {}).setdefault(role.get_name().split(".")[-1], [])
            lines += [line for key, entries in data.items() if key.startswith("dlbox_") for line in entries]

    def v2_playbook_on_stats(self, stats: Any) -> None:
        """Print the summary."""
        if self._heartbeat:
            self._heartbeat.stop()
        self._close_stage()
        if self.get_option("outcome"):
            outcome = {
                host: {**stats.summarize(host), "tasks": self._changing.get(host, [])} for host in stats.processed
            }
            Path(self.get_option("outcome")).write_text(json.dumps(outcome), encoding="utf-8")
        told = {host: dict(data) for host, data in stats.custom.items() if host != "_run"}
        pages = {host: data.pop("doctor_page") for host, data in told.items() if "doctor_page" in data}
        if self.get_option("pages"):
            try:
                keep_pages(Path(self.get_option("pages")), pages)
            except OSError as error:
                self._display.warning(f"the report pages cannot be written: {error}")
        reported = {host: without_undone(data, self._by_role.get(host, {})) for host, data in told.items()}
        hosts = sorted({*stats.processed, *reported})
        if len(hosts) < 2 and not any(key.startswith("dlbox_") for data in reported.values() for key in data):
            return
        check = bool(self._play_context_check())
        self._display.banner("SUMMARY")
        for host in hosts:
            for number, line in enumerate(host_summary(host, reported.get(host, {}), stats.summarize(host), check)):
                self._display.display(line, color="bright green" if number == 0 else None)
        if self._stages:
            times = ", ".join(f"{name} {duration(seconds)}" for name, seconds in self._stages.items())
            self._display.display(f"took: {times}")

    def _play_context_check(self) -> bool:
        """Whether the run is in check mode."""
        from ansible import context

        return bool(context.CLIARGS.get("check"))

    def _close_stage(self) -> None:
        """Add the time of the stage that ends to its name."""
        if self._stage:
            name, since = self._stage
            self._stages[name] = self._stages.get(name, 0.0) + time.monotonic() - since
            self._stage = None
