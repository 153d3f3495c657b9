#!/usr/bin/env python3
"""./dlbox drift: is every machine still as the inventory declares it. Check mode and the doctor; changes nothing.

Exit code: 0 as declared, 2 when a machine differs or a check of the doctor fails, 4 when one could not be reached.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from ansible_collections.dlbox.workstation.plugins.module_utils import run_as
from ansible_collections.dlbox.workstation.plugins.plugin_utils import drift
from ansible_collections.dlbox.workstation.plugins.plugin_utils.page import kept, page
from ansible_collections.dlbox.workstation.plugins.plugin_utils.text import visible, visible_data

PROJECT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent


def arguments(argv: list[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="dlbox drift",
        description="Is every machine still as declared: check mode and the doctor, without a change.",
    )
    parser.add_argument(
        "-i", "--inventory", action="append", help="inventory, may be repeated (default: inventory/home)"
    )
    parser.add_argument("--limit", default="all", metavar="HOSTS", help="one host or a pattern (default: every host)")
    parser.add_argument(
        "--timer", metavar="WHEN", help="run it then, such as daily, by a systemd timer of this account; off: no more"
    )
    parser.add_argument("--outcome", metavar="FILE", help=argparse.SUPPRESS)  # ./dlbox check --detailed-exitcode
    parser.add_argument("--format", choices=("text", "json"), default="text")
    parser.add_argument("--quick", action="store_true", help="only the doctor's quick checks")
    parser.add_argument("--no-page", action="store_true", help="do not write the report page")
    parser.add_argument(
        "--output", default=str(PROJECT / "reports"), metavar="DIR", help="where the page goes (default: reports/)"
    )
    return parser.parse_args(argv)


def checked(inventory: list[str], limit: str) -> dict[str, Any]:
    """What site.yml in check mode says of each host; its output, with the differences, goes to standard error."""
    with tempfile.TemporaryDirectory(prefix="dlbox-drift-") as folder:
        outcome = Path(folder, "outcome.json")
        words = [str(BIN / "ansible-playbook"), "site.yml", "--check", "--diff", "--limit", limit, *inventory]
        environment = {**os.environ, "DLBOX_OUTCOME": str(outcome)}
        subprocess.run(words, cwd=PROJECT, env=environment, stdout=sys.stderr, check=False)
        return dict(json.loads(outcome.read_text())) if outcome.exists() else {}


def examined(inventory: list[str], hosts: list[str], options: argparse.Namespace) -> dict[str, Any]:
    """The doctor's reports by host; it keeps what it has seen for the page. No answer is a report with an error."""
    words = [sys.executable, str(PROJECT / "scripts/doctor.py"), *inventory, "--host", ":".join(hosts)]
    words += ["--format", "json", "--output", options.output]
    words += ["--quick"] * options.quick + ["--no-page"] * options.no_page
    done = subprocess.run(words, cwd=PROJECT, stdout=subprocess.PIPE, text=True, check=False)
    answer = json.loads(done.stdout) if done.stdout else []
    silent = {host: {"host": host, "error": "the doctor gave no report, see above", "checks": []} for host in hosts}
    return silent | {report["host"]: report for report in (answer if isinstance(answer, list) else [answer])}


def schedule(when: str) -> int:
    """Write and start the timer, or stop and remove it; the exit status."""
    root = os.geteuid() == 0
    folder = Path("/etc/systemd/system") if root else Path.home() / ".config/systemd/user"
    systemctl = ["systemctl", *["--user"] * (not root)]
    if when == "off":
        subprocess.run([*systemctl, "disable", "--now", "dlbox-drift.timer"], stderr=subprocess.DEVNULL, check=False)
        for name in drift.units(PROJECT, when):
            (folder / name).unlink(missing_ok=True)
        return subprocess.run([*systemctl, "daemon-reload"], check=False).returncode
    asked = subprocess.run(["systemd-analyze", "calendar", when], capture_output=True, text=True, check=False)
    if asked.returncode:
        print(f"dlbox drift: --timer is {when!r}, expected off or a time of systemd.time(7), as daily", file=sys.stderr)
        return 64
    if root and (problem := run_as.root_only_tree(PROJECT)):
        print(
            f"dlbox drift: {problem}. Root's timer runs only a clone that root alone can write; without sudo it is "
            "a timer of your own",
            file=sys.stderr,
        )
        return 77
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in drift.units(PROJECT, when).items():
        (folder / name).write_text(text, encoding="utf-8")
    for words in (["daemon-reload"], ["enable", "--now", "dlbox-drift.timer"]):
        if status := subprocess.run([*systemctl, *words], check=False).returncode:
            return status
    journal = "journalctl -u dlbox-drift" if root else "journalctl --user -u dlbox-drift"
    print(f"It runs {when}; {journal} shows what it finds.")
    if not root:
        print("While you are not logged in, it runs only after: sudo loginctl enable-linger $USER")
    return 0


def main(argv: list[str]) -> int:
    """See the module text for the exit code."""
    options = arguments(argv)
    if options.timer:
        if argv not in (["--timer", options.timer], [f"--timer={options.timer}"]):
            print("dlbox drift: --timer runs ./dlbox drift without options, expected no other one", file=sys.stderr)
            return 64
        return schedule(options.timer)
    if options.outcome:
        hosts = json.loads(Path(options.outcome).read_text(encoding="utf-8"))
        return drift.exit_status([drift.finding(host, outcome) for host, outcome in hosts.items()])
    inventory = [word for place in options.inventory or ["inventory/home"] for word in ("-i", place)]
    outcomes = checked(inventory, options.limit)
    if not outcomes:
        print("dlbox drift: no host was checked, see above", file=sys.stderr)
        return drift.NOT_REACHED
    reached = [host for host, outcome in outcomes.items() if not outcome["unreachable"]]
    reports = examined(inventory, reached, options) if reached else {}
    findings = [drift.finding(host, outcome, reports.get(host)) for host, outcome in sorted(outcomes.items())]
    if not options.no_page:
        output = Path(options.output)
        for item in findings:
            lost = {"error": "it could not be reached, or not be examined"} if item["status"] == "not reached" else {}
            report: dict[str, Any] = lost or {"checks": [visible_data(drift.check_entry(item))]}
            kept.save(output, kept.checked(kept.load(output, item["host"]), report, {}, {}))
        page.write_kept(output)  # the doctor has said where
    if options.format == "json":
        print(json.dumps({"date": kept.now(), "hosts": visible_data(findings)}, indent=2))
    else:
        print(visible("\n".join(line for item in findings for line in drift.lines(item))))
    return drift.exit_status(findings)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
