"""Driver branches: type, end of life, native CUDA, kernel range (data/drivers.toml)."""

from __future__ import annotations

from typing import NamedTuple

from . import tables


class Branch(NamedTuple):
    """One driver branch.

    kind: LTSB (long-lived), PB (production), NFB (new feature), legacy or unknown.
    eol: ISO date of the last day of support, None when it is not known.
    dead: superseded or out of support for good, whatever the date: chosen only by a pin.
    confirmed: False when only an installation guide names it: chosen only by a pin.
    kernel_until: newest kernel series it is known to build on, None when no limit is known.
    kernel_gap: (first bad, first series not concerned): stable kernels inside a series that broke it.
    gap_modules: which flavour of the modules that concerns.
    """

    number: int
    kind: str
    eol: str | None
    cuda_native: str
    open_only: bool = False
    dead: bool = False
    confirmed: bool = True
    kernel_min: tuple[int, ...] = (4, 15)
    kernel_until: tuple[int, int] | None = None
    kernel_gap: tuple[tuple[int, int, int], tuple[int, int]] | None = None
    gap_modules: tuple[str, ...] = ("open", "proprietary")
    source: str = ""


BRANCHES: dict[int, Branch] = {row["number"]: Branch(**row) for row in tables.BRANCHES}

#: No proprietary modules from this branch on.
OPEN_ONLY_FROM: int = tables.OPEN_ONLY_FROM
#: The open modules are NVIDIA's recommendation from this branch on.
OPEN_RECOMMENDED_FROM: int = tables.OPEN_RECOMMENDED_FROM
#: First branch with open modules at all.
OPEN_FROM: int = tables.OPEN_FROM
