"""What must hold for every machine, checked against the data by an oracle that shares no code with the solver."""

from __future__ import annotations

import os
from typing import Any

from ansible_collections.dlbox.workstation.plugins.plugin_utils.planner.data.architectures import ARCHITECTURES
from ansible_collections.dlbox.workstation.plugins.plugin_utils.planner.data.cuda import MINOR_COMPAT_BRANCH, TARGETS
from ansible_collections.dlbox.workstation.plugins.plugin_utils.planner.data.drivers import BRANCHES, OPEN_ONLY_FROM
from ansible_collections.dlbox.workstation.plugins.plugin_utils.planner.data.systems import (
    DISTRO_TOOLKITS,
    NVIDIA_TOOLKITS,
    OFFERS,
    SYSTEMS,
    TRANSITIONAL,
)
from ansible_collections.dlbox.workstation.plugins.plugin_utils.planner.data.wheels import BUILDS
from ansible_collections.dlbox.workstation.plugins.plugin_utils.planner.planner import plan
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from planner_machines import AS_OF, machine

GPUS = (
    "GTX 580",
    "GTX 680",
    "GTX 780 Ti",
    "Tesla K80",
    "10de:1380",
    "GTX 960",
    "GTX 980 Ti",
    "Tesla P100 PCIe 16GB",
    "GTX 1080 Ti",
    "GT1030 Pascal",
    "TITAN V",
    "GTX 1660 Ti",
    "RTX 2080 Ti",
    "T4",
    "A100",
    "RTX 3090",
    "RTX 4090",
    "L4",
    "H100 PCIe",
    "GH200",
    "B200",
    "GB300",
    "RTX 5090",
    "RTX 5060 Ti",
)
KERNELS = (
    None,
    None,
    None,
    "6.8.0-149-generic",
    "7.0.0-43-generic",
    "6.1.0-56-amd64",
    "6.12.117+deb13-amd64",
    "7.2.12+deb13-amd64",
    "6.8.0-1020-aws",
    "4.4.0-1-generic",
)
PIN_VALUES: dict[str, tuple[str, ...]] = {
    "driver": ("470", "535", "545", "550", "570", "580", "580-open", "580-server", "595", "615", "620", "700"),
    "modules": ("open", "proprietary"),
    "driver_source": ("ubuntu", "debian", "nvidia"),
    "cuda": ("11.8", "12.4", "12.6", "12.8", "12.9", "13.0", "13.3", "14.0"),
    "cuda_source": ("ubuntu", "debian", "nvidia"),
    "cudnn": ("9.5.1.17", "9.10.2.21", "9.27.0.42", "8.9.7.29"),
    "pytorch": ("2.0.1", "2.7.1", "2.10.0", "2.14.1", "2.14.1+cu126", "2.15.0", "cpu", "9.9"),
    "tensorflow": ("2.14.1", "2.16.2", "2.19.1", "2.21.0", "conda-forge", "cpu"),
    "jax": ("0.6.2", "0.12.0.1", "cuda12", "cuda13", "cpu"),
    "keras": ("3.15.1", "2.15.0"),
    "python": ("3.10", "3.11", "3.12", "3.13", "3.14"),
}


@st.composite
def machines(draw: st.DrawFn, min_gpus: int = 0) -> dict[str, Any]:
    guest = draw(st.sampled_from(("none", "none", "none", "kvm", "docker", "wsl")))
    facts: dict[str, Any] = machine(
        *draw(st.lists(st.sampled_from(GPUS), min_size=min_gpus, max_size=4)),
        os=draw(st.sampled_from(sorted(SYSTEMS))),
        kernel=draw(st.sampled_from(KERNELS)),
        secure_boot=draw(st.sampled_from((True, False, None))),
        flags=draw(st.sampled_from((("avx", "avx2"), ("avx", "avx2"), ("avx",), ()))),
        virtualization="none" if guest == "wsl" else guest,
        wsl=guest == "wsl",
        driver=draw(st.sampled_from((None, "551.23", "580.178.04"))) if guest in ("docker", "wsl") else None,
    )
    flavours = ("generic", "generic-hwe-24.04", "generic-hwe-22.04", "aws-lts-24.04", "oem-24.04d", "amd64", "odd")
    facts["os"]["kernel_flavours"] = draw(st.lists(st.sampled_from(flavours), max_size=3, unique=True))
    return facts


