"""The command line of scripts/update-data."""

from __future__ import annotations

import argparse
import difflib
import sys
from collections.abc import Sequence
from pathlib import Path

from . import gpus
from .render import SOURCES, TARGET, render
from .strict import DataError

#: Exit status: nothing to do or written; --check found a difference; the tables are wrong.
EXIT_DIFFERENT, EXIT_WRONG = 1, 2


def parser() -> argparse.ArgumentParser:
    """Return the command line's parser."""
    result = argparse.ArgumentParser(
        prog="update-data",
        description="Renew data/*.toml from their sources, and render them as the module that the planner imports.",
        epilog="Exit status: 0 current or written, 1 --check found a difference, 2 a table is wrong.",
    )
    result.add_argument("--render", action="store_true", help="render the module only, from the tables as they are")
    result.add_argument("--check", action="store_true", help="write nothing, show the difference")
    result.add_argument("--data", type=Path, default=SOURCES, help=argparse.SUPPRESS)
    result.add_argument("--module", type=Path, default=TARGET, help=argparse.SUPPRESS)
    return result


def replace(path: Path, new: str, check: bool) -> bool:
    """Show how a file changes, and write it unless only checking; tell whether it differs."""
    old = path.read_text(encoding="utf-8") if path.exists() else ""
    if new == old:
        return False
    sys.stdout.writelines(
        difflib.unified_diff(old.splitlines(True), new.splitlines(True), str(path), f"{path} (new)", n=2)
    )
    if not check:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(new, encoding="utf-8")
    return True


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line."""
    args = parser().parse_args(argv)
    try:
        modules = {
            args.module: render(args.data),
            args.module.with_name("gpu_table.py"): gpus.render(args.data / "gpus"),
        }
    except DataError as error:
        print(f"update-data: {error}", file=sys.stderr)
        return EXIT_WRONG
    different = [path for path, text in modules.items() if replace(path, text, args.check)]
    return EXIT_DIFFERENT if args.check and different else 0
