"""Compare version texts such as ``580.178.04``, ``6.12.117+deb13-amd64`` and ``12.9``."""

from __future__ import annotations

import re
from functools import lru_cache


@lru_cache(maxsize=4096)
def numbers(version: str) -> tuple[int, ...]:
    """Return the leading dotted numbers: ``6.12.117+deb13`` gives (6, 12, 117); () when there are none."""
    match = re.match(r"[0-9]{1,9}(?:\.[0-9]{1,9})*", version.strip())
    return tuple(int(part) for part in match.group().split(".")) if match else ()


def at_least(version: str, minimum: str) -> bool:
    """Tell whether version >= minimum, comparing number by number."""
    return numbers(version) >= numbers(minimum)


def starts_with(version: str, wanted: str) -> bool:
    """Tell whether ``wanted`` is the version or a dotted prefix of it: 12.9 covers 12.9.2."""
    have, want = numbers(version), numbers(wanted)
    return bool(want) and have[: len(want)] == want
