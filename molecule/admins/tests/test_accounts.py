"""The accounts, seen from the machine: what they can do, what stayed, and what is refused without a trace."""

from __future__ import annotations

import json
from typing import Any

import pytest
from conftest import Machine

SUDOERS = "/etc/sudoers.d/50-dlbox-admins"
STATE = "getent passwd; getent group; cat /etc/shadow /etc/sudoers.d/*; sha256sum /home/*/.ssh/authorized_keys"


@pytest.mark.parametrize(("name", "count"), [("ada", 1), ("grace", 2), ("owner", 2)])
def test_admins_have_their_keys_and_only_they_can_read_them(host: Any, name: str, count: int) -> None:
    keys = host.file(f"/home/{name}/.ssh/authorized_keys")
    assert (keys.user, keys.mode) == (name, 0o600)
    assert host.file(f"/home/{name}/.ssh").mode == 0o700
    listed = host.check_output("ssh-keygen -lf %s", keys.path).splitlines()
    assert len(listed) == count and all("ED25519" in line for line in listed)
    assert "sudo" in host.user(name).groups


def test_sudo_asks_who_has_to_be_asked(host: Any) -> None:
    assert host.check_output("su -s /bin/sh -c 'sudo -n id -u' ada") == "0"
    for name in ("grace", "owner"):
        assert host.run(f"su -s /bin/sh -c 'sudo -n id -u' {name}").failed


def test_new_accounts_have_bash_and_no_password(host: Any) -> None:
    for name in ("ada", "grace"):
        assert host.user(name).shell == "/bin/bash"
        assert host.user(name).password in ("!", "*", "!*")


def test_an_existing_account_keeps_shell_comment_groups_password_and_keys(host: Any) -> None:
    """Observed: the shell was reset to bash on every run."""
    owner = host.user("owner")
    assert (owner.shell, owner.gecos.split(",")[:2]) == ("/bin/sh", ["The Owner", "room 7"])
    assert {"sudo", "audio"} <= set(owner.groups) and owner.password.startswith("$")
    text = host.file("/home/owner/.ssh/authorized_keys").content_string
    assert text.startswith("no-agent-forwarding ssh-ed25519 ") and "foreign@laptop\n" in text


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"name": "owner", "shell": "/usr/bin/zsh", "groups": ["nosuch"]}, "owner: the shell /usr/bin/zsh does not exist"),
    ({"name": "owner", "shell": "/usr/bin/zsh", "groups": ["nosuch"]}, "owner: the group nosuch does not exist"),
    ({"name": "new", "shell": "/usr/sbin/nologin"}, "new: the shell /usr/sbin/nologin ends every login at once"),
    ({"name": "ada"}, "ada: sudo would refuse it from now on"),
    ({"name": "twin"}, "twin: the account has uid 0"),
    ({"name": "homeless"}, "homeless: its home /home/homeless cannot be read"),
    ({"name": "left"}, "left: the account does not exist, but /home/left does"),
    ({"name": "shared"}, "chmod go-w /home/shared"),
    ({"name": "denied"}, "denied: sshd shuts the group sudo out by DenyGroups sudo"),
]


def test_what_would_cost_a_login_is_refused_all_at_once_and_nothing_has_changed(machine: Machine) -> None:
    """Observed: a shell that does not exist was applied, and nobody could log in any more."""
    host = machine.host
    host.check_output(
        "id twin || useradd --non-unique --uid 0 --no-create-home twin;"
        "id homeless || useradd --no-create-home homeless; mkdir -p /home/left;"
        "id shared || useradd --create-home --shell /bin/bash shared; chmod 775 /home/shared;"
        "id denied || useradd --create-home --shell /bin/bash denied;"
        "echo 'DenyGroups sudo' > /etc/ssh/sshd_config.d/10-suite.conf"
    )
    before = host.check_output(STATE)
    admins = list({str(admin): admin for admin, _ in REFUSED}.values())
    try:
        for check in (True, False):
            done = machine.role({"name": "grace"}, *admins, check=check)
            assert done.returncode != 0
            assert [why for _, why in REFUSED if why not in done.stdout + done.stderr] == []
            assert host.check_output(STATE) == before
            assert "$y$" not in done.stdout + done.stderr
    finally:
        host.run("rm -f /etc/ssh/sshd_config.d/10-suite.conf")


