"""DKMS's status of old and new releases, and the compiler's line in a long log."""

from __future__ import annotations

from pathlib import Path

from ansible_collections.dlbox.workstation.plugins.module_utils.nvidia import dkms

OLD = (
    "nvidia, 470.256.02, 5.15.0-203-generic, x86_64: installed\nnvidia, 470.256.02, 6.8.0-149-generic, x86_64: built\n"
)
NEW = """\
nvidia/580.178.04, 6.8.0-149-generic, x86_64: installed
nvidia/580.178.04: added
zfs/2.2, 6.8.0, x86_64: installed
"""
DEBIAN = "nvidia-current/535.309.01, 6.1.0-56-amd64, x86_64: installed (Original modules exist)\n"
# Shortened from the real log of Debian 13's 550.163.01 on Linux 6.12.107.
LOG = """DKMS make.log for nvidia-current-550.163.01 for kernel 6.12.107+deb13-amd64 (x86_64)
make[1]: Entering directory '/usr/src/linux-headers-6.12.107+deb13-amd64'
  CC [M]  nvidia/nv-pci.o
nvidia/nv-pci.c: In function 'nv_resize_pcie_bars':
nvidia/nv-pci.c:237:9: error: too few arguments to function 'pci_resize_resource'
  237 |     r = pci_resize_resource(pci_dev, NV_GPU_BAR1, requested_size);
make[3]: *** [/usr/src/linux-headers/scripts/Makefile.build:234: nvidia/nv-pci.o] Error 1
make[2]: *** [/usr/src/linux-headers/Makefile:1946: .] Error 2
"""


def test_status_of_old_and_new_dkms() -> None:
    assert [(b.version, b.kernel, b.state) for b in dkms.parse_status(OLD)] == [
        ("470.256.02", "5.15.0-203-generic", "installed"),
        ("470.256.02", "6.8.0-149-generic", "built"),
    ]
    assert [(b.module, b.kernel, b.state) for b in dkms.parse_status(NEW)] == [
        ("nvidia", "6.8.0-149-generic", "installed"),
        ("nvidia", None, "added"),
    ]
    assert dkms.parse_status(DEBIAN)[0] == dkms.Build("nvidia-current", "535.309.01", "6.1.0-56-amd64", "installed")


def test_a_kernel_without_an_installed_module_is_missing() -> None:
    kernels = ["5.15.0-203-generic", "6.8.0-149-generic"]
    assert dkms.missing_builds(dkms.parse_status(OLD), kernels) == ["6.8.0-149-generic"]


def test_the_compilers_line_comes_first() -> None:
    excerpt = dkms.log_excerpt(LOG).splitlines()
    assert excerpt[0] == "nvidia/nv-pci.c:237:9: error: too few arguments to function 'pci_resize_resource'"
    assert not any(line.startswith("make[2]") for line in excerpt)


def test_a_log_without_errors_gives_its_end() -> None:
    assert dkms.log_excerpt("one\ntwo\nthree\n", lines=2) == "two\nthree"


def test_the_log_of_the_failed_kernel_is_found(tmp_path: Path) -> None:
    for kernel in ("6.1.0-56-amd64", "6.12.107+deb13-amd64"):
        log = tmp_path / "nvidia-current/550.163.01" / kernel / "x86_64/log/make.log"
        log.parent.mkdir(parents=True)
        log.write_text(LOG if "deb13" in kernel else "fine\n")
    said = dkms.failed_log("6.12.107+deb13-amd64", tmp_path)
    assert "pci_resize_resource" in said and "6.12.107+deb13-amd64/x86_64/log/make.log" in said
    assert "no make.log" in dkms.failed_log("7.0.0-43-generic", tmp_path)
