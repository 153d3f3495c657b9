"""The command line of scripts/update-data."""

from __future__ import annotations

import argparse
import datetime
import difflib
import hashlib
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import tomllib

from . import archive, gpus, roles, wheels
from .edit import checked, set_values
from .render import FRAMEWORKS, SOURCES, TARGET, TOP, read, render
from .strict import DataError
from .web import SourceUnreachable, get, package_index

EXIT_DIFFERENT, EXIT_WRONG, EXIT_UNREACHABLE = 1, 2, 3
#: Files by path, their remarks for a person.
Renewed = Iterator[tuple[Path, str]]
#: A check that found nothing new renews the day only when it is older than this.
RENEW_DAY = datetime.timedelta(days=28)


def parser() -> argparse.ArgumentParser:
    """Return the command line's parser."""
    result = argparse.ArgumentParser(
        prog="update-data",
        description="Renew data/*.toml from their sources, show the difference for review, and render the modules that "
        "the planner imports.",
        epilog="Exit status: 0 current or written, 1 --check found a difference, 2 a table is wrong, "
        "3 a source did not answer (its tables are kept).",
    )
    result.add_argument("--render", action="store_true", help="read no source: render from the tables as they are")
    result.add_argument("--only", choices=PARTS, action="append", help="renew this part only; repeat for several")
    result.add_argument("--check", action="store_true", help="write nothing, show the difference")
    result.add_argument("--deep", action="store_true", help="read CUDA and compiled code out of every wheel (minutes)")
    result.add_argument("--index", help="package index (default: pip's)")
    result.add_argument(
        "--mirror", action="append", default=[], metavar="NAME=ADDRESS", help="of debian or ubuntu (default: apt's)"
    )
    result.add_argument("--supported-gpus", type=Path, metavar="FILE", help="supported-gpus.json of a driver package")
    result.add_argument("--open-readme", type=Path, metavar="FILE", help="README.md of NVIDIA's open kernel modules")
    result.add_argument("--data", type=Path, default=SOURCES, help=argparse.SUPPRESS)
    result.add_argument("--roles", type=Path, default=TOP / "roles", help=argparse.SUPPRESS)
    result.add_argument("--module", type=Path, default=TARGET, help=argparse.SUPPRESS)
    return result


class Report:
    """What was said to the person, and whether a source was silent."""

    silent = False

    def remark(self, text: str) -> None:
        """Say something that a person has to decide."""
        print(f"update-data: {text}", file=sys.stderr)

    def unreachable(self, what: str, error: Exception) -> None:
        """Say that a source did not answer."""
        self.silent = True
        self.remark(f"{what} not renewed, its tables are kept: {error}")


def _dated(path: Path, new: str, header: str = "") -> str:
    """Return the text with today as the day of its check, where it changed or the last check is long ago."""
    old = path.read_text(encoding="utf-8")
    table = tomllib.loads(new)
    for name in header.strip("[]").split(".") if header else ():
        table = table[name]
    today = datetime.datetime.now(tz=datetime.timezone.utc).date()
    if new == old and today - table["checked"] < RENEW_DAY:
        return new
    return checked(new, header, today)


def _wheels(args: argparse.Namespace, report: Report) -> Renewed:
    index = wheels.PackageIndex(args.index.rstrip("/") if args.index else package_index())
    for name in FRAMEWORKS:
        path = args.data / f"{name}.toml"
        text = path.read_text(encoding="utf-8")
        try:
            new, remarks = wheels.renew(text, tomllib.loads(text)["build"], index, args.deep)
        except SourceUnreachable as error:
            report.unreachable(path.name, error)
            continue
        for line in remarks:
            report.remark(line)
        yield path, _dated(path, new)
    path = args.data / "keras.toml"
    text, newest = path.read_text(encoding="utf-8"), index.newest("keras")
    if newest:
        series = ".".join(map(str, newest.release[:2]))
        found = wheels.pythons(index.wheels("keras"), str(newest), "x86_64")
        known = tomllib.loads(text)["pythons"]
        kept = [one for one in known if one in found]
        yield path, _dated(path, set_values(text, "", {"version": str(newest), "last_series": series, "pythons": kept}))
    path = args.data / "cuda.toml"
    newest = index.newest("nvidia-cudnn-cu12")
    if newest:
        text = set_values(path.read_text(encoding="utf-8"), "[cudnn]", {"newest": str(newest)})
        yield path, _dated(path, text, "[cudnn]")


def _mirrors(args: argparse.Namespace) -> dict[str, str]:
    return {name: address.rstrip("/") for name, _, address in (one.partition("=") for one in args.mirror)}


