"""What nvidia-smi tells of each GPU: its fields as text, "[N/A]" or the like where a GPU does not have one.

Not NVML: what the owner reads in a message is what the command shows, it works in WSL2, and it prints why it fails.
The bench alone binds NVML, because it samples fifty times a second.
"""

from __future__ import annotations

from collections.abc import Sequence


def arguments(fields: Sequence[str]) -> list[str]:
    """The command's arguments for these fields; `nvidia-smi --help-query-gpu` lists all."""
    return ["--query-gpu=" + ",".join(fields), "--format=csv,noheader,nounits"]


def rows(printed: str, fields: Sequence[str]) -> list[dict[str, str]]:
    """Field to value, per GPU; lines that are no row of these fields are left out."""
    found = ([value.strip() for value in line.split(",")] for line in printed.splitlines())
    return [dict(zip(fields, row, strict=True)) for row in found if len(row) == len(fields)]
