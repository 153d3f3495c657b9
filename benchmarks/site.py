#!/usr/bin/env python3
"""Benchmark: what a no-change run of the whole site costs, and how that grows with hosts.

One container is provisioned with ``site.yml`` as the molecule scenario ``default`` does; its image is then started as
many times as needed, so that every host is equal and none has anything to change. Three ways of running the same
tasks take turns in one run: ``stock`` (linear strategy, no pipelining), ``pipelined`` (what ansible.cfg sets) and
``mitogen`` (what the launcher uses where it can). Ratios, not seconds, are what compares between machines.

Usage: .venv/bin/python benchmarks/site.py [--hosts 1,2,4] [--repeat 3] [--keep]

Needs a container engine, the test images and the packages of ``./dlbox test``.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent
NETWORK = "dlbox-benchmark"
IMAGE = "dlbox/benchmark-site"
SEED = "dlbox-benchmark-seed"


def run(*command: str, env: dict[str, str] | None = None) -> str:
    """Run ``command`` in the project; return its output, or end with it when it fails."""
    path = {"PATH": f"{BIN}:{os.environ['PATH']}", "ANSIBLE_CONFIG": str(PROJECT / "ansible.cfg")}
    result = subprocess.run(
        command, cwd=PROJECT, env={**os.environ, **path, **(env or {})}, text=True, capture_output=True, check=False
    )
    if result.returncode:
        sys.exit(f"{' '.join(command)}\n{result.stdout[-4000:]}{result.stderr[-2000:]}")
    return result.stdout


def inventory(folder: Path, hosts: list[str], image: str) -> Path:
    """Write an inventory of ``hosts`` with the variables of the scenario ``default``; return its directory."""
    listed = json.loads(run("ansible-inventory", "-i", "molecule/default/inventory", "--list", "--export"))
    variables = listed["molecule"].get("vars", {}) | {
        "ct_network": NETWORK,
        "ct_image": image,
        "ansible_connection": "community.docker.docker",
        "ansible_user": "root",
        "ct_volumes": [f"{PROJECT}/.cache/conda-channel:/srv/conda-channel:ro"],
    }
    folder.mkdir(parents=True, exist_ok=True)
    document = {"molecule": {"vars": variables, "hosts": {host: {} for host in hosts}}}
    (folder / "hosts.json").write_text(json.dumps(document), encoding="utf-8")
    return folder


def ways() -> dict[str, dict[str, str]]:
    """Return the environment of each way to run the same tasks."""
    linear = {"ANSIBLE_STRATEGY": "linear"}
    found = {"stock": {**linear, "ANSIBLE_PIPELINING": "false"}, "pipelined": linear}
    mitogen = subprocess.run([sys.executable, str(PROJECT / "scripts/mitogen-path")], capture_output=True, text=True)
    if mitogen.returncode == 0:
        strategy = {"ANSIBLE_STRATEGY": "mitogen_linear", "ANSIBLE_STRATEGY_PLUGINS": mitogen.stdout.strip()}
        found["mitogen"] = strategy
    return found


def no_change_run(folder: Path, env: dict[str, str]) -> float:
    """Return the seconds of one whole run; end when it changed anything."""
    start = time.monotonic()
    out = run("ansible-playbook", "site.yml", "-i", str(folder), env={**env, "NO_COLOR": "1"})
    seconds = time.monotonic() - start
    recap = [line for line in out.splitlines() if "changed=" in line]
    if not recap or any("changed=0" not in line for line in recap):
        sys.exit("not a no-change run:\n" + "\n".join(recap))
    return seconds


def main() -> int:
    """Provision once, multiply, measure in turns, print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--hosts", default="1,2,4", help="numbers of hosts, such as 1,2,4,8,16 (default %(default)s)")
    parser.add_argument(
        "--repeat", type=int, default=3, help="runs of each way, the median counts (default %(default)s)"
    )
    parser.add_argument("--keep", action="store_true", help="leave containers and image for the next run")
    given = parser.parse_args()
    counts = [int(count) for count in given.hosts.split(",")]
    names = [f"dlbox-benchmark-{number}" for number in range(1, max(counts) + 1)]
    docker = [os.environ.get("DLBOX_ENGINE", "docker")]
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        try:
            if subprocess.run([*docker, "image", "inspect", IMAGE], capture_output=True).returncode:
                print("provisioning the seed (a few minutes)", file=sys.stderr)
                seed = inventory(folder / "seed", [SEED], "dlbox/debian-13")
                for playbook in ("molecule/shared/create.yml", "molecule/shared/prepare.yml", "site.yml"):
                    run("ansible-playbook", "-i", str(seed), playbook)
                run(*docker, "commit", SEED, IMAGE)
                run(*docker, "rm", "--force", "--volumes", SEED)
            hosts = inventory(folder / "all", names, IMAGE)
            run("ansible-playbook", "-i", str(hosts), "molecule/shared/create.yml")
            print(f"{'hosts':>5}  {'way':<10} {'median s':>9} {'spread s':>13} {'to stock':>9} {'to 1 host':>10}")
            single: dict[str, float] = {}
            for count in counts:
                chosen = inventory(folder / str(count), names[:count], IMAGE)
                times: dict[str, list[float]] = {way: [] for way in ways()}
                for env in ways().values():  # a run of each that does not count
                    no_change_run(chosen, env)
                for _ in range(given.repeat):
                    for way, env in ways().items():
                        times[way].append(no_change_run(chosen, env))
                stock = statistics.median(times["stock"])
                for way, values in times.items():
                    median = statistics.median(values)
                    single.setdefault(way, median)
                    spread = f"{min(values):.1f}-{max(values):.1f}"
                    print(
                        f"{count:>5}  {way:<10} {median:>9.1f} {spread:>13} {median / stock:>9.2f} "
                        f"{median / single[way]:>10.2f}",
                        flush=True,
                    )
        finally:
            if not given.keep:
                subprocess.run([*docker, "rm", "--force", "--volumes", SEED, *names], capture_output=True)
                subprocess.run([*docker, "image", "rm", IMAGE], capture_output=True)
                subprocess.run([*docker, "network", "rm", NETWORK], capture_output=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