def _archive(args: argparse.Namespace, report: Report) -> Renewed:
    given = _mirrors(args)
    for key, system in read(args.data)[1].items():
        path = args.data / f"systems/{key}.toml"
        try:
            mirror = given.get(system.release.id) or archive.own_mirror(distribution=system.release.id)
            packages = archive.read_release(system, mirror)
        except (SourceUnreachable, ValueError) as error:
            report.unreachable(key, error)
            continue
        new, remarks = archive.renew(path.read_text(encoding="utf-8"), system, packages)
        for line in remarks:
            report.remark(line)
        yield path, _dated(path, new, "[drivers]")


def _nvidia(args: argparse.Namespace, report: Report) -> Renewed:
    tables, systems = read(args.data)
    for key, system in systems.items():
        path = args.data / f"systems/{key}.toml"
        address = f"{tables['nvidia'].url}/{system.nvidia.directory}/x86_64/Packages.gz"
        try:
            found = archive.toolkits_of(archive.parse_packages(archive.unpack(get(address))))
        except (SourceUnreachable, ValueError) as error:
            report.unreachable(f"NVIDIA's repository for {key}", error)
            continue
        known = [one for one in found if one in tables["cuda"].toolkit]
        for one in found:
            if one not in known:
                report.remark(f'{key}: NVIDIA has CUDA {one}, which cuda.toml does not know: add [toolkit."{one}"]')
        text = set_values(path.read_text(encoding="utf-8"), "[nvidia]", {"toolkits": known})
        yield path, _dated(path, text, "[nvidia]")


def _gpus(args: argparse.Namespace, report: Report) -> Renewed:
    folder = args.data / "gpus"
    if args.supported_gpus:
        path = folder / "supported-gpus.tsv"
        found = gpus.parse_supported_gpus(args.supported_gpus.read_text(encoding="utf-8"))
        lines = [(one.device, one.subsystem, one.name, one.legacy, "open" if one.open_modules else "") for one in found]
        yield path, gpus.tabular(path.read_text(encoding="utf-8"), lines)
    if args.open_readme:
        path = folder / "open-modules.tsv"
        readme = gpus.parse_open_readme(args.open_readme.read_text(encoding="utf-8"))
        yield path, gpus.tabular(path.read_text(encoding="utf-8"), readme)
    path = folder / "pci-ids.tsv"
    try:
        mirror = _mirrors(args).get("debian") or archive.own_mirror()
        source = archive.package_file(mirror, "sid", "pci.ids", "/usr/share/misc/pci.ids")
    except (SourceUnreachable, ValueError) as error:
        report.unreachable(path.name, error)
        return
    version, rows = gpus.parse_pci_ids(source)
    text = gpus.tabular(path.read_text(encoding="utf-8"), rows)
    text = re.sub(r"(?<=file pci\.ids, version )\S+(?=,)", version, text)
    yield path, re.sub(r"(?m)^# [0-9a-f]{64}\.$", f"# {hashlib.sha256(source.encode()).hexdigest()}.", text)


PARTS: dict[str, Callable[[argparse.Namespace, Report], Renewed]] = {
    "wheels": _wheels,
    "archive": _archive,
    "gpus": _gpus,
    "nvidia": _nvidia,
}


def replace(path: Path, new: str, check: bool, generated: bool = False) -> bool:
    """Show how a file changes, and write it unless only checking; tell whether it differs.

    Of a generated file the name only: what a person reviews are the tables.
    """
    old = path.read_text(encoding="utf-8") if path.exists() else ""
    if new == old:
        return False
    if generated:
        print(f"{path}: differs from the tables" if check else f"{path}: rendered")
    else:
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
    report = Report()
    different = False
    try:
        read(args.data)
        for name in [] if args.render else args.only or PARTS:
            try:
                for path, text in PARTS[name](args, report):
                    different |= replace(path, text, args.check)
            except (SourceUnreachable, ValueError) as error:
                if isinstance(error, DataError):
                    raise
                report.unreachable(name, error)
        modules = {
            args.module: render(args.data),
            args.module.with_name("gpu_table.py"): gpus.render(args.data / "gpus"),
            **roles.metadata(args.roles, read(args.data)[1]),
        }
    except DataError as error:
        print(f"update-data: {error}", file=sys.stderr)
        return EXIT_WRONG
    for path, text in modules.items():
        different |= replace(path, text, args.check, generated=True)
    if args.check and different:
        return EXIT_DIFFERENT
    return EXIT_UNREACHABLE if report.silent else 0
