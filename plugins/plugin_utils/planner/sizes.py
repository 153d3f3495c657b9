"""How much environments download and occupy: the tables' figures for the builds that a plan chose."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from .data.wheels import SIZES

FRAMEWORKS = ("pytorch", "tensorflow", "jax")


class Size(NamedTuple):
    """MB (1e6 bytes) to download, and on the disk afterwards."""

    download: int
    disk: int


#: An environment of the owner's own: its Python; what else is in it, nobody but the owner knows.
OWN = Size(45, 190)


def _content(entry: Mapping[str, Any], plan: Mapping[str, Any]) -> tuple[str, str]:
    """Which row of the table an entry of conda_environments is; keras is its backend."""
    kind = str(entry.get("framework") or entry.get("definition") or entry.get("name"))
    frameworks = plan.get("frameworks") or {}
    if kind == "keras":
        kind = (frameworks.get("keras") or {}).get("backend") or "pytorch"
    runs_on = "gpu" if (frameworks.get(kind) or {}).get("gpu") else "cpu"
    return kind, runs_on if kind in FRAMEWORKS else "any"


def sizes(entries: Iterable[Mapping[str, Any]], plan: Mapping[str, Any]) -> dict[str, Size]:
    """The size of each environment by name; one that shares its files with an earlier one adds nothing.

    Args:
        entries: as in conda_environments, without those of state absent.
        plan: of the machine; an empty one stands for CPU builds.
    """
    found: dict[str, Size] = {}
    seen = set()
    for entry in entries:
        content = _content(entry, plan)
        shipped = Size(*SIZES[content]) if content in SIZES else OWN
        found[str(entry.get("name"))] = Size(0, 0) if content in seen and shipped is not OWN else shipped
        seen.add(content)
    return found


def total(each: Mapping[str, Size]) -> Size:
    """The sum."""
    return Size(sum(one.download for one in each.values()), sum(one.disk for one in each.values()))
