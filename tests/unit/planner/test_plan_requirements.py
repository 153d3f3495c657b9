"""What the plan emits resolves for real: uv's resolver against the wheel index, no download of wheels.

The quick test takes one profile; `full` all of them. What is on PyTorch's own index is resolved where that answers.
"""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.dlbox.workstation.plugins.plugin_utils.planner.planner import plan
from planner_machines import AS_OF, machine

UV = Path(sys.executable).with_name("uv")
ALONE = {"pypi_only": True}


def pinned(**pins: str) -> dict[str, Any]:
    return {"pypi_only": True, "pins": pins}


def arm(*gpus: str, os: str = "ubuntu-24.04") -> dict[str, Any]:
    return machine(*gpus, os=os, arch="aarch64")


PROFILES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "turing to hopper": (machine("RTX 3090"), {}),
    "no gpu": (machine(), ALONE),
    "no gpu, python 3.10": (machine(), pinned(python="3.10")),
    "no gpu, python 3.11": (machine(), pinned(python="3.11")),
    "no gpu, python 3.13": (machine(), pinned(python="3.13")),
    "no gpu, python 3.14": (machine(), pinned(python="3.14")),
    "maxwell": (machine("GTX 960"), ALONE),
    "maxwell 5.0": (machine("GTX 750 Ti"), ALONE),
    "maxwell, python 3.11": (machine("GTX 960"), pinned(python="3.11")),
    "pascal": (machine("GTX 1080 Ti"), ALONE),
    "pascal newest": (machine("GTX 1080 Ti"), {**ALONE, "policy": "newest"}),
    "pascal, python 3.10": (machine("GTX 1080 Ti"), pinned(python="3.10")),
    "pascal, TensorFlow 2.20": (machine("GTX 1080 Ti"), pinned(tensorflow="2.20.0")),
    "volta": (machine("TITAN V"), ALONE),
    "volta, python 3.13": (machine("TITAN V"), pinned(python="3.13")),
    "volta, PyTorch 2.8": (machine("TITAN V"), pinned(pytorch="2.8.0")),
    "turing": (machine("RTX 2080 Ti"), ALONE),
    "maxwell and ada": (machine("GTX 960", "RTX 4090"), ALONE),
    "pascal and ampere": (machine("GTX 1080 Ti", "RTX 3090"), ALONE),
    "blackwell": (machine("RTX 5090"), ALONE),
    "blackwell, python 3.11": (machine("RTX 5090"), pinned(python="3.11")),
    "blackwell, PyTorch 2.8": (machine("RTX 5090"), pinned(pytorch="2.8.0")),
    "blackwell data centre": (machine("B200"), ALONE),
    "old driver": (machine("RTX 3090", os="debian-12"), pinned(driver_source="debian")),
    "old driver, python 3.11": (machine("RTX 3090", os="debian-12"), pinned(driver_source="debian", python="3.11")),
    "WSL2, old driver": (machine("RTX 3090", wsl=True, driver="551.23"), ALONE),
    "python 3.10": (machine("RTX 3090"), pinned(python="3.10")),
    "python 3.11": (machine("RTX 3090"), pinned(python="3.11")),
    "python 3.13": (machine("RTX 3090"), pinned(python="3.13")),
    "python 3.14": (machine("RTX 3090"), pinned(python="3.14")),
    "JAX for CUDA 12": (machine("RTX 3090"), pinned(jax="cuda12")),
    "JAX 0.10.2": (machine("RTX 3090"), pinned(jax="0.10.2")),
    "JAX 0.6.2": (machine("RTX 5090"), pinned(jax="0.6.2")),
    "PyTorch 2.11": (machine("RTX 4090"), pinned(pytorch="2.11.0")),
    "PyTorch 2.6": (machine("RTX 4090"), pinned(pytorch="2.6.0")),
    "PyTorch 2.4": (machine("RTX 4090"), pinned(pytorch="2.4.1", python="3.11")),
    "TensorFlow 2.18": (machine("RTX 4090"), pinned(tensorflow="2.18.1")),
    "TensorFlow 2.16": (machine("RTX 4090"), pinned(tensorflow="2.16.2")),
    "TensorFlow 2.15": (machine("RTX 4090"), pinned(tensorflow="2.15.1", python="3.11")),
    "Keras 3.10": (machine("RTX 4090"), pinned(keras="3.10.0")),
    "kepler 3.7": (machine("Tesla K80"), pinned(pytorch="2.0.1", tensorflow="2.14.1")),
    "aarch64, grace hopper": (arm("GH200"), ALONE),
    "aarch64, grace hopper on 22.04": (arm("GH200", os="ubuntu-22.04"), ALONE),
    "aarch64, spark": (arm("GB10"), ALONE),
    "aarch64, ampere server": (arm("NVIDIA A100-SXM4-80GB"), ALONE),
    "aarch64, turing": (arm("Tesla T4"), ALONE),
    "aarch64, python 3.11": (arm("GH200"), pinned(python="3.11")),
    "aarch64, python 3.13": (arm("GH200"), pinned(python="3.13")),
    "aarch64, JAX for CUDA 12": (arm("GH200"), pinned(jax="cuda12")),
    "aarch64, no gpu": (arm(), ALONE),
    "maxwell, own index": (machine("GTX 960"), {}),
    "no gpu, own index": (machine(), {}),
}  # fmt: skip


