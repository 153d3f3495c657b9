#!/usr/bin/env python3
"""./dlbox doctor: check that the real machine works and is safe, and change nothing.

Exit code: 0 when no check failed (warnings allowed), 1 when one did, 2 when a host could not be reached.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import getpass
import json
import os
import sys
from pathlib import Path
from typing import Any

from ansible_collections.dlbox.workstation.plugins.plugin_utils.doctor import evaluate, reach, runner
from ansible_collections.dlbox.workstation.plugins.plugin_utils.doctor.model import RESULTS, Check, Context
from ansible_collections.dlbox.workstation.plugins.plugin_utils.page import kept, page
from ansible_collections.dlbox.workstation.plugins.plugin_utils.text import visible, visible_data

PROJECT = Path(__file__).resolve().parent.parent

COLOURS = {"fail": "31", "warn": "33", "ok": "32", "na": "2"}
LABELS = {"fail": "FAIL", "warn": "warn", "ok": "ok", "na": "n/a"}


def arguments(argv: list[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="dlbox doctor", description="Check that the real machine works and is safe; change nothing."
    )
    parser.add_argument(
        "-i", "--inventory", action="append", help="inventory, may be repeated (default: inventory/home)"
    )
    parser.add_argument(
        "--host", default="all", metavar="NAME", help="one host or a pattern such as 'gpu*' (default: every host)"
    )
    parser.add_argument("--format", choices=("text", "json"), default="text")
    parser.add_argument(
        "--quick", action="store_true", help="only what a run of ./dlbox up verifies: no imports, no port scan"
    )
    parser.add_argument(
        "--only", action="append", metavar="AREA|CHECK", help="for example ssh or gpu.dkms; may be repeated"
    )
    parser.add_argument(
        "-K", "--ask-become-pass", action="store_true", help="ask for the password of sudo on the hosts at once"
    )
    parser.add_argument("--all", action="store_true", help="list the checks that do not apply, too")
    parser.add_argument("--no-page", action="store_true", help="do not write the report page")
    parser.add_argument(
        "--output", default=str(PROJECT / "reports"), metavar="DIR", help="where the page goes (default: reports/)"
    )
    return parser.parse_args(argv)


def examine(
    name: str, hosts: Any, options: argparse.Namespace, chosen: list[Check], password: str
) -> tuple[dict[str, Any], Context | None]:
    """One host's report; a host that cannot be reached gives {ok: false, host, checks: [], error}."""
    try:
        with runner.unusable_answer():
            seen = reach.gather(hosts, name, chosen, password, look=not options.quick)
            return dict(visible_data(evaluate.report(name, seen, chosen))), seen
    except runner.HostUnreachable as error:
        return {"ok": False, "host": name, "checks": [], "error": visible(str(error))}, None


def painted(text: str, result: str) -> str:
    """Colour for a terminal, plain text for a file or when NO_COLOR is set."""
    if not sys.stdout.isatty() or os.environ.get("NO_COLOR"):
        return text
    return f"\033[{COLOURS[result]}m{text}\033[0m"


def as_text(report: dict[str, Any], everything: bool, root: bool) -> str:
    """The report for people: failures first, each with what to do; then what is well, a line each."""
    lines = [f"{report['host']}"]
    if "error" in report:
        return f"{report['host']}: could not be reached: {report['error']}"
    for result in RESULTS:
        if result == "na" and not everything:
            continue
        for entry in (item for item in report["checks"] if item["result"] == result):
            # Under its label, so that no host writes a result of its own.
            observed, remedy = (entry[key].replace("\n", "\n        ") for key in ("observed", "remedy"))
            lines.append(f"  {painted(LABELS[result].ljust(4), result)}  {entry['name']}: {observed}")
            if remedy:
                lines.append(f"        {remedy}")
    counts = {result: sum(item["result"] == result for item in report["checks"]) for result in RESULTS}
    lines.append(
        f"  {counts['fail']} failed, {counts['warn']} warnings, {counts['ok']} ok, {counts['na']} do not apply"
        + ("" if everything else " (--all lists them)")
    )
    if not root:
        lines.append("  Run without root: several checks could not read what they need. Run again with -K, or as root.")
    return "\n".join(lines)


def sudo_password(hosts: list[str]) -> str:
    """The password as somebody types it; empty to go on without."""
    return getpass.getpass(visible(f"sudo password on {', '.join(hosts)} (empty: go on without root): "))


def without_root(found: list[tuple[dict[str, Any], Context | None]]) -> list[str]:
    """The hosts whose evidence was gathered without root's rights."""
    return [report["host"] for report, seen in found if seen and not seen.evidence["root"]]


def main(argv: list[str]) -> int:
    """Run the doctor; see the module text for the exit code."""
    options = arguments(argv)
    os.environ["PATH"] = str(Path(sys.executable).parent) + os.pathsep + os.environ.get("PATH", "")
    os.environ.setdefault("ANSIBLE_CONFIG", str(PROJECT / "ansible.cfg"))
    try:
        chosen = evaluate.selected(options.quick, options.only)
        hosts, names = runner.hosts(options.inventory or [str(PROJECT / "inventory" / "home")], options.host)
    except (KeyError, runner.HostUnreachable) as error:
        print(visible(f"dlbox doctor: {error.args[0]}"), file=sys.stderr)
        return 2
    password = sudo_password(names) if options.ask_become_pass else ""
    with concurrent.futures.ThreadPoolExecutor(max_workers=8) as pool:
        found = list(pool.map(lambda name: examine(name, hosts, options, chosen, password), names))
        asking = without_root(found)
        somebody_there = sys.stdin.isatty() and sys.stderr.isatty()
        if asking and somebody_there and not password and (password := sudo_password(asking)):
            again = list(pool.map(lambda name: examine(name, hosts, options, chosen, password), asking))
            found = [pair for pair in found if pair[0]["host"] not in asking] + again
    reports = [report for report, _seen in found]
    if options.format == "json":
        print(json.dumps(reports[0] if len(reports) == 1 else reports, indent=2))
    else:
        print(
            "\n\n".join(as_text(report, options.all, seen is None or seen.evidence["root"]) for report, seen in found)
        )
    if not options.no_page:
        output = Path(options.output)
        for report, seen in found:
            kept.save(
                output,
                kept.checked(
                    kept.load(output, report["host"]),
                    report,
                    seen.evidence if seen else {},
                    seen.outside if seen else {},
                ),
            )
        print(f"The page: {page.write_kept(output)[0]}", file=sys.stderr)
    if any("error" in report for report in reports):
        return 2
    return 0 if all(report["ok"] for report in reports) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
