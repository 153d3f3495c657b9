"""Every role keeps its contract: defaults and argument specs say the same, and what a role needs is there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

PROJECT = Path(__file__).resolve().parents[2]
ROLES = sorted(path.name for path in (PROJECT / "roles").iterdir() if path.is_dir())
# A task's module by its full name, of another collection than Ansible's own and this one.
FOREIGN = r"^\s+(?:- )?((?!ansible\.builtin\.|dlbox\.workstation\.)[a-z_]+\.[a-z_]+\.[a-z_]+):"


def load(role: str, path: str) -> Any:
    return yaml.safe_load((PROJECT / "roles" / role / path).read_text(encoding="utf-8"))


def options(role: str) -> dict[str, dict[str, Any]]:
    return load(role, "meta/argument_specs.yml")["argument_specs"]["main"].get("options") or {}


@pytest.mark.parametrize("role", ROLES)
def test_defaults_and_argument_specs_say_the_same(role: str) -> None:
    defaults = load(role, "defaults/main.yml") or {}
    specs = options(role)
    optional = {name for name, spec in specs.items() if not spec.get("required")}
    assert optional == set(defaults), "an option without a default, or a default that is not an option"
    stated = {name: specs[name].get("default") for name in optional}
    assert stated == defaults


@pytest.mark.parametrize("role", ROLES)
def test_every_option_is_documented_and_belongs_to_the_role(role: str) -> None:
    for name, spec in options(role).items():
        assert name.startswith(f"{role}_"), name
        assert spec.get("type"), f"{name} has no type"
        assert spec.get("description"), f"{name} has no description"


@pytest.mark.parametrize("role", ROLES)
def test_a_role_has_a_page_and_its_author_and_platforms(role: str) -> None:
    readme = (PROJECT / "roles" / role / "README.md").read_text(encoding="utf-8")
    assert readme.startswith(f"# {role}\n") and len(readme.splitlines()) >= 10
    info = load(role, "meta/main.yml")["galaxy_info"]
    assert info["author"] == "dlbox" and info["license"] == "MIT" and info["platforms"]


@pytest.mark.parametrize("role", ROLES)
def test_a_role_is_converged_by_a_scenario(role: str) -> None:
    playbooks = [*(PROJECT / "molecule").glob("*/*.yml"), *(PROJECT / "playbooks").glob("*.yml")]
    roles = [*(PROJECT / "roles").glob("*/tasks/*.yml"), *(PROJECT / "roles").glob("*/meta/main.yml")]
    assert any(
        role in file.read_text(encoding="utf-8") for file in playbooks + roles if f"/roles/{role}/" not in str(file)
    )


@pytest.mark.parametrize("role", ROLES)
def test_a_role_never_asks_for_the_distribution_in_a_task(role: str) -> None:
    for file in (PROJECT / "roles" / role / "tasks").rglob("*.yml"):
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
            if line.strip().startswith(("when:", "- ansible_facts")):
                assert "ansible_facts['distribution" not in line and "ansible_distribution" not in line, (
                    f"{file}:{number}"
                )


def test_roles_need_ansible_core_alone() -> None:
    """Two modules of other collections cost every first run the download of a large wheel."""
    texts = {path: path.read_text() for place in ("roles", "playbooks") for path in (PROJECT / place).rglob("*.yml")}
    assert len(texts) > 100
    foreign = {str(path): found for path, text in texts.items() if (found := re.findall(FOREIGN, text, re.MULTILINE))}
    assert not foreign
