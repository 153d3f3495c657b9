#!/usr/bin/env python3
"""Write the report pages from what the doctor and the benchmark left; ./dlbox up calls it at its end.

With -i it asks each host the quick questions first, so that a page is there after the first run and up to date after
every one; with --since only those of which nothing newer was kept, as a run keeps what it has verified. Prints the path
of the page to open. Exit code: 0, or 2 when there is nothing to write.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import os
import sys
from pathlib import Path
from typing import Any

from ansible_collections.dlbox.workstation.plugins.plugin_utils.doctor import evaluate, reach, runner
from ansible_collections.dlbox.workstation.plugins.plugin_utils.page import kept, page

PROJECT = Path(__file__).resolve().parent.parent


def ask(name: str, hosts: Any, output: Path) -> None:
    """Bring one host's data up to date with the quick checks; a host that does not answer keeps what was known."""
    data = kept.load(output, name)
    try:
        chosen = evaluate.selected(quick=True)
        with runner.unusable_answer():
            seen = reach.gather(hosts, name, chosen, look=False)
            data = kept.checked(data, evaluate.report(name, seen, chosen), seen.evidence, seen.outside)
    except runner.HostUnreachable as error:
        data = kept.checked(data, {"error": str(error)}, {}, {})
    kept.save(output, data)


def main(argv: list[str]) -> int:
    """See the module text."""
    parser = argparse.ArgumentParser(prog="dlbox report", description="Write the report pages.")
    parser.add_argument(
        "-i", "--inventory", action="append", help="gather from the hosts of this inventory first; may be repeated"
    )
    parser.add_argument("--host", default="all", metavar="NAME", help="one host or a pattern (default: every host)")
    parser.add_argument(
        "--since", type=float, metavar="SECONDS", help="skip hosts of which something was kept since then (Unix time)"
    )
    parser.add_argument(
        "--output", default=str(PROJECT / "reports"), metavar="DIR", help="where the pages go (default: reports/)"
    )
    options = parser.parse_args(argv)
    output = Path(options.output)
    os.environ["PATH"] = str(Path(sys.executable).parent) + os.pathsep + os.environ.get("PATH", "")
    os.environ.setdefault("ANSIBLE_CONFIG", str(PROJECT / "ansible.cfg"))
    if options.inventory:
        try:
            hosts, names = runner.hosts(options.inventory, options.host)
        except runner.HostUnreachable as error:
            print(f"dlbox report: {error}", file=sys.stderr)
            return 2
        if options.since is not None:
            names = [name for name in names if kept.last_change(output, name) < options.since]
        with concurrent.futures.ThreadPoolExecutor(max_workers=8) as pool:
            list(pool.map(lambda name: ask(name, hosts, output), names))
    paths = page.write_kept(output)
    if not paths:
        print(f"dlbox report: no data below {output}: run ./dlbox doctor first", file=sys.stderr)
        return 2
    print(paths[0])
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
