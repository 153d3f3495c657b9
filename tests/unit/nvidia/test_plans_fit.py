"""What a plan prints is what apt is asked for, over GPUs, releases, headless or not, Secure Boot, kernels and pins."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import build
import jinja2
import pytest
import yaml
from ansible_collections.dlbox.workstation.plugins.module_utils.host.dpkg import Package
from ansible_collections.dlbox.workstation.plugins.module_utils.nvidia.apt import Apt, Done
from ansible_collections.dlbox.workstation.plugins.module_utils.nvidia.driver import Driver, Order
from ansible_collections.dlbox.workstation.plugins.module_utils.nvidia.names import conflicting
from ansible_collections.dlbox.workstation.plugins.plugin_utils.planner.intake import problem_from
from ansible_collections.dlbox.workstation.plugins.plugin_utils.planner.planner import solve

ROLES = Path(__file__).resolve().parents[3] / "roles"
FIXTURE = Path(__file__).resolve().parents[2] / "fixtures/apt_repository"

SIGNING_KEY = "dlbox.workstation.signing_key"
GPUS = ["GTX 780 Ti", "GTX 960", "TITAN V", "RTX 2080 Ti", "RTX 4090", "H100 PCIe", "RTX 5090"]
SYSTEMS = {
    ("ubuntu", "22.04"): ("jammy", "5.15.0-203-generic", ["generic", "generic-hwe-22.04"]),
    ("ubuntu", "24.04"): ("noble", "6.8.0-149-generic", ["generic", "generic-hwe-24.04", "generic-hwe-22.04"]),
    ("ubuntu", "26.04"): ("resolute", "7.0.0-43-generic", ["generic"]),
    ("debian", "12"): ("bookworm", "6.1.0-56-amd64", ["amd64"]),
    ("debian", "13"): ("trixie", "6.12.117+deb13-amd64", ["amd64", "cloud-amd64"]),
}
MIRROR = {"url": "https://mirror.home.example/cuda/", "key_url": "file:///srv/key.asc", "key_fingerprints": ["AB" * 20]}
OPTIONS: list[dict[str, Any]] = [
    {},
    {"policy": "newest"},
    {"pins": {"driver_source": "nvidia"}},
    {"pins": {"driver_source": "nvidia"}, "nvidia_repository": MIRROR},
    {"pins": {"driver": "595.71.05"}},
    {"pins": {"driver": "580-server"}},
]


@cache
def plans(gpu: str, system: tuple[str, str]) -> list[dict[str, Any]]:
    """Return every plan with a driver for a GPU on a release, without the alternatives that nothing here reads."""
    found = []
    codename, kernel, flavours = SYSTEMS[system]
    for headless, secure_boot, several, options in product((False, True), (False, True), (False, True), OPTIONS):
        facts = {
            "host": "box",
            "os": {
                "id": system[0],
                "version": system[1],
                "codename": codename,
                "kernel": kernel,
                "kernel_flavours": flavours if several else flavours[:1],
                "arch": "x86_64",
                "secure_boot": secure_boot,
                "virtualization": "none",
                "wsl": False,
            },
            "gpus": [{"name_hint": gpu}],
            "cpu": {"flags": ["avx", "avx2"]},
        }
        made = solve(problem_from(facts, {"today": "2026-11-20", "headless": headless, **options}))
        if made["driver"]:
            found.append(made)
    return found


class Recorder:
    """A bare host whose apt has everything: what is asked of it is kept."""

    def __init__(self, version: str) -> None:
        self.version = version
        self.requests = list[list[str]]()
        self.there = set[str]()

    def packages(self) -> dict[str, Package]:
        return {name: Package(name, self.version, "install", "installed") for name in self.there}

    def __call__(self, argv: Sequence[str]) -> Done:
        names = list(argv[argv.index("install") + 1 :]) if "install" in argv else []
        if argv[:2] == ["apt-cache", "policy"]:
            return Done(0, "".join(f"{name}:\n  Candidate: {self.version}\n" for name in argv[2:]), "")
        if argv[0] == "apt-get" and "--simulate" in argv:
            return Done(0, "".join(f"Inst {name} ({self.version} Archive [amd64])\n" for name in names), "")
        if argv[0] == "apt-get" and "--download-only" not in argv:
            self.requests.append(names)
            self.there.update(names)
        return Done(0, "", "")


@pytest.mark.parametrize("system", SYSTEMS, ids=lambda system: "".join(system))
@pytest.mark.parametrize("gpu", GPUS)
def test_apt_is_asked_for_what_the_plan_prints(gpu: str, system: tuple[str, str], tmp_path: Path) -> None:
    seen = plans(gpu, system)
    assert seen or gpu == "GTX 780 Ti", "every GPU from Maxwell on has a driver on every supported release"
    for made in seen:
        driver = made["driver"]
        host = Recorder(f"{driver['branch']}.178.04-1")
        order = Order.from_plan(driver, running_kernel=made["os"]["kernel"])
        result = Driver(Apt(host, host.packages), order, tmp_path).apply(check=False)
        headers = [driver["kernel_headers"]] if driver["kernel_headers"] else []
        wanted = [[*driver["packages"], *(name for name in headers if name not in driver["packages"])]]
        assert host.requests == ([driver["before"]] if driver["before"] else []) + wanted
        assert result.install == wanted[0] and result.remove == []
        packages = [(name, host.version) for name in (*driver["before"], *driver["packages"])]
        assert conflicting(packages, order.planned) == [], "the plan's own packages are of one branch and flavour"


@pytest.mark.parametrize("system", SYSTEMS, ids=lambda system: "".join(system))
@pytest.mark.parametrize("gpu", GPUS)
def test_the_source_and_its_key_are_the_plans(gpu: str, system: tuple[str, str]) -> None:
    role = ROLES / "nvidia_repository"
    template = jinja2.Template((role / "templates/dlbox-nvidia.sources.j2").read_text())
    (key,) = [
        task[SIGNING_KEY] for task in yaml.safe_load((role / "tasks/main.yml").read_text()) if SIGNING_KEY in task
    ]
    for made in plans(gpu, system):
        driver = made["driver"]
        assert (driver["repository"] is not None) == (driver["source"] == "nvidia") == (driver["components"] == [])
        for repository in filter(None, (driver["repository"], (made["cuda"] or {}).get("repository"))):
            text = template.render(nvidia_repository_source=repository, __nvidia_repository_keyring="/k.gpg")
            assert f"\nURIs: {repository['url']}\nSuites: {repository['suite']}\n" in text
            assert jinja2.Template(key["url"]).render(nvidia_repository_source=repository) == repository["key_url"]
            assert repository["key_url"] and all(len(text) == 40 for text in repository["key_fingerprints"])
        if driver["mok"]:
            assert driver["provider"] == "dkms" and made["os"]["secure_boot"]
            assert ("sbsigntool" in driver["mok"]["packages"]) == (system[0] == "ubuntu"), "Ubuntu's dkms signs with it"


def archive(codename: str) -> set[str]:
    """Return the names of the packages in the stand-in of Ubuntu's archive."""
    data = build.load("ubuntu.yml")["releases"][codename]
    found: set[str] = {f"linux-headers-{flavour}" for flavour in data["kernels"]}
    for label, branch in data["branches"].items():
        packages = build.branch_packages(label, branch, branch["version"], data["revision"], data["kernels"])
        found.update(package.name for package in packages)
    return found


