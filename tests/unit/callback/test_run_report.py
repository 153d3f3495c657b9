from __future__ import annotations

import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from ansible_collections.dlbox.workstation.plugins.callback.run_report import (
    CallbackModule,
    Heartbeat,
    duration,
    host_summary,
    keep_pages,
    without_undone,
)
from ansible_collections.dlbox.workstation.plugins.plugin_utils.page import kept

QUIET = {"changed": 0, "failures": 0, "unreachable": 0}


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.2, "0 s"), (59.4, "59 s"), (60, "1 min 00 s"), (185, "3 min 05 s"), (3725, "1 h 02 min")]
)
def test_durations_read_as_people_say_them(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_summary_says_what_is_set_up_how_to_reach_it_and_what_is_left() -> None:
    reports = {
        "dlbox_setup": ["base: 27 packages", "ssh: keys only"],
        "dlbox_access": ["JupyterLab: ssh -L 8888:127.0.0.1:8888 ada@box"],
        "dlbox_todo": ["Reboot: the driver is new.", "Reboot: the driver is new."],
    }
    assert host_summary("box", reports, {**QUIET, "changed": 3}, check=False) == [
        "box: 3 changed",
        "  set up     base: 27 packages",
        "             ssh: keys only",
        "  reach it   JupyterLab: ssh -L 8888:127.0.0.1:8888 ada@box",
        "  to do      Reboot: the driver is new.",
    ]


def test_summary_of_a_run_that_changes_nothing_and_leaves_nothing_to_do() -> None:
    assert host_summary("box", {"dlbox_setup": ["base"]}, QUIET, check=False) == [
        "box: nothing to change",
        "  set up     base",
        "  to do      nothing",
    ]


def test_what_was_undone_is_not_said_to_be_set_up() -> None:
    reports = {"dlbox_setup": ["base: 27 packages", "ssh: keys only"], "dlbox_undone": ["ssh_hardening"]}
    left = without_undone(reports, {"ssh_hardening": ["ssh: keys only"], "base": ["base: 27 packages"]})
    assert left["dlbox_setup"] == ["base: 27 packages"]
    assert host_summary("box", left, {**QUIET, "failures": 1}, check=False)[1:] == ["  set up     base: 27 packages"]


def test_summary_of_check_mode_and_of_a_failure_do_not_pretend() -> None:
    assert host_summary("box", {"dlbox_setup": ["base"]}, {**QUIET, "changed": 2}, check=True)[:2] == [
        "box: 2 would change",
        "  would be   base",
    ]
    failed = host_summary("box", {"dlbox_setup": ["base"]}, {**QUIET, "failures": 1}, check=False)
    assert failed[0] == "box: stopped by an error, see above"
    assert not any("nothing" in line for line in failed)


def test_summary_names_a_host_that_is_off() -> None:
    assert host_summary("off", {}, {**QUIET, "unreachable": 1}, False) == ["off: could not be reached, see above"]


def test_a_long_task_is_named_again_and_again(capfd: pytest.CaptureFixture[str]) -> None:
    heartbeat = Heartbeat(1)
    heartbeat.watch("Download 3 GB")
    time.sleep(3.5)
    heartbeat.watch("Quick task")
    heartbeat.stop()
    lines = capfd.readouterr().err.splitlines()
    assert 2 <= len(lines) <= 4
    assert all("still at it after" in line and "Download 3 GB" in line for line in lines)


def test_what_was_verified_is_kept_for_the_page(tmp_path: Path) -> None:
    check = {"name": "ssh.server", "area": "ssh", "result": "ok", "observed": "port 22", "remedy": ""}
    evidence = {"os_release": {"PRETTY_NAME": "Debian 13"}, "errors": {}, "plan": {"ok": True}, "bench_runs": []}
    assert kept.last_change(tmp_path, "box") == 0
    keep_pages(tmp_path, {"box": {"report": {"ok": True, "host": "box", "checks": [check]}, "evidence": evidence}})
    found = kept.load(tmp_path, "box")
    assert found["facts"]["system"] == "Debian 13" and found["checks"][0]["observed"] == "port 22"
    assert abs(kept.last_change(tmp_path, "box") - time.time()) < 60


@pytest.mark.parametrize(
    ("action", "named"),
    [("ansible.builtin.apt", "Install"), ("ansible.builtin.pause", None)],
    ids=["work", "a question"],
)
def test_a_question_to_a_person_is_not_hurried(action: str, named: str | None) -> None:
    """Observed: a line every 20 s in the middle of the prompt for sudo's password."""
    report = CallbackModule()
    watched: list[str | None] = []
    report._heartbeat = SimpleNamespace(watch=watched.append)
    report.v2_playbook_on_task_start(SimpleNamespace(action=action, get_name=lambda: "Install"), False)
    assert watched == [named]
