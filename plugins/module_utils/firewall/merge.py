"""Whose rule is whose: the owner's list against what ufw has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .entries import Entry, traffic
from .expand import owned
from .userfile import Block, own_block


@dataclass(frozen=True)
class Merged:
    """One family's rules as they shall be, and what that means for the rules that are there."""

    blocks: tuple[Block, ...]
    added: tuple[Entry, ...]
    removed: tuple[Entry, ...]
    adopted: tuple[Entry, ...]
    unmanaged: tuple[Entry, ...]
    reordered: bool

    @property
    def changed(self) -> bool:
        """True when the rules differ from those in the file."""
        return bool(self.added or self.removed or self.reordered)


def merge(present: Sequence[Block], wanted: Sequence[Entry], *, keep_unmanaged: bool) -> Merged:
    """Put the wanted entries in place of dlbox's earlier ones.

    ufw goes by the first rule that matches, so order is meaning:

    * the list stands in its own order, ssh first;
    * bans made by hand (deny and reject rules at the very top) stay above it, or they would end to be bans;
    * every other rule made by hand comes after the list, or a hand-made "allow" would undo a rate limit;
    * rules made by hand never change their order among themselves;
    * one that is the same traffic as a listed rule is taken over by the list: for ufw both are one rule.
    """
    listed = {traffic(entry) for entry in wanted}
    adopted = [b.entry for b in present if not owned(b.entry) and traffic(b.entry) in listed]
    by_hand = [b for b in present if not owned(b.entry) and traffic(b.entry) not in listed]
    first_own = next((i for i, b in enumerate(present) if owned(b.entry)), len(present))
    above = {id(b) for b in present[:first_own]}
    bans = 0
    while bans < len(by_hand) and id(by_hand[bans]) in above and _bans(by_hand[bans].entry):
        bans += 1
    kept = by_hand if keep_unmanaged else []
    blocks = [*(kept[:bans]), *map(own_block, wanted), *kept[bans:]]
    before = [b.entry for b in present]
    after = [b.entry for b in blocks]
    return Merged(
        blocks=tuple(blocks),
        added=tuple(entry for entry in after if entry not in before),
        removed=tuple(entry for entry in before if entry not in after),
        adopted=tuple(adopted),
        unmanaged=tuple(b.entry for b in by_hand),
        reordered=before != after,
    )


def _bans(entry: Entry) -> bool:
    """True for a rule that only takes away."""
    return entry.action in ("deny", "reject") and not entry.forward


def duplicates(wanted: Sequence[Entry]) -> list[tuple[Entry, Entry]]:
    """Pairs of listed entries for the same traffic: the second could never match."""
    seen: dict[Entry, Entry] = {}
    pairs = []
    for entry in wanted:
        first = seen.setdefault(traffic(entry), entry)
        if first is not entry:
            pairs.append((first, entry))
    return pairs
