"""Entries of apt's sources: components that are missing, and what another way of installing left."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from ..host.apt_sources import SourceEntry

_VENDOR = re.compile(r"developer\.download\.nvidia\.(?:com|cn)/compute/cuda/repos|file:/*var/(?:cuda|nvidia)-.*repo")
_PPA = re.compile(r"ppa\.launchpad(?:content)?\.net/graphics-drivers/")


def distribution_entries(entries: Iterable[SourceEntry], codename: str) -> list[SourceEntry]:
    """Return the entries in use of the distribution itself: suites of its code name with the component main."""
    return [
        entry
        for entry in entries
        if entry.used
        and "main" in entry.components
        and any(suite == codename or suite.startswith(f"{codename}-") for suite in entry.suites)
        and not _PPA.search(entry.uri)
    ]


def missing(entries: Sequence[SourceEntry], codename: str, wanted: Sequence[str], own_file: str) -> list[SourceEntry]:
    """Return what to add so that every suite of the distribution has the wanted components, in the order found.

    own_file: entries in it do not count as present, as it is rewritten. URI, suites and keyring are those of the host's
    entry, because apt refuses two entries of one URI and suite with different keyrings.
    """
    others = [entry for entry in entries if entry.file != own_file]
    have: dict[tuple[str, str], set[str]] = {}
    for entry in others:
        if entry.used:
            for suite in entry.suites:
                have.setdefault((entry.uri.rstrip("/"), suite), set()).update(entry.components)
    out: list[SourceEntry] = []
    seen: set[tuple[str, str]] = set()
    for entry in distribution_entries(others, codename):
        groups: dict[tuple[str, ...], list[str]] = {}
        for suite in entry.suites:
            place = (entry.uri.rstrip("/"), suite)
            lacking = tuple(name for name in wanted if name not in have[place])
            if lacking and place not in seen:
                groups.setdefault(lacking, []).append(suite)
                seen.add(place)
        out += [replace(entry, file=own_file, suites=tuple(s), components=c) for c, s in groups.items()]
    return out


def render(entries: Iterable[SourceEntry], header: str) -> str:
    """Return a deb822 file; "" for no entries."""
    stanzas = []
    for entry in entries:
        lines = ["Types: deb", f"URIs: {entry.uri}", f"Suites: {' '.join(entry.suites)}"]
        if entry.components:
            lines.append(f"Components: {' '.join(entry.components)}")
        if entry.signed_by:
            lines.append("Signed-By: " + entry.signed_by.replace("\n", "\n "))
        stanzas.append("\n".join(lines) + "\n")
    return "".join(f"# {line}\n" for line in header.splitlines()) + "\n".join(stanzas) if stanzas else ""


def foreign(entries: Iterable[SourceEntry], own_files: Sequence[str]) -> list[tuple[str, SourceEntry]]:
    """Return ("ppa" or "repository", entry) for sources of NVIDIA drivers that dlbox did not write."""
    out = []
    for entry in entries:
        if not entry.used or entry.file in own_files:
            continue
        if _PPA.search(entry.uri):
            out.append(("ppa", entry))
        elif _VENDOR.search(entry.uri):
            out.append(("repository", entry))
    return out
