"""Which packages belong to the driver, of which branch and flavour, and which set a wish needs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from dlbox_nvidia import names
from dlbox_nvidia.names import Wish

CUDA = yaml.safe_load((Path(__file__).resolve().parents[3] / "roles/cuda/vars/main.yml").read_text())


def wish(**changes: object) -> Wish:
    given: dict[str, object] = {"branch": "580", "modules": "open", "source": "ubuntu", "distribution": "ubuntu"}
    return Wish(**{**given, **changes})  # type: ignore[arg-type]


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
    assert names.conflicting(installed, wish()) == ["libnvidia-compute-595", "nvidia-driver-550", "nvidia-driver-580"]


def test_server_and_desktop_build_of_a_branch_conflict() -> None:
    installed = [("nvidia-utils-580-server", "580.178.04-0ubuntu0.24.04.1")]
    assert names.conflicting(installed, wish()) == ["nvidia-utils-580-server"]
    assert names.conflicting(installed, wish(server=True)) == []


def test_unsuffixed_names_are_told_apart_by_version() -> None:
    nvidia = wish(source="nvidia", branch="595")
    installed = [("nvidia-open", "595.91.07-1ubuntu1"), ("nvidia-driver-cuda", "615.71.09-1ubuntu1")]
    assert names.conflicting(installed, nvidia) == ["nvidia-driver-cuda"]


def test_debians_metapackage_serves_both_flavours() -> None:
    debian = wish(source="debian", distribution="debian", branch="550")
    installed = [("nvidia-driver", "550.163.01-2"), ("nvidia-kernel-dkms", "550.163.01-2")]
    assert names.conflicting(installed, debian) == ["nvidia-kernel-dkms"]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"branch": "615", "modules": "proprietary"}, "open modules only"),
        ({"branch": "470", "modules": "open"}, "proprietary modules only"),
        ({"branch": "58"}, "three digits"),
        ({"source": "debian"}, "on ubuntu"),
        ({"source": "nvidia", "server": True}, "only Ubuntu's archive"),
    ],
)
def test_contradictions_are_named(changes: dict[str, object], says: str) -> None:
    (reason,) = names.refusals(wish(**changes))
    assert says in reason


def test_possible_wishes_are_not_refused() -> None:
    for branch, modules in (("470", "proprietary"), ("580", "proprietary"), ("580", "open"), ("615", "open")):
        assert names.refusals(wish(branch=branch, modules=modules)) == []


def test_a_headless_set_has_neither_x_nor_opengl() -> None:
    headless = names.userspace_packages(wish(headless=True, server=True))
    assert headless[:2] == ["nvidia-headless-no-dkms-580-server-open", "nvidia-utils-580-server"]
    assert not any("driver" in name or "xorg" in name or "-gl-" in name for name in headless)


def test_nvidias_repository_needs_the_pinning_package_first() -> None:
    nvidia = wish(source="nvidia", branch="595")
    assert names.pinning_packages(nvidia, "") == ["nvidia-driver-pinning-595"]
    assert names.pinning_packages(nvidia, "595.71.05") == ["nvidia-driver-pinning-595.71.05"]
    assert names.pinning_packages(wish(), "") == []
    assert names.userspace_packages(nvidia) == ["nvidia-open"]
    assert names.userspace_packages(wish(source="nvidia")) == ["nvidia-open-580"]


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
