"""What is in an environment, read from its own records without starting its Python; and whether its files are whole."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
import os
import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from .definitions import normal


@dataclass
class File:
    """A file as its package describes it. size in bytes or None; sha256 hexadecimal or "" where nothing is known."""

    path: str
    size: int | None = None
    sha256: str = ""


@dataclass
class InstalledPackage:
    """An installed package. layer: "conda" or "wheel"; ident: version, and for conda build and hash; files: its own."""

    name: str
    layer: str
    ident: str
    files: list[File] = field(default_factory=list)
    info: str = ""
    broken: str = ""


def conda_ident(version: str, build: str, sha256: str | None, url: str) -> str:
    """What must be equal for two conda packages to be the same."""
    return f"{version} {build} {(sha256 or url)[:12]}"


def conda_packages(prefix: Path) -> dict[str, InstalledPackage]:
    """Name -> package of everything in conda-meta."""
    found = {}
    for record in sorted((prefix / "conda-meta").glob("*.json")):
        try:
            data = json.loads(record.read_bytes())
            name = data["name"]
        except (ValueError, KeyError):
            # A record that cannot be read: its package is installed anew. Its file is named NAME-VERSION-BUILD.
            name = record.stem.rsplit("-", 2)[0]
            why = f"conda-meta/{record.name} cannot be read"
            found[name] = InstalledPackage(name, "conda", "unreadable", info=f"conda-meta/{record.name}", broken=why)
            continue
        files = []
        for entry in data.get("paths_data", {}).get("paths", []):
            size = None if entry.get("prefix_placeholder") else entry.get("size_in_bytes")
            path = entry["_path"]
            if path.startswith("/") or (".." in path and ".." in path.split("/")):
                raise ValueError(
                    f"the conda package {name} names a file outside of its environment: {path}. Use another one, and "
                    f"remove {prefix} if it was installed there"
                )
            files.append(File(path, size, entry.get("sha256_in_prefix") or entry.get("sha256") or ""))
        ident = conda_ident(data["version"], data["build"], data.get("sha256"), data.get("url", ""))
        found[name] = InstalledPackage(name, "conda", ident, files, f"conda-meta/{record.name}")
    return found


def site_packages(prefix: Path) -> list[Path]:
    """The environment's folders for Python packages, without links to them and those of a Python that is gone."""
    found = sorted(prefix.glob("lib/python3.*/site-packages"))
    return [p for p in found if (p.parent / "os.py").exists() and not p.parent.is_symlink()]


def installer(info: Path) -> str:
    """Who installed a distribution, by its own word: conda, uv, pip or ""."""
    try:
        return (info / "INSTALLER").read_text().strip()
    except OSError:
        return ""


def read_record(prefix: Path, site: Path, info: Path) -> list[File]:
    """The files that a wheel's RECORD lists, with paths from the prefix.

    Raises ValueError for a RECORD that ends in the middle, as a killed installer leaves it: uv and pip write it anew,
    last of all files, and end each line.
    """
    files = []
    start = str(prefix) + os.sep
    with (info / "RECORD").open(newline="", encoding="utf-8") as record:
        text = record.read()
        if not text.endswith("\n"):
            raise ValueError(f"{info.name}/RECORD is cut off")
        for row in csv.reader(io.StringIO(text)):
            if not row:
                continue
            path = os.path.normpath(os.path.join(site, row[0]))  # noqa: PTH118 (30,000 times: strings are faster)
            if not path.startswith(start):
                continue
            kind, _, digest = row[1].partition("=") if len(row) > 1 else ("", "", "")
            sha = base64.urlsafe_b64decode(digest + "=" * (-len(digest) % 4)).hex() if kind == "sha256" else ""
            files.append(File(path[len(start) :], int(row[2]) if len(row) > 2 and row[2] else None, sha))
    return files


def wheel_packages(
    prefix: Path, conda: Mapping[str, InstalledPackage], records: bool = True
) -> dict[str, InstalledPackage]:
    """Normal name -> package of every distribution that conda did not bring. records: read their file lists too."""
    owned = {
        f.path.rsplit("/", 1)[0]
        for p in conda.values()
        for f in p.files
        if ".dist-info/" in f.path or ".egg-info/" in f.path
    }
    found = {}
    for site in site_packages(prefix):
        for info in sorted(site.glob("*.dist-info")):
            relative = str(info.relative_to(prefix))
            if relative in owned or installer(info) == "conda":
                continue
            name, _, version = info.name[: -len(".dist-info")].partition("-")
            package = InstalledPackage(normal(name), "wheel", version, info=relative)
            # INSTALLER comes after the package's programs: without it, RECORD is still the wheel's, without them.
            if not all((info / file).is_file() for file in ("METADATA", "INSTALLER", "RECORD")):
                package.broken = f"{relative} is not complete"
            elif records:
                try:
                    package.files = read_record(prefix, site, info)
                except ValueError:
                    package.broken = f"{relative} is not complete"
            found[package.name] = package
    return found


def conda_distributions(prefix: Path, conda: Mapping[str, InstalledPackage]) -> dict[str, str]:
    """Normal name -> version of the Python distributions that conda packages brought."""
    found = {}
    for package in conda.values():
        for entry in package.files:
            head, _, tail = entry.path.rpartition("/")
            if tail == "METADATA" and head.endswith(".dist-info"):
                name, _, version = head.rpartition("/")[2][: -len(".dist-info")].partition("-")
                found[normal(name)] = version
    return found


def file_digest(path: Path) -> str:
    """Hexadecimal SHA-256 of a file."""
    digest = hashlib.sha256()
    with path.open("rb") as content:
        while block := content.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def damage(
    prefix: Path, packages: Iterable[InstalledPackage], suspects: frozenset[str] | None = None, full: bool = False
) -> dict[str, list[str]]:
    """Name -> what is wrong with its files: missing, another size, other content.

    Sizes are compared of all files; content of `suspects` (paths), or of every file when `full`.
    """
    wrong: dict[str, list[str]] = {}
    root = str(prefix) + os.sep
    for package in packages:
        found = [package.broken] if package.broken else []
        for entry in package.files:
            try:
                status = os.lstat(root + entry.path)
            except OSError:
                # RECORDs may list byte code that was never made.
                if not entry.path.endswith(".pyc"):
                    found.append(f"missing {entry.path}")
                continue
            if not stat.S_ISREG(status.st_mode) or entry.path.endswith(".pyc"):
                continue
            if entry.size is not None and status.st_size != entry.size:
                found.append(f"size of {entry.path}")
            elif (
                entry.sha256
                and (full or (suspects is not None and entry.path in suspects))
                and file_digest(prefix / entry.path) != entry.sha256
            ):
                found.append(f"content of {entry.path}")
        if found:
            wrong[package.name] = found
    return wrong
