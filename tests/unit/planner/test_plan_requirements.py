"""What the plan emits resolves for real: uv's resolver against the wheel index, no download of wheels.

The quick test takes one profile; `full` all of them. PyTorch's own index is asked where it can be reached.
"""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from dlbox_planner.planner import plan
from planner_machines import AS_OF, machine

UV = Path(sys.executable).with_name("uv")
PROFILES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "turing to hopper": (machine("RTX 3090"), {}),
    "no gpu": (machine(), {"pypi_only": True}),
    "maxwell": (machine("GTX 960"), {"pypi_only": True}),
    "pascal": (machine("GTX 1080 Ti"), {"pypi_only": True}),
    "pascal newest": (machine("GTX 1080 Ti"), {"pypi_only": True, "policy": "newest"}),
    "volta": (machine("TITAN V"), {"pypi_only": True}),
    "maxwell and ada": (machine("GTX 960", "RTX 4090"), {"pypi_only": True}),
    "blackwell": (machine("RTX 5090"), {}),
    "old driver": (machine("RTX 3090", os="debian-12"), {"pypi_only": True, "pins": {"driver_source": "debian"}}),
    "python 3.11": (machine("RTX 3090"), {"pins": {"python": "3.11"}}),
    "python 3.13": (machine("RTX 3090"), {"pins": {"python": "3.13"}}),
    "python 3.14": (machine("RTX 3090"), {"pins": {"python": "3.14"}}),
    "python 3.10": (machine("RTX 3090"), {"pins": {"python": "3.10"}}),
    "kepler 3.7": (machine("Tesla K80"), {"pins": {"pytorch": "2.0.1", "tensorflow": "2.14.1"}}),
    "maxwell, own index": (machine("GTX 960"), {}),
    "no gpu, own index": (machine(), {}),
}  # fmt: skip


def uv(requirements: list[str], python: str, index: str | None = None) -> subprocess.CompletedProcess[str]:
    """Resolve for Linux x86_64 with glibc 2.35 (the oldest system's) and a Python version."""
    command = [str(UV), "pip", "compile", "--quiet", "--no-header", "--no-annotate", "--python-version", python,
               "--python-platform", "x86_64-manylinux_2_35", "-"]  # fmt: skip
    if index:
        command += ["--index", index, "--index-strategy", "unsafe-best-match"]
    text = "\n".join(requirements) + "\n"
    return subprocess.run(command, input=text, capture_output=True, text=True, env=dict(os.environ), check=False)


@pytest.fixture(scope="module")
def reachable() -> None:
    """Skip where no wheel index answers."""
    done = uv(["six"], "3.12")
    if done.returncode:
        pytest.skip(f"no wheel index answers: {done.stderr[-300:]}")


def resolve(profile: str) -> None:
    facts, wishes = PROFILES[profile]
    result = plan(facts, {"today": AS_OF, **wishes})
    jobs = [(name, entry) for name, entry in result["frameworks"].items() if entry["requirements"]]
    assert len(jobs) >= 3 or profile in ("python 3.14", "kepler 3.7")
    indexes = {entry["index_url"] for _, entry in jobs} - {None}
    for index in indexes:
        done = uv(["six"], "3.12", index)
        if done.returncode:
            pytest.skip(f"{index} cannot be reached: {done.stderr[-200:]}")
    with ThreadPoolExecutor(4) as pool:
        done_all = list(pool.map(lambda job: uv([*job[1]["requirements"], *job[1]["companions"]], job[1]["python"],
                                                job[1]["index_url"]), jobs))  # fmt: skip
    for (name, entry), done in zip(jobs, done_all, strict=True):
        assert done.returncode == 0, f"{profile}, {name} {entry['requirements']}: {done.stderr}"
        for requirement in entry["requirements"]:
            wanted = requirement.replace("[and-cuda]", "").replace("[cuda12]", "").replace("[cuda13]", "")
            assert wanted in done.stdout.splitlines()
        if any("nvidia-cudnn-cu12" in requirement for requirement in entry["requirements"]):
            assert "nvidia-cudnn-cu12==9.10.2.21" in done.stdout


@pytest.mark.slow
def test_the_common_profile_resolves(reachable: None) -> None:
    resolve("turing to hopper")


@pytest.mark.full
@pytest.mark.parametrize("profile", sorted(set(PROFILES) - {"turing to hopper"}))
def test_every_profile_resolves(profile: str, reachable: None) -> None:
    resolve(profile)
