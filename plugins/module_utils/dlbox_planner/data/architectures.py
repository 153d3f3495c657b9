"""GPU architectures: driver range, kernel module flavour, CUDA and cuDNN range.

Sources: CUDA range PTXAS; last driver SG (field ``legacybranch``) and NVDOC;
module flavour RD and SG580; cuDNN range WHEEL and NVDOC. As of 2026-11-20.

``modules`` says which flavour of the kernel modules drives the architecture:
``proprietary`` only (no GSP before Turing), ``both``, or ``open`` only.
``first_driver`` and ``last_driver`` are branch numbers; None means no limit known.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Architecture:
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


def _a(*args: object, **kwargs: object) -> Architecture:
    return Architecture(*args, **kwargs)  # type: ignore[arg-type]


ARCHITECTURES: dict[str, Architecture] = {
    a.key: a
    for a in (
        _a(
            "pre_tesla",
            "before Tesla",
            (0, 0),
            71,
            304,
            "proprietary",
            "0",
            "0",
            None,
            "refuse",
            "SG615: legacybranch 71.86 to 304",
        ),
        _a(
            "tesla_g80",
            "Tesla",
            (1, 0),
            96,
            340,
            "proprietary",
            "1.0",
            "6.5",
            None,
            "refuse",
            "SG615: legacybranch 340; last CUDA 6.5 [M]",
        ),
        _a(
            "fermi",
            "Fermi",
            (2, 0),
            256,
            390,
            "proprietary",
            "3.0",
            "8.0",
            None,
            "refuse",
            "SG615: legacybranch 390; CUDA 3.0 to 8.0 [S]",
        ),
        _a(
            "kepler_30",
            "Kepler",
            (3, 0),
            304,
            470,
            "proprietary",
            "4.2",
            "10.2",
            None,
            "refuse_compute",
            "SG615: legacybranch 470; PTXAS: gone before 11.8",
        ),
        _a(
            "kepler_35",
            "Kepler",
            (3, 5),
            319,
            470,
            "proprietary",
            "6.0",
            "11.8",
            "8.9.7",
            source="SG615: legacybranch 470; PTXAS: last target in 11.8; first driver [M]",
        ),
        _a(
            "maxwell_50",
            "Maxwell",
            (5, 0),
            337,
            580,
            "proprietary",
            "6.5",
            "12.9",
            "9.10.2.21",
            source="SG615: legacybranch 580; PTXAS: last target in 12.9; WHEEL cuDNN 9.10.2.21",
        ),
        _a(
            "maxwell_52", "Maxwell", (5, 2), 343, 580, "proprietary", "6.5", "12.9", "9.10.2.21", source="as maxwell_50"
        ),
        _a(
            "pascal_60",
            "Pascal",
            (6, 0),
            375,
            580,
            "proprietary",
            "8.0",
            "12.9",
            "9.10.2.21",
            source="as maxwell_50; first driver [M]",
        ),
        _a(
            "pascal_61",
            "Pascal",
            (6, 1),
            367,
            580,
            "proprietary",
            "8.0",
            "12.9",
            "9.10.2.21",
            source="as maxwell_50; first driver changelog 367.27",
        ),
        _a(
            "volta",
            "Volta",
            (7, 0),
            390,
            580,
            "proprietary",
            "9.0",
            "12.9",
            "9.10.2.21",
            source="as maxwell_50; first driver changelog 384.98 (V100), 390.12 (TITAN V)",
        ),
        _a(
            "turing",
            "Turing",
            (7, 5),
            410,
            None,
            "both",
            "10.0",
            None,
            None,
            source="RD580/RD595: open from Turing on; changelog 410.57; PTXAS",
        ),
        _a("ampere_80", "Ampere", (8, 0), 450, None, "both", "11.0", None, None, source="changelog 450.51; PTXAS"),
        _a(
            "ampere_86",
            "Ampere",
            (8, 6),
            455,
            None,
            "both",
            "11.1",
            None,
            None,
            source="changelog 455.23.04; first CUDA [M]",
        ),
        _a(
            "ada",
            "Ada Lovelace",
            (8, 9),
            525,
            None,
            "both",
            "11.8",
            None,
            None,
            source="PTXAS 11.8; first driver [M] 520/525; 470 lists no Ada id (UA Modaliases)",
        ),
        _a("hopper", "Hopper", (9, 0), 525, None, "both", "11.8", None, None, source="PTXAS 11.8; first driver [M]"),
        _a(
            "blackwell_dc",
            "Blackwell",
            (10, 0),
            570,
            None,
            "open",
            "12.8",
            None,
            None,
            source="RD580: Blackwell open modules only; PTXAS 12.8",
        ),
        _a(
            "blackwell_dcu",
            "Blackwell Ultra",
            (10, 3),
            580,
            None,
            "open",
            "12.9",
            None,
            None,
            source="SG580; PTXAS 12.9",
        ),
        _a("blackwell_rtx", "Blackwell", (12, 0), 570, None, "open", "12.8", None, None, source="RD580; PTXAS 12.8"),
        _a(
            "blackwell_spark",
            "Blackwell",
            (12, 1),
            580,
            None,
            "open",
            "12.9",
            None,
            None,
            source="PTXAS 12.9; aarch64 only; first driver [M]",
        ),
        _a("rubin", "Rubin", (10, 7), 615, None, "open", "13.4", None, None, source="PTXAS 13.4: first target sm_107"),
        _a(
            "tegra",
            "Tegra",
            (0, 0),
            0,
            None,
            "open",
            "0",
            None,
            None,
            "out_of_scope",
            "Jetson boards have their own driver in JetPack",
        ),
    )
}

#: PCI device ids whose modules must be open although their architecture takes both (SG580:
#: kernelopen without gsp_proprietary_supported): GH200.
OPEN_REQUIRED_IDS = frozenset({"2342", "2345", "2348"})

#: Chip patterns, most specific first: (pattern, architecture, compute capability or None for
#: the architecture's own).
CHIP_RULES: tuple[tuple[re.Pattern[str], str, tuple[int, int] | None], ...] = tuple(
    (re.compile(pattern), arch, cc)
    for pattern, arch, cc in (
        (r"(GK20|GM20B|GP10B|GV11B|GA10B|GB10B|AD10B|T1\d\d|T2\d\d|T3\d\d)", "tegra", None),
        (r"GR1\d\d", "rubin", None),
        (r"GB20B", "blackwell_spark", None),
        (r"GB20[0-9]", "blackwell_rtx", None),
        (r"GB11[0-9]", "blackwell_dcu", None),
        (r"GB10[0-9]", "blackwell_dc", None),
        (r"GH10[0-9]", "hopper", None),
        (r"AD10[0-9]", "ada", None),
        (r"GA100", "ampere_80", None),
        (r"GA10[1-9]", "ampere_86", None),
        (r"TU1\d\d", "turing", None),
        (r"GV10[0-9]", "volta", None),
        (r"GP100", "pascal_60", None),
        (r"GP10[1-9]", "pascal_61", None),
        (r"GM20[0-9]", "maxwell_52", None),
        (r"GM10[0-9]", "maxwell_50", None),
        (r"GK210", "kepler_35", (3, 7)),
        (r"GK(11[0-9x]|180|208)", "kepler_35", None),
        (r"GK10[0-9]", "kepler_30", None),
        (r"GF1(00|10)", "fermi", (2, 0)),
        (r"GF1\d\d", "fermi", (2, 1)),
        (r"GT21[0-9]", "tesla_g80", (1, 2)),
        (r"GT200", "tesla_g80", (1, 3)),
        (r"(G8[0-9]|G9[0-9]|MCP7[789A-Z]|MCP8[0-9]|C7[789]|NV50|ION)", "tesla_g80", None),
        (r"(NV\d|NV\w\d|MCP|C5[0-9]|C6[0-9]|C7[0-6]|nForce|RIVA|G7[0-9])", "pre_tesla", None),
    )
)


def classify_chip(chip: str) -> tuple[str, tuple[int, int]] | None:
    """Return (architecture key, compute capability) for a chip code name such as ``GP102GL``.

    None when no rule knows the prefix.
    """
    for pattern, arch, cc in CHIP_RULES:
        if pattern.match(chip):
            return arch, cc or ARCHITECTURES[arch].cc
    return None
