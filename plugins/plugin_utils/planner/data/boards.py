"""Memory and power of well-known boards, for advice only, never a reason to refuse (data/boards.toml)."""

from __future__ import annotations

from . import tables

#: Name in lower case without NVIDIA, GeForce, Tesla, Quadro -> (memory in GiB, W).
BOARDS: dict[str, tuple[int, int]] = tables.BOARDS
