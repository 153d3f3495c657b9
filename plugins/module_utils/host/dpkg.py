"""Packages and their states: dpkg's database, /var/lib/dpkg/status and the journal in updates/ (dpkg(1), FILES).

Read without dpkg-query, because the files need no process and can be of any root. The journal counts too: what a dpkg
that was cut off had done and not yet written into the status file.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

DATABASE = Path("/var/lib/dpkg")
#: States between two that are good.
UNFINISHED = frozenset({"half-installed", "unpacked", "half-configured", "triggers-awaited", "triggers-pending"})


@dataclass(frozen=True)
class Package:
    """A package that dpkg knows: want is install, hold, deinstall, purge; status is installed, config-files, ..."""

    name: str
    version: str
    want: str
    status: str
    architecture: str = ""

    @property
    def installed(self) -> bool:
        """Whether its files are there, configured or not."""
        return self.status not in ("not-installed", "config-files")

    @property
    def configured(self) -> bool:
        """Whether it is installed as a whole."""
        return self.status == "installed"

    @property
    def unfinished(self) -> bool:
        """Whether an aborted run left it half done."""
        return self.status in UNFINISHED


def upstream(version: str) -> str:
    """Return the upstream part of a Debian version, without epoch and revision: "1:580.1-0ubuntu1" gives "580.1"."""
    return (version.partition(":")[2] or version).rpartition("-")[0] or version


def _field(entry: str, name: str) -> str:
    """Return a field's value, "" where the entry has none. Not by a regular expression: thrice as fast."""
    start = entry.find(f"\n{name}: ")
    return entry[start + len(name) + 3 : entry.find("\n", start + 1)].strip() if start >= 0 else ""


def parse(text: str, prefix: str = "") -> list[Package]:
    """Return the entries of a status file or of one in the journal, in its order; there is one per architecture.

    prefix: what the names begin with; the other entries are passed over.
    """
    found = []
    for entry in text.split("\n\n"):
        if not entry.startswith(f"Package: {prefix}"):
            continue
        entry = f"\n{entry}\n"
        words = _field(entry, "Status").split()
        if len(words) == 3:
            name, version, architecture = (_field(entry, field) for field in ("Package", "Version", "Architecture"))
            found.append(Package(name, version, words[0], words[2], architecture))
    return found


def journal(database: Path = DATABASE) -> list[Path]:
    """Return the files that dpkg has not yet applied, in their order; there are some only where it was cut off."""
    return sorted(path for path in (database / "updates").glob("[0-9]*") if path.name.isdigit())


def read_entries(database: Path = DATABASE, prefix: str = "") -> list[Package]:
    """Return what dpkg knows, an entry per package and architecture; prefix: what the names begin with.

    Raises OSError where there is no database or it cannot be read: no answer is not an empty host.
    """
    found: dict[tuple[str, str], Package] = {}
    for path in (database / "status", *journal(database)):
        for package in parse(path.read_text(encoding="utf-8", errors="replace"), prefix):
            found[package.name, package.architecture] = package
    return [package for package in found.values() if package.status != "not-installed"]


def by_name(entries: Iterable[Package]) -> dict[str, Package]:
    """Return name to package; of several architectures one that is configured counts."""
    found: dict[str, Package] = {}
    for package in entries:
        if package.name not in found or (package.configured and not found[package.name].configured):
            found[package.name] = package
    return found


def read_packages(database: Path = DATABASE, prefix: str = "") -> dict[str, Package]:
    """Return name to package. Arguments and errors are those of `read_entries`."""
    return by_name(read_entries(database, prefix))
