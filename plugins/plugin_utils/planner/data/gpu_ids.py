"""NVIDIA GPUs by PCI device id: names as the vendor writes them, chip, last branch (data/gpus/*.tsv)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from .gpu_table import TABLE


class GpuName(NamedTuple):
    """One name of a GPU.

    subsystem: subsystem device id that the name is for, "" for any. chip: "" when it is not known. last_driver: last
    branch that drives it by the vendor's list, None when that list still had it. open_modules: None when the vendor
    does not list it. origin: "vendor"; "alias", what pci.ids calls a GPU that the vendor lists; or "pci.ids".
    """

    device: str
    subsystem: str
    chip: str
    last_driver: int | None
    open_modules: bool | None
    origin: str
    name: str


_OPEN = {"o": True, "p": False, "?": None}
_ORIGIN = {"v": "vendor", "a": "alias", "p": "pci.ids"}


def parse_line(line: str) -> GpuName:
    """Return a line of the table taken apart."""
    identity, chip, legacy, flag, origin, name = [*line.split(" ", 5), ""][:6]
    device, _, subsystem = identity.partition(".")
    return GpuName(
        device,
        subsystem,
        "" if chip == "-" else chip,
        None if legacy == "-" else int(legacy.partition(".")[0]),
        _OPEN[flag],
        _ORIGIN[origin],
        name,
    )


def lines(word: str = "") -> list[str]:
    """Return the lines of the table, by device id; those that have a word in lower case anywhere."""
    return [line for line in TABLE.strip().splitlines() if word in line.lower()]


def rows() -> Iterator[GpuName]:
    """Yield every name, by device id."""
    return map(parse_line, lines())


def find(device: str, subsystem: str = "", origin: str = "") -> GpuName | None:
    """Return the name of a four-digit device id in lower case, of its subsystem where that has a name of its own.

    origin "alias" asks for what pci.ids calls it beside the vendor's name. None when there is none.
    """
    if origin == "alias":
        return next((row for row in _lines_of(device) if row.origin == "alias"), None)
    for identity in ([f"{device}.{subsystem}"] if subsystem else []) + [device]:
        start = TABLE.find(f"\n{identity} ")
        if start >= 0:
            return parse_line(TABLE[start + 1 : TABLE.index("\n", start + 1)])
    return None


def _lines_of(device: str) -> Iterator[GpuName]:
    start = TABLE.find(f"\n{device} ")
    while start >= 0 and TABLE.startswith(device, start + 1):
        end = TABLE.index("\n", start + 1)
        yield parse_line(TABLE[start + 1 : end])
        start = end
