"""GPU architectures: driver range, kernel module flavour, CUDA and cuDNN range (data/architectures.toml).

``modules`` says which flavour of the kernel modules drives the architecture:
``proprietary`` only (no GSP before Turing), ``both``, or ``open`` only.
``first_driver`` and ``last_driver`` are branch numbers; None means that current branches still drive it.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from . import tables


class Architecture(NamedTuple):
    """One GPU architecture.

    cc values are (major, minor). ``verdict`` is ``plan``, ``refuse`` (no driver of any
    supported system and no framework), ``refuse_compute`` (a driver exists, but no
    framework computes on it) or ``out_of_scope`` (Tegra: not a PCI card).
    """

    key: str
    label: str
    cc: tuple[int, int]
    first_driver: int
    last_driver: int | None
    modules: str
    first_cuda: str
    last_cuda: str | None
    last_cudnn: str | None
    verdict: str = "plan"
    source: str = ""


ARCHITECTURES: dict[str, Architecture] = {row["key"]: Architecture(**row) for row in tables.ARCHITECTURES}

#: PCI device ids whose modules must be open although their architecture takes both.
OPEN_REQUIRED_IDS: frozenset[str] = frozenset(tables.OPEN_REQUIRED_IDS)

#: Chip patterns, most specific first: (pattern, architecture, compute capability or None for
#: the architecture's own).
CHIP_RULES: tuple[tuple[re.Pattern[str], str, tuple[int, int] | None], ...] = tuple(
    (re.compile(pattern), arch, cc) for pattern, arch, cc in tables.CHIPS
)


def classify_chip(chip: str) -> tuple[str, tuple[int, int]] | None:
    """Return (architecture key, compute capability) for a chip code name such as ``GP102GL``.

    None when no rule knows the prefix.
    """
    for pattern, arch, cc in CHIP_RULES:
        if pattern.match(chip):
            return arch, cc or ARCHITECTURES[arch].cc
    return None
