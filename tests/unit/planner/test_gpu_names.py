"""GPUs by name, chip and PCI id."""

from __future__ import annotations

import pytest
from dlbox_planner.data.architectures import ARCHITECTURES, classify_chip
from dlbox_planner.data.gpu_ids import TABLE
from dlbox_planner.gpus import from_id, from_name, lookup
from dlbox_planner.model import UsageError

#: Spelling -> PCI id. Ids: those of the architecture table of the facts, and pci.ids.
SPELLINGS = {
    "GTX 1080 Ti": "1b06",
    "gtx1080ti": "1b06", "1080ti": "1b06", "NVIDIA GeForce GTX 1080 Ti": "1b06", "1080 TI": "1b06",
    "GeForce GTX 1080Ti": "1b06", "10de:1b06": "1b06",
    "10DE:1B06": "1b06", "0x1b06": "1b06", "1b06": "1b06",
    "GTX 960": "1401", "GM206": "1401", "RTX 4090": "2684", "rtx4090": "2684", "RTX 5090": "2b85", "5090": "2b85",
    "RTX 5080": "2c02", "GTX 1060 6GB": "1b83", "GTX 1060 3 GB": "1b84", "TITAN V": "1d81", "titanv": "1d81",
    "Titan Xp": "1b02",
    "GTX Titan X": "17c2", "Titan X Pascal": "1b00", "Tesla K80": "102d", "k80": "102d", "B200": "2901",
    "GB300": "31c2",
    "H100 PCIe": "2331", "GH200": "2342", "RTX 4070 Ti Super": "2689", "4070tisuper": "2689", "RTX 4070Ti": "2782",
    "RTX 4090 Laptop": "2717", "RTX 3080": "2206", "RTX A6000": "2230", "RTX 6000 Ada": "26b1",
    "Quadro RTX 5000": "1eb0",
    "GB10": "2e12", "L40S": "26b9", "T4": "1eb8",
}  # fmt: skip


@pytest.mark.parametrize(("name", "device"), SPELLINGS.items())
def test_spellings(name: str, device: str) -> None:
    found = from_name(name).pci_id
    same = lookup(found.partition(":")[2])
    wanted = lookup(device)
    # a card sold with several ids is one card
    assert found == f"10de:{device}" or (same and wanted and same[1].split()[:3] == wanted[1].split()[:3])


@pytest.mark.parametrize(("name", "candidates"), [
    ("GTX 860M", ("10de:119a", "10de:1392")), ("Titan X", ("GM200", "GP102")), ("GTX 750 Ti", ("GK106", "GM107")),
    ("GT 1030", ("GK107", "GP108")), ("RTX 6000", ("TU102", "AD102")),
])  # fmt: skip
def test_a_name_for_several_architectures_lists_them(name: str, candidates: tuple[str, ...]) -> None:
    with pytest.raises(UsageError, match="ambiguous") as error:
        from_name(name)
    assert all(candidate in str(error.value) for candidate in candidates)


def test_names_that_are_nothing() -> None:
    for name in ("foo", "", "RTX", "Radeon VII", "10de:ffff", "RTX 9999"):
        with pytest.raises(UsageError):
            from_name(name)
    with pytest.raises(UsageError, match="near: GeForce"):
        from_name("1080 ti mega")


def test_every_named_gpu_is_found_by_its_own_name() -> None:
    """Names in the table find their own architecture, or are told to be ambiguous."""
    wrong = []
    for line in TABLE.strip().splitlines():
        device, chip, name = [*line.split(" ", 2), ""][:3]
        placed = classify_chip(chip)
        if not any(letter.isdigit() for letter in name) or placed is None or "/" in name:
            continue
        try:
            found = from_name(name)
        except UsageError as error:
            if "ambiguous" not in str(error):
                wrong.append((name, str(error)))
        else:
            if found.architecture != placed[0]:
                wrong.append((name, f"{device} is {placed[0]}, found {found.architecture}"))
    assert wrong == []


def test_the_tables_chips_are_known() -> None:
    unknown = {line.split(" ")[1] for line in TABLE.strip().splitlines() if classify_chip(line.split(" ")[1]) is None}
    # two engineering samples, and a chip that no source of the facts describes
    assert unknown == {"GB6-256(N22W-ES-A1)", "GB6-128", "GB120"}


#: PCI id -> (architecture, compute capability) as the facts name them.
FACTS = {
    "0191": ("tesla_g80", (1, 0)), "1401": ("maxwell_52", (5, 2)), "17c2": ("maxwell_52", (5, 2)),
    "1c03": ("pascal_61", (6, 1)), "1b80": ("pascal_61", (6, 1)), "1b06": ("pascal_61", (6, 1)),
    "1b00": ("pascal_61", (6, 1)), "1b02": ("pascal_61", (6, 1)), "1d81": ("volta", (7, 0)), "2684": ("ada", (8, 9)),
    "2331": ("hopper", (9, 0)), "2335": ("hopper", (9, 0)), "2342": ("hopper", (9, 0)), "2348": ("hopper", (9, 0)),
    "2901": ("blackwell_dc", (10, 0)), "2941": ("blackwell_dc", (10, 0)), "31c2": ("blackwell_dcu", (10, 3)),
    "31c3": ("blackwell_dcu", (10, 3)), "2b85": ("blackwell_rtx", (12, 0)), "2c02": ("blackwell_rtx", (12, 0)),
    "2f04": ("blackwell_rtx", (12, 0)), "2c09": ("blackwell_rtx", (12, 0)), "2d04": ("blackwell_rtx", (12, 0)),
    "2e12": ("blackwell_spark", (12, 1)), "102d": ("kepler_35", (3, 7)),
}  # fmt: skip


@pytest.mark.parametrize(("device", "placed"), FACTS.items())
def test_ids_the_facts_name(device: str, placed: tuple[str, tuple[int, int]]) -> None:
    gpu = from_id(f"10de:{device}")
    assert (gpu.architecture, gpu.cc) == placed
    assert gpu.architecture in ARCHITECTURES


def test_an_unknown_id_falls_back_to_the_prefix_of_its_chip() -> None:
    gpu = from_id("10de:2fff", chip_hint="GB205M", name_hint="GeForce RTX 5065 Mobile")
    assert gpu.architecture == "blackwell_rtx" and "placed by its chip GB205M" in gpu.note
    assert from_id("10de:2fff").architecture is None
    assert from_id("10de:2fff", chip_hint="ZZ1").architecture is None
