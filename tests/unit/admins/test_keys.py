"""authorized_keys: every listed key once, everything else as it was, and no file that is not the account's own."""

from __future__ import annotations

import os
import types
from pathlib import Path

import pytest
from ansible_collections.dlbox.workstation.plugins.module_utils.admins import keys
from hypothesis import given
from hypothesis import strategies as st

ADA = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f ada@laptop"
DESK = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGRlZmdoaWprbG1ub3BxcnN0dXZ3eHl6e3x9fn+AgYKD grace@desk"
FOREIGN = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBlR9ilORxNIvUn0xrMGrTZqlXFAm/kwMYW0tpFZdZJb backup"
LINES = [ADA, DESK, FOREIGN, f'from="10.0.0.0/8" {ADA}', "# a comment", "", "not a key", "ssh-future AAAA x"]


def test_listed_keys_are_added_and_everything_else_stays() -> None:
    text = f'# mine\ncommand="true",no-pty {FOREIGN}\n\nnot a key\n'
    assert keys.merged(text, [ADA]) == f"{text}{ADA}\n"


def test_a_key_that_is_there_keeps_its_line_and_comment() -> None:
    text = f"{ADA.replace('ada@laptop', 'my own words')}\n"
    assert keys.merged(text, [ADA]) == text


def test_options_are_as_listed_and_no_second_line_lifts_them() -> None:
    limited = f'from="10.0.0.0/8" {ADA}'
    assert keys.merged(f"{ADA}\n{FOREIGN}\n{ADA}\n", [limited]) == f"{limited}\n{FOREIGN}\n"
    assert keys.merged(f"{limited}\n", [ADA]) == f"{ADA}\n"


def test_exclusive_leaves_comments_and_listed_keys_only() -> None:
    text = f"# mine\n{FOREIGN}\nssh-future AAAA x\n{ADA}\n"
    assert keys.merged(text, [ADA, DESK], exclusive=True) == f"# mine\n{ADA}\n{DESK}\n"


def test_a_last_line_without_an_end_is_not_glued_to_the_new_key() -> None:
    assert keys.merged(FOREIGN, [ADA]) == f"{FOREIGN}\n{ADA}\n"
    assert keys.merged(ADA, [ADA]) == ADA


@given(st.lists(st.sampled_from(LINES)), st.lists(st.sampled_from([ADA, DESK]), min_size=1, unique=True), st.booleans())
def test_the_second_time_changes_nothing_and_every_listed_key_is_there_once(
    lines: list[str], wanted: list[str], exclusive: bool
) -> None:
    once = keys.merged("\n".join(lines), wanted, exclusive)
    assert keys.merged(once, wanted, exclusive) == once
    for key in wanted:
        assert [line for line in keys.key_lines(once) if line.split()[-2] == key.split()[1]] == [
            line for line in once.split("\n") if key.split()[1] in line
        ]
        assert sum(key.split()[1] in line for line in once.split("\n")) == 1
    if not exclusive:
        assert [line for line in lines if FOREIGN in line or line == "not a key"] == [
            line for line in once.split("\n") if FOREIGN in line or line == "not a key"
        ]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of the account that runs the tests."""
    monkeypatch.setattr(keys.pwd, "getpwnam", lambda name: types.SimpleNamespace(pw_dir=str(tmp_path)))
    monkeypatch.setattr(keys, "account", lambda name: None)
    monkeypatch.setattr(keys, "call_as", lambda who, work: work())
    return tmp_path


@pytest.mark.parametrize("umask", [0o022, 0o027, 0o002])
def test_new_keys_are_the_accounts_alone_under_any_umask(home: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        keys.write("ada", f"{ADA}\n")
    finally:
        os.umask(before)
    file = home / ".ssh/authorized_keys"
    assert (file.parent.stat().st_mode & 0o777, file.stat().st_mode & 0o777) == (0o700, 0o600)
    assert keys.read("ada") == (f"{ADA}\n", False)


def test_what_others_can_write_is_seen_and_tightened(home: Path) -> None:
    keys.write("ada", f"{ADA}\n")
    file = home / ".ssh/authorized_keys"
    file.chmod(0o666)
    file.parent.chmod(0o777)
    assert keys.read("ada") == (f"{ADA}\n", True)
    keys.write("ada", f"{ADA}\n")
    assert keys.read("ada") == (f"{ADA}\n", False)


def test_a_link_of_the_accounts_own_stays_a_link(home: Path) -> None:
    (home / "dotfiles").mkdir()
    (home / "dotfiles/keys").write_text(f"{FOREIGN}\n")
    (home / ".ssh").mkdir(mode=0o700)
    (home / ".ssh/authorized_keys").symlink_to(home / "dotfiles/keys")
    keys.write("ada", f"{ADA}\n")
    assert (home / ".ssh/authorized_keys").is_symlink() and (home / "dotfiles/keys").read_text() == f"{ADA}\n"


def test_what_is_no_ordinary_file_is_not_waited_for(home: Path) -> None:
    (home / ".ssh").mkdir()
    os.mkfifo(home / ".ssh/authorized_keys")
    with pytest.raises(OSError, match="no ordinary file"):
        keys.read("ada")


def test_a_failed_write_leaves_the_old_file_and_nothing_beside_it(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keys.write("ada", f"{FOREIGN}\n")

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(keys.os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        keys.write("ada", f"{ADA}\n")
    assert [path.name for path in (home / ".ssh").iterdir()] == ["authorized_keys"]
    assert (home / ".ssh/authorized_keys").read_text() == f"{FOREIGN}\n"
