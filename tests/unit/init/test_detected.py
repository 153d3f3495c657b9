"""What is detected becomes the default of a question; what is no answer says what is expected."""

from __future__ import annotations

import pwd
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.dlbox.workstation.plugins.module_utils.public_key import read
from ansible_collections.dlbox.workstation.plugins.plugin_utils.init import answers, detect
from ansible_collections.dlbox.workstation.plugins.plugin_utils.init.inventory import (
    Inventory,
    InventoryError,
    environments,
)

PROJECT = Path(__file__).resolve().parents[3]
ED25519 = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f"
OTHER = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIB8eHRwbGhkYFxYVFBMSERAPDg0MCwoJCAcGBQQDAgEA"


def person(name: str, uid: int, shell: str = "/bin/bash") -> pwd.struct_passwd:
    return pwd.struct_passwd((name, "x", uid, uid, "", f"/home/{name}", shell))


PEOPLE = [person("root", 0), person("daemon", 1), person("bob", 1001), person("ada", 1000), person("nobody", 65534)]


@pytest.mark.parametrize(
    ("environment", "found"),
    [
        ({"USER": "eve"}, "eve"),
        ({"USER": "root", "SUDO_USER": "eve"}, "eve"),
        ({"USER": "root"}, "ada"),
        ({}, "ada"),
    ],
)
def test_the_account_is_who_runs_it_else_the_first_person(environment: dict[str, str], found: str) -> None:
    assert detect.account(environment, PEOPLE) == found


def test_services_are_no_people() -> None:
    assert detect.account({}, [person("root", 0), person("svc", 1000, "/usr/sbin/nologin")]) == ""


@pytest.mark.parametrize(
    ("routes", "found"),
    [
        ([], []),
        ([{"dst": "192.168.1.0/24", "dev": "eth0"}], []),  # no way out: nothing says that this is home
        (
            [
                {"dst": "default", "dev": "wlan0", "gateway": "192.168.1.1"},
                {"dst": "192.168.1.0/24", "dev": "wlan0"},
                {"dst": "fd12::/64", "dev": "wlan0"},
                {"dst": "fe80::/64", "dev": "wlan0"},
                {"dst": "192.168.1.1", "dev": "wlan0"},
                {"dst": "10.0.0.0/8", "dev": "wlan0", "gateway": "192.168.1.9"},
                {"dst": "172.17.0.0/16", "dev": "docker0"},
            ],
            ["192.168.1.0/24", "fd12::/64"],
        ),
        ([{"dst": "default", "dev": "eth0"}, {"dst": "198.51.99.0/24", "dev": "eth0"}], []),  # a rented machine
        ([{"dst": "default", "dev": "a"}, {"dst": "10.0.0.0/8", "dev": "a", "flags": ["linkdown"]}], []),
    ],
)
def test_home_is_the_private_network_of_the_way_out(routes: list[dict[str, Any]], found: list[str]) -> None:
    assert detect.networks_in(routes) == found


def test_keys_of_files_and_of_those_who_are_let_in(tmp_path: Path) -> None:
    own, account = tmp_path / "own/.ssh", tmp_path / "ada/.ssh"
    own.mkdir(parents=True)
    account.mkdir(parents=True)
    (own / "a.pub").write_text(f"{OTHER} laptop\n")
    (own / "id_ed25519.pub").write_text(f"{ED25519} here\n")
    (own / "id_ed25519").write_text("-----BEGIN OPENSSH PRIVATE KEY-----\n")
    (account / "authorized_keys").write_text(f'{ED25519} again\ncommand="backup" {OTHER} bound\n# none\n')
    found = detect.public_keys([own.parent, account.parent])
    assert [key.entry for key in found] == ["~/.ssh/id_ed25519.pub", "~/.ssh/a.pub"]
    assert read(ED25519).fingerprint in found[0].title and "here" in found[0].title
    found = detect.keys_in((account / "authorized_keys").read_text(), "authorized_keys")
    assert [key.entry for key in found] == [f"{ED25519} again"]


@pytest.mark.parametrize("comment", ["{{ lookup('pipe', 'id') }}", "{% set x %}", "{#"])
def test_a_comment_that_ansible_would_evaluate_is_left_out(comment: str) -> None:
    assert [key.entry for key in detect.keys_in(f"{ED25519} {comment}\n", "authorized_keys")] == [ED25519]
    assert detect.keys_in(f"{ED25519} x\n", "x", f"~/.ssh/{comment}.pub") == []


@pytest.mark.parametrize(
    ("link", "text", "found"),
    [
        ("/usr/share/zoneinfo/Europe/Rome", "", "Europe/Rome"),
        ("../usr/share/zoneinfo/Etc/UTC", "", "Etc/UTC"),
        ("", "Asia/Tokyo\n", "Asia/Tokyo"),
        ("", "", "Etc/UTC"),
    ],
)
def test_time_zone(tmp_path: Path, link: str, text: str, found: str) -> None:
    (tmp_path / "etc").mkdir()
    if link:
        (tmp_path / "etc/localtime").symlink_to(link)
    if text:
        (tmp_path / "etc/timezone").write_text(text)
    assert detect.time_zone(tmp_path) == found


