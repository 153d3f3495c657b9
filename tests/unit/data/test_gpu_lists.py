"""The GPU lists: reading the vendor's files and pci.ids, and rendering the table."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from update_data import gpus
from update_data.archive import own_mirror
from update_data.strict import DataError

PCI_IDS = (
    "#\tVersion: 2026.10.24\n1022  Advanced Micro Devices\n\t1b06  Not NVIDIA [GeForce GTX 1080 Ti]\n"
    "10de  NVIDIA Corporation\n\t05b8  NF200 PCIe 2.0 switch for GTX 295\n"
    "\t10f0  GP104 High Definition Audio Controller\n"
    "\t1b06  GP102 [GeForce GTX 1080 Ti]\n\t\t1043 85e4  A subsystem\n\t1ad7  TU102 USB Type-C UCSI Controller\n"
    "\t2331  GH100 [H100 PCIe]\n\t2c18  GB203M / GN22 [GeForce RTX 5090 Max-Q / Mobile]\n\t2924  GB100\n"
    "\t2900  GB100 [Reserved Dev ID A]\n10df  Emulex\n\t2331  GH100 [no]\nC 03  Display controller\n\t00  VGA\n"
)


def test_gpus_of_pci_ids_are_kept_and_other_functions_are_not() -> None:
    assert gpus.parse_pci_ids(PCI_IDS) == ("2026.10.24", [
        ("1b06", "GP102", "GeForce GTX 1080 Ti"), ("2331", "GH100", "H100 PCIe"), ("2924", "GB100", ""),
        ("2c18", "GB203M", "GeForce RTX 5090 Max-Q / Mobile")])  # fmt: skip
    with pytest.raises(ValueError, match=r"not a pci\.ids file"):
        gpus.parse_pci_ids("hello")


def test_a_driver_packages_list_is_read() -> None:
    """Shape of supported-gpus.json; from branch 590 on "kernelopen" is set on GPUs that have a legacy branch, too."""
    text = json.dumps({"chips": [
        {"devid": "0x2684", "name": "NVIDIA GeForce RTX 4090", "features": ["kernelopen", "hdmi4k"]},
        {"devid": "0x1EB5", "subvendorid": "0x1025", "subdevid": "0x1375", "name": "Quadro RTX 5000 with Max-Q Design",
         "features": ["kernelopen"]},
        {"devid": "0x1B06", "name": "NVIDIA GeForce GTX 1080 Ti", "legacybranch": "580.xx", "features": ["kernelopen"]},
    ]})  # fmt: skip
    assert [(gpu.device, gpu.subsystem, gpu.legacy, gpu.open_modules) for gpu in gpus.parse_supported_gpus(text)] == [
        ("1b06", "", "580", False), ("1eb5", "1375", "", True), ("2684", "", "", True)]  # fmt: skip
    for wrong in ("", "{}", '{"chips": []}', '{"chips": [{"devid": "x"}]}'):
        with pytest.raises(ValueError, match=r"not a supported-gpus\.json"):
            gpus.parse_supported_gpus(wrong)


def test_the_open_modules_table_is_read() -> None:
    text = (
        "| Product Name | PCI ID |\n| --- | --- |\n| NVIDIA TITAN RTX   | 1E02   |\n| NVIDIA B200 | 2901 10DE 1999 |\n"
    )
    assert gpus.parse_open_readme(text) == [("1e02", "", "NVIDIA TITAN RTX"), ("2901", "1999", "NVIDIA B200")]
    with pytest.raises(ValueError, match="no table of GPUs"):
        gpus.parse_open_readme("# README")


def lists(folder: Path, supported: str, readme: str, pci: str) -> Path:
    for name, text in (("supported-gpus", supported), ("open-modules", readme), ("pci-ids", pci)):
        (folder / f"{name}.tsv").write_text("# head\n" + text, encoding="utf-8")
    return folder


def test_the_vendors_names_come_first_and_pci_ids_fill_in(tmp_path: Path) -> None:
    folder = lists(
        tmp_path,
        "1b06\t\tNVIDIA GeForce GTX 1080 Ti\t\t\n1eb5\t\tQuadro RTX 5000\t\topen\n1eb5\t1375\tRTX 5000 Max-Q\t\topen\n",
        "1eb5\t\tQuadro RTX 5000\n2901\t1999\tNVIDIA B200\n",
        "1b06\tGP102\tGeForce GTX 1080 Ti\n1eb5\tTU104GLM\tQuadro RTX 5000 Mobile\n2901\tGB100\tB200\n2924\tGB100\t\n",
    )
    assert gpus.render(folder).split('TABLE = """\n')[1] == (
        "1b06 GP102 - p v NVIDIA GeForce GTX 1080 Ti\n"
        "1eb5 TU104GLM - o v Quadro RTX 5000\n"
        "1eb5.1375 TU104GLM - o v RTX 5000 Max-Q\n"
        "1eb5 TU104GLM - o a Quadro RTX 5000 Mobile\n"
        "2901 GB100 - o v NVIDIA B200\n"
        '2924 GB100 - ? p\n"""\n'
    )


@pytest.mark.parametrize("line", ["1b06\tGP102\n", "1B06\tGP102\tx\n", "x\n", "\n"])
def test_a_line_that_is_none_is_named(tmp_path: Path, line: str) -> None:
    with pytest.raises(DataError, match=r"gpus/pci-ids\.tsv: line 2"):
        gpus.render(lists(tmp_path, "", "", line))


def test_the_mirror_is_that_of_apt(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="--mirror"):
        own_mirror(tmp_path)
    (tmp_path / "sources.list.d").mkdir()
    (tmp_path / "sources.list.d" / "debian.sources").write_text(
        "Types: deb\nURIs: http://mirror.example/debian/\nSuites: trixie\n", encoding="utf-8"
    )
    assert own_mirror(tmp_path) == "http://mirror.example/debian"
