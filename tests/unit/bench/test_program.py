"""The benchmark's program without a framework: its data, its downloads, its measuring."""

from __future__ import annotations

import functools
import hashlib
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.dlbox.workstation.plugins.plugin_utils.bench import on_host
from ansible_collections.dlbox.workstation.plugins.plugin_utils.bench.program import figures, measure
from ansible_collections.dlbox.workstation.plugins.plugin_utils.bench.program.meter import Meter


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


def fetch(url: str, file: Path, sha256: str) -> str:
    """What the part with root's rights says of the download."""
    return str(on_host.fetch({"url": url, "file": str(file), "sha256": sha256})["mnist"])


def test_the_data_set_is_fetched_once_and_verified(served: tuple[str, Path, list[str]], tmp_path: Path) -> None:
    url, folder, asked = served
    content = bytes(range(256)) * 3 + b"\r\n\n"
    (folder / "mnist.npz").write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    kept = tmp_path / "kept/mnist.npz"
    assert fetch(url + "/mnist.npz", kept, digest) == "fetched"
    assert fetch(url + "/mnist.npz", kept, digest) == "present"
    assert len(asked) == 1
    kept.write_bytes(b"damaged")
    assert fetch(url + "/mnist.npz", kept, digest) == "fetched"
    assert kept.read_bytes() == content


def test_a_wrong_checksum_leaves_nothing(served: tuple[str, Path, list[str]], tmp_path: Path) -> None:
    url, folder, _asked = served
    (folder / "mnist.npz").write_bytes(b"other digits")
    answer = fetch(url + "/mnist.npz", tmp_path / "kept/mnist.npz", "0" * 64)
    assert "expected " + "0" * 64 in answer
    assert list((tmp_path / "kept").iterdir()) == []


def test_without_a_network_it_says_so_and_goes_on(tmp_path: Path) -> None:
    answer = fetch("http://127.0.0.1:9/mnist.npz", tmp_path / "mnist.npz", "0" * 64)
    assert answer.startswith("not to be had from http://127.0.0.1:9/mnist.npz: ")
    assert list(tmp_path.iterdir()) == []


def test_rates_are_a_median_with_its_spread() -> None:
    calls: list[int] = []
    found = figures.rates(calls.append, 100.0, 3, 0.001)
    assert found["low"] <= found["median"] <= found["high"] and found["runs"] == 3
    assert calls[0] == calls[1] == 1 and len(set(calls[3:])) == 1


def test_one_failed_figure_is_a_note_not_the_end() -> None:
    notes: list[str] = []
    assert measure.guarded(notes, "matmul fp16", lambda: 1 / 0) is None
    assert notes == ["matmul fp16: ZeroDivisionError: division by zero"]


def test_no_nvml_gives_no_power_and_no_error() -> None:
    meter = Meter(0)
    with meter:
        pass
    if not meter.ready:
        assert meter.result() is None and meter.driver() == ""
