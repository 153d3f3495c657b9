"""Byte code: compiled once per source and Python version, then hard-linked into every environment.

Neither rattler nor uv compiles. Without byte code every start by an ordinary user, who cannot write into the
environment, costs 3.7 to 6 times the CPU (JupyterLab 3.0 s instead of 0.8, pandas 2.1 instead of 0.37).
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path

from ansible.module_utils.dlbox_conda.installed import File, Package

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


def stored(store: Path, cache_tag: str, entry: File, mtime_ns: int) -> Path:
    """Where the byte code is kept. It names its source's time and size, so the time is part of the key."""
    return Path(store, cache_tag, entry.sha256[:2], f"{entry.sha256}-{mtime_ns // 1_000_000_000}.pyc")


def make(prefix: Path, packages: Iterable[Package], store: Path) -> tuple[int, int]:
    """Give every source of `packages` its byte code: (compiled, linked)."""
    cache_tag = tag(prefix)
    if not cache_tag:
        return 0, 0
    compile_these: list[tuple[str, Path | None]] = []
    linked = 0
    for package in packages:
        own = {entry.path for entry in package.files if entry.path.endswith(".pyc")}
        for entry in package.files:
            if not entry.path.endswith(".py") or any(part in entry.path for part in UNCOMPILED):
                continue
            target_name = place(entry.path, cache_tag)
            if package.layer == "conda" and target_name in own:
                continue  # the package brought its own
            source, target = prefix / entry.path, prefix / target_name
            try:
                mtime = source.stat().st_mtime_ns
            except OSError:
                continue
            kept = stored(store, cache_tag, entry, mtime) if entry.sha256 else None
            if kept and kept.exists() and link(kept, target):
                linked += 1
            else:
                compile_these.append((entry.path, kept))
    if compile_these:
        from ansible.module_utils.dlbox_conda import interpreter

        for number, code in interpreter.compile_sources(prefix, [str(prefix / source) for source, _ in compile_these]):
            source, kept = compile_these[number]
            target = prefix / place(source, cache_tag)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.unlink(missing_ok=True)
            target.write_bytes(code)
            if kept:
                link(target, kept)
    return len(compile_these), linked


def link(source: Path, target: Path) -> bool:
    """Make `target` a hard link of `source`; False on another filesystem."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.unlink(missing_ok=True)
        target.hardlink_to(source)
    except OSError:
        return False
    return True


def remove(prefix: Path, packages: Iterable[Package]) -> None:
    """Remove the byte code of `packages`: what stays behind would still be imported after they are gone."""
    for package in packages:
        for entry in package.files:
            if entry.path.endswith(".py"):
                folder, _, name = entry.path.rpartition("/")
                for file in (prefix / folder / "__pycache__").glob(f"{name[:-3]}.cpython-*.pyc"):
                    file.unlink(missing_ok=True)


def prune(store: Path) -> int:
    """Remove what no environment links to any more; how many files."""
    count = 0
    for file in store.rglob("*.pyc"):
        if file.stat().st_nlink == 1:
            file.unlink()
            count += 1
    return count
