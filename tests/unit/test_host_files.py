"""Folders, small files and marked blocks in one call."""

from __future__ import annotations

import os

import pytest
from ansible_collections.dlbox.workstation.plugins.modules.host_files import with_block
from hypothesis import given
from hypothesis import strategies as st
from jupyter.module import run

MARK = "managed by dlbox"


@pytest.fixture
def arguments(tmp_path):
    """A folder, a file, one that needs another folder, and a block in somebody's file."""
    (tmp_path / "bashrc").write_text("# theirs\nalias ll='ls -l'\n")
    return {
        "folders": [{"path": str(tmp_path / "root/envs"), "mode": "3775"}],
        "files": [
            {"path": str(tmp_path / "profile.d/hook.sh"), "content": "hook\n"},
            {"path": str(tmp_path / "fish/conf.d/hook.fish"), "content": "hook\n", "beside": str(tmp_path / "fish")},
        ],
        "blocks": [
            {"path": str(tmp_path / "bashrc"), "content": "source hook\n"},
            {"path": str(tmp_path / "zshrc"), "content": "source hook\n"},
        ],
    }


def without(arguments):
    """The same, but none of it."""
    return {key: [{**item, "present": False} for item in arguments[key]] for key in ("files", "blocks")}


def test_all_is_made_once_and_taken_away_again(arguments, tmp_path):
    planned = run("host_files", arguments, check=True)
    assert planned["changed"] and sorted(p.name for p in tmp_path.iterdir()) == ["bashrc"]
    made = run("host_files", arguments)
    assert made["diff"] == planned["diff"] and len(made["written"]) == 3
    assert (tmp_path / "root/envs").stat().st_mode & 0o7777 == 0o3775
    assert (tmp_path / "profile.d/hook.sh").stat().st_mode & 0o7777 == 0o644
    assert not (tmp_path / "fish").exists() and not (tmp_path / "zshrc").exists()
    assert f"# BEGIN {MARK}\nsource hook\n# END {MARK}\n" in (tmp_path / "bashrc").read_text()
    assert len(list(tmp_path.glob("bashrc.*~"))) == 1, "the file as it was is kept"
    assert not run("host_files", arguments)["changed"]
    (tmp_path / "fish").mkdir()
    assert run("host_files", arguments)["written"] == [str(tmp_path / "fish/conf.d/hook.fish")]
    assert run("host_files", without(arguments))["changed"]
    assert (tmp_path / "bashrc").read_text() == "# theirs\nalias ll='ls -l'\n"
    assert not (tmp_path / "profile.d/hook.sh").exists() and not run("host_files", without(arguments))["changed"]


@pytest.mark.parametrize("spoil", ["hook.sh", "envs"])
def test_what_was_changed_by_hand_is_put_right(arguments, tmp_path, spoil):
    run("host_files", arguments)
    place = tmp_path / {"hook.sh": "profile.d/hook.sh", "envs": "root/envs"}[spoil]
    place.chmod(0o777)
    assert run("host_files", arguments)["written"] == [str(place)]
    assert not run("host_files", arguments)["changed"]


def test_a_group_that_is_only_announced_counts_in_check_mode(arguments):
    arguments["folders"][0]["group"] = "no-such-group-here"
    assert not run("host_files", arguments, check=True)["failed"]
    if os.geteuid() == 0:
        told = run("host_files", arguments)
        assert told["failed"] and "no-such-group-here" in told["msg"]


def test_a_file_is_written_when_its_program_accepts_it_and_none_before_all_are_judged(tmp_path):
    first = {"path": str(tmp_path / "first"), "content": "a"}
    second = {"path": str(tmp_path / "second"), "content": "secret", "mode": "0440", "validate": "grep -q good %s"}
    refused = run("host_files", {"files": [first, second]})
    assert refused["failed"] and str(tmp_path / "second") in refused["msg"] and "grep -q good" in refused["msg"]
    assert not list(tmp_path.iterdir())
    second["content"] = "good"
    assert run("host_files", {"files": [first, second]})["written"] == [first["path"], second["path"]]
    assert (tmp_path / "second").stat().st_mode & 0o7777 == 0o440
    assert not run("host_files", {"files": [first, second]})["changed"]


@pytest.mark.parametrize("present", [True, False])
def test_what_somebody_else_wrote_is_kept(tmp_path, present):
    (tmp_path / "theirs").write_text("by hand\n")
    (tmp_path / "ours").write_text("written by dlbox\n")
    arguments = {
        "files": [{"path": str(tmp_path / name), "content": "new\n", "present": present} for name in ("theirs", "ours")]
    }
    assert run("host_files", arguments)["changed"]
    kept = [path for path in tmp_path.iterdir() if path.name.endswith("~")]
    assert [path.read_text() for path in kept] == ["by hand\n"] and kept[0].name.startswith("theirs.")
    assert (tmp_path / "theirs").exists() is present


def test_a_program_is_named_in_a_diff_but_not_shown(tmp_path):
    arguments = {"files": [{"path": str(tmp_path / "tool"), "content": "import os\n", "mode": "0755", "program": True}]}
    (diff,) = run("host_files", arguments, check=True)["diff"]
    assert diff["after_header"] == str(tmp_path / "tool") and diff["before"] == diff["after"] == ""


@given(st.text(alphabet="ab\n#"), st.text(alphabet="cd\n", min_size=1))
def test_a_block_leaves_the_rest_as_it_was(text, content):
    once = with_block(text, MARK, content)
    assert with_block(once, MARK, content) == once
    padded = text if not text or text.endswith("\n") else f"{text}\n"
    assert with_block(once, MARK, None) == padded
    assert with_block(text, MARK, None) == text


def test_folders_above_are_open_under_a_tight_umask(arguments, tmp_path):
    before = os.umask(0o027)
    try:
        run("host_files", arguments)
    finally:
        os.umask(before)
    assert {place.stat().st_mode & 0o7777 for place in (tmp_path / "root", tmp_path / "profile.d")} == {0o755}
