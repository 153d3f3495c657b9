"""Driver branches: type, end of life, native CUDA, kernel range.

Sources: NVDOC supported-drivers page, edition 615; UA ``Support:`` headers; RD580, RD595;
CRN for native CUDA. As of 2026-11-20. Where sources disagree the earlier end of life is kept
(R580: June 2028 in the 615 edition, August 2028 in older text).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Branch:
    """One driver branch.

    kind: LTSB (long-lived), PB (production), NFB (new feature), legacy or unknown.
    eol: ISO date of the last day of support, None when it is not announced.
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


BRANCHES: dict[int, Branch] = {
    b.number: b
    for b in (
        Branch(340, "legacy", "2019-12-31", "6.5", dead=True, kernel_min=(2, 6), source="NVDOC [S]"),
        Branch(390, "legacy", "2022-12-31", "9.1", dead=True, kernel_min=(2, 6), source="UA Legacy"),
        Branch(418, "legacy", "2022-03-31", "10.1", dead=True, kernel_min=(2, 6), source="UA"),
        Branch(
            470,
            "LTSB",
            "2024-07-31",
            "11.4",
            kernel_min=(2, 6),
            source="eol [S]; UA: still patched for newer kernels (DKMS)",
        ),
        Branch(535, "LTSB", "2026-06-30", "12.2", kernel_min=(3, 10), source="NVDOC; MEAS: builds on 6.1"),
        Branch(
            545,
            "NFB",
            "2024-02-29",
            "12.3",
            dead=True,
            kernel_min=(3, 10),
            source="UA: still a real package on 22.04, branch is dead",
        ),
        Branch(
            550,
            "PB",
            "2025-06-30",
            "12.4",
            kernel_min=(3, 10),
            kernel_until=(6, 17),
            kernel_gap=((6, 12, 97), (6, 13)),
            gap_modules=("open",),
            source="eol [S]; DA text: up to 6.17 [S]; MEAS on trixie's 6.12.117: nvidia-open-kernel-dkms "
            "550.163.01-2 fails (pci_resize_resource), nvidia-kernel-dkms 550.163.01-2 builds",
        ),
        Branch(570, "PB", "2026-02-28", "12.8", kernel_min=(3, 10), source="eol [S]"),
        Branch(
            580,
            "LTSB",
            "2028-06-30",
            "13.0",
            source="NVDOC; RD580 kernel >= 4.15; last branch for Maxwell, Pascal, Volta",
        ),
        Branch(590, "NFB", "2026-03-31", "13.1", dead=True, source="UA: transitional to 595"),
        Branch(595, "PB", "2027-03-31", "13.2", source="NVDOC; RD595 kernel >= 4.15"),
        Branch(610, "NFB", "2026-08-31", "13.3", dead=True, source="NVDOC; UA: transitional to 615"),
        Branch(615, "NFB", None, "13.4", open_only=True, source="released 2026-09-09; UA: open packages only"),
        Branch(
            620,
            "unknown",
            None,
            "13.5",
            open_only=True,
            confirmed=False,
            source="NVDOC installation guide of 2026-11-09; type and CUDA inferred",
        ),
    )
}

#: No proprietary modules from this branch on (UA; the guide of 620 says 620: the earlier is kept).
OPEN_ONLY_FROM = 615
#: The open modules are NVIDIA's recommendation from this branch on (RD580).
OPEN_RECOMMENDED_FROM = 560
#: First branch with open modules at all.
OPEN_FROM = 515
