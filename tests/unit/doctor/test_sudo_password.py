"""Whom the doctor asks for sudo's password, and when."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any

import doctor
import pytest


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was asked for at the terminal; the hosts `open` and `closed`, of which the second wants a password."""
    asked: list[str] = []

    def examine(name: str, _hosts: Any, _options: Any, _chosen: Any, password: str) -> tuple[dict[str, Any], Any]:
        root = name == "open" or password == "right"
        return {"ok": True, "host": name, "checks": []}, SimpleNamespace(evidence={"root": root}, outside={})

    def typed(question: str) -> str:
        asked.append(question)
        return "right"

    monkeypatch.setattr(doctor, "examine", examine)
    monkeypatch.setattr(doctor.getpass, "getpass", typed)
    monkeypatch.setattr(doctor.runner, "hosts", lambda *_: (None, ["open", "closed"]))
    return asked


def at_a_terminal(monkeypatch: pytest.MonkeyPatch, there: bool) -> None:
    for stream in (sys.stdin, sys.stderr):
        monkeypatch.setattr(stream, "isatty", lambda: there)


def test_the_host_whose_sudo_asks_is_examined_again(
    asked: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    at_a_terminal(monkeypatch, True)
    assert doctor.main(["--no-page"]) == 0
    assert asked == ["sudo password on closed (empty: go on without root): "]
    assert "Run without root" not in capsys.readouterr().out


def test_nobody_there_is_not_asked(
    asked: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    at_a_terminal(monkeypatch, False)
    assert doctor.main(["--no-page"]) == 0
    assert asked == [] and capsys.readouterr().out.count("Run without root") == 1


def test_once_is_enough(asked: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    at_a_terminal(monkeypatch, True)
    assert doctor.main(["--no-page", "-K"]) == 0
    assert asked == ["sudo password on open, closed (empty: go on without root): "]
