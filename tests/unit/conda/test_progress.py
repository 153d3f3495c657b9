"""How far environments are: what the engines tell, what is recorded on the host, and what the person reads."""

from __future__ import annotations

import fcntl
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import MagicMock

import pytest
from ansible.errors import AnsibleConnectionFailure
from ansible_collections.dlbox.workstation.plugins.action import conda_wait
from ansible_collections.dlbox.workstation.plugins.module_utils.conda import engine, environment, progress
from ansible_collections.dlbox.workstation.plugins.module_utils.conda.sources import Sources

# uv 0.13 without a terminal.
UV = """\
Using CPython 3.13.5 interpreter at: /opt/dlbox/engine/venv/bin/python
Resolved 4 packages in 75ms
Downloading torch (746.3MiB)
Downloading numpy (15.0MiB)
Downloading tzdata (900.0KiB)
 Downloaded numpy
Prepared 4 packages in 1.05s
 + numpy==2.5.5
"""


def test_uvs_downloads_say_how_much_of_how_much_and_what_is_left() -> None:
    downloads = engine.Downloads()
    about = [line for line in UV.splitlines() if downloads.read(line)]
    assert len(about) == 4
    assert str(downloads) == "15.7 of 799.2 MB (torch, tzdata left)"
    downloads.read("Downloading triton (200.0MiB)")
    downloads.read("Downloading nvidia-cublas-cu12 (590.0MiB)")
    downloads.read("Downloading six (1.0KiB)")
    assert str(downloads) == "0.0 of 1.6 GB (torch, nvidia-cublas-cu12, triton and 2 more left)"


@pytest.fixture
def sources(tmp_path: Path) -> Sources:
    return Sources(cache=str(tmp_path))


def fake_uv(monkeypatch: pytest.MonkeyPatch, folder: Path, text: str, status: int) -> None:
    said, program = folder / "said", folder / "uv"
    said.write_text(text)
    program.write_text(f'#!/bin/sh\necho "$@" >{folder}/arguments\ncat {said} >&2\nexit {status}\n')
    program.chmod(0o755)
    monkeypatch.setattr(engine, "uv_program", lambda: program)


def test_what_uv_says_of_steps_that_went_well_is_not_in_its_explanation(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, sources: Sources
) -> None:
    reason = "error: Failed to fetch: `torch`\n  Caused by: connection reset\n"
    fake_uv(monkeypatch, tmp_path, f"{UV}warning: slow\n{reason}", 2)
    told: list[str] = []
    with pytest.raises(RuntimeError) as failure:
        engine.uv(["pip", "install"], sources, "wheels cannot be installed", tell=told.append)
    assert str(failure.value) == f"wheels cannot be installed: {reason.strip()}"
    assert told[-1].startswith("wheels, 15.7 of 799.2 MB")
    assert "--quiet" not in (tmp_path / "arguments").read_text()


def test_a_uv_that_nobody_follows_is_quiet(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, sources: Sources) -> None:
    fake_uv(monkeypatch, tmp_path, "", 0)
    engine.uv(["pip", "compile"], sources, "wheels cannot be chosen")
    assert (tmp_path / "arguments").read_text() == "pip compile --quiet\n"


def test_a_new_run_forgets_what_an_earlier_one_recorded(tmp_path: Path) -> None:
    cache = str(tmp_path)
    progress.begin(cache, ["gone"])
    progress.begin(cache, ["pytorch", "base"])
    progress.note(cache, "base", progress.MADE)
    assert progress.read(cache) == {"base": "made", "pytorch": "choosing versions"}
    assert (tmp_path / "progress").stat().st_mode & 0o777 == 0o700


def test_nobody_needs_to_wait(tmp_path: Path) -> None:
    progress.note(str(tmp_path / "nowhere"), "base", "conda packages")
    assert progress.read(str(tmp_path / "nowhere")) == {}
    assert not progress.at_work(str(tmp_path / "nowhere"))


def test_a_run_is_at_work_while_it_holds_the_lock(tmp_path: Path) -> None:
    with environment.alone(tmp_path):
        assert progress.at_work(str(tmp_path / ".cache"))
    assert not progress.at_work(str(tmp_path / ".cache"))