@pytest.mark.parametrize("system", [system for system in SYSTEMS if system[0] == "ubuntu"], ids="".join)
def test_the_stand_in_of_ubuntus_archive_has_what_is_planned(system: tuple[str, str]) -> None:
    there = archive(SYSTEMS[system][0])
    for gpu in GPUS:
        for made in plans(gpu, system):
            driver = made["driver"]
            if driver["source"] == "ubuntu" and not driver["packages"][0].endswith("470-server"):
                assert set(driver["packages"]) <= there


def test_a_metapackage_that_the_release_has_no_modules_for_changes_nothing() -> None:
    """Ubuntu 24.04 keeps linux-image-generic-hwe-22.04 after an upgrade from 22.04."""
    several = [
        made["driver"] for made in plans("RTX 4090", ("ubuntu", "24.04")) if made["driver"]["provider"] == "prebuilt"
    ]
    assert several and not any("hwe-22.04" in name for driver in several for name in driver["packages"])
    assert any("linux-modules-nvidia-580-open-generic-hwe-24.04" in driver["packages"] for driver in several)


def test_a_repository_whose_key_nobody_confirmed_is_the_owners_decision() -> None:
    """By default Ubuntu's own; with NVIDIA's source pinned the plan warns, unless the owner names the key."""
    made = plans("RTX 4090", ("ubuntu", "26.04"))
    assert {entry["driver"]["source"] for entry in made if "driver_source" not in entry["pins"]} == {"ubuntu"}
    for entry in made:
        repository = entry["driver"]["repository"]
        warned = "repository_unconfirmed" in {item["code"] for item in entry["warnings"]}
        assert warned == bool(repository and repository["url"] != MIRROR["url"])


@pytest.mark.parametrize("source", ["ubuntu", "debian", "nvidia"])
def test_one_origin_alone_may_deliver_the_driver(source: str) -> None:
    """Ubuntu Pro's archives (UbuntuESM, UbuntuESMApps) and Debian's backports have packages of the same names."""
    role = ROLES / "nvidia_driver"
    variables = yaml.safe_load((role / "vars/main.yml").read_text())
    variables["__nvidia_driver_planned"] = {"source": source, "branch": "580", "exact_version": "580.126.09"}
    text = jinja2.Template((role / "templates/preferences.j2").read_text()).render(variables)
    stanzas = [dict(line.split(": ", 1) for line in part.splitlines() if ": " in line) for part in text.split("\n\n")]
    refused = {part["Pin"] for part in stanzas if part.get("Pin-Priority") == "-1"}
    others = {
        "ubuntu": {"l=NVIDIA CUDA", "o=LP-PPA-graphics-drivers"},
        "debian": {"l=NVIDIA CUDA"},
        "nvidia": {
            "o=Ubuntu",
            "o=UbuntuESM",
            "o=UbuntuESMApps",
            "o=LP-PPA-graphics-drivers",
            "o=Debian",
            "o=Debian Backports",
        },
    }
    assert refused == {f"release {origin}" for origin in others[source]}
    assert any(part.get("Pin") == "version 580.126.09*" and part["Pin-Priority"] == "1002" for part in stanzas)
