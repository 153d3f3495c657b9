"""A source that apt refuses is not left among the host's sources."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from ansible_collections.dlbox.workstation.plugins.module_utils.nvidia import sourcefile
from ansible_collections.dlbox.workstation.plugins.module_utils.nvidia.apt import Apt, Done, Failed

UNSIGNED = (
    "W: GPG error: http://x.example NO_PUBKEY 42\n"
    "E: The repository 'http://x.example ./ Release' is not signed.\nN: hint\n"
)


class Lists:
    """A stand-in for apt that refuses to read lists, or to read all sources together."""

    def __init__(self, update: Done = Done(0, "", ""), together: Done = Done(0, "", "")) -> None:  # noqa: B008
        self.update, self.together, self.seen = update, together, list[str]()

    def __call__(self, argv: Sequence[str]) -> Done:
        self.seen.append(" ".join(argv))
        return self.update if "update" in argv else self.together


def test_the_lists_of_the_file_alone_are_read(tmp_path: Path) -> None:
    apt, path = Lists(), tmp_path / "sources.list.d/x.sources"
    sourcefile.put(path, "Types: deb\n", Apt(apt))
    assert path.read_text() == "Types: deb\n" and path.stat().st_mode & 0o777 == 0o644
    assert f"Dir::Etc::sourcelist={path}" in apt.seen[0] and "Error-Mode=any" in apt.seen[0]
    assert list(path.parent.iterdir()) == [path]


def test_a_password_in_a_url_is_for_root_alone(tmp_path: Path) -> None:
    path = tmp_path / "x.sources"
    text = "Types: deb\nURIs: https://me:secret@mirror.example/debian http://other.example/a@b\n"
    sourcefile.put(path, text, Apt(Lists()))
    assert path.read_text() == text and path.stat().st_mode & 0o777 == 0o600
    assert sourcefile.shown(text) == text.replace("me:secret", "********")


@pytest.mark.parametrize("before", ["", "Types: deb\nURIs: http://old.example\n"])
def test_what_was_there_before_is_put_back(tmp_path: Path, before: str) -> None:
    path = tmp_path / "x.sources"
    if before:
        path.write_text(before)
    with pytest.raises(Failed, match=r"NO_PUBKEY 42\nE: The repository .* is not signed") as failed:
        sourcefile.put(path, "new\n", Apt(Lists(update=Done(100, "Ign:1 http://x.example\n", UNSIGNED))))
    assert "hint" not in str(failed.value)
    assert (path.read_text() if path.exists() else "") == before


def test_a_second_entry_for_one_suite_is_found(tmp_path: Path) -> None:
    conflict = Done(
        100, "", "E: Conflicting values set for option Signed-By\nE: The list of sources could not be read.\n"
    )
    path = tmp_path / "x.sources"
    with pytest.raises(Failed, match="Conflicting values"):
        sourcefile.put(path, "new\n", Apt(Lists(together=conflict)))
    assert not path.exists()


def test_lists_that_somebody_else_reads_are_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    apt = Lists(update=Done(100, "", "E: Could not get lock /var/lib/apt/lists/lock. It is held by process 1\n"))

    def pause(_seconds: float) -> None:
        apt.update = Done(0, "", "")

    monkeypatch.setattr("ansible_collections.dlbox.workstation.plugins.module_utils.nvidia.apt.time.sleep", pause)
    sourcefile.put(tmp_path / "x.sources", "new\n", Apt(apt))
    assert len(apt.seen) == 3


def test_nothing_to_name_removes_the_file(tmp_path: Path) -> None:
    apt, path = Lists(), tmp_path / "x.sources"
    path.write_text("old\n")
    sourcefile.put(path, "", Apt(apt))
    assert not path.exists() and apt.seen == []


def test_the_diff_hides_a_password_and_a_check_changes_nothing(tmp_path: Path) -> None:
    apt, path = Lists(), tmp_path / "x.sources"
    outcome = sourcefile.ensure(path, "URIs: https://me:secret@mirror.example/\n", Apt(apt), check=True)
    assert outcome["changed"] and outcome["diff"]["after"] == "URIs: https://********@mirror.example/\n"
    assert not path.exists() and apt.seen == []


def test_the_lists_of_an_unchanged_file_are_read_for_a_new_key_alone(tmp_path: Path) -> None:
    apt, path = Lists(), tmp_path / "x.sources"
    path.write_text("Types: deb\n")
    assert not sourcefile.ensure(path, "Types: deb\n", Apt(apt), check=False)["changed"] and apt.seen == []
    assert not sourcefile.ensure(path, "Types: deb\n", Apt(apt), check=False, read_again=True)["changed"]
    assert len(apt.seen) == 2
