"""Turn exclusions into the smallest sets of causes that leave nothing over.

When every candidate of a component is excluded, a *core* is a set of causes that together exclude all of
them, while no smaller part of it does. Take away any one cause of a core and the core no longer refuses:
that is what makes a refusal's cause worth naming.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

MAX_CORE = 4
#: More causes than this are compared by one of each kind: 64 GPUs that exclude the same candidates give one core.
MANY_CAUSES = 16


def cores(excluded_by: Sequence[frozenset[str]]) -> list[tuple[str, ...]]:
    """Return all smallest cores for candidates given as the set of causes that exclude each.

    An empty result means that some candidate is excluded by nothing. Where no core of up to MAX_CORE causes exists,
    all causes together are one. Cores are sorted, so that the order of the input does not matter.
    """
    if not excluded_by or not all(excluded_by):
        return []
    causes = sorted(set().union(*excluded_by))
    masks = {cause: sum(1 << i for i, by in enumerate(excluded_by) if cause in by) for cause in causes}
    everything = (1 << len(excluded_by)) - 1
    if len(causes) > MANY_CAUSES:
        causes = sorted({mask: cause for cause, mask in reversed(masks.items())}.values())
    for size in range(1, min(MAX_CORE, len(causes)) + 1):
        found = []
        for group in combinations(causes, size):
            mask = 0
            for cause in group:
                mask |= masks[cause]
            if mask == everything:
                found.append(group)
        if found:
            return found
    return [tuple(causes)]
