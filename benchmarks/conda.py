#!/usr/bin/env python3
"""How long environments take: ours against pip and venv, and against conda and micromamba where they are.

    benchmarks/conda.py [--packages FILE] [--conda PATH] [--micromamba PATH]

Every figure of one table comes from one run on one machine, with the same wheels: choose versions and create with empty
caches, create from the lock with empty caches, with full ones, a run with nothing to do, a repair; and a run with
nothing to do over five such environments. `ours` is a whole `ansible` command, `on the host` the module's own part of
it; ours makes the Python too (from the stand-in channel), while pip gets ours. `conda` and `micromamba` create their
part from the same channel. Wall seconds and CPU seconds of the process with its children; the last column is wall time
over ours. The cold rows contain the downloads, anew each: compare them only on a quiet network.
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
from typing import Any

TOP = Path(__file__).resolve().parent.parent
# Seconds that five environments with nothing to do may cost on the host.
LIMIT = 2.0
WHEELS = ["numpy", "pandas", "matplotlib", "scikit-learn", "ipykernel"]


def measured(work: Callable[[], object]) -> Figure:
    """Wall and CPU seconds of `work` and the processes it starts."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.monotonic()
    work()
    wall = time.monotonic() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def run(command: list[str], **variables: str) -> str:
    """Run a command; what it said. One that fails ends the benchmark with its output."""
    done = subprocess.run(command, env={**os.environ, **variables}, text=True, capture_output=True, check=False)
    if done.returncode:
        raise SystemExit(f"benchmark: {' '.join(command)[:200]}\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done.stdout


Figure = tuple[float, float]  # wall and CPU seconds


class Ours:
    """conda_env as a play calls it, Ansible's own time included."""

    def __init__(self, python: Path, root: Path, channel: str, wheels: list[str]) -> None:
        """`python` has the engine; environments are made below `root`."""
        self.python, self.root, self.channel, self.wheels = python, root, channel, wheels
        self.told: dict[str, Any] = {}

    def make(self, *names: str, locks: dict[str, dict[str, str]] | None = None) -> Figure:
        """Bring the environments of these names to their declaration; `told` has what the module said."""
        common = {"python": "3.11", "kernel": False, "wheels": self.wheels}
        arguments = {
            "root": str(self.root),
            "channels": [self.channel],
            "ca_bundle": os.environ.get("SSL_CERT_FILE", "/etc/ssl/certs/ca-certificates.crt"),
            "environments": [{"name": name, **common} for name in names],
            "locks": locks or {},
        }
        ansible = str(Path(sys.executable).parent / "ansible")
        command = [
            ansible,
            "localhost",
            "-c",
            "local",
            "-m",
            "dlbox.workstation.conda_env",
            "-a",
            json.dumps(arguments),
        ]
        command += ["-e", f"ansible_python_interpreter={self.python}"]
        settings = {
            "ANSIBLE_CONFIG": str(TOP / "ansible.cfg"),
            "ANSIBLE_CALLBACKS_ENABLED": "ansible.builtin.default",
            "ANSIBLE_CALLBACK_RESULT_FORMAT": "json",
        }
        said: list[str] = []
        figure = measured(lambda: said.append(run(command, **settings)))
        # "localhost | CHANGED => {...}"
        self.told = json.loads(said[0].partition(" => ")[2])
        return figure

    def host(self) -> Figure:
        """The module's own wall time; its CPU seconds are not known apart."""
        return float(self.told["elapsed"]), 0.0

    def lock(self, name: str) -> dict[str, str]:
        """The lock that an environment keeps."""
        folder = self.root / "envs" / name / "conda-meta/dlbox"
        return {file: (folder / file).read_text() for file in ("lock.json", "conda.lock", "wheels.txt")}

    def steps(self) -> str:
        """Where the time of the last call went."""
        seconds = self.told["environments"][0]["seconds"]
        return ", ".join(f"{name} {value:.1f}" for name, value in seconds.items())


def ours(python: Path, folder: Path, channel: str, wheels: list[str]) -> tuple[dict[str, dict[str, Figure]], list[str]]:
    """Our figures, as a whole and on the host, and a few lines that say where the time went."""
    engine = Ours(python, folder / "ours", channel, wheels)
    whole: dict[str, Figure] = {}
    host: dict[str, Figure] = {}
    notes = []

    def step(name: str, *names: str, **more: Any) -> None:
        whole[name] = engine.make(*(names or ("bench",)), **more)
        host[name] = engine.host()
        if engine.told["environments"][0]["seconds"]:
            notes.append(f"{name}, on the host: {engine.steps()}")

    step("choose and create, cold")
    locks = {"bench": engine.lock("bench")}
    shutil.rmtree(folder / "ours")
    step("create from a lock, cold", locks=locks)
    shutil.rmtree(folder / "ours/envs")
    step("create from a lock, warm", locks=locks)
    step("no-op")
    next((folder / "ours/envs/bench").glob("lib/python3*/site-packages/pandas/__init__.py")).unlink()
    step("repair")
    five = [f"bench{number}" for number in range(5)]
    engine.make(*five)
    step("no-op of five", *five)
    files = sum(1 for _ in (folder / "ours/envs/bench0").rglob("*"))
    notes.append(f"each of the five environments has {files} files and folders")
    return {"ours": whole, "  on the host": host}, notes


def pip(folder: Path, wheels: list[str]) -> dict[str, Figure]:
    """pip in a venv, with the same versions; it finds no damage, so its repair is a new installation by hand."""
    place, cache = folder / "pip", folder / "pip-cache"
    python = str(folder / "ours/envs/bench/bin/python")
    lock = str(folder / "ours/envs/bench/conda-meta/dlbox/wheels.txt")

    def install(*options: str) -> None:
        command = [python, "-m", "pip", "--python", str(place / "bin/python"), "install", "--quiet", *options]
        run(command, PIP_CACHE_DIR=str(cache), PIP_CONFIG_FILE=os.environ.get("PIP_CONFIG_FILE", os.devnull))

    def make(*options: str) -> None:
        run([python, "-m", "venv", "--without-pip", str(place)])
        install(*options)

    locked = ("--require-hashes", "--no-deps", "--requirement", lock)
    out = {"choose and create, cold": measured(lambda: make("--only-binary=:all:", *wheels))}
    shutil.rmtree(place)
    shutil.rmtree(cache, ignore_errors=True)  # pip may be set up to keep none
    out["create from a lock, cold"] = measured(lambda: make(*locked))
    shutil.rmtree(place)
    out["create from a lock, warm"] = measured(lambda: make(*locked))
    out["no-op"] = measured(lambda: install(*locked))
    out["repair"] = measured(lambda: install(*locked, "--force-reinstall"))
    return out


def other(program: str, folder: Path, channel: str) -> dict[str, Figure]:
    """conda or micromamba: its part of the same work, without the wheels."""
    place = folder / Path(program).name
    options = ["--yes", "--quiet", "--override-channels", "--channel", channel]
    command = [program, "create", *options, "--prefix", str(place), "python=3.11", "pip"]
    variables = {"CONDA_PKGS_DIRS": str(folder / f"{Path(program).name}-pkgs")}
    out = {"choose and create, cold": measured(lambda: run(command, **variables))}
    shutil.rmtree(place)
    out["create from a lock, warm"] = measured(lambda: run(command, **variables))
    out["no-op"] = measured(
        lambda: run([program, "install", *options, "--prefix", str(place), "python=3.11"], **variables)
    )
    return out


def table(figures: dict[str, dict[str, Figure]]) -> str:
    """The figures as text; the ratios are to `ours`."""
    lines = [f"{'':26}{'':16}{'wall s':>9}{'CPU s':>9}{'/ ours':>9}"]
    for step, (base, _) in figures["ours"].items():
        for name, steps in figures.items():
            if step in steps:
                wall, cpu = steps[step]
                lines.append(f"{step:26}{name:16}{wall:9.2f}{f'{cpu:.2f}' if cpu else '':>9}{wall / base:9.2f}")
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
        figures, notes = ours(engine_python(), folder, channel, wheels)
        figures["pip and venv"] = pip(folder, wheels)
        for program in filter(None, (args.conda, args.micromamba)):
            figures[Path(program).name] = other(program, folder, channel)
            if "ours, no wheels" not in figures:
                bare = Ours(engine_python(), folder / "conda-only", channel, [])
                figures["ours, no wheels"] = {"choose and create, cold": bare.make("bench")}
                shutil.rmtree(folder / "conda-only/envs")
                figures["ours, no wheels"]["create from a lock, warm"] = bare.make("bench")
                figures["ours, no wheels"]["no-op"] = bare.make("bench")
    print(f"{len(wheels)} wheels asked for, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}\n{table(figures)}")
    print("\n".join(notes))
    took = figures["  on the host"]["no-op of five"][0]
    if took >= LIMIT:
        print(
            f"a run with nothing to do over five environments took {took:.2f} s on the host; the aim is {LIMIT:.0f} s"
        )
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