@st.composite
def preferences(draw: st.DrawFn) -> dict[str, Any]:
    pins = {}
    for name in draw(st.lists(st.sampled_from(sorted(PIN_VALUES)), max_size=3, unique=True)):
        pins[name] = draw(st.sampled_from(PIN_VALUES[name]))
    return {
        "policy": draw(st.sampled_from(("stable", "newest"))),
        "pins": pins,
        "headless": draw(st.booleans()),
        "unattended": draw(st.booleans()),
        "pypi_only": draw(st.booleans()),
        "today": draw(st.sampled_from((None, AS_OF, "2027-06-01", "2029-01-01"))),
    }


#: The same examples every time, unless somebody asks for a number of new ones: DLBOX_EXAMPLES=5000.
EXAMPLES = int(os.environ.get("DLBOX_EXAMPLES", "0"))
MANY = settings(
    max_examples=EXAMPLES or 120,
    derandomize=not EXAMPLES,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)


def number(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(".") if part.isdigit())


def on_gpu(result: dict[str, Any], role: tuple[str, ...] = ("compute",)) -> list[dict[str, Any]]:
    return [gpu for gpu in result["gpus"] if gpu["usable"] and gpu["role"] in role]


def check_driver(facts: dict[str, Any], preference: dict[str, Any], result: dict[str, Any]) -> None:
    driver = result["driver"]
    branch = int(driver["branch"])
    system = f"{result['os']['id']}-{result['os']['version']}"
    assert not result["os"]["wsl"] and result["os"]["virtualization"] != "docker"
    for gpu in on_gpu(result, ("compute", "display")):
        known = [
            arch
            for arch in ARCHITECTURES.values()
            if arch.label == gpu["architecture"] and f"{arch.cc[0]}.{arch.cc[1]}"[:2] == gpu["compute_capability"][:2]
        ]
        assert any(arch.first_driver <= branch <= (arch.last_driver or 10_000) for arch in known)
        assert any(arch.modules in ("both", driver["modules"]) for arch in known)
        if "GH200" in gpu["name"]:
            assert driver["modules"] == "open"
    if branch >= OPEN_ONLY_FROM:
        assert driver["modules"] == "open"
    assert any(
        offer.system == system
        and offer.branch == branch
        and offer.modules == driver["modules"]
        and offer.source == driver["source"]
        for offer in OFFERS
    )
    if driver["source"] == "ubuntu":
        assert branch not in TRANSITIONAL[system]
    if preference["unattended"] and facts["os"]["secure_boot"]:
        assert driver["provider"] == "prebuilt"
    if driver["provider"] == "prebuilt":
        assert driver["source"] == "ubuntu"
    if BRANCHES[branch].dead or not BRANCHES[branch].confirmed:
        assert preference["pins"].get("driver", "").startswith(str(branch))
    if branch == 550 and driver["modules"] == "open":
        assert number(facts["os"]["kernel"].partition("+")[0])[:3] < (6, 12, 97)


