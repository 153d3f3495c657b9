#!/usr/bin/env python3
"""Benchmark: a list of firewall rules, by the role ufw and by a loop of community.general.ufw.

One container, ufw enabled with ssh only before each apply. The same rules, alternately in one run:

* apply: all of them are new;
* no change: all of them are there;
* one rule, by the role: what a transaction costs when the list is short.

Seconds are those of a whole ansible-playbook run; an empty play on the same container is measured beside them and
subtracted for the net ratio. Ratios, not seconds, are what compares between machines; they are those of the fastest
runs, as what else a machine does only ever makes one slower.

Usage: .venv/bin/python benchmarks/firewall.py [--rules 50] [--repeat 3] [--loops 1] [--json]

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
from typing import Any

PROJECT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent
HOST = "dlbox-benchmark-firewall"
NETWORK = "dlbox-benchmark-firewall"


def run(*command: str) -> str:
    """Run a command in the project; return its output, or end with it when it fails."""
    env = {**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}", "ANSIBLE_CONFIG": str(PROJECT / "ansible.cfg")}
    result = subprocess.run(
        command, cwd=PROJECT, env={**env, "NO_COLOR": "1"}, text=True, capture_output=True, check=False
    )
    if result.returncode:
        sys.exit(f"{' '.join(command)}\n{result.stdout[-4000:]}{result.stderr[-2000:]}")
    return result.stdout


def rules(number: int) -> list[dict[str, Any]]:
    """The rules under test: ports from 20000 up, every other one from one network only."""
    return [
        {"name": f"rule {i}", "port": 20000 + i, "protocol": "tcp", **({"from": "192.168.1.0/24"} if i % 2 else {})}
        for i in range(number)
    ]


def plays(folder: Path, number: int) -> dict[str, Path]:
    """Write the playbooks; returns their paths by name."""
    loop = {
        "name": "Allow a port",
        "community.general.ufw": {
            "rule": "allow",
            "port": "{{ item.port }}",
            "proto": "{{ item.protocol }}",
            "from_ip": "{{ item.from | default('any') }}",
            "comment": "{{ item.name }}",
        },
        "loop": rules(number),
    }

    def role(listed: list[dict[str, Any]]) -> dict[str, Any]:
        return {
            "name": "Apply the list",
            "include_role": {"name": "dlbox.workstation.ufw"},
            "vars": {"ufw_rules": listed},
        }

    tasks = {"empty": [], "ours": [role(rules(number))], "one": [role(rules(1))], "ssh": [role([])], "loop": [loop]}
    paths = {}
    for name, content in tasks.items():
        paths[name] = folder / f"{name}.json"
        play = {"name": name, "hosts": "molecule", "gather_facts": False, "tasks": content}
        paths[name].write_text(json.dumps([play]), encoding="utf-8")
    return paths


def measure(inventory: Path, play: Path, changes: bool | None) -> float:
    """Seconds of one run; ends when it changed something and should not have, or the other way round."""
    start = time.monotonic()
    out = run("ansible-playbook", str(play), "-i", str(inventory))
    seconds = time.monotonic() - start
    if changes is not None and ("changed=0 " in out) == changes:
        sys.exit(f"{play.stem}: expected {'a change' if changes else 'no change'}:\n{out[-2000:]}")
    return seconds


def reset(docker: str, inventory: Path, play: Path) -> None:
    """ufw enabled, with ssh only."""
    run(docker, "exec", HOST, "sh", "-c", "ufw --force reset && rm -f /etc/ufw/*.rules.20*")
    run("ansible-playbook", str(play), "-i", str(inventory))


def main() -> int:
    """Measure alternately, print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rules", type=int, default=50, help="number of rules (default %(default)s)")
    parser.add_argument("--repeat", type=int, default=3, help="rounds (default %(default)s)")
    parser.add_argument(
        "--loops", type=int, default=1, help="rounds that have the loop, which is slow (default %(default)s)"
    )
    parser.add_argument("--json", action="store_true", help="print figures for programs")
    given = parser.parse_args()
    docker = os.environ.get("DLBOX_ENGINE", "docker")
    times: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        inventory = folder / "hosts.json"
        variables = {"ct_network": NETWORK, "ct_image": "dlbox/debian-13", "ansible_user": "root"}
        variables["ansible_connection"] = "community.docker.docker"
        inventory.write_text(json.dumps({"molecule": {"vars": variables, "hosts": {HOST: {}}}}), encoding="utf-8")
        play = plays(folder, given.rules)
        try:
            for playbook in ("create.yml", "prepare.yml"):
                run("ansible-playbook", "-i", str(inventory), f"molecule/shared/{playbook}")
            run("ansible-playbook", "-i", str(inventory), str(play["ssh"]))
            for number in range(given.repeat):
                for name, way, changes in (
                    ("empty play", "empty", None),
                    ("one rule, role", "one", True),
                    ("apply, role", "ours", True),
                    ("no change, role", "ours", False),
                    ("apply, loop", "loop", True),
                    ("no change, loop", "loop", False),
                ):
                    if way == "loop" and number >= given.loops:
                        continue
                    if changes:
                        reset(docker, inventory, play["ssh"])
                    times.setdefault(name, []).append(measure(inventory, play[way], changes))
        finally:
            subprocess.run([docker, "rm", "--force", "--volumes", HOST], capture_output=True, check=False)
            subprocess.run([docker, "network", "rm", NETWORK], capture_output=True, check=False)
    report(times, given.rules, as_json=given.json)
    return 0


def fastest_ratio(times: dict[str, list[float]], above: str, below: str) -> dict[str, float]:
    """How many times as long one way takes as another, by whole runs and net of an empty play."""
    best = {name: min(values) for name, values in times.items()}
    net = (best[above] - best["empty play"]) / max(best[below] - best["empty play"], 0.01)
    return {"whole": round(best[above] / best[below], 2), "net": round(net, 2)}


def report(times: dict[str, list[float]], number: int, *, as_json: bool) -> None:
    """Print medians, spreads, and the ratios of the fastest runs."""

    def ratio(above: str, below: str) -> dict[str, float]:
        return fastest_ratio(times, above, below)

    ratios = {
        "apply: loop to role": ratio("apply, loop", "apply, role"),
        "no change: loop to role": ratio("no change, loop", "no change, role"),
        f"role: {number} rules to one": ratio("apply, role", "one rule, role"),
    }
    show(times, ratios, number, f"{number} rules", as_json=as_json)


def show(
    times: dict[str, list[float]], ratios: dict[str, dict[str, float]], number: int, title: str, *, as_json: bool
) -> None:
    """Print the table of seconds and that of ratios, or all figures as JSON."""
    if as_json:
        print(json.dumps({"rules": number, "seconds": times, "ratios": ratios}, indent=2))
        return
    print(f"{title:<22} {'median s':>9} {'spread s':>13}")
    for name, values in times.items():
        print(f"{name:<22} {statistics.median(values):>9.1f} {f'{min(values):.1f}-{max(values):.1f}':>13}")
    print(f"\n{'ratio':<28} {'whole run':>9} {'net':>6}")
    for name, both in ratios.items():
        print(f"{name:<28} {both['whole']:>9.2f} {both['net']:>6.2f}")


if __name__ == "__main__":
    sys.exit(main())
