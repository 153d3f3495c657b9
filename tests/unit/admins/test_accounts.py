"""What admin accounts would cost: refused before the first change, with the remedy; and what changes stays small."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.dlbox.workstation.plugins.module_utils.admins import accounts, sudoers
from ansible_collections.dlbox.workstation.plugins.module_utils.admins.accounts import AccountsHost, Admin, HostAccount

ADA = HostAccount("ada", 1000, 1000, "/home/ada", "/bin/sh", "Ada,room 1", frozenset({"ada", "audio"}))


@pytest.fixture
def host(tmp_path: Path) -> AccountsHost:
    """A host with ada, two shells that work, one that cannot be run and one that nobody listed."""
    for name, mode in (("bash", 0o755), ("broken", 0o644), ("own", 0o755), ("nologin", 0o755)):
        program = tmp_path / "bin" / name
        program.parent.mkdir(exist_ok=True)
        program.touch()
        program.chmod(mode)
    home = tmp_path / "home/ada"
    home.mkdir(parents=True, mode=0o755)
    listed = ("/bin/bash", "/bin/broken", "/bin/nologin")
    me = ADA._replace(uid=home.stat().st_uid or 1000)
    if home.stat().st_uid == 0:
        import os

        os.chown(home, 1000, 1000)
    return AccountsHost({"ada": me}, frozenset({"sudo", "audio"}), listed, root=tmp_path)


def refused(admin: Admin, host: AccountsHost) -> str:
    return "\n".join(accounts.account_problems(admin, host))


@pytest.mark.parametrize(
    ("shell", "why"),
    [
        ("/usr/bin/zsh", "does not exist on the host. Add the package that brings it to base_packages_extra"),
        ("/bin/broken", "cannot be executed: chmod 755"),
        ("/bin/own", "not in /etc/shells. Run `add-shell /bin/own`"),
        ("/bin/nologin", "ends every login at once"),
        ("zsh", "no absolute path"),
    ],
)
def test_a_shell_that_gives_no_login_is_refused(host: AccountsHost, shell: str, why: str) -> None:
    assert why in refused(Admin("ada", shell=shell), host)
    assert why in refused(Admin("new", shell=shell), host)


def test_a_shell_that_the_run_installs_first_is_no_problem_yet(host: AccountsHost) -> None:
    host = host._replace(announced=("zsh", "docker.io"))
    assert refused(Admin("ada", shell="/usr/bin/zsh", groups=("docker",)), host) == ""
    assert "does not exist" in refused(Admin("ada", shell="/usr/bin/fish"), host)


def test_the_shell_of_an_existing_account_is_only_changed_where_the_owner_names_one(host: AccountsHost) -> None:
    assert accounts.differences(Admin("ada", shell="/bin/bash"), ADA)["shell"] == ("/bin/sh", "/bin/bash")
    assert "shell" not in accounts.differences(Admin("ada"), ADA)
    assert "--shell" not in accounts.commands(Admin("ada"), ADA, [])[0]
    # Not even a broken one is a reason to refuse, where nobody wants it changed.
    assert refused(Admin("ada", shell="/bin/sh"), host) == ""


@pytest.mark.parametrize(
    ("shell", "why"),
    [
        ("/bin/bash", ""),
        ("/bin/own", ""),  # not in /etc/shells, which is nothing to sshd
        ("/usr/bin/zsh", "its shell /usr/bin/zsh does not exist on the host"),
        ("/bin/broken", "cannot be executed"),
        ("/bin/nologin", "ends every login at once: usermod --shell /bin/bash ada"),
    ],
)
def test_a_shell_that_an_account_keeps_has_to_give_a_login(host: AccountsHost, shell: str, why: str) -> None:
    host = host._replace(accounts={"ada": ADA._replace(shell=shell)})
    for admin in (Admin("ada"), Admin("ada", shell=shell)):
        problem = accounts.kept_shell_problem(admin, host)
        assert why in problem and bool(why) == bool(problem)
    assert accounts.kept_shell_problem(Admin("ada", shell="/bin/bash"), host) == ""
    assert accounts.kept_shell_problem(Admin("new"), host) == ""
    assert accounts.kept_shell_problem(Admin("ada"), host._replace(announced=("zsh",))) == (
        "" if shell == "/usr/bin/zsh" else accounts.kept_shell_problem(Admin("ada"), host)
    )


def test_nobody_is_removed_from_a_group() -> None:
    admin = Admin("ada", groups=("video",))
    assert accounts.commands(admin, ADA, []) == [["usermod", "--append", "--groups", "sudo,video", "ada"]]
    assert accounts.differences(admin, ADA)["groups"][1].split() == ["ada", "audio", "sudo", "video"]


def test_an_account_that_is_as_it_should_be_is_not_touched() -> None:
    done = ADA._replace(groups=frozenset({"ada", "sudo"}))
    assert accounts.commands(Admin("ada", comment="Ada"), done, []) == []


def test_a_comment_leaves_room_and_telephone() -> None:
    assert accounts.commands(Admin("ada", comment="Ada L."), ADA._replace(groups=frozenset({"sudo"})), []) == [
        ["usermod", "--comment", "Ada L.,room 1", "ada"]
    ]


def test_a_new_account_gets_bash_and_joins_a_group_of_its_name() -> None:
    assert accounts.commands(Admin("eve"), None, ["sudo"])[0] == [
        *("useradd", "--create-home", "--shell", "/bin/bash", "--groups", "sudo", "eve")
    ]
    assert accounts.commands(Admin("eve"), None, ["eve"])[0][-3:] == ["--gid", "eve", "eve"]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"uid": 0}, "uid 0"),
        ({"home": "/home/gone"}, "mkhomedir_helper ada"),
        ({"uid": 4711}, "belongs to uid 1000, not to 4711: chown ada: /home/ada"),
        ({"local": False}, "not in /etc/passwd"),
    ],
)
def test_an_account_that_keys_would_not_help_is_refused(host: AccountsHost, change: dict[str, Any], why: str) -> None:
    spoilt = host._replace(accounts={"ada": host.accounts["ada"]._replace(**change)})
    assert why in refused(Admin("ada"), spoilt)
    assert refused(Admin("ada"), host) == ""


def test_a_home_that_others_can_write_is_refused(host: AccountsHost) -> None:
    (host.root / "home/ada").chmod(0o775)
    assert "chmod go-w /home/ada" in refused(Admin("ada"), host)


def test_a_home_left_by_somebody_else_is_not_taken_over(host: AccountsHost) -> None:
    (host.root / "home/eve").mkdir()
    assert "/home/eve does, and may belong to somebody else" in refused(Admin("eve"), host)


def test_a_group_that_does_not_exist_is_refused(host: AccountsHost) -> None:
    assert "groupadd video" in refused(Admin("ada", groups=("video",)), host)


@pytest.mark.parametrize(
    ("effective", "why"),
    [
        ("denygroups sud* wheel", "DenyGroups sud* wheel"),
        ("denyusers bob ada", "DenyUsers bob ada"),
        ("denyusers ada@10.0.0.0/8", "DenyUsers ada@10.0.0.0/8"),
        ("denygroups wheel\nallowusers bob", ""),
    ],
)
def test_a_group_that_sshd_shuts_out_is_seen(effective: str, why: str) -> None:
    assert why in accounts.denied("ada", ["ada", "sudo"], effective)
    assert bool(why) == bool(accounts.denied("ada", ["ada", "sudo"], effective))


@pytest.mark.parametrize(
    ("field", "password"), [("$y$j9T$x", True), ("!$y$j9T$x", False), ("!", False), ("*", False), ("", False)]
)
def test_of_a_hash_nothing_is_told_but_whether_a_password_could_match(field: str, password: bool) -> None:
    assert accounts.has_password("ada", f"root:*:1::\nada:{field}:20000:0:99999:7:::\n") is password
    assert accounts.has_password("eve", f"ada:{field}:20000\n") is False


RULES = "# by dlbox\nada ALL=(ALL:ALL) NOPASSWD: ALL\nbob ALL=(ALL:ALL) NOPASSWD: ALL\n"


def test_an_account_without_a_password_does_not_lose_its_only_way_to_root() -> None:
    said = sudoers.losses(RULES, ["bob"], ["ada", "bob"], {"ada": False, "bob": False})
    assert len(said) == 1 and said[0].startswith("ada: ") and "sudo passwd ada" in said[0]
    assert sudoers.losses(RULES, ["bob"], ["ada", "bob"], {"ada": True}) == []
    assert sudoers.losses("", [], ["ada"], {}) == []


def test_of_accounts_that_are_not_listed_only_that_of_the_run_is_watched() -> None:
    assert sudoers.losses(RULES, [], ["eve"], {}) == []
    assert len(sudoers.losses(RULES, [], ["eve", "ada"], {"ada": False})) == 1
