"""Call conda_env on a test host with any parameters, the way a play does."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

PROJECT = Path(__file__).resolve().parents[3]
CHANNEL = "file:///srv/conda-channel"
ROOT = "/opt/conda"
ENGINE = "/opt/dlbox/engine/venv/bin/python"


def call(name: str, *options: str, **parameters: Any) -> dict[str, Any]:
    """The module's result on the host `name`."""
    arguments = {
        "root": ROOT,
        "channels": [CHANNEL],
        "python": "3.11",
        "ca_bundle": "/etc/ssl/certs/ca-certificates.crt",
    }
    settings = {
        "ANSIBLE_CONFIG": str(PROJECT / "ansible.cfg"),
        "ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json",
        "ANSIBLE_LOAD_CALLBACK_PLUGINS": "1",
        "ANSIBLE_CALLBACKS_ENABLED": "ansible.builtin.default",
        "NO_COLOR": "1",
    }
    inventories = ["-i", str(PROJECT / "molecule/shared/inventory"), "-i", str(PROJECT / "molecule/conda/inventory")]
    command = ["ansible", name, *inventories, "-m", "conda_env", "-a", json.dumps({**arguments, **parameters})]
    command += ["-e", f"ansible_python_interpreter={ENGINE}", "--diff", *options]
    done = subprocess.run(
        command,
        env={**os.environ, **settings, "MOLECULE_PROJECT_DIRECTORY": str(PROJECT)},
        text=True,
        capture_output=True,
        check=False,
    )
    try:
        answer = json.loads(done.stdout[done.stdout.index("{") :])
        return dict(answer["plays"][0]["tasks"][0]["hosts"][name])
    except (ValueError, LookupError) as error:
        raise AssertionError(f"{done.stdout}\n{done.stderr}") from error


@pytest.fixture
def conda_env(host: Any) -> Callable[..., dict[str, Any]]:
    """conda_env(environments=[...], ...) on the host under test; check=True for check mode."""
    name = host.backend.host
    if not name.endswith("-d13"):
        pytest.skip("one release is enough for the module's cases; Python 3.13 of the channel needs the newest")

    def run(*environments: dict[str, Any], check: bool = False, **parameters: Any) -> dict[str, Any]:
        return call(name, *(["--check"] if check else []), environments=list(environments), **parameters)

    return run
