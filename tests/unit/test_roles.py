"""Every role keeps its contract: defaults and argument specs say the same, and what a role needs is there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.dlbox.workstation.plugins.modules import machine_facts

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


def tasks_of(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the tasks of a file, those of its blocks included."""

    def walk(tasks: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        for task in tasks:
            yield task
            for part in ("block", "rescue", "always"):
                yield from walk(task.get(part, []))

    yield from walk(yaml.safe_load(path.read_text(encoding="utf-8")) or [])


def included_file(task: dict[str, Any]) -> str | None:
    """Return the file that a task imports or includes."""
    for keyword in ("ansible.builtin.import_tasks", "ansible.builtin.include_tasks"):
        if keyword in task:
            return task[keyword]["file"] if isinstance(task[keyword], dict) else task[keyword]
    return None


@pytest.mark.parametrize("role", ROLES)
def test_the_files_that_a_role_includes_are_named_literally(role: str) -> None:
    """So that main.yml is a table of contents, and a search for a file's name finds who uses it."""
    used = {"main.yml"}
    for file in (PROJECT / "roles" / role).glob("*/*.yml"):
        if file.parent.name in ("tasks", "handlers"):
            for task in tasks_of(file):
                if (name := included_file(task)) is not None:
                    assert (PROJECT / "roles" / role / "tasks" / name).is_file(), f"{file}: {name}"
                    used.add(name)
    # What other roles and playbooks include by tasks_from.
    entries = {"predict.yml", "packages.yml", "guarded.yml", "lock.yml", "early.yml"}
    assert {file.name for file in (PROJECT / "roles" / role / "tasks").iterdir()} <= used | entries


@pytest.mark.parametrize("role", ROLES)
def test_the_arguments_of_a_module_stand_in_its_task(role: str) -> None:
    """A module whose arguments are one variable shows nobody what it does."""
    for file in (PROJECT / "roles" / role / "tasks").glob("*.yml"):
        for task in tasks_of(file):
            for keyword, arguments in task.items():
                if keyword.startswith(("ansible.builtin.", "dlbox.workstation.")) and isinstance(arguments, str):
                    assert not re.fullmatch(r"\{\{.*\}\}", arguments.strip(), re.DOTALL), f"{file}: {task['name']}"


def test_every_fact_that_is_read_is_gathered() -> None:
    """site.yml does not run setup; a fact that nobody gathers would be empty, and nobody would notice."""
    gathered = set(machine_facts.usual_facts("")) | {"dlbox_environments", "dlbox_machine", "dlbox_plan"}
    files = [file for folder in ("roles", "playbooks") for file in (PROJECT / folder).rglob("*") if file.is_file()]
    read = {
        (name, str(file.relative_to(PROJECT)))
        for file in files
        for name in re.findall(r"ansible_facts(?:\[['\"]|\.)([a-z_0-9]+)", file.read_text(errors="replace"))
    }
    assert read and not {(name, file) for name, file in read if name not in gathered}


def folded_expressions(path: Path) -> Iterator[tuple[str, int]]:
    """Yield the text and the number of lines of each folded scalar that is a template."""
    for match in re.finditer(
        r"^( *)(?:- )?[^\n#]*>-\n((?:\1 +\S.*\n)+)", path.read_text(encoding="utf-8"), re.MULTILINE
    ):
        if "{{" in match.group(2) or "{%" in match.group(2):
            yield match.group(2), match.group(2).count("\n")


def test_logic_is_in_tested_python() -> None:
    """A folded expression joins values; loops, and what takes more than a few lines, are filters with unit tests."""
    long, count = [], 0
    for place in ("roles", "playbooks"):
        for file in (PROJECT / place).rglob("*.yml"):
            for text, lines in folded_expressions(file):
                count += 1
                assert "{%" not in text, f"{file}: {text}"
                long += [f"{file}: {text}"] * (lines > 5)
    assert not long
    assert count <= 74, "a new folded expression: write a filter, or one line"


def test_packages_are_installed_in_one_way() -> None:
    """ansible.builtin.apt fails in check mode on a host without python3-apt, and waits for another apt in silence."""
    files = [file for folder in ("roles", "playbooks") for file in (PROJECT / folder).rglob("*.yml")]
    texts = {str(file.relative_to(PROJECT)): file.read_text() for file in files}
    assert sum("dlbox.workstation.apt_packages:" in text for text in texts.values()) > 6
    assert [name for name, text in texts.items() if re.search(r"ansible\.builtin\.(apt|package)\b", text)] == []
