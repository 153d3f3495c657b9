"""The folders, files and blocks around the environments."""

from __future__ import annotations

import os

import pytest
from conda_host import with_block
from hypothesis import given
from hypothesis import strategies as st
from jupyter.module import run

MARK = "conda, managed by dlbox"


@pytest.fixture
def wish(tmp_path):
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


def without(wish):
    """The same, but none of it."""
    return {key: [{**item, "present": False} for item in wish[key]] for key in ("files", "blocks")}


def test_all_is_made_once_and_taken_away_again(wish, tmp_path):
    planned = run("conda_host", wish, check=True)
    assert planned["changed"] and sorted(p.name for p in tmp_path.iterdir()) == ["bashrc"]
    made = run("conda_host", wish)
    assert made["diff"] == planned["diff"] and len(made["touched"]) == 3
    assert (tmp_path / "root/envs").stat().st_mode & 0o7777 == 0o3775
    assert (tmp_path / "profile.d/hook.sh").stat().st_mode & 0o7777 == 0o644
    assert not (tmp_path / "fish").exists() and not (tmp_path / "zshrc").exists()
    assert f"# BEGIN {MARK}\nsource hook\n# END {MARK}\n" in (tmp_path / "bashrc").read_text()
    assert len(list(tmp_path.glob("bashrc.*~"))) == 1, "the file as it was is kept"
    assert not run("conda_host", wish)["changed"]
    (tmp_path / "fish").mkdir()
    assert run("conda_host", wish)["touched"] == [str(tmp_path / "fish/conf.d/hook.fish")]
    assert run("conda_host", without(wish))["changed"]
    assert (tmp_path / "bashrc").read_text() == "# theirs\nalias ll='ls -l'\n"
    assert not (tmp_path / "profile.d/hook.sh").exists() and not run("conda_host", without(wish))["changed"]


@pytest.mark.parametrize("spoil", ["hook.sh", "envs"])
def test_what_was_changed_by_hand_is_put_right(wish, tmp_path, spoil):
    run("conda_host", wish)
    place = tmp_path / {"hook.sh": "profile.d/hook.sh", "envs": "root/envs"}[spoil]
    place.chmod(0o777)
    assert run("conda_host", wish)["touched"] == [str(place)]
    assert not run("conda_host", wish)["changed"]


def test_a_group_that_is_only_announced_counts_in_check_mode(wish):
    wish["folders"][0]["group"] = "no-such-group-here"
    assert not run("conda_host", wish, check=True)["failed"]
    if os.geteuid() == 0:
        told = run("conda_host", wish)
        assert told["failed"] and "no-such-group-here" in told["msg"]


@given(st.text(alphabet="ab\n#"), st.text(alphabet="cd\n", min_size=1))
def test_a_block_leaves_the_rest_as_it_was(text, content):
    once = with_block(text, MARK, content)
    assert with_block(once, MARK, content) == once
    padded = text if not text or text.endswith("\n") else f"{text}\n"
    assert with_block(once, MARK, None) == padded
    assert with_block(text, MARK, None) == text
