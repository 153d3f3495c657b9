"""`bench --quick` for real: an environment of JAX, the smallest of the frameworks, measured on this machine's CPU."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

PROJECT = Path(__file__).resolve().parents[3]
SCHEMA = json.loads((PROJECT / "docs/schemas/bench.json").read_text())


def make_environment(root: Path, name: str, *wheels: str) -> None:
    """A virtual environment where a conda environment would be; uv takes wheels from its cache where it has them."""
    uv = str(Path(sys.executable).parent / "uv")
    prefix = root / "envs" / name
    env = {**os.environ, "UV_SYSTEM_CERTS": "1"}
    # As on a host: of an interpreter that every account can run, since it is nobody who measures where root asks.
    subprocess.run([uv, "venv", "-q", "--python", "/usr/bin/python3", str(prefix)], check=True, env=env)
    subprocess.run([uv, "pip", "install", "-q", "--python", str(prefix / "bin/python"), *wheels], check=True, env=env)


def bench(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    inventory = folder / "hosts.yml"
    inventory.write_text(
        "all: {hosts: {here: {ansible_connection: local, "
        f"dlbox_conda_root: {folder / 'conda'}, dlbox_state_dir: {folder / 'state'}}}}}}}\n"
    )
    command = [sys.executable, "scripts/bench.py", "-i", str(inventory), "--output", str(folder / "reports"), *words]
    return subprocess.run(command, capture_output=True, text=True, cwd=PROJECT)


@pytest.fixture(scope="module")
def open_folder() -> Iterator[Path]:
    """A folder that every account can enter, as /opt/conda is; pytest's own are not."""
    with tempfile.TemporaryDirectory(prefix="dlbox-bench-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture(scope="module")
def measured(open_folder: Path) -> tuple[Path, dict[str, Any]]:
    """(folder, record) of one quick run."""
    folder = open_folder
    make_environment(folder / "conda", "jax", "jax==0.10.2", "scikit-learn==1.9.0")
    done = bench(folder, "--quick", "--mnist", "", "--format", "json")
    assert done.returncode == 0, done.stderr + done.stdout
    return folder, json.loads(done.stdout)


@pytest.mark.slow
def test_a_real_framework_is_measured(measured: tuple[Path, dict[str, Any]]) -> None:
    _folder, record = measured
    jsonschema.validate(record, SCHEMA)
    (result,) = record["results"]
    assert (result["framework"], result["environment"]) == ("jax", "jax")
    assert result["data"]["name"] == "scikit-learn digits, enlarged to 28x28"
    cpu = result["devices"][0]
    assert cpu["device"] == "CPU" and cpu["lenet"]["samples_per_second"]["median"] > 100
    assert cpu["lenet"]["accuracy"] > 0.5, "LeNet did not learn"
    assert cpu["matmul"]["tflops"]["fp32"]["median"] > 0
    assert result["notes"] == [] and record["failures"] == []


# Of the others, what an environment holds: a backend for Keras, and PyTorch as this controller's pip finds it.
OTHERS = {
    "tensorflow": ("tensorflow==2.21.0",),
    "keras": ("keras==3.15.0", "jax==0.10.2"),
    "pytorch": ("torch==2.13.0", "numpy"),
}


@pytest.mark.full
@pytest.mark.parametrize("name", OTHERS)
def test_each_other_framework_is_measured(name: str, open_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UV_FIND_LINKS", ",".join(os.environ.get("PIP_FIND_LINKS", "").split()))
    folder = open_folder / name
    state = folder / "conda/envs" / name / "conda-meta/state"
    make_environment(folder / "conda", name, *OTHERS[name], "scikit-learn==1.9.0")
    if name == "keras":
        state.parent.mkdir()
        state.write_text('{"env_vars": {"KERAS_BACKEND": "jax"}}')
    done = bench(folder, "--quick", "--mnist", "", "--format", "json")
    assert done.returncode == 0, done.stderr + done.stdout
    record = json.loads(done.stdout)
    jsonschema.validate(record, SCHEMA)
    (result,) = record["results"]
    cpu = result["devices"][0]
    assert result["environment"] == name and record["failures"] == []
    assert cpu["lenet"]["samples_per_second"]["median"] > 100
    assert cpu["lenet"]["accuracy"] > 0.5, "LeNet did not learn"


@pytest.mark.slow
def test_the_figures_are_kept_and_shown(measured: tuple[Path, dict[str, Any]]) -> None:
    folder, record = measured
    (kept,) = (folder / "state" / "bench").glob("*.json")
    assert json.loads(kept.read_text()) == record
    page = (folder / "reports" / "here.html").read_text()
    assert "Training LeNet" in page and "jax, CPU" in page


@pytest.mark.slow
def test_the_next_run_says_what_changed(measured: tuple[Path, dict[str, Any]]) -> None:
    """The kept record is made ten times slower and of another driver; the next run is compared with it."""
    folder, record = measured
    (kept,) = (folder / "state" / "bench").glob("*.json")
    slow = json.loads(kept.read_text())
    slow["driver"] = "575.64"
    rate = slow["results"][0]["devices"][0]["lenet"]["samples_per_second"]
    rate.update({key: rate[key] / 10 for key in ("median", "low", "high")})
    kept.write_text(json.dumps(slow))
    done = bench(folder, "--quick", "--mnist", "")
    assert done.returncode == 0, done.stderr
    lenet = next(line for line in done.stdout.splitlines() if "LeNet: jax, CPU" in line)
    assert "% since the last run" in lenet
    assert f"changed since {record['date']}: driver: 575.64 before, none now" in done.stdout


@pytest.mark.slow
def test_data_is_the_same_each_time(measured: tuple[Path, dict[str, Any]]) -> None:
    """Seeded: two runs train on the same digits, all ten; without scikit-learn, drawn figures take their place."""
    folder, _record = measured
    code = (
        "import hashlib, sys; sys.path.insert(0, sys.argv[1]); from program import data as p; "
        "facts, x, y = p.data_set('/nowhere', 512, 128); images, labels = p.drawn(7); "
        "print(facts, x[0].shape, y[0].shape, sorted({int(n) for n in x[1]}), images.shape, len(set(labels)), "
        "hashlib.sha256(x[0].tobytes() + y[0].tobytes() + images.tobytes()).hexdigest())"
    )
    command = [str(folder / "conda/envs/jax/bin/python"), "-c", code, str(PROJECT / "plugins/plugin_utils/bench")]
    first, second = (subprocess.run(command, capture_output=True, text=True, check=True).stdout for _ in range(2))
    assert first == second
    assert "(512, 28, 28) (128, 28, 28) [0, 1, 2, 3, 4, 5, 6, 7, 8, 9] (1797, 8, 8) 10" in first


def test_a_machine_with_nothing_to_measure_gives_one(tmp_path: Path) -> None:
    done = bench(tmp_path)
    assert done.returncode == 1
    assert "no environment with a framework to measure" in done.stdout
