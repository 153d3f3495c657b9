#!/usr/bin/env python3
"""Benchmark: what a no-change run of the whole site costs, and how that grows with hosts.

One container is provisioned with ``site.yml`` as the molecule scenario ``default`` does; its image is then started as
many times as needed, so that every host is equal and none has anything to change. They are reached over ssh, as real
boxes are, by the administrator that the first run made. Three ways of running the same tasks take turns in one run:
``stock`` (linear strategy, no pipelining), ``pipelined`` (what ansible.cfg sets) and ``mitogen`` (what the launcher
uses where it can). Ratios, not seconds, are what compares between machines.

Usage: .venv/bin/python benchmarks/site.py [--hosts 1,2,4] [--repeat 3] [--ways pipelined,mitogen] [--keep]

Needs a container engine, the test images and the packages of ``./dlbox test``.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
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
ADMIN = "ada"
ENGINE = os.environ.get("DLBOX_ENGINE", "docker")
BY_ENGINE = {"ansible_connection": "community.docker.docker", "ansible_user": "root"}


def run(*command: str, env: dict[str, str] | None = None) -> str:
    """Run ``command`` in the project; return its output, or end with it when it fails."""
    path = {"PATH": f"{BIN}:{os.environ['PATH']}", "ANSIBLE_CONFIG": str(PROJECT / "ansible.cfg")}
    result = subprocess.run(
        command, cwd=PROJECT, env={**os.environ, **path, **(env or {})}, text=True, capture_output=True, check=False
    )
    if result.returncode:
        sys.exit(f"{' '.join(command)}\n{result.stdout[-4000:]}{result.stderr[-2000:]}")
    return result.stdout


def inventory(folder: Path, hosts: dict[str, dict[str, str]], image: str, key: Path) -> Path:
    """Write an inventory with the variables of the scenario ``default``; return its directory.

    Args:
        folder: directory to write to.
        hosts: variables of each host, by name; none for a host that is reached through the engine.
        image: the image of the containers.
        key: private key of the administrator; its public half is beside it.
    """
    listed = json.loads(run("ansible-inventory", "-i", "molecule/default/inventory", "--list", "--export"))
    variables = listed["molecule"].get("vars", {}) | {
        "ct_network": NETWORK,
        "ct_image": image,
        "ct_volumes": [f"{PROJECT}/.cache/conda-channel:/srv/conda-channel:ro"],
        "dlbox_admins": [{"name": ADMIN, "keys": [f"{key}.pub"], "sudo": "nopasswd"}],
        # Run after run from one address looks like an attack, and would be slowed down.
    }
    folder.mkdir(parents=True, exist_ok=True)
    document = {"molecule": {"vars": variables, "hosts": hosts}}
    (folder / "hosts.json").write_text(json.dumps(document), encoding="utf-8")
    return folder


def over_ssh(name: str, key: Path) -> dict[str, str]:
    """Return the variables that reach the container ``name`` over ssh, its host key checked."""
    address = run(
        ENGINE, "inspect", "--format", "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}", name
    ).strip()
    host_key = run(ENGINE, "exec", name, "cat", "/etc/ssh/ssh_host_ed25519_key.pub")
    known_hosts = key.with_name("known_hosts")
    with known_hosts.open("a", encoding="utf-8") as file:
        file.write(f"{address} {host_key}")
    return {
        "ansible_connection": "ssh",
        "ansible_host": address,
        "ansible_user": ADMIN,
        "ansible_ssh_private_key_file": str(key),
        "ansible_ssh_common_args": f"-o UserKnownHostsFile={known_hosts} -o IdentitiesOnly=yes",
    }


def ways() -> dict[str, dict[str, str]]:
    """Return the environment of each way to run the same tasks."""
    linear = {"ANSIBLE_STRATEGY": "linear"}
    found = {"stock": {**linear, "ANSIBLE_PIPELINING": "false"}, "pipelined": linear}
    mitogen = subprocess.run([sys.executable, str(PROJECT / "scripts/mitogen-path")], capture_output=True, text=True)
    if mitogen.returncode == 0:
        # What the launcher sets.
        strategy = {
            "ANSIBLE_STRATEGY": "mitogen_linear",
            "ANSIBLE_STRATEGY_PLUGINS": mitogen.stdout.strip(),
            "ANSIBLE_SUDO_EXE": "sudo",
        }
        found["mitogen"] = strategy
    return found


def timed_run(folder: Path, env: dict[str, str], warm_up: bool = False) -> float:
    """Return the seconds of one whole run; end when it changed anything, except to warm up."""
    start = time.monotonic()
    out = run("ansible-playbook", "site.yml", "-i", str(folder), env={**env, "NO_COLOR": "1"})
    seconds = time.monotonic() - start
    recap = [line for line in out.splitlines() if "changed=" in line]
    if not recap or (not warm_up and any("changed=0" not in line for line in recap)):
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
    parser.add_argument("--ways", default="stock,pipelined,mitogen", help="which ways (default %(default)s)")
    given = parser.parse_args()
    counts = [int(count) for count in given.hosts.split(",")]
    chosen_ways = {way: env for way, env in ways().items() if way in given.ways.split(",")}
    names = [f"dlbox-benchmark-{number}" for number in range(1, max(counts) + 1)]
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        # Kept with the image, whose administrator it opens.
        key = PROJECT / ".cache/benchmark/id_ed25519"
        try:
            if not key.exists() or subprocess.run([ENGINE, "image", "inspect", IMAGE], capture_output=True).returncode:
                print("provisioning the seed (a few minutes)", file=sys.stderr)
                shutil.rmtree(key.parent, ignore_errors=True)
                key.parent.mkdir(parents=True)
                run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", f"{ADMIN}@benchmark", "-f", str(key))
                seed = inventory(folder / "seed", {SEED: BY_ENGINE}, "dlbox/debian-13", key)
                for playbook in ("molecule/shared/create.yml", "molecule/shared/prepare.yml", "site.yml"):
                    run("ansible-playbook", "-i", str(seed), playbook)
                run(ENGINE, "commit", SEED, IMAGE)
                run(ENGINE, "rm", "--force", "--volumes", SEED)
            made = inventory(folder / "made", dict.fromkeys(names, BY_ENGINE), IMAGE, key)
            run("ansible-playbook", "-i", str(made), "molecule/shared/create.yml")
            key.with_name("known_hosts").unlink(missing_ok=True)
            hosts = {name: over_ssh(name, key) for name in names}
            print(f"{'hosts':>5}  {'way':<10} {'median s':>9} {'spread s':>13} {'to first':>9} {'to 1 host':>10}")
            single: dict[str, float] = {}
            for count in counts:
                chosen = inventory(folder / str(count), {name: hosts[name] for name in names[:count]}, IMAGE, key)
                times: dict[str, list[float]] = {way: [] for way in chosen_ways}
                # A run of each that does not count; the first tells a copy of the seed its own name.
                for env in chosen_ways.values():
                    timed_run(chosen, env, warm_up=True)
                for _ in range(given.repeat):
                    for way, env in chosen_ways.items():
                        times[way].append(timed_run(chosen, env))
                first = statistics.median(next(iter(times.values())))
                for way, values in times.items():
                    median = statistics.median(values)
                    single.setdefault(way, median)
                    spread = f"{min(values):.1f}-{max(values):.1f}"
                    print(
                        f"{count:>5}  {way:<10} {median:>9.1f} {spread:>13} {median / first:>9.2f} "
                        f"{median / single[way]:>10.2f}",
                        flush=True,
                    )
        finally:
            if not given.keep:
                subprocess.run([ENGINE, "rm", "--force", "--volumes", SEED, *names], capture_output=True)
                subprocess.run([ENGINE, "image", "rm", IMAGE], capture_output=True)
                subprocess.run([ENGINE, "network", "rm", NETWORK], capture_output=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
