"""What another way of installing left, each with the commands that remove it."""

from __future__ import annotations

from pathlib import Path

from ansible_collections.dlbox.workstation.plugins.module_utils.host import kernels
from ansible_collections.dlbox.workstation.plugins.module_utils.host.apt_sources import parse
from ansible_collections.dlbox.workstation.plugins.module_utils.host.dpkg import Package
from ansible_collections.dlbox.workstation.plugins.module_utils.nvidia import dkms, leftovers


def kernel(provider: str | None, path: str | None) -> kernels.Kernel:
    return kernels.Kernel("6.8.0-149-generic", True, True, "580.1" if path else None, path, provider)


def test_a_run_installer_is_known_by_its_uninstaller(tmp_path: Path) -> None:
    (tmp_path / "usr/bin").mkdir(parents=True)
    (tmp_path / "usr/bin/nvidia-uninstall").touch()
    stray = [kernel("other", "/lib/modules/6.8.0-149-generic/kernel/drivers/video/nvidia.ko")]
    (found,) = leftovers.from_run_installer(tmp_path, [], stray)
    assert found.remedy == "sudo nvidia-uninstall --silent", "the uninstaller removes the module too"
    assert leftovers.from_run_installer(tmp_path, ["/usr/bin/nvidia-uninstall"], []) == [], "a package's own"


def test_a_run_installer_whose_uninstaller_is_gone_is_known_by_its_module(tmp_path: Path) -> None:
    path = "/lib/modules/6.8.0-149-generic/kernel/drivers/video/nvidia.ko"
    (found,) = leftovers.from_run_installer(tmp_path, [], [kernel("other", path), kernel("dkms", path)])
    assert found.kind == leftovers.RUN_INSTALLER
    assert found.remedy == f"sudo rm {path} && sudo depmod 6.8.0-149-generic"
    assert leftovers.from_run_installer(tmp_path, [], [kernel("prebuilt", path), kernel(None, None)]) == []


def test_a_foreign_source_is_set_aside_once() -> None:
    line = "deb https://ppa.launchpadcontent.net/graphics-drivers/ppa/ubuntu noble main\n"
    (found,) = leftovers.from_sources(parse(line * 2, "/etc/apt/sources.list.d/g.list"), [])
    assert found.kind == leftovers.PPA
    assert found.remedy == "sudo mv /etc/apt/sources.list.d/g.list /etc/apt/sources.list.d/g.list.dlbox-disabled"
    assert "PPA" in found.says


def test_nvidias_repository_is_a_leftover_unless_dlbox_wrote_it() -> None:
    line = "deb https://developer.download.nvidia.com/compute/cuda/repos/ubuntu2404/x86_64/ /\n"
    entries = parse(line, "/etc/apt/sources.list.d/cuda.list")
    assert [found.kind for found in leftovers.from_sources(entries, [])] == [leftovers.REPOSITORY]
    assert leftovers.from_sources(entries, ["/etc/apt/sources.list.d/cuda.list"]) == []


def test_a_dkms_tree_is_abandoned_when_no_package_has_its_version() -> None:
    builds = [
        dkms.Build("nvidia", "580.178.04", "6.8.0-149-generic", "installed"),
        dkms.Build("nvidia", "565.77", "6.8.0-149-generic", "installed"),
        dkms.Build("nvidia", "565.77", "6.8.0-31-generic", "built"),
    ]
    package = Package("nvidia-dkms-580", "580.178.04-0ubuntu0.24.04.1", "hold", "installed")
    (found,) = leftovers.from_dkms(builds, {package.name: package})
    assert found.where == "nvidia/565.77" and found.remedy == "sudo dkms remove nvidia/565.77 --all"
    gone = Package(package.name, package.version, "deinstall", "config-files")
    assert len(leftovers.from_dkms(builds, {gone.name: gone})) == 2


def test_a_leftover_is_plain_data_for_the_module() -> None:
    found = leftovers.Leftover(leftovers.PPA, "/x", "says", (("mv", "/x", "/y"),)).as_dict()
    assert found == {
        "kind": "ppa",
        "where": "/x",
        "says": "says",
        "commands": [["mv", "/x", "/y"]],
        "remedy": "sudo mv /x /y",
    }
