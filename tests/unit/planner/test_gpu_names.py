"""GPUs by name, chip and PCI id."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.dlbox.workstation.plugins.plugin_utils.planner import gpus
from ansible_collections.dlbox.workstation.plugins.plugin_utils.planner.data.architectures import (
    ARCHITECTURES,
    classify_chip,
)
from ansible_collections.dlbox.workstation.plugins.plugin_utils.planner.data.gpu_ids import find, rows
from ansible_collections.dlbox.workstation.plugins.plugin_utils.planner.gpus import from_id, from_name, lookup
from ansible_collections.dlbox.workstation.plugins.plugin_utils.planner.model import UsageError
from update_data.gpus import vendor_gpus

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
    ("GTX 860M", ("10de:119a", "10de:1392")), ("Titan X", ("GM200", "GP102")), ("RTX 6000", ("TU102", "AD102")),
    ("GT 730", ("GF108", "GK208", "GK107")),
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


#: Names as nvidia-smi prints them, and as shops do -> chip.
PRINTED = {
    "RTX 4070 Laptop GPU": "AD106", "NVIDIA GeForce RTX 4070 Laptop GPU": "AD106", "NVIDIA H100 80GB HBM3": "GH100",
    "H100 80GB HBM3": "GH100", "NVIDIA GeForce RTX 2080 with Max-Q Design": "TU104", "GTX 750 Ti": "GM107",
    "GT 1030": "GP108", "TITAN RTX": "TU102", "NVIDIA GeForce RTX 4090 D": "AD102", "NVIDIA B200": "GB100",
    "NVIDIA GeForce RTX 5090 Laptop GPU": "GB203", "NVIDIA A100-SXM4-80GB": "GA100", "Tesla V100-SXM2-16GB": "GV100",
    "NVIDIA RTX PRO 6000 Blackwell Max-Q Workstation Edition": "GB202", "NVIDIA GH200 480GB": "GH100",
    "GeForce GT 710": "GK208",
}  # fmt: skip


@pytest.mark.parametrize(("name", "chip"), PRINTED.items())
def test_names_as_they_are_printed(name: str, chip: str) -> None:
    assert from_name(name).chip.startswith(chip)


def test_every_row_of_the_vendors_lists_agrees_with_the_planner() -> None:
    """Last branch and kernel modules of every row; its name finds one of the ids that the vendor gives it."""
    gpus = vendor_gpus(Path(__file__).resolve().parents[3] / "data/gpus")
    assert len(gpus) > 2200
    ids: dict[str, set[str]] = {}
    for row in gpus:
        ids.setdefault(row.name.lower().removeprefix("nvidia "), set()).add(row.device)
    wrong = []
    for row in gpus:
        gpu = from_id(f"10de:{row.device}")
        arch = ARCHITECTURES[gpu.architecture or ""]
        if row.legacy:
            fits = gpu.last_branch == int(row.legacy.partition(".")[0]) and gpu.modules == "proprietary"
            fits &= (arch.last_driver or 0) >= gpu.last_branch
        elif row.open_modules:
            fits = gpu.last_branch is None and gpu.modules in ("both", "open")
        else:
            fits = gpu.last_branch == 580 and gpu.modules == "proprietary"
        known = find(row.device, row.subsystem)
        if not fits or known is None or (known.name != row.name and (row.device, row.subsystem) not in TWICE):
            wrong.append((row, gpu.architecture, gpu.last_branch, known))
    assert wrong == []
    del ids["geforce gpu"]  # not a name: the list's own placeholder
    for name, devices in ids.items():
        gpus_of = [from_id(f"10de:{one}") for one in devices]
        kinds = {(gpu.architecture, gpu.cc, gpu.open_required) for gpu in gpus_of}
        try:
            found = from_name(name)
        except UsageError as error:
            assert "ambiguous" in str(error) and len(kinds) > 1, (name, str(error))
        else:
            assert found.pci_id.removeprefix("10de:") in devices, (name, found)


#: Two boards of the list that differ in the subsystem's vendor only, and in their name.
TWICE = {("1140", "068d"), ("1140", "0799"), ("1140", "5031")}


def test_the_vendor_does_not_list_every_gpu_and_no_other_name_hides_the_vendors() -> None:
    """Engineering samples of pci.ids are found by their own names only where the vendor has none."""
    for row in rows():
        if row.origin == "pci.ids" and row.name and "/" not in row.name and find(row.device):
            try:
                found = from_name(row.name)
            except UsageError:
                continue
            same = find(found.pci_id.removeprefix("10de:"))
            assert same is not None and (
                same.origin == "vendor" or found.architecture == from_id(row.device).architecture
            )


def test_the_tables_chips_are_known() -> None:
    unknown = {row.chip for row in rows() if row.chip and classify_chip(row.chip) is None}
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


def test_a_name_is_looked_up_among_the_names_that_have_its_words(monkeypatch: pytest.MonkeyPatch) -> None:
    """Most of the time of a plan once went into taking apart names that could not be meant."""
    taken = []
    parse = gpus.parse_line
    monkeypatch.setattr(gpus, "parse_line", lambda line: taken.append(line) or parse(line))
    gpus._index.cache_clear()
    assert from_name("GeForce RTX 4070 Laptop GPU").architecture == "ada"
    assert 0 < len(taken) < 100
    for word in ("geforce", "nvi", "vid", "idi", "force", "with", "design", "max", "quadro x", "a", "0"):
        gpus._match(word)
    assert len(taken) < 100 + sum(1 for _ in rows()) + 5 * 100, "what many names have is looked up among all, read once"


def test_looking_among_all_names_finds_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    names = [
        *SPELLINGS,
        *sorted({row.name for row in rows() if row.name})[::9],
        "A100 80 GB",
        "RTX 3090+",
        "Ada",
        "gpu",
    ]
    found = {name: gpus._match(name) for name in names}
    monkeypatch.setattr(gpus, "_telling", lambda words: "")
    assert [name for name in names if gpus._match(name) != found[name]] == []
