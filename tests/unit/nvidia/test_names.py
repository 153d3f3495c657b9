"""Which installed packages belong to the driver, of which branch and flavour."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from ansible_collections.dlbox.workstation.plugins.module_utils.nvidia import names
from ansible_collections.dlbox.workstation.plugins.module_utils.nvidia.names import DriverSet

DATA = Path(__file__).with_name("data")
CUDA = yaml.safe_load((Path(__file__).resolve().parents[3] / "roles/cuda/vars/main.yml").read_text())


def planned(**changes: object) -> DriverSet:
    given: dict[str, object] = {"branch": "580", "modules": "open", "source": "ubuntu"}
    return DriverSet(**{**given, **changes})  # type: ignore[arg-type]


# Names as the archives of Debian 12 and 13 (read from their indices), Ubuntu 22.04 to 26.04 and NVIDIA's repositories
# have them, and as people's listings of their machines show them.
DRIVER = (DATA / "driver_packages.txt").read_text().split()
NOT_DRIVER = (DATA / "other_packages.txt").read_text().split()


@pytest.mark.parametrize("name", DRIVER)
def test_it_belongs_to_the_driver(name: str) -> None:
    assert names.is_driver_package(name)


@pytest.mark.parametrize("name", NOT_DRIVER)
def test_it_does_not_belong_to_the_driver(name: str) -> None:
    """It may neither be held with the driver, nor stop a transaction, nor be removed with a branch."""
    assert not names.is_driver_package(name)
    assert names.branch_of(name, "580.178.04-1") is None


def test_what_builds_modules_is_told_from_what_has_them() -> None:
    built = {name for name in DRIVER if names.builds_modules(name)}
    assert built == {
        "nvidia-dkms-580-open",
        "nvidia-dkms",
        "nvidia-dkms-open",
        "nvidia-kernel-dkms",
        "nvidia-open-kernel-dkms",
        "nvidia-tesla-535-kernel-dkms",
    }


@pytest.mark.parametrize(
    ("name", "version", "branch"),
    [
        ("nvidia-driver-580-open", "580.178.04-0ubuntu0.24.04.1", "580"),
        ("libnvidia-compute-580-server", "580.178.04-0ubuntu0.24.04.1", "580-server"),
        ("linux-modules-nvidia-595-open-6.8.0-149-generic", "595.99.02-0ubuntu0.24.04.1", "595"),
        ("linux-modules-nvidia-470-server-generic", "470.256.02-1", "470-server"),
        ("nvidia-firmware-580-580.178.04", "580.178.04-0ubuntu0.24.04.1", "580"),
        ("nvidia-open", "595.91.07-1ubuntu1", "595"),
        ("libcuda1", "550.163.01-2", "550"),
        ("nvidia-tesla-470-driver", "470.256.02-1", "470"),
        ("firmware-nvidia-gsp", "535.309.01-1", "535"),
        ("nvidia-kernel-common", "20220217+3", None),
        ("linux-signatures-nvidia-6.8.0-149-generic", "6.8.0-149", None),
        ("nvidia-cuda-toolkit", "12.4.131-1", None),
        ("nvidia-container-toolkit", "1.19.0-1", None),
        ("nvidia-settings", "510.47.03-1", None),
        ("nvidia-prime", "0.8.17", None),
        ("libcudnn9-cuda-12", "9.10.2.21-1", None),
    ],
)
def test_branch_of_a_package(name: str, version: str, branch: str | None) -> None:
    assert names.branch_of(name, version) == branch


@pytest.mark.parametrize(
    ("name", "flavour"),
    [
        ("nvidia-driver-580-open", "open"),
        ("nvidia-driver-580", "proprietary"),
        ("nvidia-driver-580-server-open", "open"),
        ("nvidia-dkms-580", "proprietary"),
        ("linux-modules-nvidia-580-open-generic-hwe-24.04", "open"),
        ("linux-modules-nvidia-580-6.8.0-149-generic", "proprietary"),
        ("nvidia-open-kernel-dkms", "open"),
        ("nvidia-driver-cuda", None),
        ("nvidia-utils-580", None),
        ("libnvidia-compute-580", None),
    ],
)
def test_flavour_of_a_package(name: str, flavour: str | None) -> None:
    assert names.flavour_of(name) == flavour


def test_other_branch_and_other_flavour_conflict() -> None:
    installed = [
        ("nvidia-driver-580", "580.178.04-0ubuntu0.24.04.1"),
        ("nvidia-utils-580", "580.178.04-0ubuntu0.24.04.1"),
        ("libnvidia-compute-595", "595.99.02-0ubuntu0.24.04.1"),
        ("nvidia-driver-550", "580.178.04-0ubuntu0.24.04.1"),
        ("nvidia-settings", "510.47.03-1"),
    ]
    assert names.conflicting(installed, planned()) == [
        "libnvidia-compute-595",
        "nvidia-driver-550",
        "nvidia-driver-580",
    ]


def test_server_and_desktop_build_of_a_branch_conflict() -> None:
    installed = [("nvidia-utils-580-server", "580.178.04-0ubuntu0.24.04.1")]
    assert names.conflicting(installed, planned()) == ["nvidia-utils-580-server"]
    assert names.conflicting(installed, planned(server=True)) == []


def test_unsuffixed_names_are_told_apart_by_version() -> None:
    nvidia = planned(source="nvidia", branch="595")
    installed = [("nvidia-open", "595.91.07-1ubuntu1"), ("nvidia-driver-cuda", "615.71.09-1ubuntu1")]
    assert names.conflicting(installed, nvidia) == ["nvidia-driver-cuda"]


def test_debians_metapackage_serves_both_flavours() -> None:
    debian = planned(source="debian", branch="550")
    installed = [("nvidia-driver", "550.163.01-2"), ("nvidia-kernel-dkms", "550.163.01-2")]
    assert names.conflicting(installed, debian) == ["nvidia-kernel-dkms"]


@pytest.mark.parametrize(
    "name", ["nvidia-cuda-toolkit", "nvidia-cuda-dev", "nvidia-opencl-dev", "nvidia-profiler", "libnvidia-container1"]
)
def test_what_belongs_to_the_toolkit_does_not_belong_to_the_driver(name: str) -> None:
    """Debian's toolkit depends on the first four; none of them may be held or refused as a driver."""
    assert not names.is_driver_package(name)
    never = [re.compile(pattern) for pattern in CUDA["__cuda_never_everywhere"]]
    assert not any(pattern.search(name) for pattern in never)


@pytest.mark.parametrize(
    "name",
    [
        "nvidia-driver",
        "nvidia-open",
        "nvidia-open-580",
        "nvidia-open-kernel-dkms",
        "nvidia-headless-580",
        "cuda-drivers",
    ],
)
def test_what_brings_a_driver_is_never_a_toolkits(name: str) -> None:
    assert names.is_driver_package(name)
    assert any(re.search(pattern, name) for pattern in CUDA["__cuda_never_everywhere"])