def check_cuda(result: dict[str, Any], branch: int | None) -> None:
    cuda = result["cuda"]
    series = cuda["version"]
    system = f"{result['os']['id']}-{result['os']['version']}"
    repository = "wsl-ubuntu" if result["os"]["wsl"] else SYSTEMS[system].nvidia_repo
    if cuda["source"] == "nvidia":
        assert series in NVIDIA_TOOLKITS[repository]
    else:
        assert any(series == known for known, _, _ in DISTRO_TOOLKITS[system])
    for gpu in on_gpu(result):
        major, minor = number(gpu["compute_capability"])
        assert any(target // 10 == major and target % 10 <= minor for target in TARGETS[series])
    if branch is not None:
        assert branch >= MINOR_COMPAT_BRANCH[number(series)[0]]


def check_cudnn(result: dict[str, Any]) -> None:
    version = number(result["cudnn"]["version"])
    for gpu in on_gpu(result):
        capability = number(gpu["compute_capability"])
        assert capability >= (7, 5) or version < (9, 11)
        assert capability < (10, 0) or version >= (9, 7)


def check_framework(
    facts: dict[str, Any], preference: dict[str, Any], result: dict[str, Any], name: str, branch: int | None
) -> None:
    entry = result["frameworks"][name]
    builds = [build for build in BUILDS[name] if build.version == entry["version"] and build.build == entry["build"]]
    assert builds
    minor = number(entry["python"])[1]
    assert any(build.pythons[0] <= minor <= build.pythons[1] for build in builds)
    if name in ("tensorflow", "jax") and entry["build"] != "conda-forge":
        assert "avx" in facts["cpu"]["flags"]
    if preference["pypi_only"]:
        assert entry["index_url"] is None
    if not entry["gpu"]:
        return
    assert on_gpu(result)
    build = builds[0]
    if branch is not None:
        assert branch >= {11: 450, 12: 525, 13: 580}[number(entry["cuda"])[0]]
    for gpu in on_gpu(result):
        major, least = number(gpu["compute_capability"])
        cubin = any(cc // 10 == major and cc % 10 <= least for cc in build.cc)
        assert cubin or (build.ptx and 10 * major + least >= build.ptx)
        if name == "tensorflow" and build.build != "conda-forge":
            assert major < 10
        if name == "jax":
            assert (major, least) >= ((7, 5) if entry["build"] == "cuda13" else (5, 2))
        if (major, least) < (7, 5) and build.drifts:
            pinned = [item for item in entry["requirements"] if item.startswith("nvidia-cudnn")]
            assert pinned and number(pinned[0].partition("==")[2]) < (9, 11)


@given(machines(), preferences())
@MANY
def test_a_plan_never_violates_the_data(facts: dict[str, Any], preference: dict[str, Any]) -> None:
    result = plan(facts, preference)
    assert result["ok"] is not any(item["fatal"] for item in result["refusals"])
    branch = None
    if result["driver"]:
        check_driver(facts, preference, result)
        branch = int(result["driver"]["branch"])
    elif facts["driver"]["loaded"] and (result["os"]["wsl"] or result["os"]["virtualization"] == "docker"):
        branch = number(facts["driver"]["loaded"])[0]
    if result["cuda"]:
        check_cuda(result, branch)
    if result["cudnn"] and result["ok"]:
        check_cudnn(result)
    for name in ("pytorch", "tensorflow", "jax"):
        if result["frameworks"][name]["version"]:
            check_framework(facts, preference, result, name, branch)
    if result["ok"] and on_gpu(result) and not result["os"]["wsl"] and result["os"]["virtualization"] != "docker":
        assert result["driver"] is not None


@given(machines(min_gpus=1), preferences(), st.sampled_from(GPUS))
@MANY
def test_adding_a_gpu_never_makes_an_impossible_set_possible(
    facts: dict[str, Any], preference: dict[str, Any], more: str
) -> None:
    if plan(facts, preference)["ok"]:
        return
    extra = machine(more)["gpus"][0]
    bigger = {**facts, "gpus": [*facts["gpus"], {**extra, "slot": "0000:7f:00.0"}]}
    assert not plan(bigger, preference)["ok"]


@given(machines(), preferences())
@MANY
def test_a_pin_is_honoured_or_refused(facts: dict[str, Any], preference: dict[str, Any]) -> None:
    result = plan(facts, preference)
    if not result["ok"]:
        return
    driver, pins = result["driver"], preference["pins"]
    idle = {item["message"].partition("=")[0] for item in result["warnings"] if item["code"] == "pin_not_applicable"}
    for name, value in pins.items():
        if name in idle:
            assert not on_gpu(result, ("compute", "display"))
        elif name == "driver":
            assert driver and driver["branch"] == value.split("-")[0]
            assert "open" not in value or driver["modules"] == "open"
        elif name == "modules":
            assert driver and driver["modules"] == value
        elif name == "driver_source":
            assert driver and driver["source"] == value
        elif name == "cuda":
            assert result["cuda"]["version"] == value
        elif name == "cuda_source" and result["cuda"]:
            assert result["cuda"]["source"] == value
        elif name == "cudnn" and result["cudnn"]:
            assert result["cudnn"]["version"] == value
        elif name == "python":
            for entry in result["frameworks"].values():
                assert entry["python"] in (value, None)
        elif name == "keras":
            assert result["frameworks"]["keras"]["version"] in (value, None)
        elif name in ("pytorch", "tensorflow", "jax"):
            entry = result["frameworks"][name]
            version, _, build = value.partition("+")
            assert entry["version"] == version or version in (entry["build"],)
            assert build in ("", entry["build"])


@given(machines(min_gpus=2), preferences(), st.randoms(use_true_random=False))
@MANY
def test_the_order_of_gpus_does_not_matter(facts: dict[str, Any], preference: dict[str, Any], random: Any) -> None:
    shuffled = list(facts["gpus"])
    random.shuffle(shuffled)
    assert plan({**facts, "gpus": shuffled}, preference) == plan(facts, preference)
    # nor does the slot decide anything but its own line
    moved = [{**gpu, "slot": other["slot"]} for gpu, other in zip(shuffled, facts["gpus"], strict=True)]
    first, second = plan(facts, preference), plan({**facts, "gpus": moved}, preference)
    for key in ("ok", "driver", "cuda", "cudnn", "frameworks", "refusals"):
        assert first[key] == second[key]


def without(
    facts: dict[str, Any], preference: dict[str, Any], cause: str
) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Return ways to take a cause away: changed facts and preferences."""
    system = f"{facts['os']['id']}-{facts['os']['version']}"
    if cause.startswith("gpu:"):
        gpus = [gpu for gpu in facts["gpus"] if gpu["pci_id"] != cause[4:]]
        return [({**facts, "gpus": gpus}, preference)]
    if cause.startswith("pin:"):
        return [
            (
                facts,
                {**preference, "pins": {key: value for key, value in preference["pins"].items() if key != cause[4:]}},
            )
        ]
    if cause == "secure_boot":
        return [
            ({**facts, "os": {**facts["os"], "secure_boot": False}}, preference),
            (facts, {**preference, "unattended": False}),
        ]
    if cause == "avx":
        return [({**facts, "cpu": {"flags": ["avx", "avx2"]}}, preference)]
    if cause == "pypi_only":
        return [(facts, {**preference, "pypi_only": False})]
    if cause == "driver":
        return [({**facts, "driver": {"loaded": "620.10"}}, preference)]
    if cause == "kernel":
        return [
            ({**facts, "os": {**facts["os"], "kernel": SYSTEMS[system].default_kernel}}, preference),
            (machine_on(facts, "debian-12"), preference),
        ]
    if cause == "os":
        return [(machine_on(facts, other), preference) for other in SYSTEMS if other != system]
    raise AssertionError(f"no test knows how to take away {cause}")


def machine_on(facts: dict[str, Any], other: str) -> dict[str, Any]:
    system = SYSTEMS[other]
    return {**facts, "os": {**facts["os"], "id": system.id, "version": system.version, "kernel": system.default_kernel}}


@given(machines(), preferences())
@MANY
def test_every_refusal_names_causes_whose_removal_changes_the_result(
    facts: dict[str, Any], preference: dict[str, Any]
) -> None:
    result = plan(facts, preference)
    for item in result["refusals"]:
        assert item["causes"]
        for cause in item["causes"]:
            changed = [plan(*ways)["refusals"] for ways in without(facts, preference, cause)]
            key = (item["component"], item["code"], tuple(item["causes"]), item["message"])
            assert any(
                key not in {(one["component"], one["code"], tuple(one["causes"]), one["message"]) for one in other}
                for other in changed
            ), (cause, item)


@given(machines(), preferences())
@MANY
def test_every_alternative_is_a_plan(facts: dict[str, Any], preference: dict[str, Any]) -> None:
    result = plan(facts, preference)
    for item in result["alternatives"]:
        assert item["change"] and item["summary"]
    if not result["ok"] and on_gpu(result) and not preference["pins"]:
        assert result["alternatives"]
