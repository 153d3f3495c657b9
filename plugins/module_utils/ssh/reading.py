"""sshd's configuration as sshd reads it: the base file and all it includes, with the Match blocks around each line."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from .config import split_words

# servconf.c: SERVCONF_MAX_DEPTH.
MAX_DEPTH = 16
NO_ARGUMENT = ("all", "invalid-user")


@dataclasses.dataclass(frozen=True)
class MatchBlock:
    """A Match line: where it stands, its words, and its criteria as (name in lower case, argument)."""

    file: str
    line: int
    text: str
    criteria: tuple[tuple[str, str], ...]

    @property
    def where(self) -> str:
        """FILE:LINE, as people search for it."""
        return f"{self.file}:{self.line}"


@dataclasses.dataclass(frozen=True)
class Setting:
    """A directive: where it stands, its keyword in lower case, its arguments, and the Match blocks it stands in."""

    file: str
    line: int
    keyword: str
    arguments: tuple[str, ...]
    blocks: tuple[MatchBlock, ...] = ()


class UnreadableConfiguration(ValueError):
    """The configuration includes itself, or a file that cannot be read."""


def criteria_of(words: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """Criteria of a Match line: `User ada`, also as `user=ada`; those without an argument have an empty one."""
    found = []
    rest = list(words)
    while rest:
        name, equals, argument = rest.pop(0).partition("=")
        if not equals and name.lower() not in NO_ARGUMENT:
            argument = rest.pop(0) if rest else ""
        found.append((name.lower(), argument))
    return tuple(found)


def read_settings(
    base: Path, folder: Path | None = None, name: Callable[[str], str] = lambda path: path
) -> list[Setting]:
    """All directives in the order in which sshd reads them, those of included files in their place.

    ``folder`` is what relative names of Include are below (sshd's is /etc/ssh, the base file's own unless given);
    ``name`` turns a path into the one that people know. Raises UnreadableConfiguration.
    """
    return list(_settings(base, folder or base.parent, name, (), 0))


def _settings(
    file: Path, folder: Path, name: Callable[[str], str], around: tuple[MatchBlock, ...], depth: int
) -> Iterator[Setting]:
    """The directives of one file. A Match block ends at the next Match and with its file, also an included one."""
    if depth > MAX_DEPTH:
        raise UnreadableConfiguration(f"{name(str(file))}: files include one another more than {MAX_DEPTH} deep")
    try:
        text = file.read_text(errors="surrogateescape")
    except OSError as error:
        raise UnreadableConfiguration(f"{name(str(file))}: {error.strerror}") from error
    blocks = around
    for number, line in enumerate(text.splitlines(), 1):
        found = re.match(r"\s*([A-Za-z][A-Za-z0-9]*)(?:\s*=\s*|\s+)(.*)", line)
        if not found:
            continue
        keyword, words = found.group(1).lower(), split_words(found.group(2))
        if keyword == "match":
            shown = " ".join(words)
            blocks = (*around, MatchBlock(name(str(file)), number, f"Match {name(shown)}", criteria_of(words)))
            continue
        yield Setting(name(str(file)), number, keyword, words, blocks)
        if keyword == "include":
            for pattern in words:
                path = Path(pattern) if pattern.startswith("/") else folder / pattern
                anchor = Path(path.anchor)
                for part in sorted(anchor.glob(str(path.relative_to(anchor)))):
                    yield from _settings(part, folder, name, blocks, depth + 1)


def blocks_of(settings: list[Setting]) -> list[MatchBlock]:
    """All Match blocks that hold at least one directive, in their order."""
    return list(dict.fromkeys(block for setting in settings for block in setting.blocks))
