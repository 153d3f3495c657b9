from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.dlbox.workstation.plugins.lookup.supported_systems import LookupModule
from ansible_collections.dlbox.workstation.plugins.lookup.variable_problems import (
    load_specs,
    misspelt,
    name_problems,
    type_problems,
)
from ansible_collections.dlbox.workstation.plugins.module_utils import preflight

PROJECT = Path(__file__).resolve().parents[3]
(SUPPORTED,) = LookupModule().run([])


@pytest.mark.parametrize(("release", "version"), [(name, one) for name, all_ in SUPPORTED.items() for one in all_])
def test_supported_systems_pass(release: str, version: str) -> None:
    assert preflight.os_problems({"ID": release, "VERSION_ID": version}, SUPPORTED) == []


@pytest.mark.parametrize(
    "fields", [{"ID": "fedora", "VERSION_ID": "44"}, {"ID": "ubuntu", "VERSION_ID": "25.10"}, {"ID": "linuxmint"}, {}]
)
def test_other_systems_are_named_with_what_was_expected(fields: dict[str, str]) -> None:
    (problem,) = preflight.os_problems(fields, SUPPORTED)
    assert fields.get("ID", "unknown") in problem
    assert all(f"{name} {', '.join(versions)}" in problem for name, versions in SUPPORTED.items())


def test_too_little_memory_names_variable_value_and_remedy() -> None:
    (memory,) = preflight.memory_problems(900, 2000)
    assert "900 MiB" in memory and "dlbox_minimum_memory" in memory
    assert preflight.memory_problems(2000, 2000) == []


def test_an_unwritable_target_is_a_problem() -> None:
    (problem,) = preflight.read_only_problems(["/opt"])
    assert problem.startswith("/opt is on a file system that is mounted read-only")


@pytest.mark.parametrize(
    ("sudo", "works", "exe", "expected"),
    [
        ("", True, "sudo", None),
        ("Sudo version 1.9.16", True, "sudo", None),
        ("Sudo version 1.9.16", False, "sudo", None),  # asks for a password; whether it is right is tried for real
        ("", False, "sudo", "usermod -aG sudo ada"),
        ("sudo-rs 0.2.15", False, "sudo", "ansible_become_exe: sudo.ws"),
        ("sudo-rs 0.2.15", True, "sudo", None),
        ("Sudo version 1.9.17", False, "sudo.ws", None),
    ],
)
def test_sudo_that_cannot_work_is_named_with_its_remedy(sudo: str, works: bool, exe: str, expected: str | None) -> None:
    problems = preflight.sudo_problems("ada", sudo, works, exe)
    assert bool(problems) == bool(expected)
    if expected:
        assert expected in problems[0]


def test_package_sources() -> None:
    uri = "https://mirror.example/debian/"
    assert preflight.source_problems([uri], {}) == []
    assert "no package source" in preflight.source_problems([], {})[0]
    assert "installation medium" in preflight.source_problems(["cdrom:[Debian 13]/", uri], {})[0]
    (problem,) = preflight.source_problems([uri], {uri: "Could not resolve 'mirror.example'"})
    assert uri in problem and "Could not resolve" in problem and "proxy" in problem


SPECS = load_specs(PROJECT)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("dlbox_ssh_port", "twenty-two", "expected int"),
        ("dlbox_home_networks", {"lan": "192.168.1.0/24"}, "expected list of str"),
        ("dlbox_policy", "latest", "expected one of stable, newest"),
        ("dlbox_admins", [{"keys": []}], "name"),
        ("dlbox_admins", [{"name": "ada", "keys": ["x"], "shel": "/bin/zsh"}], "shel"),
        ("base_unattended_upgrades", "perhaps", "expected bool"),
    ],
)
def test_a_value_of_the_wrong_type_names_variable_value_and_expectation(name: str, value: Any, expected: str) -> None:
    (problem,) = type_problems(name, value, SPECS[name])
    assert problem.startswith(f"{name}: ") and expected in problem
    assert repr(value)[:40] in problem


def test_right_values_are_no_problem() -> None:
    assert type_problems("dlbox_ssh_port", 2222, SPECS["dlbox_ssh_port"]) == []
    assert type_problems("dlbox_admins", [{"name": "ada", "keys": ["x"]}], SPECS["dlbox_admins"]) == []
    assert type_problems("base_packages_extra", ["nvtop"], SPECS["base_packages_extra"]) == []


def test_misspelt_names_are_found_by_likeness_and_others_left_alone() -> None:
    assert misspelt(["dlbox_ssh_prot"], list(SPECS)) == [
        "dlbox_ssh_prot: no such variable, so it would have no effect. Did you mean dlbox_ssh_port?"
    ]
    assert misspelt(["base_ball_scores"], list(SPECS)) == []


def test_admins_are_ordinary_accounts() -> None:
    assert name_problems(["ada", "grace-h", "_svc"]) == []
    root, empty, upper = name_problems(["root", "", "Ada"])
    assert "dlbox_admins[0].name is root" in root
    assert "dlbox_admins[1].name is ''" in empty and "owner.yml" in empty
    assert "dlbox_admins[2].name is 'Ada'" in upper
