"""Everything of ours goes, by name, and nothing else."""

from __future__ import annotations

import pytest
from jupyter.module import run


@pytest.fixture
def place(tmp_path):
    """A root with base, two environments, somebody else's, a stray file; and the engine."""
    root = tmp_path / "conda"
    for prefix in (root, root / "envs/one", root / "envs/two"):
        (prefix / "conda-meta/dlbox").mkdir(parents=True)
        (prefix / "bin").mkdir()
        (prefix / "bin/python").touch()
        (prefix / "conda-meta/dlbox/manifest").write_text("0 0 bin/python\n")
    (root / ".cache/pkgs").mkdir(parents=True)
    (root / ".condarc").touch()
    (root / "CACHEDIR.TAG").touch()  # rattler puts one into every prefix
    (tmp_path / "dlbox/engine/venv").mkdir(parents=True)
    (tmp_path / "dlbox/engine/made-of").touch()
    return tmp_path


def remove(place, *names, check=False):
    given = {"root": str(place / "conda"), "engine": str(place / "dlbox/engine"), "names": list(names)}
    return run("conda_uninstall", given, check=check)


def test_it_asks_for_every_name(place):
    told = remove(place, "one")
    assert told["failed"] and "base, two" in told["msg"] and "names: [base, one, two]" in told["msg"]
    assert (place / "conda/envs/two/bin/python").exists()


def test_everything_goes_and_the_second_time_there_is_nothing_to_do(place):
    planned = remove(place, "base", "one", "two", check=True)
    assert planned["changed"] and (place / "conda/bin/python").exists()
    done = remove(place, "base", "one", "two")
    assert set(done["goes"]) == set(planned["goes"]) and done["stays"] == []
    assert list(place.iterdir()) == []
    assert not remove(place, "base", "one", "two")["changed"]


def test_what_dlbox_did_not_make_stays_and_is_told(place):
    root = place / "conda"
    (root / "envs/carols/conda-meta").mkdir(parents=True)
    (root / "envs/letters").mkdir()
    (root / "notes.txt").touch()
    (root / "envs/link").symlink_to(place)
    told = remove(place, "base", "one", "two", "letters")
    assert told["failed"] and "letters was not made by dlbox" in told["msg"]
    done = remove(place, "base", "one", "two")
    assert sorted(p.name for p in root.iterdir()) == ["envs", "notes.txt"]
    assert sorted(p.name for p in (root / "envs").iterdir()) == ["carols", "letters", "link"]
    assert len(done["stays"]) == 4 and done["ansible_facts"] == {"dlbox_environments": []}
    assert not (place / "dlbox").exists()
    assert not remove(place, "base", "one", "two")["changed"]


def test_an_interrupted_removal_is_finished_by_the_next(place, monkeypatch):
    import shutil

    removed = []
    true = shutil.rmtree

    def die_at_the_third(path, **options):
        if len(removed) == 2:
            raise KeyboardInterrupt
        removed.append(path)
        true(path, **options)

    with monkeypatch.context() as broken, pytest.raises(KeyboardInterrupt):
        broken.setattr(shutil, "rmtree", die_at_the_third)
        remove(place, "base", "one", "two")
    assert remove(place, "base", "one", "two")["changed"]
    assert list(place.iterdir()) == []


def test_a_base_that_dlbox_did_not_make_is_not_touched(place):
    root = place / "conda"
    (root / "conda-meta/dlbox/manifest").unlink()
    (root / "conda-meta/dlbox").rmdir()
    remove(place, "one", "two")
    assert (root / "bin/python").exists() and (root / "conda-meta").exists()