def test_a_run_that_is_killed_gives_the_lock_back(tmp_path: Path) -> None:
    """What another run or the one that waits goes by; nothing on the disk has to be cleaned up."""
    holder = f"import fcntl, time; file = open({str(tmp_path / 'lock')!r}, 'w'); fcntl.flock(file, {fcntl.LOCK_EX})"
    process = subprocess.Popen(
        [sys.executable, "-c", f"{holder}; print(flush=True); time.sleep(600)"], stdout=subprocess.PIPE
    )
    assert process.stdout
    with process.stdout:
        process.stdout.readline()
        assert progress.at_work(str(tmp_path))
        process.kill()
        process.wait()
    assert not progress.at_work(str(tmp_path))


def test_the_line_that_a_person_reads() -> None:
    found = {
        "base": "made",
        "jax": "waiting for its turn",
        "keras": "waiting for its turn",
        "pytorch": "wheels, 1.1 of 2.9 GB (torch left)",
    }
    assert conda_wait.sentence(found) == (
        "1 of 4 environments done; jax, keras: waiting for its turn; pytorch: wheels, 1.1 of 2.9 GB (torch left)"
    )


class Host:
    """A host whose job answers one thing after the other, and a clock that only waiting moves."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *answers: dict[str, Any] | Exception) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []
        self.seen: dict[str, Any] = {"progress": {"base": "conda packages"}, "at_work": True}
        self.shown: list[str] = []
        self.now = 0.0
        clock = SimpleNamespace(monotonic=lambda: self.now, sleep=self.sleep)
        monkeypatch.setattr(conda_wait, "time", clock)
        monkeypatch.setattr(conda_wait.display, "display", self.shown.append)
        self.action = conda_wait.ActionModule(*[MagicMock() for _ in range(6)])
        self.action._task.async_val = 0
        options = {"root": "/opt/conda", "job": "j1.2", "every": 10}
        monkeypatch.setattr(self.action, "validate_argument_spec", lambda **_: (None, options))
        monkeypatch.setattr(self.action, "_execute_module", lambda **_: self.seen)
        monkeypatch.setattr(self.action, "ask", self.ask)

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def ask(self, mode: str, _: dict[str, Any]) -> dict[str, Any]:
        self.asked.append(mode)
        answer = self.answers[0] if len(self.answers) == 1 else self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def wait(self) -> dict[str, Any]:
        return dict(self.action.run(task_vars={"inventory_hostname": "box"}))


RUNNING = {"started": True, "finished": False}


def test_the_job_s_answer_is_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = {"changed": True, "environments": [], "failed": True, "msg": "1 of 2", "finished": True}
    host = Host(monkeypatch, RUNNING, RUNNING, {**answer, "ansible_job_id": "j1.2"}, {"erased": "x"})
    assert host.wait() == {"changed": True, "environments": [], "failed": True, "msg": "1 of 2"}
    assert host.asked == ["status", "status", "status", "cleanup"]
    assert host.shown == ["box: 0 of 1 environments done; base: conda packages"], "said once"


def test_a_job_that_was_killed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody writes its answer. Without a look at the lock, waiting would take four hours."""
    host = Host(monkeypatch, RUNNING)
    host.seen = {"progress": {}, "at_work": False}
    ended = host.wait()
    assert ended["failed"] and "killed, or box was restarted" in ended["msg"]
    assert conda_wait.WITHOUT_LOCK < host.now < 2 * conda_wait.WITHOUT_LOCK


def test_a_connection_that_is_lost_for_a_while_is_made_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    lost = [AnsibleConnectionFailure("gone")] * 20
    host = Host(monkeypatch, RUNNING, *lost, {"changed": True, "finished": True}, {})
    assert host.wait() == {"changed": True}
    assert host.action._connection.reset.call_count == 20


def test_a_host_that_stays_away_is_unreachable(monkeypatch: pytest.MonkeyPatch) -> None:
    host = Host(monkeypatch, RUNNING, AnsibleConnectionFailure("gone"))
    with pytest.raises(AnsibleConnectionFailure):
        host.wait()
    assert conda_wait.WITHOUT_CONNECTION < host.now < 2 * conda_wait.WITHOUT_CONNECTION
