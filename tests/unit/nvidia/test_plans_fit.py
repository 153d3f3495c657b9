"""What the planner plans, the driver role can carry out, and the stand-in of the archives has."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from dlbox_nvidia import names
from dlbox_planner.planner import plan

FIXTURE = Path(__file__).resolve().parents[2] / "fixtures/apt_repository"
sys.path.insert(0, str(FIXTURE))
import build  # noqa: E402  (the path has to be set first)

GPUS = {
    "GTX 960": "maxwell",
    "GTX 1080": "pascal",
    "TITAN V": "volta",
    "RTX 2080 Ti": "turing",
    "RTX 3090": "ampere",
    "RTX 4090": "ada",
    "H100 PCIe": "hopper",
    "RTX 5090": "blackwell",
}
SYSTEMS = {
    ("ubuntu", "22.04"): ("jammy", "5.15.0-203-generic"),
    ("ubuntu", "24.04"): ("noble", "6.8.0-149-generic"),
    ("ubuntu", "26.04"): ("resolute", "7.0.0-43-generic"),
    ("debian", "12"): ("bookworm", "6.1.0-56-amd64"),
    ("debian", "13"): ("trixie", "6.12.117+deb13-amd64"),
}


def planned(gpu: str, system: tuple[str, str], headless: bool) -> dict[str, Any]:
    codename, kernel = SYSTEMS[system]
    described = {"id": system[0], "version": system[1], "codename": codename, "kernel": kernel, "arch": "x86_64"}
    facts = {"host": "box", "os": {**described, "secure_boot": False, "virtualization": "none", "wsl": False}}
    return plan(
        {**facts, "gpus": [{"name_hint": gpu}], "cpu": {"flags": ["avx"]}},
        {"headless": headless, "today": "2026-11-20"},
    )


def wish(driver: dict[str, Any], system: tuple[str, str], headless: bool) -> names.Wish:
    return names.Wish(
        branch=str(driver["branch"]),
        modules=driver["modules"],
        source=driver["source"],
        distribution=system[0],
        server=any("-server" in name for name in driver["packages"]),
        headless=headless,
    )


def archive(codename: str) -> set[str]:
    """Return the names of the driver packages in the stand-in of Ubuntu's archive."""
    data = build.load("ubuntu.yml")["releases"][codename]
    found: set[str] = set()
    for label, branch in data["branches"].items():
        packages = build.branch_packages(label, branch, branch["version"], data["revision"], data["kernels"])
        found.update(package.name for package in packages)
    return found


@pytest.mark.parametrize("headless", [False, True], ids=["desktop", "headless"])
@pytest.mark.parametrize("system", SYSTEMS, ids=lambda system: "".join(system))
@pytest.mark.parametrize("gpu", GPUS)
def test_every_planned_driver_can_be_carried_out(gpu: str, system: tuple[str, str], headless: bool) -> None:
    driver = planned(gpu, system, headless)["driver"]
    assert driver is not None, "every GPU from Maxwell on has a driver on every supported release"
    wanted = wish(driver, system, headless)
    assert names.refusals(wanted) == []
    packages = [name for name in driver["packages"] if not name.startswith("linux-headers-")]
    if driver["source"] == "ubuntu":
        mine = {*names.userspace_packages(wanted), *names.dkms_packages(wanted)}
        modules = {name for name in packages if name.startswith("linux-modules-nvidia-")}
        assert all(name.startswith(names.prebuilt_package(wanted, "")) for name in modules)
        assert set(packages) - modules <= mine | {f"nvidia-compute-utils-{wanted.label}"}
        assert set(packages) <= archive(SYSTEMS[system][0])
    elif driver["source"] == "nvidia":
        assert packages == names.userspace_packages(wanted)


def test_a_plan_for_a_desktop_and_one_for_a_server_are_told_apart() -> None:
    desktop = planned("RTX 4090", ("ubuntu", "24.04"), headless=False)["driver"]["packages"]
    server = planned("RTX 4090", ("ubuntu", "24.04"), headless=True)["driver"]["packages"]
    assert any(name.startswith("nvidia-driver-") for name in desktop)
    assert not any(name.startswith("nvidia-driver-") for name in server)
