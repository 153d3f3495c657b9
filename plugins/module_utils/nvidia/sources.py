"""apt's sources: read both formats, find components that are missing and entries that another way of
installing left.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

_OPTIONS = re.compile(r"^\[([^\]]*)\]\s*")
_VENDOR = re.compile(r"developer\.download\.nvidia\.(?:com|cn)/compute/cuda/repos|file:/*var/(?:cuda|nvidia)-.*repo")
_PPA = re.compile(r"ppa\.launchpad(?:content)?\.net/graphics-drivers/")


@dataclass(frozen=True)
class Entry:
    """One repository as a sources file names it: where, which suites and components, and the keyring that signs it."""

    file: str
    uri: str
    suites: tuple[str, ...]
    components: tuple[str, ...]
    signed_by: str = ""
    enabled: bool = True
    types: tuple[str, ...] = ("deb",)


def parse_list(text: str, file: str) -> list[Entry]:
    """Read a one-line-style file; deb-src lines and comments are left out."""
    entries = []
    for line in text.splitlines():
        kind, _, rest = line.strip().partition(" ")
        if kind != "deb":
            continue
        rest, signed_by = rest.strip(), ""
        options = _OPTIONS.match(rest)
        if options:
            rest = rest[options.end() :]
            for option in options[1].split():
                key, _, value = option.partition("=")
                signed_by = value if key.lower() == "signed-by" else signed_by
        words = rest.split("#")[0].split()
        if len(words) >= 2:
            entries.append(Entry(file, words[0], (words[1],), tuple(words[2:]), signed_by))
    return entries


def parse_deb822(text: str, file: str) -> list[Entry]:
    """Read a deb822 file; a stanza with several URIs gives one entry each."""
    entries = []
    for stanza in re.split(r"\n[ \t]*\n", text):
        fields: dict[str, str] = {}
        key = ""
        for line in stanza.splitlines():
            if line.startswith("#") or not line.strip():
                continue
            if line[0] in " \t":
                fields[key] = fields.get(key, "") + "\n" + line.strip()
            else:
                key, _, value = line.partition(":")
                key = key.strip().lower()
                fields[key] = value.strip()
        types = tuple(fields.get("types", "").split())
        if "deb" not in types:
            continue
        enabled = fields.get("enabled", "yes").lower() not in ("no", "false", "0")
        signed_by = fields.get("signed-by", "").strip()
        for uri in fields.get("uris", "").split():
            suites, components = tuple(fields.get("suites", "").split()), tuple(fields.get("components", "").split())
            entries.append(Entry(file, uri, suites, components, signed_by, enabled, types))
    return entries


def read_sources(root: Path = Path("/")) -> list[Entry]:
    """Return all entries of sources.list and sources.list.d."""
    etc = root / "etc/apt"
    entries: list[Entry] = []
    for path in [etc / "sources.list", *sorted((etc / "sources.list.d").glob("*"))]:
        if path.suffix in (".list", ".sources") and path.is_file():
            parse = parse_deb822 if path.suffix == ".sources" else parse_list
            entries += parse(path.read_text(errors="replace"), str(path))
    return entries


def distribution_entries(entries: Iterable[Entry], codename: str) -> list[Entry]:
    """Return the enabled entries of the distribution itself: suites of its code name with the component main."""
    return [
        entry
        for entry in entries
        if entry.enabled
        and "main" in entry.components
        and any(suite == codename or suite.startswith(f"{codename}-") for suite in entry.suites)
        and not _PPA.search(entry.uri)
    ]


def missing(entries: Sequence[Entry], codename: str, wanted: Sequence[str], own_file: str) -> list[Entry]:
    """Return what to add so that every suite of the distribution has the wanted components, in the order found.

    own_file: entries in it do not count as present, as it is rewritten. URI, suites and keyring are those of the host's
    entry, because apt refuses two entries of one URI and suite with different keyrings.
    """
    others = [entry for entry in entries if entry.file != own_file]
    have: dict[tuple[str, str], set[str]] = {}
    for entry in others:
        if entry.enabled:
            for suite in entry.suites:
                have.setdefault((entry.uri.rstrip("/"), suite), set()).update(entry.components)
    out: list[Entry] = []
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


def render(entries: Iterable[Entry], header: str) -> str:
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


def foreign(entries: Iterable[Entry], own_files: Sequence[str]) -> list[tuple[str, Entry]]:
    """Return ("ppa" or "repository", entry) for sources of NVIDIA drivers that dlbox did not write."""
    out = []
    for entry in entries:
        if not entry.enabled or entry.file in own_files:
            continue
        if _PPA.search(entry.uri):
            out.append(("ppa", entry))
        elif _VENDOR.search(entry.uri):
            out.append(("repository", entry))
    return out
