#!/usr/bin/env python3
"""./dlbox bench: measure every environment on the CPU and each GPU, keep the figures, say what changed since last time.

Exit code: 0 when something was measured on every host, 1 when a host has nothing to measure or a measurement failed, 2
when a host could not be reached.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import sys
from pathlib import Path
from typing import Any

from ansible_collections.dlbox.workstation.plugins.plugin_utils.bench import answer as shapes
from ansible_collections.dlbox.workstation.plugins.plugin_utils.bench import history
from ansible_collections.dlbox.workstation.plugins.plugin_utils.bench.program.data import MNIST_FILE, MNIST_SHA256
from ansible_collections.dlbox.workstation.plugins.plugin_utils.doctor import reach, runner
from ansible_collections.dlbox.workstation.plugins.plugin_utils.page import kept, page
from ansible_collections.dlbox.workstation.plugins.plugin_utils.text import visible

PROJECT = Path(__file__).resolve().parent.parent

BENCH = PROJECT / "plugins" / "plugin_utils" / "bench"
PROGRAM = BENCH / "program" / "__main__.py"
ON_HOST = BENCH / "on_host.py"
MNIST_URL = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz"
ASKED = ["environment_list", "gpus", "nvidia_module", "nvidia_smi", "kernels", "plan", "bench_runs", "os_release"]
# Seconds for one framework of one environment, after which it is ended: (quick, full).
PATIENCE = (900, 7200)


def arguments(argv: list[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="dlbox bench", description="Measure every environment on the CPU and each GPU."
    )
    parser.add_argument(
        "-i", "--inventory", action="append", help="inventory, may be repeated (default: inventory/home)"
    )
    parser.add_argument("--host", default="all", metavar="NAME", help="one host or a pattern (default: every host)")
    parser.add_argument("--quick", action="store_true", help="half a minute per environment instead of a few minutes")
    parser.add_argument("--env", action="append", metavar="NAME", help="only this environment; may be repeated")
    parser.add_argument(
        "--devices", default="cpu,gpu", help="cpu, gpu or GPU numbers, separated by commas (default: cpu,gpu)"
    )
    parser.add_argument(
        "--mnist", default=MNIST_URL, metavar="URL", help="where the host gets MNIST from, once; '' does not try"
    )
    parser.add_argument("--format", choices=("text", "json"), default="text")
    parser.add_argument("--no-page", action="store_true", help="do not write the report page")
    parser.add_argument(
        "--output", default=str(PROJECT / "reports"), metavar="DIR", help="where the page goes (default: reports/)"
    )
    return parser.parse_args(argv)


def on_host(host: Any, python: str, **told: Any) -> dict[str, Any]:
    """Have something done on the host, see bench/on_host.py. Raises runner.HostUnreachable, also where it failed."""
    done = runner.on_host(host, ON_HOST, told, python)
    for line in reversed(done.stdout.splitlines()):
        if line.startswith("{"):
            try:
                answer = dict(json.loads(line))
            except (ValueError, RecursionError):
                break
            if "error" in answer:
                raise runner.HostUnreachable(str(answer["error"]))
            return answer
    raise runner.HostUnreachable((done.stderr.strip().splitlines() or [f"ended with code {done.rc} and no answer"])[-1])


def measure(
    name: str, host: Any, variables: dict[str, Any], options: argparse.Namespace
) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """(this run's record, the one before or None)."""
    told = runner.settings(variables, [])
    python = runner.interpreter(variables)
    program = runner.travelling(PROGRAM, library=())
    seen = runner.evidence(host, {**told, "collect": ASKED}, python)
    folder = told["state_dir"] + "/bench"
    data = folder + "/data"
    chosen = [
        item
        for item in seen["environment_list"] or []
        if item["python"] and (not options.env or item["name"] in options.env)
    ]
    record: dict[str, Any] = {
        "schema": 1,
        "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "host": name,
        "driver": (seen["nvidia_module"] or {}).get("version") or "",
        "kernel": (seen["kernels"] or {}).get("running", ""),
        "gpus": [item["name"] for item in (seen["nvidia_smi"] or {"gpus": []})["gpus"]],
        "quick": options.quick,
        "mnist": "",
        "results": [],
        "failures": [],
    }
    if options.mnist and chosen:
        try:
            file = f"{data}/{MNIST_FILE}"
            fetched = on_host(host, python, do="fetch", url=options.mnist, file=file, sha256=MNIST_SHA256)
            record["mnist"] = fetched["mnist"]
        except runner.HostUnreachable as error:
            record["mnist"] = f"not fetched: {error}"
    if wrong := shapes.record_problem(record):
        raise runner.HostUnreachable(f"its answer cannot be used: {wrong}")
    for environment in chosen:
        for framework in history.frameworks_of(environment):
            if options.format == "text":
                print(visible(f"{name}: {environment['name']} ({framework}) ..."), file=sys.stderr, flush=True)
            words = [
                framework,
                "--json",
                "--devices",
                options.devices,
                "--data",
                data,
                *["--quick"] * options.quick,
            ]
            try:
                answer = on_host(
                    host,
                    python,
                    do="measure",
                    prefix=environment["prefix"],
                    words=words,
                    seconds=PATIENCE[not options.quick],
                    program=program,
                )
                wrong = shapes.problem(answer, framework)
                if wrong:
                    raise runner.HostUnreachable(f"its Python did not run the measurement ({wrong})")
                record["results"].append({**answer, "environment": environment["name"]})
            except runner.HostUnreachable as error:
                record["failures"].append(f"{environment['name']}/{framework}: {error}")
    if record["results"]:
        try:
            name = f"{record['date'].replace(':', '')}.json"
            on_host(host, python, do="keep", folder=folder, name=name, record=record)
        except runner.HostUnreachable as error:
            record["failures"].append(f"the figures could not be kept in {folder}: {error}")
    earlier = [item for item in shapes.usable_records(seen["bench_runs"]) if item["quick"] == options.quick]
    return record, earlier[-1] if earlier else None


def as_text(record: dict[str, Any], before: dict[str, Any] | None) -> str:
    """The figures for people: a line each, with the change since the last run."""
    changes = {change.figure.name: change for change in history.compare(record, before)}
    lines = [f"{record['host']}: driver {record['driver'] or 'none'}, kernel {record['kernel']}"]
    for figure in history.figures(record):
        change = changes.get(figure.name)
        low, median, high = (history.rounded(value) for value in (figure.low, figure.median, figure.high))
        text = f"  {figure.name}: {median} {figure.unit} ({low} to {high})"
        if change and change.certain:
            text += f", {change.ratio - 1:+.0%} since the last run"
        lines.append(text)
    for result in record["results"]:
        for device in result["devices"]:
            if device.get("times_cpu"):
                lines.append(
                    f"  {result['environment']}, {device['device']}: {device['times_cpu']:.1f} times as fast as the CPU"
                )
        lines.append(f"  {result['environment']} trained on {result['data']['name']}")
        lines += [f"  {result['environment']}: {note}" for note in result["notes"]]
    lines += (
        [f"  changed since {before['date']}: {text}" for text in history.differences(record, before)]
        if before
        else ["  no earlier run to compare with"]
    )
    lines += [f"  failed: {text}" for text in record["failures"]]
    if not record["results"]:
        lines.append("  no environment with a framework to measure below /opt/conda/envs; ./dlbox up makes them")
    return "\n".join(lines)


def main(argv: list[str]) -> int:
    """Run the benchmark; see the module text for the exit code."""
    options = arguments(argv)
    os.environ["PATH"] = str(Path(sys.executable).parent) + os.pathsep + os.environ.get("PATH", "")
    os.environ.setdefault("ANSIBLE_CONFIG", str(PROJECT / "ansible.cfg"))
    try:
        hosts, names = runner.hosts(options.inventory or [str(PROJECT / "inventory" / "home")], options.host)
    except runner.HostUnreachable as error:
        print(visible(f"dlbox bench: {error}"), file=sys.stderr)
        return 2
    code = 0
    answers: list[dict[str, Any]] = []
    output = Path(options.output)
    for name in names:
        variables = dict(hosts.get_variables(name))
        try:
            with runner.unusable_answer():
                record, before = measure(name, reach.connect(hosts, name), variables, options)
        except runner.HostUnreachable as error:
            print(visible(f"dlbox bench: {name}: {error}"), file=sys.stderr)
            code = 2
            continue
        if not record["results"] or record["failures"]:
            code = max(code, 1)
        answers.append(record)
        if record["results"] and not options.no_page:
            kept.save(output, kept.measured(kept.load(output, name), record, before))
        if options.format == "text":
            print(visible(as_text(record, before)))
    if options.format == "json":
        print(json.dumps(answers[0] if len(answers) == 1 else answers, indent=2))
    if any(record["results"] for record in answers) and not options.no_page:
        print(f"The page: {page.write_kept(output)[0]}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
