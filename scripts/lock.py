#!/usr/bin/env python3
"""Renew the locks of the environments, and show the difference.

    ./dlbox lock                     all declared environments of the inventory's hosts
    ./dlbox lock pytorch             one of them
    ./dlbox lock --check             show the difference, write nothing

The locks lie beside the inventory (conda_locks_dir), one folder per environment: commit them. Each host is asked what
it is, because its GPU decides; the packages are chosen here, with the same engine that installs them there.
Exit status: 0 done, 1 something cannot be locked, 64 wrong usage, 69 the engine or a host could not be reached.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import ssl
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

TOP = Path(__file__).resolve().parent.parent
REQUIREMENTS = TOP / "roles/conda/files/engine-requirements.txt"
ENGINE = TOP / ".cache/lock-engine"
EXIT_USAGE, EXIT_UNAVAILABLE = 64, 69


class Parser(argparse.ArgumentParser):
    """An argument parser that exits with 64 on wrong usage."""

    def error(self, message: str) -> NoReturn:
        """Print usage and message, exit 64."""
        self.print_usage(sys.stderr)
        self.exit(EXIT_USAGE, f"{self.prog}: {message}\n")


def parser() -> Parser:
    """The command line's parser."""
    lines = (__doc__ or "").splitlines()
    result = Parser(prog="dlbox lock", description=lines[0], epilog=" ".join(lines[6:]), allow_abbrev=False)
    result.add_argument("environment", nargs="*", metavar="ENV", help="name of an environment (default: all declared)")
    result.add_argument(
        "-i", "--inventory", action="append", default=[], metavar="PATH", help="inventory; may be repeated"
    )
    result.add_argument("-l", "--limit", metavar="HOSTS", help="only these hosts of the inventory")
    result.add_argument(
        "-e", "--extra-vars", action="append", default=[], metavar="VARS", help="as ansible-playbook takes them"
    )
    result.add_argument(
        "--exclude-newer", default="", metavar="DATE", help="leave out what was published later (2026-11-01)"
    )
    result.add_argument("-C", "--check", action="store_true", help="show the difference, write nothing")
    result.add_argument(
        "--engine", action="store_true", help="renew the engine's own pins (for contributors), and stop"
    )
    return result


def engine_python() -> Path:
    """The interpreter that has the engine; installs it below .cache where it is missing or another one is pinned."""
    python, stamp = ENGINE / "bin/python", ENGINE / "made-of"
    wanted = f"{sys.version_info[:2]} {hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()}"
    if python.exists() and stamp.exists() and stamp.read_text() == wanted:
        return python
    print("lock: installing the engine (rattler and uv) below .cache", file=sys.stderr)
    subprocess.run([sys.executable, "-m", "venv", "--clear", str(ENGINE)], check=True)
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes"]
    done = subprocess.run([*pip, "--requirement", str(REQUIREMENTS)], check=False)
    if done.returncode:
        print("lock: the engine could not be installed, see above. pip's own settings name mirrors", file=sys.stderr)
        sys.exit(EXIT_UNAVAILABLE)
    stamp.write_text(wanted)
    return python


def renew_engine() -> int:
    """Choose the engine's versions anew from engine-requirements.in; uv's exit status."""
    folder = REQUIREMENTS.parent
    command = [
        str(engine_python().parent / "uv"),
        "pip",
        "compile",
        "--quiet",
        "--universal",
        "--python-version",
        "3.10",
    ]
    command += ["--generate-hashes", "--no-annotate", "--no-emit-index-url", "--no-emit-find-links"]
    command += ["--custom-compile-command", "./dlbox lock --engine", "--upgrade"]
    command += ["--output-file", str(folder / "engine-requirements.txt"), str(folder / "engine-requirements.in")]
    return subprocess.run(command, check=False).returncode


def main() -> int:
    """Lock what the command line names."""
    args = parser().parse_args()
    if args.engine:
        return renew_engine()
    given = {
        "conda_lock_names": args.environment,
        "conda_lock_python": str(engine_python()),
        "conda_lock_cache": str(TOP / ".cache/lock"),
        "conda_lock_exclude_newer": args.exclude_newer,
        # This machine's certificates, not the host's.
        "conda_lock_ca_bundle": os.environ.get("SSL_CERT_FILE") or ssl.get_default_verify_paths().cafile or "",
    }
    command = [str(Path(sys.executable).parent / "ansible-playbook"), str(TOP / "playbooks/tools/lock.yml"), "--diff"]
    for place in args.inventory:
        command += ["--inventory", place]
    if args.limit:
        command += ["--limit", args.limit]
    for text in args.extra_vars:
        command += ["--extra-vars", text]
    command += ["--extra-vars", json.dumps(given)]
    if args.check:
        command.append("--check")
    done = subprocess.run(command, env={**os.environ, "ANSIBLE_CONFIG": str(TOP / "ansible.cfg")}, check=False)
    # ansible-playbook: 2 a task failed, 4 a host could not be reached.
    return {0: 0, 2: 1, 4: EXIT_UNAVAILABLE}.get(done.returncode, done.returncode)


if __name__ == "__main__":
    sys.exit(main())
