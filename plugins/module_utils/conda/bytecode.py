"""Byte code, which each environment's own Python compiles for itself.

Neither rattler nor uv compiles. Without byte code every start by an ordinary user, who cannot write into the
environment, costs 3.7 to 6 times the CPU (JupyterLab 3.0 s instead of 0.8, pandas 2.1 instead of 0.37).

It is not shared: what one environment's Python compiled, another would run. A package can replace that Python's own
compiler. 18,000 sources, as in a large environment, are 27 s of CPU and 230 MB.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from functools import cache, partial
from pathlib import Path

from .installed import InstalledPackage

# What no program imports: packages' own tests (a third of a data science environment's sources), files for Python 2.
UNCOMPILED = ("/tests/", "/lib2to3/")


def tag(prefix: Path) -> str:
    """The interpreter's cache tag, "cpython-312"; "" without a Python."""
    folders = [p.name for p in prefix.glob("lib/python3.*") if not p.is_symlink() and (p / "os.py").exists()]
    match = re.fullmatch(r"python3\.(\d+)", folders[-1]) if folders else None
    return f"cpython-3{match[1]}" if match else ""


def place(source: str, cache_tag: str) -> str:
    """Where Python looks for the byte code of `source`."""
    folder, name = os.path.split(source)
    return os.path.join(folder, "__pycache__", f"{name[:-3]}.{cache_tag}.pyc")  # noqa: PTH118 (strings, 30,000 times)


def leads_inside(prefix: Path, folder: str) -> bool:
    """Whether a folder, by its path from the prefix, lies in the environment: packages may bring links."""
    real = os.path.realpath(prefix)
    return os.path.commonpath((real, os.path.realpath(prefix / folder))) == real


def make(prefix: Path, packages: Iterable[InstalledPackage]) -> int:
    """Give every source of `packages` its byte code; how many were compiled."""
    cache_tag = tag(prefix)
    inside = cache(partial(leads_inside, prefix))
    sources: list[str] = []
    for package in packages:
        own = {entry.path for entry in package.files if entry.path.endswith(".pyc")}
        for entry in package.files:
            if not cache_tag or not entry.path.endswith(".py") or any(part in entry.path for part in UNCOMPILED):
                continue
            target = place(entry.path, cache_tag)
            if package.layer == "conda" and target in own:
                continue  # the package brought its own
            if inside(target.rpartition("/")[0]) and (prefix / entry.path).is_file():
                sources.append(entry.path)
    if sources:
        from . import interpreter

        for number, code in interpreter.compile_sources(prefix, [str(prefix / source) for source in sources]):
            file = prefix / place(sources[number], cache_tag)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.unlink(missing_ok=True)
            file.write_bytes(code)
    return len(sources)


def remove(prefix: Path, packages: Iterable[InstalledPackage]) -> None:
    """Remove the byte code of `packages`: what stays behind would still be imported after they are gone."""
    inside = cache(partial(leads_inside, prefix))
    for package in packages:
        for entry in package.files:
            folder, _, name = entry.path.rpartition("/")
            if name.endswith(".py") and inside(f"{folder}/__pycache__"):
                for file in (prefix / folder / "__pycache__").glob(f"{name[:-3]}.cpython-*.pyc"):
                    file.unlink(missing_ok=True)
