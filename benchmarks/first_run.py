#!/usr/bin/env python3
"""Benchmark: how long a first run takes behind a limited link, against its longest chain and against an older revision.

For each link and each revision in turn, a fresh container is provisioned with ``site.yml``. Everything that it
downloads, packages and wheels, comes through one link of so many Mbit/s. The kernel module's build is a stand-in: a
task of the owner's after the stage gpu that keeps one core busy for so many seconds.

The older revision, which does one thing after the other, says how long each part takes. Its longest chain is its whole
time less the shorter one of what need not wait for each other: the stage gpu, and making the environments. The aim is
at most 1.15 of it. Compare ratios, not seconds.

Usage: .venv/bin/python benchmarks/first_run.py [--links 20,100,1000] [--build 180] [--old REVISION]

Needs a container engine on this machine, root and tc for the link, and the test images and packages of
``./dlbox test``.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent
ENGINE = os.environ.get("DLBOX_ENGINE", "docker")
NAME = os.environ.get("DLBOX_BENCHMARK_NAME", "dlbox-first-run")
BEFORE = "439f25c"  # the last revision that made the environments after the driver
# Some 400 MB of wheels, a part of them in both.
ENVIRONMENTS = [
    {"name": "jupyter"},
    {"name": "one", "wheels": ["numpy", "pandas", "scipy", "scikit-learn", "matplotlib", "opencv-python-headless"]},
    {"name": "two", "wheels": ["numpy", "pandas", "jax[cpu]", "numba", "pyarrow", "matplotlib", "ipykernel"]},
]
BUILD = """
- name: Keep a core busy, as building a kernel module does
  ansible.builtin.command:
    argv: [sh, -c, "timeout {seconds} sh -c 'while :; do :; done'; true"]
  changed_when: false
"""


def run(*command: str, project: Path = PROJECT) -> str:
    """Run ``command``; return its output, or end with it when it fails."""
    result = subprocess.run(command, cwd=project, env=environment(project), text=True, capture_output=True, check=False)
    if result.returncode:
        sys.exit(f"{' '.join(command)}\n{result.stdout[-4000:]}{result.stderr[-2000:]}")
    return result.stdout


def environment(project: Path) -> dict[str, str]:
    """Return the environment in which a revision's playbooks run."""
    return {
        **os.environ,
        "PATH": f"{BIN}:{os.environ['PATH']}",
        "ANSIBLE_CONFIG": str(project / "ansible.cfg"),
        "ANSIBLE_STRATEGY": "linear",
        # Every task is a mark.
        "ANSIBLE_STDOUT_CALLBACK": "ansible.builtin.default",
        "NO_COLOR": "1",
        "PYTHONUNBUFFERED": "1",
    }


def inventory(folder: Path, build: int) -> Path:
    """Write an inventory of one host with the variables of the scenario ``default``, and the stand-in build."""
    listed = json.loads(run("ansible-inventory", "-i", "molecule/default/inventory", "--list", "--export"))
    variables = listed["molecule"]["vars"] | {
        "ct_network": NAME,
        "ct_image": "dlbox/debian-13",
        "ct_volumes": [f"{PROJECT}/.cache/conda-channel:/srv/conda-channel:ro"],
        "ansible_connection": "community.docker.docker",
        "ansible_user": "root",
        "conda_channels": ["file:///srv/conda-channel"],
        "conda_python": "3.11",
        "conda_environments": ENVIRONMENTS,
    }
    variables.pop("base_packages")  # the whole list
    (folder / "hooks").mkdir(parents=True)
    (folder / "hooks/after-gpu.yml").write_text(BUILD.format(seconds=build), encoding="utf-8")
    (folder / "hosts.json").write_text(json.dumps({"molecule": {"vars": variables, "hosts": {NAME: {}}}}))
    return folder


def limit(mbits: int) -> None:
    """Put the container behind a link of so many Mbit/s: its end of the pair is the engine's machine's."""
    number = run(ENGINE, "exec", NAME, "cat", "/sys/class/net/eth0/iflink").strip()
    link = next(
        path.parent.name for path in Path("/sys/class/net").glob("*/ifindex") if path.read_text().strip() == number
    )
    run(
        "tc",
        "qdisc",
        "replace",
        "dev",
        link,
        "root",
        "tbf",
        "rate",
        f"{mbits}mbit",
        "burst",
        "256kb",
        "latency",
        "100ms",
    )


def first_run(project: Path, folder: Path) -> dict[str, float]:
    """Provision; return the seconds of the whole run, of the stage gpu and of making the environments."""
    begun = time.monotonic()
    command = ["ansible-playbook", "site.yml", "-i", str(folder)]
    said, marks, current = [], {}, ""
    with subprocess.Popen(
        command, cwd=project, env=environment(project), text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process:
        for line in process.stdout or ():
            said.append(line)
            now = time.monotonic() - begun
            if line.startswith("PLAY "):
                current = line.split("[")[-1].split("]")[0]
                marks[f"play {current}"] = now
            if line.startswith("TASK [dlbox.workstation.") and current == "Environments":
                marks.setdefault(line.split(".")[2].split(" ")[0], now)
    if process.returncode:
        sys.exit("".join(said[-80:]))
    whole = time.monotonic() - begun
    gpu = marks["play Environments"] - marks["play GPU"]
    return {"whole": whole, "gpu": gpu, "conda": marks["jupyter"] - marks["conda"]}


def main() -> int:
    """Measure in turns, print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--links", default="20,100,1000", help="Mbit/s (default %(default)s)")
    parser.add_argument("--build", type=int, default=180, help="seconds of the stand-in build (default %(default)s)")
    parser.add_argument("--old", default=BEFORE, help="revision to compare with (default %(default)s)")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        old, folder = Path(temporary, "old"), inventory(Path(temporary, "inventory"), given.build)
        run("git", "worktree", "add", "--quiet", "--detach", str(old), given.old)
        print(f"{'Mbit/s':>6} {'':4} {'whole s':>8} {'gpu s':>6} {'conda s':>8} {'to chain':>9} {'to old':>7}")
        try:
            for link in [int(text) for text in given.links.split(",")]:
                found: dict[str, dict[str, float]] = {}
                for name, project in (("old", old), ("new", PROJECT)):
                    for playbook in ("create", "prepare"):
                        run("ansible-playbook", "-i", str(folder), f"molecule/shared/{playbook}.yml")
                    limit(link)
                    found[name] = first_run(project, folder)
                    run(ENGINE, "rm", "--force", "--volumes", NAME)
                chain = found["old"]["whole"] - min(found["old"]["gpu"], found["old"]["conda"])
                for name, seconds in found.items():
                    print(
                        f"{link:>6} {name:4} {seconds['whole']:>8.0f} {seconds['gpu']:>6.0f} {seconds['conda']:>8.0f} "
                        f"{seconds['whole'] / chain:>9.2f} {seconds['whole'] / found['old']['whole']:>7.2f}",
                        flush=True,
                    )
        finally:
            subprocess.run([ENGINE, "rm", "--force", "--volumes", NAME], capture_output=True, check=False)
            subprocess.run([ENGINE, "network", "rm", NAME], capture_output=True, check=False)
            subprocess.run(
                ["git", "worktree", "remove", "--force", str(old)], cwd=PROJECT, capture_output=True, check=False
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
