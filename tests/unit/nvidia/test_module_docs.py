"""The modules' documentation and their argument specifications say the same, shared options included."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

PROJECT = Path(__file__).resolve().parents[3]
NAMESPACE = "dlbox.workstation."
MODULES = [
    "apt_source",
    "apt_transaction",
    "distribution_components",
    "host_files",
    "mok_enrolment",
    "nvidia_leftovers",
    "nvidia_packages",
    "nvidia_state",
    "signing_key",
]


@pytest.fixture(scope="module")
def documented() -> Any:
    env = {**os.environ, "ANSIBLE_CONFIG": str(PROJECT / "ansible.cfg")}
    command = [
        str(Path(sys.executable).with_name("ansible-doc")),
        "--json",
        "-t",
        "module",
        *(NAMESPACE + name for name in MODULES),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=env, cwd=PROJECT)
    return json.loads(done.stdout)


class Asked(Exception):
    """A module asked for its arguments."""


def specification(name: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, dict[str, Any]]:
    def ask(*_arguments: Any, **given: Any) -> None:
        raise Asked(given["argument_spec"])

    module = importlib.import_module(f"ansible_collections.{NAMESPACE}plugins.modules.{name}")
    monkeypatch.setattr(module, "AnsibleModule", ask)
    with pytest.raises(Asked) as asked:
        module.main()
    (spec,) = asked.value.args
    return dict(spec)


@pytest.mark.parametrize("name", MODULES)
def test_options_are_documented_as_they_are(documented: Any, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    doc = documented[NAMESPACE + name]["doc"]
    spec = specification(name, monkeypatch)
    options = doc.get("options", {})
    assert set(options) == set(spec)
    for key, option in spec.items():
        told = options[key]
        assert told["type"] == option["type"], key
        assert bool(told.get("required")) == bool(option.get("required")), key
        assert told.get("default") == option.get("default"), key
        assert told.get("choices") == option.get("choices"), key
    assert doc["attributes"]["check_mode"]["support"] == "full"
    assert documented[NAMESPACE + name]["examples"] and doc["author"] == ["dlbox"]
