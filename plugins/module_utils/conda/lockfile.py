"""Locks: what exactly an environment consists of. Pure.

A lock is three files: conda.lock (rattler's format, version 7: URL, sha256 and dependencies of every conda package;
pixi reads it too), wheels.txt (requirements with hashes, as uv and pip read them) and lock.json (what it is for).
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .definitions import EnvironmentSpec, normal

SCHEMA = 1
FILES = ("lock.json", "conda.lock", "wheels.txt")
PIN = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[^\]]*\])?\s*==\s*([^\s;\\]+)", re.M)


class LockError(ValueError):
    """A lock that must not be used; the message names it, the reason and the remedy."""


@dataclass
class Lock:
    """The three texts of a lock; `meta` is lock.json."""

    conda: str
    wheels: str
    meta: dict[str, Any] = field(default_factory=dict)

    def texts(self) -> dict[str, str]:
        """File name -> content."""
        meta = self.meta | {"files": {"conda.lock": sha256(self.conda), "wheels.txt": sha256(self.wheels)}}
        return {
            "lock.json": json.dumps(meta, indent=1, sort_keys=True) + "\n",
            "conda.lock": self.conda,
            "wheels.txt": self.wheels,
        }

    def digest(self) -> str:
        """Of what gets installed; equal for equal bytes."""
        return sha256(self.conda + "\0" + self.wheels)


def sha256(text: str) -> str:
    """Hexadecimal SHA-256 of a text."""
    return hashlib.sha256(text.encode()).hexdigest()


def make(request: EnvironmentSpec, conda: str, wheels: str) -> Lock:
    """The lock of what was chosen for `request`."""
    meta = {
        "schema": SCHEMA,
        "name": request.name,
        "platform": "linux-64",
        "request": request.digest(),
        "declared": request.declared,
        "framework": request.framework,
        "build": request.build,
        "generation": request.generation(),
        "cuda": request.cuda,
        "channels": request.channels,
    }
    return Lock(conda, wheels, meta)


def parse(name: str, texts: Mapping[str, str]) -> Lock:
    """Read the three texts of the lock of `name`; LockError when one is missing or not the one that was locked."""
    missing = [file for file in FILES if file not in texts]
    if missing:
        raise LockError(f"the lock of {name} has no {' and no '.join(missing)}; `./dlbox lock {name}` makes all three")
    try:
        meta = json.loads(texts["lock.json"])
    except ValueError as error:
        raise LockError(
            f"the lock of {name}: lock.json is not JSON ({error}); `./dlbox lock {name}` makes a new one"
        ) from error
    if meta.get("schema") != SCHEMA:
        raise LockError(
            f"the lock of {name} has schema {meta.get('schema')!r}; this dlbox reads {SCHEMA}: `./dlbox lock {name}`"
        )
    for file, wanted in meta.get("files", {}).items():
        if sha256(texts[file]) != wanted:
            raise LockError(
                f"the lock of {name}: {file} is not the one lock.json was written for (its sha256 differs); "
                f"`./dlbox lock {name}` makes a new one"
            )
    return Lock(texts["conda.lock"], texts["wheels.txt"], meta)


def refuse_foreign(lock: Lock, request: EnvironmentSpec) -> None:
    """Raise LockError when an owner's lock is not for this environment on this host.

    The plan may choose other versions than a year ago and the lock still holds. It does not hold for another GPU
    generation, whose wheels would not run there, nor after the owner declared something else.
    """
    renew = f"`./dlbox lock {request.name}` makes one for this host"
    meta = lock.meta
    if meta.get("name") != request.name:
        raise LockError(f"the lock in locks/{request.name} is of the environment {meta.get('name')!r}; {renew}")
    here, there = set(request.generation()), set(meta.get("generation", []))
    if request.framework and not here <= there and meta.get("build") != request.build:
        raise LockError(
            f"the lock of {request.name} was made for the GPU generation {', '.join(sorted(there))} "
            f"(build {meta.get('build') or 'unknown'}); this host has {', '.join(sorted(here))} and needs build "
            f"{request.build or 'unknown'}: its libraries would not run here. "
            f"{renew}; for two kinds of hosts in one inventory keep a set of locks for each kind"
        )
    changed = [key for key, value in request.declared.items() if meta.get("declared", {}).get(key) != value]
    if changed:
        before = meta.get("declared", {})
        told = "; ".join(f"{key}: locked {before.get(key)!r}, declared {request.declared[key]!r}" for key in changed)
        raise LockError(f"the lock of {request.name} is older than its declaration ({told}); {renew}")


def pins(wheels: str) -> dict[str, str]:
    """Normal name -> version of every pin in a requirements text."""
    return {normal(match[1]): match[2] for match in PIN.finditer(wheels)}


def two_cudas(wheels: str) -> list[str]:
    """Libraries that the requirements bring for two CUDA generations at once; empty when all is well."""
    families: dict[str, set[str]] = {}
    for name in pins(wheels):
        if name.startswith(("nvidia-", "cuda-")):
            match = re.match(r"(.+?)-cu(\d\d)$", name)
            # Since CUDA 13 the packages carry no suffix, except cuDNN, NCCL and their like.
            library, family = (match[1], match[2]) if match else (name, "13")
            families.setdefault(library, set()).add(family)
    return sorted(library for library, found in families.items() if len(found) > 1)


def constraints(request: EnvironmentSpec, wheels: str) -> str:
    """The pins that `pip install -U` must not undo: what was asked for by version, and a framework's libraries."""
    exact = {normal(m[1]) for text in request.wheels if (m := PIN.match(text))}
    guarded = ("nvidia-", "cuda-", "triton", "torch", "tensorflow", "keras", "jax")
    chosen = {n: v for n, v in pins(wheels).items() if n in exact or (request.framework and n.startswith(guarded))}
    return "".join(f"{name}=={version}\n" for name, version in sorted(chosen.items()))


def difference(before: Mapping[str, str], after: Mapping[str, str]) -> dict[str, list[str]]:
    """Added, removed and changed names between two name -> version maps."""
    return {
        "added": sorted(after.keys() - before.keys()),
        "removed": sorted(before.keys() - after.keys()),
        "changed": sorted(name for name in before.keys() & after.keys() if before[name] != after[name]),
    }