@pytest.mark.parametrize(
    ("check", "good", "bad"),
    [
        (answers.account_problem, ["ada", "_svc", "grace-h"], ["", "root", "Ada", "a b", "-x", "ada\n"]),
        (answers.networks_problem, ["", "10.0.0.0/8, fd00::/8", "192.168.1.7/24"], ["home", "10.0.0.0/40", "::/0"]),
        (answers.zone_problem, ["Europe/Berlin", "Etc/UTC"], ["", "Berlin", "../etc/passwd"]),
        (answers.host_problem, ["bigbox", "big-box.lan", "b"], ["", "all", "-x", "a b", "x:", "a/b"]),
        (answers.address_problem, ["192.0.2.1", "fd00::1", "box.lan", "alias"], ["", "-oProxyCommand=x", "a b", "a;b"]),
        (answers.key_problem, [f"{ED25519} ada"], ["", "ssh-rsa AAAA", "/nowhere/x.pub"]),
    ],
)  # fmt: skip
def test_answers(check: Any, good: list[str], bad: list[str]) -> None:
    assert [answer for answer in good if check(answer)] == []
    for answer in bad:
        problem = check(answer)
        assert problem and "\n" not in problem.replace(answer, ""), answer


def test_networks_are_written_as_networks() -> None:
    assert answers.networks(" 192.168.1.7/24,10.0.0.0/8  fd00::1/64") == ["192.168.1.0/24", "10.0.0.0/8", "fd00::/64"]


# --- environments -------------------------------------------------------------------------------------------------
SHIPPED = yaml.safe_load((PROJECT / "roles/conda/vars/main.yml").read_text())["__conda_definitions"]
DEFINITIONS = {name: one for name, one in SHIPPED.items() if name != "base"}


def test_what_the_machine_refuses_is_not_offered_unless_a_person_wrote_it() -> None:
    frameworks = {name: {"version": "1", "gpu": True} for name in ("pytorch", "jax", "keras")}
    frameworks["keras"]["backend"] = "torch"
    plan = {"frameworks": {**frameworks, "tensorflow": {"version": None, "note": "no build for Blackwell"}}}
    listed = [{"name": "pytorch"}, {"name": "tensorflow"}, {"name": "jupyter", "state": "absent"}]
    by_name = {offer.name: offer for offer in answers.offers(listed, False, DEFINITIONS, plan)}
    assert [name for name, offer in by_name.items() if offer.present] == ["pytorch"]
    assert by_name["tensorflow"].refused == "no build for Blackwell" and not by_name["jax"].refused
    assert "3.1 GB" in by_name["pytorch"].title and "on the GPU" in by_name["pytorch"].title
    chosen = {offer.name: offer for offer in answers.offers(listed, True, DEFINITIONS, plan)}
    assert chosen["tensorflow"].present and not chosen["tensorflow"].refused


def test_entries_of_ones_own_stay_where_they_are() -> None:
    mine = [
        {"name": "video", "conda": ["ffmpeg"]},
        {"name": "jax", "state": "absent"},
        {"name": "pytorch", "python": "3.11"},
    ]
    assert environments(mine, ["pytorch"], DEFINITIONS) == mine
    assert environments(mine, [], DEFINITIONS) == mine[:2]
    assert environments(mine, ["pytorch", "jax"], DEFINITIONS) == [mine[0], mine[2], {"name": "jax"}]


# --- files --------------------------------------------------------------------------------------------------------
@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "hosts.yml").write_text("all:\n  hosts:\n    localhost:\n")
    return tmp_path


def test_a_variable_is_changed_in_the_file_that_counts(folder: Path) -> None:
    for name, text in {
        "group_vars/all/a.yml": "base_timezone: Etc/UTC\n",
        "group_vars/all/b.yml": "base_timezone: Europe/Rome # mine\n",
        "group_vars/all/vault.yml": "$ANSIBLE_VAULT;1.1;AES256\n6162\n",
        "host_vars/bigbox.yml": "base_timezone: Asia/Tokyo\n",
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    inventory = Inventory(folder)
    assert [inventory.value("base_timezone", host) for host in ("localhost", "bigbox")] == ["Europe/Rome", "Asia/Tokyo"]
    inventory.set("base_timezone", "Europe/Oslo", "localhost")
    inventory.set("conda_environments", [{"name": "jax"}], "other", own=True)
    inventory.write()
    assert (folder / "group_vars/all/b.yml").read_text() == "base_timezone: Europe/Oslo # mine\n"
    assert yaml.safe_load((folder / "host_vars/other.yml").read_text()) == {"conda_environments": [{"name": "jax"}]}
    assert sorted(file.name for file in folder.rglob(".*")) == []


def test_what_was_changed_in_the_meantime_is_not_overwritten(folder: Path) -> None:
    inventory = Inventory(folder)
    inventory.set("dlbox_ssh_port", 2222, "localhost")
    inventory.set_host("bigbox", {"ansible_user": "ada"})
    (folder / "hosts.yml").write_text("all: {}\n")
    with pytest.raises(InventoryError, match="changed by somebody else"):
        inventory.write()
    assert (folder / "hosts.yml").read_text() == "all: {}\n" and not (folder / "group_vars").exists()


def test_links_and_modes_stay(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    real = tmp_path_factory.mktemp("elsewhere") / "owner.yml"
    real.write_text("dlbox_ssh_port: 22\n")
    real.chmod(0o600)
    (folder / "group_vars/all").mkdir(parents=True)
    (folder / "group_vars/all/owner.yml").symlink_to(real)
    inventory = Inventory(folder)
    inventory.set("dlbox_ssh_port", 2222, "localhost")
    inventory.write()
    assert (folder / "group_vars/all/owner.yml").is_symlink()
    assert real.read_text() == "dlbox_ssh_port: 2222\n" and real.stat().st_mode & 0o777 == 0o600
