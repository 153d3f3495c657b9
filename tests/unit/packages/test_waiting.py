"""The action plugin calls the module again while another apt is at work, and says so once a minute."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.dlbox.workstation.plugins.action import apt_packages

LOCKED = {"changed": False, "locked": "unattended-upgr (process 812)"}


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Time passes by sleeping only."""
    now = [0.0]
    monkeypatch.setattr(apt_packages.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(apt_packages.time, "sleep", lambda seconds: now.__setitem__(0, now[0] + seconds))
    return now


def run(
    monkeypatch: pytest.MonkeyPatch, results: list[dict[str, Any]], **arguments: Any
) -> tuple[dict[str, Any], list[str]]:
    """The action's result, and what it displayed."""
    said: list[str] = []
    monkeypatch.setattr(apt_packages.display, "display", said.append)
    task = SimpleNamespace(args=arguments, async_val=0, check_mode=False, diff=False)
    plugin = apt_packages.ActionModule.__new__(apt_packages.ActionModule)
    plugin._task = task
    monkeypatch.setattr(apt_packages.ActionBase, "run", lambda *_: {})
    plugin._execute_module = lambda **_: results.pop(0) if len(results) > 1 else results[0]
    return plugin.run(None, {"inventory_hostname": "bigbox"}), said


def test_it_waits_and_says_for_whom(monkeypatch: pytest.MonkeyPatch, clock: list[float]) -> None:
    result, said = run(monkeypatch, [LOCKED] * 14 + [{"changed": True}])
    assert result == {"changed": True} and clock[0] == 70
    assert said == ["bigbox: waiting for unattended-upgr (process 812), which is at work on its packages"] * 2


def test_it_says_nothing_where_nobody_is_at_work(monkeypatch: pytest.MonkeyPatch, clock: list[float]) -> None:
    assert run(monkeypatch, [{"changed": False}]) == ({"changed": False}, []) and clock[0] == 0


def test_it_gives_up_with_the_name_of_who_stays(monkeypatch: pytest.MonkeyPatch, clock: list[float]) -> None:
    result, _ = run(monkeypatch, [LOCKED], wait=30)
    assert result["failed"] and "unattended-upgr (process 812)" in result["msg"] and clock[0] == 30
