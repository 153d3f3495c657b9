"""Packages are installed once, whatever an earlier run left, and another apt is waited for."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from ansible_collections.dlbox.workstation.plugins.module_utils.host import apt_lists
from ansible_collections.dlbox.workstation.plugins.module_utils.host.dpkg import Package
from ansible_collections.dlbox.workstation.plugins.module_utils.nvidia.apt import (
    Apt,
    Done,
    Failed,
    Refused,
    lock_holder,
)
from ansible_collections.dlbox.workstation.plugins.module_utils.packages import Locked, Wanted, ensure

WOULD_INSTALL = Done(
    0, "Inst tmux (3.5a-3 Debian:13.2/stable [amd64])\nConf tmux (3.5a-3 Debian:13.2/stable [amd64])\n", ""
)
UNKNOWN = Done(100, "", "E: Unable to locate package tmux\n")
LOCK = (
    "E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process {} (unattended-upgr)\n"
    "E: Unable to acquire the dpkg frontend lock (/var/lib/dpkg/lock-frontend), is another process using it?\n"
)


class Host:
    """apt on a host: answers by a word in the command, one after the other, the last one for ever."""

    def __init__(self, status: str = "", **answers: list[Done]) -> None:
        self.answers, self.calls = answers, list[str]()
        packages = {"tmux": Package("tmux", "3.5a-3", "install", status)} if status else {}
        self.apt = Apt(self, lambda: packages)

    def __call__(self, argv: Sequence[str]) -> Done:
        self.calls.append(" ".join(argv))
        for word, answers in self.answers.items():
            if word.replace("_", "-") in self.calls[-1]:
                return answers.pop(0) if len(answers) > 1 else answers[0]
        return Done(0, "", "")

    def did(self, word: str) -> int:
        return sum(word in call for call in self.calls)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A host that has read its package lists just now."""
    lists = tmp_path / "var/lib/apt/lists"
    lists.mkdir(parents=True)
    (lists / "mirror_InRelease").touch()
    return tmp_path


def test_what_is_there_is_not_asked_of_apt(root: Path) -> None:
    host = Host("installed")
    assert ensure(host.apt, Wanted(["tmux"], root=root), check=False).changes == []
    assert host.calls == []


def test_what_is_missing_is_installed_without_touching_held_packages(root: Path) -> None:
    host = Host(simulate=[WOULD_INSTALL])
    assert ensure(host.apt, Wanted(["tmux"], root=root), check=False).changes == ["install tmux 3.5a-3"]
    assert not host.did("update") and not host.did("--allow-change-held-packages") and not host.did("--purge")
    assert host.calls[-1].endswith("--no-install-recommends install tmux")


def test_old_lists_are_read_first(root: Path) -> None:
    for path in (root / name for name in apt_lists.TOUCHED):
        if path.exists():
            os.utime(path, (0, time.time() - 90000))
    host = Host(simulate=[WOULD_INSTALL])
    ensure(host.apt, Wanted(["tmux"], root=root), check=False)
    assert "update" in host.calls[0]


def test_lists_that_do_not_lead_to_the_package_are_read_again(root: Path) -> None:
    host = Host(simulate=[UNKNOWN, WOULD_INSTALL])
    assert ensure(host.apt, Wanted(["tmux"], root=root), check=False).changes
    assert host.did("update") == 1


def test_broken_dependencies_are_repaired(root: Path) -> None:
    unmet = Done(100, "The following packages have unmet dependencies:\n", "E: Unmet dependencies. Try --fix-broken\n")
    host = Host("unpacked", simulate=[unmet, WOULD_INSTALL])
    outcome = ensure(host.apt, Wanted(["tmux"], root=root), check=False)
    assert outcome.changes == ["finish what was interrupted: tmux", "install tmux 3.5a-3"]
    assert host.calls[0].startswith("dpkg --configure") and host.did("--fix-broken") == 1


def test_an_unknown_package_fails_with_apts_words(root: Path) -> None:
    lists = Done(100, "", "E: Failed to fetch http://mirror.example/x  407  Proxy Authentication Required\n")
    with pytest.raises(Failed, match=r"Unable to locate(.|\n)*Proxy Authentication"):
        ensure(Host(simulate=[UNKNOWN], update=[lists]).apt, Wanted(["tmux"], root=root), check=False)


def test_a_repository_that_does_not_answer_is_a_warning(tmp_path: Path) -> None:
    host = Host(simulate=[WOULD_INSTALL], update=[Done(100, "", "E: Failed to fetch http://other.example/x\n")])
    outcome = ensure(host.apt, Wanted(["tmux"], root=tmp_path), check=False)
    assert outcome.changes and "other.example" in outcome.warnings[0]


def test_check_mode_changes_nothing_and_needs_no_lists(tmp_path: Path) -> None:
    host = Host("unpacked", simulate=[UNKNOWN])
    changes = ensure(host.apt, Wanted(["tmux"], root=tmp_path), check=True).changes
    assert changes == ["finish what was interrupted: tmux", "install tmux, after reading the package lists"]
    assert all("--simulate" in call for call in host.calls)


def test_check_mode_refuses_a_name_that_fresh_lists_do_not_have(root: Path) -> None:
    with pytest.raises(Refused, match="Unable to locate"):
        ensure(Host(simulate=[UNKNOWN]).apt, Wanted(["tmux"], root=root), check=True)


@pytest.mark.parametrize("word", ["update", "download_only", "fix_broken"])
def test_another_apt_is_told_apart_from_a_failure(tmp_path: Path, word: str) -> None:
    locked = {word: [Done(100, "", LOCK.format(os.getpid()))], "simulate": [WOULD_INSTALL]}
    if word == "fix_broken":
        locked["simulate"] = [UNKNOWN]
    with pytest.raises(Locked, match=rf"\(process {os.getpid()}\)"):
        ensure(Host(**locked).apt, Wanted(["tmux"], root=tmp_path), check=False)


def test_a_failing_package_is_no_lock(root: Path) -> None:
    host = Host(simulate=[WOULD_INSTALL], download_only=[Done(100, "", "E: Failed to fetch http://mirror.example/x\n")])
    with pytest.raises(Failed, match=r"mirror\.example"):
        ensure(host.apt, Wanted(["tmux"], root=root), check=False)


@pytest.mark.parametrize(
    ("text", "holder"),
    [
        (
            "E: Could not get lock /var/lib/apt/lists/lock. It is held by process 999999999 (apt-get)",
            "process 999999999",
        ),
        ("dpkg: error: dpkg frontend lock was locked by another process with pid 999999999", "process 999999999"),
        ("E: Could not get lock /var/lib/dpkg/lock - open (11: Resource temporarily unavailable)", "another program"),
        ("E: Unable to locate package tmux", ""),
    ],
)
def test_the_words_of_apt_and_dpkg_name_the_holder(text: str, holder: str) -> None:
    assert holder in lock_holder(text) and bool(lock_holder(text)) == bool(holder)


@pytest.mark.parametrize("name", ["tmux-", "-oDPkg::Pre-Invoke::=id", "tmux:amd64-"])
@pytest.mark.parametrize("check", [True, False])
def test_what_apt_would_not_read_as_something_to_install_is_refused(root: Path, name: str, check: bool) -> None:
    host = Host("installed", simulate=[WOULD_INSTALL])
    with pytest.raises(Refused, match="expected names of packages"):
        ensure(host.apt, Wanted([name], root=root), check=check)
    assert host.calls == []
