"""user.rules and user6.rules: ufw's own file format, read and written whole.

ufw loads these files with iptables-restore at boot and rewrites them, in this same form, whenever its command changes a
rule; the scenario compares both writers byte by byte.

ufw 0.36.2 is itself a Python library, tried in place of this (2026-11). Kept, because that library

* reads a file that it does not understand by leaving the rule out, with a warning, so that writing the file back loses
  a rule that somebody made; this raises TupleError;
* makes text only by private methods of a backend that wants root, the whole of /etc/ufw and translations as a builtin,
  and that adds and removes a chain in the live kernel first: 11 calls of iptables and 0.2 s, also to compare;
* is not there when check mode shows a bare host what would be made.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from .entries import TUPLE_MARK, Entry, TupleError, format_tuple, iptables_lines, parse_tuple

LOG_LEVELS = ("off", "low", "medium", "high", "full")
_LIMITED = "-m limit --limit 3/min --limit-burst 10"


@dataclass(frozen=True)
class Block:
    """An entry, its tuple line when it was read from a file, and its iptables lines."""

    entry: Entry
    lines: tuple[str, ...]
    tuple_line: str = ""


def own_block(entry: Entry) -> Block:
    """The block of an entry made here."""
    return Block(entry, tuple(iptables_lines(entry)))


def read_user_rules(text: str, family: int) -> list[Block]:
    """The rules of a user.rules file in order; raises TupleError with the line that cannot be read."""
    blocks: list[Block] = []
    current: list[str] | None = None
    header = ""
    for line in [*text.splitlines(), ""]:
        if current is not None and not line.startswith("-"):
            blocks.append(Block(parse_tuple(header, family), tuple(current), header))
            current = None
        if line.startswith(TUPLE_MARK):
            header, current = line, []
        elif current is not None:
            current.append(line)
    return blocks


def write_user_rules(blocks: Iterable[Block], family: int, level: str, policies: Sequence[str]) -> str:
    """The whole file. `level` is ufw's logging level, `policies` the incoming, outgoing and routed default actions."""
    prefix = "ufw6" if family == 6 else "ufw"
    chains = [f"{prefix}-user-{way}" for way in ("input", "output", "forward")]
    for kind in ("before", "user", "after"):
        chains += [f"{prefix}-{kind}-logging-{way}" for way in ("input", "output", "forward")]
    chains += [f"{prefix}-{name}" for name in ("logging-deny", "logging-allow", "user-limit", "user-limit-accept")]
    lines = ["*filter", *(f":{chain} - [0:0]" for chain in chains), "### RULES ###"]
    for block in blocks:
        lines += ["", block.tuple_line or format_tuple(block.entry), *block.lines]
    lines += ["", "### END RULES ###", "", "### LOGGING ###", *_logging(prefix, level, policies), "### END LOGGING ###"]
    lines += ["", "### RATE LIMITING ###"]
    if level != "off":
        lines.append(f'-A {prefix}-user-limit -m limit --limit 3/minute -j LOG --log-prefix "[UFW LIMIT BLOCK] "')
    lines += [
        f"-A {prefix}-user-limit -j REJECT",
        f"-A {prefix}-user-limit-accept -j ACCEPT",
        "### END RATE LIMITING ###",
        "COMMIT",
    ]
    return "\n".join(lines) + "\n"


def _logging(prefix: str, level: str, policies: Sequence[str]) -> list[str]:
    """The logging rules of one level: low logs what is dropped, medium what is new, high and full everything."""
    rank = LOG_LEVELS.index(level)
    ways = ("input", "output", "forward")
    if rank == 0:
        return [f"-I {prefix}-user-logging-{way} -j RETURN" for way in ways]
    limited = "" if rank >= LOG_LEVELS.index("high") else f" {_LIMITED}"
    lines = []
    for way, policy in zip(ways, policies, strict=True):
        chain = f"{prefix}-after-logging-{way}"
        if policy in ("deny", "reject"):
            lines.append(f'-A {chain} -j LOG --log-prefix "[UFW BLOCK] "{limited}')
        elif rank >= LOG_LEVELS.index("medium"):
            lines.append(f'-A {chain} -j LOG --log-prefix "[UFW ALLOW] "{limited}')
    deny, allow = f"{prefix}-logging-deny", f"{prefix}-logging-allow"
    invalid = "-m conntrack --ctstate INVALID"
    if rank < LOG_LEVELS.index("medium"):
        lines.append(f"-I {deny} {invalid} -j RETURN{limited}")
    else:
        lines.append(f'-A {deny} {invalid} -j LOG --log-prefix "[UFW AUDIT INVALID] "{limited}')
    lines.append(f'-A {deny} -j LOG --log-prefix "[UFW BLOCK] "{limited}')
    lines.append(f'-A {allow} -j LOG --log-prefix "[UFW ALLOW] "{limited}')
    if rank >= LOG_LEVELS.index("medium"):
        audit = {
            "medium": f" -m conntrack --ctstate NEW {_LIMITED}",
            "high": f" {_LIMITED}",
            "full": "",
        }[level]
        lines += [f'-I {prefix}-before-logging-{way} -j LOG --log-prefix "[UFW AUDIT] "{audit}' for way in ways]
    return lines


__all__ = ["Block", "TupleError", "own_block", "read_user_rules", "write_user_rules"]
