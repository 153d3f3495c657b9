#!/usr/bin/env python3
"""How long environments take: ours against pip and venv, and against conda and micromamba where they are.

    benchmarks/conda.py [--packages FILE] [--conda PATH] [--micromamba PATH]

Every figure of one table comes from one run on one machine: create cold, create warm, no-op and repair of one
environment with the same wheels. `conda` and `micromamba` create their part from the same channel
(tests/fixtures/conda_channel). Wall seconds and CPU seconds of the process with its children; the last column is wall
time over ours. The cold rows contain the downloads: compare them only on a quiet network.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(TOP / "scripts")]
WHEELS = ["numpy", "pandas", "matplotlib", "scikit-learn", "ipykernel"]


def measured(work: Callable[[], object]) -> tuple[float, float]:
    """Wall and CPU seconds of `work` and the processes it starts."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.monotonic()
    work()
    wall = time.monotonic() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def run(command: list[str], **variables: str) -> None:
    """Run a command; its output only when it fails."""
    done = subprocess.run(command, env={**os.environ, **variables}, text=True, capture_output=True, check=False)
    if done.returncode:
        raise SystemExit(f"benchmark: {' '.join(command)[:200]}\n{done.stdout[-2000:]}{done.stderr[-2000:]}")


def module(python: Path, root: Path, channel: str, wheels: list[str], **more: object) -> Callable[[], None]:
    """conda_env as a play calls it, Ansible's own time included."""
    arguments = {
        "root": str(root),
        "channels": [channel],
        "ca_bundle": os.environ.get("SSL_CERT_FILE", "/etc/ssl/certs/ca-certificates.crt"),
        "environments": [{"name": "bench", "python": "3.11", "kernel": False, "wheels": wheels, **more}],
    }
    ansible = str(Path(sys.executable).parent / "ansible")
    command = [ansible, "localhost", "-c", "local", "-m", "conda_env", "-a", json.dumps(arguments)]
    command += ["-e", f"ansible_python_interpreter={python}"]
    return lambda: run(
        command, ANSIBLE_CONFIG=str(TOP / "ansible.cfg"), ANSIBLE_CALLBACKS_ENABLED="ansible.builtin.default"
    )


def ours(python: Path, folder: Path, channel: str, wheels: list[str]) -> dict[str, tuple[float, float]]:
    """Our figures."""
    root = folder / "ours"
    make = module(python, root, channel, wheels)
    out = {"create, cold": measured(make)}
    shutil.rmtree(root / "envs")
    out["create, warm"] = measured(make)
    out["no-op"] = measured(make)
    next((root / "envs/bench").glob("lib/python3*/site-packages/pandas/__init__.py")).unlink()
    out["repair"] = measured(make)
    return out


def pip(folder: Path, wheels: list[str]) -> dict[str, tuple[float, float]]:
    """pip in a venv, with the same versions; it finds no damage, so its repair is a new installation by hand."""
    place, cache = folder / "pip", folder / "pip-cache"
    lock = next((folder / "ours/envs/bench").glob("conda-meta/dlbox/wheels.txt"))

    def make() -> None:
        run([str(folder / "ours/envs/bench/bin/python"), "-m", "venv", "--without-pip", str(place)])
        install("--quiet")

    def install(*options: str) -> None:
        base = [
            str(folder / "ours/envs/bench/bin/python"),
            "-m",
            "pip",
            "--python",
            str(place / "bin/python"),
            "install",
        ]
        command = [*base, "--require-hashes", "--no-deps", "--requirement", str(lock), *options]
        run(command, PIP_CACHE_DIR=str(cache), PIP_CONFIG_FILE=os.environ.get("PIP_CONFIG_FILE", os.devnull))

    out = {"create, cold": measured(make)}
    shutil.rmtree(place)
    out["create, warm"] = measured(make)
    out["no-op"] = measured(lambda: install("--quiet"))
    out["repair"] = measured(lambda: install("--quiet", "--force-reinstall"))
    return out


def other(program: str, folder: Path, channel: str) -> dict[str, tuple[float, float]]:
    """conda or micromamba: its part of the same work, without the wheels."""
    place = folder / Path(program).name
    options = ["--yes", "--quiet", "--override-channels", "--channel", channel]
    command = [program, "create", *options, "--prefix", str(place), "python=3.11", "pip"]
    variables = {"CONDA_PKGS_DIRS": str(folder / f"{Path(program).name}-pkgs")}
    out = {"create, cold": measured(lambda: run(command, **variables))}
    shutil.rmtree(place)
    out["create, warm"] = measured(lambda: run(command, **variables))
    out["no-op"] = measured(
        lambda: run([program, "install", *options, "--prefix", str(place), "python=3.11"], **variables)
    )
    return out


def table(figures: dict[str, dict[str, tuple[float, float]]]) -> str:
    """The figures as text; the ratios are to `ours`."""
    lines = [f"{'':14}{'':16}{'wall s':>9}{'CPU s':>9}{'/ ours':>9}"]
    for step, (base, _) in figures["ours"].items():
        for name, steps in figures.items():
            if step in steps:
                wall, cpu = steps[step]
                lines.append(f"{step:14}{name:16}{wall:9.2f}{cpu:9.2f}{wall / base:9.1f}")
    return "\n".join(lines)


def main() -> int:
    """Measure and print."""
    from lock import engine_python

    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "--packages", type=Path, help="file with requirements, one a line (default: a small data science set)"
    )
    parser.add_argument("--conda", help="conda to compare with")
    parser.add_argument("--micromamba", help="micromamba to compare with")
    parser.add_argument("--channel", default=str(TOP / ".cache/conda-channel"), help="folder of the channel")
    args = parser.parse_args()
    wheels = args.packages.read_text().split() if args.packages else WHEELS
    run([sys.executable, str(TOP / "tests/fixtures/conda_channel/build.py"), args.channel])
    channel = Path(args.channel).resolve().as_uri()
    with tempfile.TemporaryDirectory(prefix="dlbox-bench-") as name:
        folder = Path(name)
        figures = {"ours": ours(engine_python(), folder, channel, wheels), "pip and venv": pip(folder, wheels)}
        for program in filter(None, (args.conda, args.micromamba)):
            figures[Path(program).name] = other(program, folder, channel)
            conda_only = folder / "conda-only"
            if "ours, no wheels" not in figures:
                make = module(engine_python(), conda_only, channel, [])
                figures["ours, no wheels"] = {"create, cold": measured(make)}
                shutil.rmtree(conda_only / "envs")
                figures["ours, no wheels"]["create, warm"] = measured(make)
                figures["ours, no wheels"]["no-op"] = measured(make)
    print(f"{len(wheels)} wheels asked for, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}\n{table(figures)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
