"""sshd_config as text: which file says what, which value wins, and what `sshd -T` prints (sshd_config(5))."""

from __future__ import annotations

import dataclasses
import re
import shlex

# Keywords whose values add up over all files instead of the first one winning.
CUMULATIVE = ("port", "listenaddress", "hostkey", "hostcertificate", "allowusers", "allowgroups")
MARK = "#dlbox: "


@dataclasses.dataclass(frozen=True)
class Directive:
    """One line: its number from 1, the keyword in lower case, its arguments, and the Match criteria it stands under."""

    line: int
    keyword: str
    arguments: tuple[str, ...]
    match: str = ""


def split_words(text: str) -> tuple[str, ...]:
    """Arguments of a line; quotes group, a # starts a comment."""
    try:
        return tuple(shlex.split(text, comments=True))
    except ValueError:
        return tuple(text.split())


def parse(text: str) -> list[Directive]:
    """Directives of a file. Match blocks reach to the next Match or the end of the file."""
    directives, match = [], ""
    for number, line in enumerate(text.splitlines(), 1):
        found = re.match(r"\s*([A-Za-z][A-Za-z0-9]*)\s*(?:=|\s)\s*(.*)", line)
        if not found:
            continue
        keyword, rest = found.group(1).lower(), found.group(2)
        if keyword == "match":
            match = " ".join(split_words(rest))
            continue
        directives.append(Directive(number, keyword, split_words(rest), match))
    return directives


def with_include(base: str, pattern: str) -> str:
    """The base file with an Include of pattern in front of everything else, so that the drop-ins win."""
    directives = parse(base)
    includes = [d for d in directives if d.keyword == "include" and pattern in d.arguments and not d.match]
    if includes and directives[0] == includes[0] and len(includes) == 1:
        return base
    again = {d.line for d in includes}
    kept = [MARK + line if number in again else line for number, line in enumerate(base.splitlines(), 1)]
    return "\n".join([f"Include {pattern}", *kept]) + "\n"


def without(text: str, keywords: set[str]) -> str:
    """The text with the global lines of these keywords made comments; what stands in Match blocks stays."""
    lines = text.splitlines()
    for directive in parse(text):
        if directive.keyword in keywords and not directive.match:
            lines[directive.line - 1] = MARK + lines[directive.line - 1]
    return "\n".join(lines) + "\n" if lines else text


def cumulative(dropin: str) -> set[str]:
    """The cumulative keywords that a drop-in sets, and that must therefore be set nowhere else."""
    return {directive.keyword for directive in parse(dropin)} & set(CUMULATIVE)


def tells_connections_apart(texts: list[str], dropins: str) -> bool:
    """Whether these files may say different things for different connections.

    They do by Match blocks, and may by including other files than the drop-ins, which are among the texts.
    """
    directives = [directive for text in texts for directive in parse(text)]
    return any(d.match or (d.keyword == "include" and d.arguments != (dropins,)) for d in directives)


def users_of(match: str) -> set[str]:
    """Users of a `Match User a,b` line; empty for other criteria."""
    words = match.split()
    return set(words[1].split(",")) if len(words) == 2 and words[0].lower() == "user" else set()


def expected(dropin: str, user: str) -> dict[str, list[str]]:
    """What a drop-in wants for a user: keyword to words, those of all lines of a cumulative keyword together."""
    wanted: dict[str, list[str]] = {}
    overridden: set[str] = set()
    for directive in parse(dropin):
        words = list(directive.arguments)
        if directive.match:
            if user in users_of(directive.match) and directive.keyword not in overridden:
                wanted[directive.keyword] = words
                overridden.add(directive.keyword)
        elif directive.keyword in (*CUMULATIVE, "acceptenv"):
            wanted.setdefault(directive.keyword, []).extend(words)
        else:
            wanted.setdefault(directive.keyword, words)
    return wanted


def effective(output: str) -> dict[str, list[str]]:
    """`sshd -T` as keyword to words, those of repeated keywords together. Some releases print mixed case."""
    values: dict[str, list[str]] = {}
    for line in output.splitlines():
        keyword, _, rest = line.partition(" ")
        values.setdefault(keyword.lower(), []).extend(rest.split())
    return values


def _seconds(word: str) -> str:
    """A time in seconds where it is one (1m30s), else the word."""
    if not re.fullmatch(r"(\d+[smhdw]?)+", word, re.I):
        return word
    unit = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
    return str(sum(int(n) * unit[u.lower()] for n, u in re.findall(r"(\d+)([smhdw]?)", word, re.I)))


def normal(words: list[str]) -> list[str]:
    """Words in the form that different spellings share."""
    same = {"without-password": "prohibit-password"}
    return [_seconds(same.get(word.lower(), word)) for word in words]


def deviations(wanted: dict[str, list[str]], got: dict[str, list[str]]) -> list[str]:
    """Sentences on each keyword whose effective value is not the wanted one.

    A keyword that `sshd -T` does not print is not evaluated, and neither are the
    penalties, which it prints in its own words.
    """
    wrong = []
    for keyword, words in wanted.items():
        if keyword not in got or keyword == "persourcepenalties":
            continue
        left, right = normal(words), normal(got[keyword])
        if keyword in CUMULATIVE or keyword == "acceptenv":
            left, right = sorted(set(left)), sorted(set(right))
        if left != right:
            wrong.append(f"{keyword} is '{' '.join(got[keyword])}' and should be '{' '.join(words)}'")
    return wrong
