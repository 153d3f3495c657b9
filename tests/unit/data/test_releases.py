"""Whatever names releases names those of the table: tests, images, documents, roles."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from update_data import render, roles

TOP = Path(__file__).resolve().parents[3]
TABLES, SYSTEMS = render.read()


def text(path: str) -> str:
    return (TOP / path).read_text(encoding="utf-8")


@pytest.mark.parametrize("meta", sorted((TOP / "roles").glob("*/meta/main.yml")), ids=lambda path: path.parts[-3])
def test_roles_state_the_supported_releases(meta: Path) -> None:
    stated = yaml.safe_load(meta.read_text(encoding="utf-8"))["galaxy_info"]["platforms"]
    wanted = yaml.safe_load(roles.platforms(SYSTEMS))["platforms"]
    assert stated == wanted, "run scripts/update-data --render"


def test_every_release_has_a_test_image() -> None:
    table = re.search(r'^table="\n(.*?)"$', text("tests/images/build.sh"), re.MULTILINE | re.DOTALL)
    assert table is not None
    assert {line.split()[0] for line in table.group(1).splitlines()} == set(SYSTEMS)
    for system in SYSTEMS.values():
        if system.release.id == "ubuntu":
            assert f"{system.release.version}) codename={system.release.codename};" in text("tests/images/as-ubuntu.sh")


def test_the_whole_site_is_tested_on_every_release() -> None:
    images = set(re.findall(r"ct_image: dlbox/([a-z]+-[\d.]+)", text("molecule/default/inventory/hosts.yml")))
    assert images == set(SYSTEMS)


def test_the_readme_lists_the_releases() -> None:
    versions: dict[str, list[str]] = {}
    for system in SYSTEMS.values():
        versions.setdefault(system.release.id.capitalize(), []).append(system.release.version)
    line = ", ".join(f"{name} {', '.join(all_)}" for name, all_ in versions.items())
    assert f"Target: {line}." in text("README.md")


def test_locks_are_chosen_for_the_oldest_release() -> None:
    """One lock serves all hosts: wheels and conda packages that the oldest glibc runs."""
    oldest = min(
        (system.release.glibc for system in SYSTEMS.values()), key=lambda text: tuple(map(int, text.split(".")))
    )
    assert f'-manylinux_{oldest.replace(".", "_")}"' in text("plugins/module_utils/conda/engine.py")
    assert f'"glibc": {{"type": "str", "default": "{oldest}"}}' in text("plugins/modules/conda_lock.py")


def test_what_a_role_keys_by_release_is_a_release() -> None:
    """Lists of algorithms by release: each key is a release of the table, or the word for newer ones."""
    releases = yaml.safe_load(text("roles/ssh_hardening/vars/main.yml"))["__ssh_hardening_releases"]
    assert set(releases) - {"newer"} <= set(SYSTEMS)


#: What knows releases by name beside the table: algorithms of OpenSSH (see the test above) and of clients.
KEYED = {"roles/ssh_hardening/vars/main.yml", "roles/ssh_hardening/files/clients.yml"}


def test_nothing_else_knows_a_release_by_name() -> None:
    """Comments may: what runs reads the table. A glibc per release in a role's variables was the last one found."""
    release = system_names()
    files = [path for folder in ("roles", "playbooks") for path in (TOP / folder).rglob("*.yml")]
    files += [*(TOP / "roles").rglob("*.j2"), TOP / "site.yml"]
    found = [
        f"{path.relative_to(TOP)}: {line.strip()}"
        for path in files
        if path.name != "argument_specs.yml" and path.parent.name != "meta"
        for line in path.read_text(encoding="utf-8").splitlines()
        if str(path.relative_to(TOP)) not in KEYED and release.search(line.partition("# ")[0])
    ]
    assert len(files) > 50 and found == []


def system_names() -> re.Pattern[str]:
    words = [word for one in SYSTEMS.values() for word in (one.release.version, one.release.codename)]
    names = [f"{one.release.id}-?{one.release.version}" for one in SYSTEMS.values()]
    plain = [word for word in words if not word.isdigit()]
    return re.compile(rf"\b({'|'.join(map(str, [*plain, *names])).replace('.', '[.]')})\b")


def test_the_tables_are_renewed_every_week() -> None:
    workflow = yaml.safe_load(text(".github/workflows/data.yml"))
    ((minute, hour, day, month, weekday),) = [one["cron"].split() for one in workflow["on"]["schedule"]]
    assert minute.isdigit() and hour.isdigit() and (day, month) == ("*", "*") and weekday in "0123456"
    steps = " ".join(str(step.get("run", "")) for step in workflow["jobs"]["renew"]["steps"])
    assert "scripts/update-data --deep" in steps


@pytest.mark.parametrize("key", SYSTEMS)
def test_a_release_says_what_its_distribution_does(key: str) -> None:
    system = SYSTEMS[key]
    assert system.release.end_of_life.standard < system.release.end_of_life.extended
    assert system.kernels.default.startswith(f"{system.kernels.flavour[system.kernels.general[0]].linux}.")
    assert (system.release.id == "ubuntu") is bool(system.drivers.transitional)
