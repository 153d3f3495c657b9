"""The benchmark's program without a framework: its data, its downloads, its measuring."""

from __future__ import annotations

import functools
import hashlib
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.dlbox.workstation.plugins.plugin_utils.bench import program


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[str, Path, list[str]]]:
    """(address of a file server, its folder, the paths it was asked for)."""
    folder = tmp_path / "served"
    folder.mkdir()
    asked: list[str] = []

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            asked.append(self.path)

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", folder, asked
    server.shutdown()


def test_the_data_set_is_fetched_once_and_verified(served: tuple[str, Path, list[str]], tmp_path: Path) -> None:
    url, folder, asked = served
    (folder / "mnist.npz").write_bytes(b"digits")
    digest = hashlib.sha256(b"digits").hexdigest()
    kept = tmp_path / "kept"
    assert program.fetch(url + "/mnist.npz", str(kept), digest) == "fetched"
    assert program.fetch(url + "/mnist.npz", str(kept), digest) == "present"
    assert len(asked) == 1
    (kept / "mnist.npz").write_bytes(b"damaged")
    assert program.fetch(url + "/mnist.npz", str(kept), digest) == "fetched"


def test_a_wrong_checksum_leaves_nothing(served: tuple[str, Path, list[str]], tmp_path: Path) -> None:
    url, folder, _asked = served
    (folder / "mnist.npz").write_bytes(b"other digits")
    answer = program.fetch(url + "/mnist.npz", str(tmp_path / "kept"), "0" * 64)
    assert "expected " + "0" * 64 in answer
    assert list((tmp_path / "kept").iterdir()) == []


def test_without_a_network_it_says_so_and_goes_on(tmp_path: Path) -> None:
    answer = program.fetch("http://127.0.0.1:9/mnist.npz", str(tmp_path))
    assert answer.startswith("not to be had from http://127.0.0.1:9/mnist.npz: ")
    assert list(tmp_path.iterdir()) == []


def test_rates_are_a_median_with_its_spread() -> None:
    calls: list[int] = []
    found = program.rates(calls.append, 100.0, 3, 0.001)
    assert found["low"] <= found["median"] <= found["high"] and found["runs"] == 3
    assert calls[0] == calls[1] == 1 and len(set(calls[3:])) == 1


def test_one_failed_figure_is_a_note_not_the_end() -> None:
    notes: list[str] = []
    assert program.guarded(notes, "matmul fp16", lambda: 1 / 0) is None
    assert notes == ["matmul fp16: ZeroDivisionError: division by zero"]


def test_no_nvml_gives_no_power_and_no_error() -> None:
    meter = program.Meter(0)
    with meter:
        pass
    if not meter.ready:
        assert meter.result() is None and meter.driver() == ""
