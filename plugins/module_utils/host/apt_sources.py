"""apt's sources: the entries of both file formats, sources.list(5).

Not python-debian, which is on no host before something installs it, and reads one of the formats only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_LINE = re.compile(r"\s*(deb|deb-src)\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)\s*(.*)")


@dataclass(frozen=True)
class SourceEntry:
    """One repository as a file names it: where, which suites and components, and what signs it.

    signed_by: keyrings, fingerprints or an armoured key, as written; "" where any trusted key may sign. trusted:
    whether apt takes it without a signature. types: deb, deb-src or both.
    """

    file: str
    uri: str
    suites: tuple[str, ...]
    components: tuple[str, ...]
    signed_by: str = ""
    enabled: bool = True
    types: tuple[str, ...] = ("deb",)
    trusted: bool = False

    @property
    def used(self) -> bool:
        """Whether apt takes packages from it."""
        return self.enabled and "deb" in self.types

    @property
    def keyrings(self) -> list[str]:
        """The files among what signs it."""
        return [word for word in re.split(r"[\s,]+", self.signed_by) if word.startswith("/")]


def _one_line(text: str) -> Iterator[dict[str, str]]:
    """The entries of a .list file, by the names of the other format's fields."""
    for line in text.splitlines():
        if match := _LINE.match(line.split("#", 1)[0]):
            pairs = (word.partition("=") for word in (match[2] or "").split())
            options = {name.lower(): value for name, _, value in pairs}
            yield {**options, "types": match[1], "uris": match[3], "suites": match[4], "components": match[5]}


def _deb822(text: str) -> Iterator[dict[str, str]]:
    """The fields of each stanza, by their names in lower case."""
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
        yield fields


def parse(text: str, file: str) -> list[SourceEntry]:
    """Return the entries of a file, whose name says which format it has; several URIs give an entry each."""
    return [
        SourceEntry(
            file=file,
            uri=uri,
            suites=tuple(fields.get("suites", "").split()),
            components=tuple(fields.get("components", "").split()),
            signed_by=fields.get("signed-by", "").strip(),
            enabled=fields.get("enabled", "yes").lower() not in ("no", "false", "0"),
            types=tuple(fields.get("types", "deb").split()),
            trusted=any(fields.get(name, "").lower() == "yes" for name in ("trusted", "allow-insecure")),
        )
        for fields in (_deb822(text) if file.endswith(".sources") else _one_line(text))
        for uri in fields.get("uris", "").split()
    ]


def read_sources(root: Path = Path("/")) -> list[SourceEntry]:
    """Return all entries of sources.list and sources.list.d, disabled ones and those of source packages too."""
    etc = root / "etc/apt"
    return [
        entry
        for path in [etc / "sources.list", *sorted((etc / "sources.list.d").glob("*"))]
        if path.suffix in (".list", ".sources") and path.is_file()
        for entry in parse(path.read_text(errors="replace"), str(path))
    ]
