"""What ./dlbox drift says of each host, its exit status, and its timer."""

from __future__ import annotations

import configparser
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import drift as drift_command
import pytest
from ansible_collections.dlbox.workstation.plugins.plugin_utils import drift
from ansible_collections.dlbox.workstation.plugins.plugin_utils.doctor.model import AREAS, RESULTS

PROJECT = Path(__file__).resolve().parents[3]


def outcome(**given: Any) -> dict[str, Any]:
    return {"changed": 0, "failures": 0, "unreachable": 0, "tasks": [], **given}


WELL = {"checks": [{"name": "ssh.login", "result": "ok"}, {"name": "gpu.dkms", "result": "warn"}]}
BROKEN = {"checks": [{"name": "ssh.login", "result": "fail"}]}


@pytest.mark.parametrize(
    ("of_run", "report", "status"),
    [
        (outcome(), WELL, "as declared"),
        (outcome(changed=1, tasks=["Configure sshd"]), WELL, "drift"),
        (outcome(failures=1), WELL, "drift"),
        (outcome(), BROKEN, "drift"),
        (outcome(unreachable=1), None, "not reached"),
        (outcome(), {"error": "no route", "checks": []}, "not reached"),
    ],
)
def test_a_host_is_as_declared_only_when_nothing_speaks_against_it(
    of_run: dict[str, Any], report: dict[str, Any] | None, status: str
) -> None:
    assert drift.finding("box", of_run, report)["status"] == status


@pytest.mark.parametrize(
    ("outcomes", "status"),
    [
        ([outcome()], 0),
        ([outcome(), outcome(tasks=["x"])], 2),
        ([outcome(tasks=["x"]), outcome(unreachable=1), outcome()], 4),
    ],
)
def test_the_exit_status_is_that_of_the_worst_host(outcomes: list[dict[str, Any]], status: int) -> None:
    assert drift.exit_status([drift.finding("box", item) for item in outcomes]) == status


def test_what_differs_is_named_for_people_and_on_the_page() -> None:
    found = drift.finding("box", outcome(tasks=["Configure sshd", "Install ufw"], failures=1), BROKEN)
    told = "\n".join(drift.lines(found))
    for part in ("box: drift", "would change: Configure sshd", "failed check: ssh.login", "may be more"):
        assert part in told
    entry = drift.check_entry(found)
    assert entry["area"] in AREAS and entry["result"] in RESULTS
    assert "2 tasks" in entry["observed"] and "Install ufw" in entry["observed"] and entry["remedy"]
    assert drift.check_entry(drift.finding("box", outcome()))["result"] == "ok"


def test_the_timer_starts_this_clone(tmp_path: Path) -> None:
    texts = drift.units(tmp_path / "50% of it", "daily")
    parsers = {name: configparser.ConfigParser(interpolation=None) for name in texts}
    for name, parser in parsers.items():
        parser.read_string(texts[name])
    service, timer = parsers["dlbox-drift.service"], parsers["dlbox-drift.timer"]
    assert service["Service"]["ExecStart"] == f'"{tmp_path}/50%% of it/dlbox" drift'
    assert timer["Timer"]["OnCalendar"] == "daily" and timer["Timer"]["Persistent"] == "true"


PLAYBOOK = """
- hosts: all
  gather_facts: false
  tasks:
    - name: Differ
      ansible.builtin.copy: {content: new, dest: "{{ file }}", mode: "0600"}
"""


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A clone whose site.yml is one task; its inventory has a host that is here and one that is off."""
    for name in ("dlbox", "scripts", "plugins", "collections", "ansible.cfg", "galaxy.yml", "meta", "roles", ".venv"):
        (tmp_path / name).symlink_to(PROJECT / name)
    (tmp_path / "site.yml").write_text(PLAYBOOK)
    return tmp_path


@pytest.mark.parametrize(
    ("content", "hosts", "status"),
    [("new", ["here"], 0), ("old", ["here"], 2), ("new", ["here", "off"], 4)],
    ids=["as declared", "drift", "not reached"],
)
def test_check_has_the_exit_status_by_option(site: Path, content: str, hosts: list[str], status: int) -> None:
    (site / "file").write_text(content)
    (site / "file").chmod(0o600)
    here = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable, "file": str(site / "file")}
    known = {"here": here, "off": {"ansible_host": "127.0.0.1", "ansible_port": 1, "file": "/nowhere"}}
    (site / "hosts.json").write_text(json.dumps({"all": {"hosts": {name: known[name] for name in hosts}}}))
    environment = {**os.environ, "ANSIBLE_CONFIG": str(site / "ansible.cfg"), "ANSIBLE_STRATEGY": "linear"}
    subprocess.run(
        [str(Path(sys.executable).parent / "ansible-playbook"), "site.yml", "--check", "-i", "hosts.json"],
        cwd=site, env={**environment, "DLBOX_OUTCOME": str(site / "outcome")}, capture_output=True, check=False,
    )  # fmt: skip
    done = subprocess.run(
        [sys.executable, str(PROJECT / "scripts/drift.py"), "--outcome", str(site / "outcome")], check=False
    )
    assert done.returncode == status
    assert (site / "file").read_text() == content


def test_a_doctor_without_a_report_speaks_for_no_host(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(drift_command, "checked", lambda *_: {"box": outcome(), "desk": outcome()})
    ended = subprocess.CompletedProcess([], 1, stdout="")
    monkeypatch.setattr(drift_command.subprocess, "run", lambda *_, **__: ended)
    assert drift_command.main(["--no-page"]) == drift.NOT_REACHED
    ended.stdout = json.dumps({**WELL, "host": "desk"})
    assert drift_command.main(["--no-page"]) == drift.NOT_REACHED


@pytest.mark.parametrize("more", [["-i", "elsewhere"], ["--limit", "box"], ["--quick"]])
def test_a_timer_takes_no_options_that_it_would_forget(more: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert drift_command.main(["--timer", "daily", *more]) == 64
    assert "expected no other one" in capsys.readouterr().err


def test_root_runs_daily_only_what_root_alone_can_write(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clone, ran = tmp_path / "clone", []
    clone.mkdir()
    clone.chmod(0o777)
    monkeypatch.setattr(drift_command, "PROJECT", clone)
    monkeypatch.setattr(drift_command.os, "geteuid", lambda: 0)

    def run(words: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        ran.append(words[0])
        return subprocess.CompletedProcess(words, 0)

    monkeypatch.setattr(drift_command.subprocess, "run", run)
    monkeypatch.setattr(drift_command.Path, "write_text", lambda *_, **__: pytest.fail("a unit was written"))
    assert drift_command.main(["--timer", "daily"]) == 77
    assert ran == ["systemd-analyze"] and str(clone) in capsys.readouterr().err
