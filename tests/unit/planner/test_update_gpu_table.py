"""The script that writes the GPU table: parsing, and the package for real where a mirror answers."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(TOP / "scripts"))

from update_gpu_table import main, own_mirror, parse, render  # noqa: E402

PCI_IDS = (
    "#\tVersion: 2026.10.24\n1022  Advanced Micro Devices\n\t1b06  Not NVIDIA [GeForce GTX 1080 Ti]\n"
    "10de  NVIDIA Corporation\n\t05b8  NF200 PCIe 2.0 switch for GTX 295\n"
    "\t10f0  GP104 High Definition Audio Controller\n"
    "\t1b06  GP102 [GeForce GTX 1080 Ti]\n\t\t1043 85e4  A subsystem\n\t1ad7  TU102 USB Type-C UCSI Controller\n"
    "\t2331  GH100 [H100 PCIe]\n\t2c18  GB203M / GN22 [GeForce RTX 5090 Max-Q / Mobile]\n\t2924  GB100\n"
    "\t2900  GB100 [Reserved Dev ID A]\n10df  Emulex\n\t2331  GH100 [no]\nC 03  Display controller\n\t00  VGA\n"
)


def test_gpus_are_kept_and_other_functions_are_not() -> None:
    assert parse(PCI_IDS) == ("2026.10.24", [
        ("1b06", "GP102", "GeForce GTX 1080 Ti"), ("2331", "GH100", "H100 PCIe"), ("2924", "GB100", ""),
        ("2c18", "GB203M", "GeForce RTX 5090 Max-Q / Mobile")])  # fmt: skip


def test_the_table_is_written_once_and_checked(tmp_path: Path) -> None:
    source, output = tmp_path / "pci.ids", tmp_path / "gpu_ids.py"
    source.write_text(PCI_IDS, encoding="utf-8")
    arguments = ["--from", str(source), "--output", str(output)]
    assert main([*arguments, "--check"]) == 1 and not output.exists()
    assert main(arguments) == 0
    assert main([*arguments, "--check"]) == 0
    compile(output.read_text(encoding="utf-8"), str(output), "exec")
    assert "BSD-3-Clause" in render(PCI_IDS)


def test_what_is_no_pci_ids_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wrong = tmp_path / "pci.ids"
    wrong.write_text("hello", encoding="utf-8")
    assert main(["--from", str(wrong)]) == 2
    assert "not a pci.ids file" in capsys.readouterr().err


def test_the_mirror_is_that_of_apt(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="--mirror"):
        own_mirror(tmp_path)
    (tmp_path / "sources.list.d").mkdir()
    (tmp_path / "sources.list.d" / "debian.sources").write_text(
        "Types: deb\nURIs: http://mirror.example/debian/\nSuites: trixie\n", encoding="utf-8"
    )
    assert own_mirror(tmp_path) == "http://mirror.example/debian"


@pytest.mark.full
def test_the_table_is_made_from_debians_package() -> None:
    try:
        own_mirror()
    except ValueError as error:
        pytest.skip(str(error))
    done = subprocess.run(
        [sys.executable, str(TOP / "scripts/update_gpu_table.py"), "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode == 2 and "urlopen" in done.stderr:
        pytest.skip(f"the mirror does not answer: {done.stderr}")
    # 1: a newer pci.ids than the one the table was made from; still parsed
    assert done.returncode in (0, 1), done.stderr
