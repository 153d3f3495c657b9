"""What of the engine's file needs no engine."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.dlbox.workstation.plugins.module_utils.conda import engine, sources

FORGE = "https://conda.anaconda.org/conda-forge"


@pytest.mark.parametrize("slash", ["", "/"])
def test_a_folder_stands_for_its_channel_and_the_lock_says_the_channel(tmp_path, slash):
    mirrors = {FORGE + slash: ["https://mirror.example", "file:///nowhere", tmp_path.as_uri() + slash]}
    here = engine.folders(engine.Sources(cache="", mirrors=mirrors))
    assert here == {f"{FORGE}/": f"{tmp_path.as_uri()}/"}
    local = engine.moved(f"{FORGE}/noarch/tqdm-1-0.conda", here)
    assert local == f"{tmp_path.as_uri()}/noarch/tqdm-1-0.conda"
    assert (
        engine.moved(local, {folder: channel for channel, folder in here.items()}) == f"{FORGE}/noarch/tqdm-1-0.conda"
    )
    assert engine.moved(f"{FORGE}-other/noarch/x-1-0.conda", here) == f"{FORGE}-other/noarch/x-1-0.conda"


def test_a_folder_that_is_not_there_and_mirrors_over_http_are_no_folders():
    mirrors = {FORGE: ["https://mirror.example", "file:///nowhere"]}
    assert engine.folders(engine.Sources(cache="", mirrors=mirrors)) == {}


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://pytorch.example/whl/cpu", "http://home/torch/cpu"),
        ("https://pytorch.example/whl/", "http://home/torch/"),
        ("https://other.example/simple", "https://other.example/simple"),
    ],
)
def test_the_beginning_of_an_index_is_mirrored(url, expected):
    assert sources.mirrored(url, {"https://pytorch.example/whl/": "http://home/torch/"}) == expected


def test_uvs_locks_lie_where_root_alone_reaches_them(tmp_path, monkeypatch):
    """Observed: any account held /tmp/uv-*.lock, mode 0666, and every change of an environment waited for it."""
    monkeypatch.setenv("TMPDIR", "/tmp")
    sources = engine.Sources(cache=str(tmp_path / "cache"))
    place = Path(engine.uv_environment(sources)["TMPDIR"])
    assert place == tmp_path / "cache/tmp" and place.stat().st_mode & 0o7777 == 0o700