@lru_cache(maxsize=1024)
def uv(
    requirements: tuple[str, ...], python: str, arch: str = "x86_64", index: str | None = None
) -> subprocess.CompletedProcess[str]:
    """Resolve for Linux with glibc 2.35 (the oldest system's), a CPU architecture and a Python version."""
    command = [str(UV), "pip", "compile", "--quiet", "--no-header", "--no-annotate", "--python-version", python,
               "--only-binary", ":all:", "--python-platform", f"{arch}-manylinux_2_35", "-"]  # fmt: skip
    if index:
        command += ["--index", index, "--index-strategy", "unsafe-best-match"]
    text = "\n".join(requirements) + "\n"
    return subprocess.run(command, input=text, capture_output=True, text=True, env=dict(os.environ), check=False)


@pytest.fixture(scope="module")
def reachable() -> None:
    """Skip where no wheel index answers."""
    done = uv(("six",), "3.12")
    if done.returncode:
        pytest.skip(f"no wheel index answers: {done.stderr[-300:]}")


def resolve(profile: str) -> None:
    facts, preferences = PROFILES[profile]
    result = plan(facts, {"today": AS_OF, **preferences})
    entries = [(name, entry) for name, entry in result["frameworks"].items() if entry["requirements"]]
    assert len(entries) >= 3 or profile in ("kepler 3.7", "python 3.14", "no gpu, python 3.14"), entries
    jobs = [
        one
        for one in entries
        if not (one[1]["index_url"] and uv(("six",), "3.12", index=one[1]["index_url"]).returncode)
    ]
    if not jobs:
        pytest.skip("PyTorch's own index cannot be reached, and everything here is from it")

    def run(job: tuple[str, dict[str, Any]]) -> subprocess.CompletedProcess[str]:
        entry = job[1]
        asked = (*entry["requirements"], *entry["companions"])
        return uv(asked, entry["python"], result["os"]["arch"], entry["index_url"])

    with ThreadPoolExecutor(4) as pool:
        done_all = list(pool.map(run, jobs))
    for (name, entry), done in zip(jobs, done_all, strict=True):
        assert done.returncode == 0, f"{profile}, {name} {entry['requirements']}: {done.stderr}"
        chosen = done.stdout.splitlines()
        for requirement in entry["requirements"]:
            wanted = requirement.replace("[and-cuda]", "").replace("[cuda12]", "").replace("[cuda13]", "")
            assert wanted in chosen
        if any("nvidia-cudnn-cu12" in requirement for requirement in entry["requirements"]):
            assert "nvidia-cudnn-cu12==9.10.2.21" in chosen
        # a GPU build brings CUDA's libraries of its own series
        cuda = [line for line in chosen if line.startswith(("nvidia-", "jax-cuda", "cuda-toolkit"))]
        assert bool(cuda) or not entry["gpu"] or entry["version"] == "2.0.1", (name, chosen)


def test_there_are_plans_enough() -> None:
    assert len(PROFILES) >= 40
    assert sum(facts["os"]["arch"] == "aarch64" for facts, _ in PROFILES.values()) >= 8


@pytest.mark.slow
def test_the_common_profile_resolves(reachable: None) -> None:
    resolve("turing to hopper")


@pytest.mark.full
@pytest.mark.parametrize("profile", sorted(set(PROFILES) - {"turing to hopper"}))
def test_every_profile_resolves(profile: str, reachable: None) -> None:
    resolve(profile)