def test_a_shell_that_a_package_of_this_run_brings_is_only_announced(machine: Machine) -> None:
    zsh = {"name": "owner", "shell": "/usr/bin/zsh"}
    done = machine.role(zsh, {"name": "ada", "sudo": "nopasswd"}, check=True, base_packages_extra=["zsh"])
    assert done.returncode == 0 and "+shell: /usr/bin/zsh" in done.stdout, done.stdout
    assert machine.role(zsh, base_packages_extra=["zsh"]).returncode != 0  # without --check it has to be there


@pytest.mark.parametrize(
    "trap",
    [
        "ln -sfn /etc/profile.d /home/mallory/.ssh",
        "install -d -m 700 -o mallory /home/mallory/.ssh; ln -sfn /etc/shadow /home/mallory/.ssh/authorized_keys",
    ],
)
def test_root_follows_no_link_of_an_account(machine: Machine, trap: str) -> None:
    """A folder of keys that leads into /etc, a key file that is the shadow file: the account's rights end there."""
    host = machine.host
    host.check_output(f"id mallory || useradd -m -s /bin/bash mallory; rm -rf /home/mallory/.ssh; {trap}")
    before = host.check_output("sha256sum /etc/shadow; ls /etc/profile.d")
    done = machine.role({"name": "mallory"}, {"name": "ada", "sudo": "nopasswd"})
    assert done.returncode != 0 and "mallory: the keys could not be read or written" in done.stdout + done.stderr
    assert "$y$" not in done.stdout + done.stderr
    assert host.check_output("sha256sum /etc/shadow; ls /etc/profile.d").split()[2:] == before.split()[2:]
    assert not host.file("/etc/profile.d/authorized_keys").exists


def test_exclusive_keys_and_a_file_of_umask_002(machine: Machine) -> None:
    host = machine.host
    host.check_output("chmod 664 /home/grace/.ssh/authorized_keys")
    done = machine.role({"name": "grace"}, {"name": "ada", "sudo": "nopasswd"}, admins_keys_exclusive=True)
    assert done.returncode == 0, done.stdout
    keys = host.file("/home/grace/.ssh/authorized_keys")
    assert keys.mode == 0o644 and "second@laptop" not in keys.content_string and "ada@laptop" in keys.content_string


def test_a_rule_that_another_file_overrides_is_no_success(machine: Machine) -> None:
    host = machine.host
    host.check_output("echo 'ada ALL=(ALL:ALL) ALL' > /etc/sudoers.d/99-suite; chmod 440 /etc/sudoers.d/99-suite")
    host.check_output("rm /etc/sudoers.d/50-dlbox-admins")
    try:
        done = machine.role({"name": "ada", "sudo": "nopasswd"})
        assert done.returncode != 0 and "sudo still asks ada for a password" in done.stdout + done.stderr, done.stdout
    finally:
        host.check_output("rm /etc/sudoers.d/99-suite")
    assert machine.role({"name": "ada", "sudo": "nopasswd"}).returncode == 0


def test_an_admin_who_cannot_log_in_and_one_whom_sudo_does_not_ask_are_told(machine: Machine) -> None:
    host = machine.host
    host.check_output(
        "echo 'grace ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/99-cloud; chmod 440 /etc/sudoers.d/99-cloud"
    )
    host.check_output("chage --expiredate 1 owner")
    try:
        done = machine.role({"name": "grace"}, {"name": "owner"}, {"name": "ada", "sudo": "nopasswd"})
        assert done.returncode == 0, done.stdout
        assert "sudo asks grace for no password, by a rule that is not of dlbox" in done.stdout
        assert "sudo asks ada" not in done.stdout, "the owner wants that"
        assert "The account owner takes no login, with a key either: it has expired on 1970-01-02" in done.stdout
    finally:
        host.check_output("rm /etc/sudoers.d/99-cloud; chage --expiredate -1 owner")


def test_no_hash_becomes_a_fact_or_a_result(machine: Machine) -> None:
    """Observed: getent's shadow facts held every hash, for every later task and fact cache to see."""
    done = machine.role({"name": "owner"}, {"name": "ada", "sudo": "nopasswd"})
    assert done.returncode == 0, done.stdout
    hashed = machine.host.user("owner").password
    import conftest

    told = conftest.run(
        *("ansible", "-i", "molecule/shared/inventory", "-i", "molecule/admins/inventory", machine.name, "-m"),
        *(
            "dlbox.workstation.admin_accounts",
            "-a",
            json.dumps({"admins": [{"name": "owner", "keys": []}], "sudoers_file": SUDOERS}),
        ),
        "--check",
    )
    assert '"password": true' in told.stdout.replace("password: true", '"password": true'), told.stdout + told.stderr
    assert hashed not in told.stdout + done.stdout
