"""The owner's CUDA toolkits and libraries are part of the plan: named as they are installed, or refused beforehand."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.dlbox.workstation.plugins.plugin_utils.planner import cautions, toolkit
from ansible_collections.dlbox.workstation.plugins.plugin_utils.planner.intake import problem_from
from ansible_collections.dlbox.workstation.plugins.plugin_utils.planner.model import UsageError
from ansible_collections.dlbox.workstation.plugins.plugin_utils.planner.planner import solve

AMPERE, MAXWELL = "RTX 3090", "GTX 960"


def planned(gpu: str = AMPERE, system: str = "ubuntu-24.04", **options: Any) -> dict[str, Any]:
    identity, _, version = system.partition("-")
    described = {"id": identity, "version": version, "arch": "x86_64", "secure_boot": False, "virtualization": "none"}
    facts = {"host": "box", "os": {**described, "wsl": False}, "cpu": {"flags": ["avx", "avx2"]}}
    found = {**facts, "gpus": [{"name_hint": gpu}] if gpu else []}
    return solve(problem_from(found, {"today": "2026-11-20", **options}))


def refusals(made: dict[str, Any]) -> list[str]:
    return [item["message"] for item in made["refusals"] if item["component"] == "cuda" and item["fatal"]]


def test_toolkits_side_by_side_and_their_libraries_are_named() -> None:
    options = {"toolkits": ["12.9.1", "auto"], "default_toolkit": "13.0", "libraries": ["cudnn", "nccl"]}
    made = planned(**options)
    cuda = made["cuda"]
    assert cuda["version"] == "13.0" and cuda["versions"] == ["12.9", "13.0"]
    assert cuda["packages"] == ["cuda-toolkit-12-9", "cuda-toolkit-13-0"]
    assert cuda["nccl"]["built_for"] == "+cuda13.0"
    assert made["cudnn"]["packages"] == ["libcudnn9-cuda-13"]
    assert made["cudnn"]["repository"] == cuda["repository"] and cuda["repository"]["name"] == "ubuntu2404"
    assert made["ok"] and refusals(made) == []


def test_cudnn_is_for_the_toolkit_that_is_used() -> None:
    assert planned(toolkits=["12.9", "13.0"])["cudnn"]["packages"] == ["libcudnn9-cuda-12"]


def test_cudnn_is_of_one_version_only_where_it_has_to_be() -> None:
    """Of a repository's newest the tables know one day: insisted on, it would end the run of the role."""
    assert planned()["cudnn"]["exact_version"] is None
    assert planned(pins={"cudnn": "9.20"})["cudnn"]["exact_version"] == "9.20"
    assert planned(MAXWELL)["cudnn"]["exact_version"] == "9.10.2.21"


def test_what_nobody_could_read_warns_and_what_is_not_offered_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    def codes(made: dict[str, Any]) -> set[str]:
        return {item["code"] for item in made["warnings"]}

    pinned = {"system": "debian-13", "pins": {"cuda": "12.9"}}
    assert not planned(**pinned)["ok"], "known to have CUDA 13 alone"
    assert planned(system="debian-13", toolkits=["12.9"])["ok"] is False
    for module in (toolkit, cautions):
        monkeypatch.setattr(module, "NVIDIA_TOOLKITS_UNKNOWN", frozenset({"debian13"}))
    for made in (planned(**pinned), planned(system="debian-13", toolkits=["12.9"])):
        assert made["ok"] and made["cuda"]["packages"] == ["cuda-toolkit-12-9"] and "toolkit_unconfirmed" in codes(made)
    # Nobody asked for one: what is known is taken, or none, with no promise.
    made = planned(system="debian-13")
    assert made["ok"] and made["cuda"]["source"] == "debian" and "toolkit_unconfirmed" not in codes(made)
    assert "toolkit_unconfirmed" not in codes(planned(pins={"cuda": "12.9"}))


def test_a_machine_without_gpu_may_compile() -> None:
    assert planned("", toolkits=["12.9"])["cuda"]["packages"] == ["cuda-toolkit-12-9"]
    assert planned("")["cuda"] is None


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"gpu": MAXWELL, "toolkits": ["13.0"]}, "cuda_toolkits has 13.0: CUDA 13.0 does not compile for GTX 960"),
        (
            {"toolkits": ["12.9"], "default_toolkit": "12.6"},
            "cuda_default_toolkit is 12.6, which is not in cuda_toolkits",
        ),
        ({"toolkits": ["12.7"]}, "cuda_toolkits has 12.7, and Ubuntu 24.04 is known to have 12.5, 12.6, 12.8"),
        (
            {"system": "debian-13", "pins": {"driver_source": "debian"}, "toolkits": ["auto"], "libraries": ["cudnn"]},
            "cuda_cudnn is true, but the plan's toolkit is from debian",
        ),
        (
            {"system": "ubuntu-26.04", "toolkits": ["13.3"]},
            "cuda_toolkits has 13.3: the signing key of NVIDIA's repository ubuntu2604 is not confirmed",
        ),
    ],
    ids=["no code for the GPU", "default not installed", "not offered", "no cuDNN there", "no confirmed key"],
)
def test_what_cannot_be_installed_is_refused_before_the_first_change(given: dict[str, Any], says: str) -> None:
    made = planned(**given)
    assert not made["ok"] and any(says in message for message in refusals(made)), refusals(made)


@pytest.mark.parametrize("value", ["latest", "13", "12.9; rm", ""])
def test_a_version_that_is_none_is_an_error(value: str) -> None:
    with pytest.raises(UsageError, match=r"cuda_toolkits has .*expected a version such as '12\.9', or 'auto'"):
        planned(toolkits=[value])


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"uri": "https://x/"}, "nvidia_repository has the key 'uri'"),
        ({"url": "mirror"}, "nvidia_repository.url is 'mirror', expected a URL"),
        ({"url": "https://me:secret@mirror.home.example/"}, "nvidia_repository.url holds credentials"),
        ({"key_url": "https://token@mirror.home.example/key"}, "put them into a file below /etc/apt/auth.conf.d"),
        ({"key_fingerprints": "AB"}, "key_fingerprints is 'AB', expected a list"),
        ("https://mirror.home.example/", "nvidia_repository is 'https://mirror.home.example/', expected a mapping"),
        ({"key_fingerprints": ["3bf863cc"]}, "has '3BF863CC', expected 40 hexadecimal digits"),
    ],
)
def test_a_mirror_that_is_none_is_an_error(given: Any, says: str) -> None:
    with pytest.raises(UsageError) as error:
        planned(nvidia_repository=given)
    assert says in str(error.value)
    assert "secret" not in str(error.value) and "token" not in str(error.value)


def test_the_plan_names_the_owners_mirror() -> None:
    prints = ["eb69 3b30 35cd 5710 e231 e123 a4b4 6996 3bf8 63cc"]
    mirror = {"url": "file:///srv/cuda/", "key_url": "file:///srv/key", "key_fingerprints": prints}
    made = planned(pins={"driver_source": "nvidia"}, nvidia_repository=mirror)
    for repository in (made["driver"]["repository"], made["cuda"]["repository"]):
        assert repository["url"] == "file:///srv/cuda/" and repository["suite"] == "/"
        assert repository["key_fingerprints"] == ["EB693B3035CD5710E231E123A4B469963BF863CC"]
