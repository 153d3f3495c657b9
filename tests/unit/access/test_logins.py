"""Who could log in: keys, accounts, shells, modes."""

from __future__ import annotations

import base64
import dataclasses
import datetime
import os
import pwd
import subprocess
from pathlib import Path

import pytest
from ansible_collections.dlbox.workstation.plugins.module_utils.public_key import read
from ansible_collections.dlbox.workstation.plugins.module_utils.ssh import logins
from ansible_collections.dlbox.workstation.plugins.module_utils.ssh.revoked import NONE, Revoked, read_file
from ansible_collections.dlbox.workstation.plugins.modules import ssh_preflight

TODAY = datetime.date(2026, 11, 20)
ED25519 = "ssh-ed25519 " + base64.b64encode(b"\0\0\0\x0bssh-ed25519\0\0\0\x20" + bytes(range(32))).decode()


def rsa(bits: int) -> str:
    modulus = b"\0" + ((1 << (bits - 1)) + 1).to_bytes(bits // 8, "big")
    blob = b"\0\0\0\x07ssh-rsa\0\0\0\x03\x01\0\x01" + len(modulus).to_bytes(4, "big") + modulus
    return "ssh-rsa " + base64.b64encode(blob).decode()


def refusal(line: str, algorithms: tuple[str, ...] = ("ssh-ed25519", "rsa-sha2-512"), revoked: Revoked = NONE) -> str:
    return logins.key_refusal(read(line), logins.LoginRules(algorithms=algorithms, revoked=revoked), TODAY)


def test_good_keys() -> None:
    assert refusal(f"{ED25519} ada@laptop") == ""
    assert refusal(rsa(3072)) == ""
    assert refusal(f"cert-authority {ED25519}") == "", "its certificates log in"
    assert refusal(f'from="10.0.0.0/8,192.168.1.7",no-pty,environment="A=b c" {ED25519}') == ""


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (rsa(2048), "has 2048 bits"),
        (f'command="/bin/backup x" {ED25519}', "bound to a command"),
        (f'expiry-time="20250101" {ED25519}', "has expired"),
    ],
)
def test_keys_that_give_no_login(line: str, reason: str) -> None:
    assert reason in refusal(line)


def test_types_and_revocation() -> None:
    assert "ssh-ed25519, which the server will not accept" in refusal(ED25519, ("rsa-sha2-512",))
    assert refusal(ED25519, revoked=Revoked(frozenset({ED25519.split()[1]}))) == "is revoked"


@pytest.mark.parametrize(
    ("shadow", "use_pam", "problem"),
    [
        ("ada:$y$x:20000:0:99999:7:::", True, ""),
        ("ada:!:20000:0:99999:7:::", True, ""),
        ("ada:*:20000:0:99999:7:::", True, ""),
        ("ada:!$y$x:20000:0:99999:7::1:", True, "has expired on 1970-01-02"),
        ("ada:!$y$x:20000:0:99999:7:::", False, "is locked"),
        ("ada:$y$x:0:0:99999:7:::", True, "has to change its password"),
        ("ada:$y$x:18000:0:30:7:::", True, "password expired on"),
        ("ada:$y$x:20000:0:99999:7::30000:", True, ""),
    ],
)
def test_accounts(shadow: str, use_pam: bool, problem: str) -> None:
    found = logins.account_problem(logins.shadow_entry("ada", shadow), TODAY, use_pam)
    assert found.startswith(problem) and bool(found) == bool(problem)


def test_shells() -> None:
    assert logins.shell_problem("/bin/sh") == ""
    assert "usermod --shell" in logins.shell_problem("/usr/sbin/nologin")
    assert "not there" in logins.shell_problem("/bin/fishy")


@pytest.fixture
def me(tmp_path: Path) -> pwd.struct_passwd:
    """An account with this process's ids whose home is a temporary directory with one good key."""
    own = pwd.getpwuid(os.getuid())
    tmp_path.chmod(0o755)
    (tmp_path / ".ssh").mkdir(mode=0o700)
    file = tmp_path / ".ssh" / "authorized_keys"
    file.write_text(f"{ED25519} ada@laptop\n")
    file.chmod(0o600)
    return pwd.struct_passwd((own.pw_name, "x", own.pw_uid, own.pw_gid, "", str(tmp_path), "/bin/sh"))


def evaluated(me: pwd.struct_passwd, pattern: str = ".ssh/authorized_keys") -> tuple[list[str], list[str]]:
    (file,) = logins.read_key_files(me, logins.key_files(me, [pattern]))
    return logins.key_file_problems(file, me, logins.LoginRules(), TODAY)


def test_a_key_file_as_it_should_be(me: pwd.struct_passwd) -> None:
    good, problems = evaluated(me)
    assert len(good) == 1 and good[0].startswith("SHA256:") and problems == []


@pytest.mark.parametrize(("path", "mode"), [(".ssh/authorized_keys", 0o666), (".ssh", 0o777), (".", 0o775)])
def test_strict_modes_reach_up_to_the_home_directory(
    me: pwd.struct_passwd, path: str, mode: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    (Path(me.pw_dir) / path).chmod(mode)
    monkeypatch.setattr(logins, "others_in_group", lambda _gid, _uid: True)
    good, problems = evaluated(me)
    assert good == [] and f"mode {mode:04o}" in problems[0]


def test_a_verdict_names_every_reason(me: pwd.struct_passwd, monkeypatch: pytest.MonkeyPatch) -> None:
    """An expired account with a shell that is none, and whose home was taken away: all at once, with the remedies."""
    shadow = "ada:!$y$x:20000:0:99999:7::1:\n"
    fields = ("ada", "x", me.pw_uid, me.pw_gid, "", me.pw_dir, "/usr/sbin/nologin")
    accounts = {"ada": pwd.struct_passwd(fields)}
    monkeypatch.setattr(pwd, "getpwnam", accounts.__getitem__)
    server = logins.LoginRules(allow_users=("ada",), root_login=True)
    assert not logins.evaluate_login("ada", server, shadow, TODAY).usable, "a good key alone does not help"
    Path(me.pw_dir).rename(f"{me.pw_dir}.gone")
    problems = " ".join(logins.evaluate_login("ada", server, shadow, TODAY).problems)
    for reason in (
        "chage --expiredate -1 ada",
        "usermod --shell /bin/bash ada",
        "mkhomedir_helper ada",
        "does not exist",
    ):
        assert reason in problems
    assert logins.evaluate_login("eve", server, shadow, TODAY).problems == ["has no account on the host"]


def test_patterns_and_the_people_they_name(me: pwd.struct_passwd) -> None:
    assert logins.permitted(me, logins.LoginRules(allow_users=("nobody-else",), root_login=True))
    assert not logins.permitted(me, logins.LoginRules(allow_users=(f"{me.pw_name[:2]}*@10.0.0.0/8",), root_login=True))
    assert logins.candidates(logins.LoginRules(allow_users=("ada", "bob@10.0.0.1")), []) == ["ada", "bob"]


def test_a_group_of_the_users_own_may_write(me: pwd.struct_passwd, monkeypatch: pytest.MonkeyPatch) -> None:
    """Debian's sshd takes 0775 where nobody else is in the group, as with adduser's private groups."""
    Path(me.pw_dir).chmod(0o775)
    monkeypatch.setattr(logins, "others_in_group", lambda _gid, _uid: False)
    assert len(evaluated(me)[0]) == 1
    monkeypatch.setattr(logins, "others_in_group", lambda _gid, _uid: True)
    assert evaluated(me)[0] == []


@pytest.mark.parametrize("pattern", ["%h/keys/mine", "keys/%u", "keys/%U", "{absolute}/%u"])
def test_keys_are_looked_for_where_sshd_does(me: pwd.struct_passwd, pattern: str, tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    folder.mkdir(mode=0o755)
    for name in ("mine", me.pw_name, str(me.pw_uid)):
        (folder / name).write_text(f"{ED25519}\n")
        (folder / name).chmod(0o600)
    (Path(me.pw_dir) / ".ssh" / "authorized_keys").unlink()
    files = logins.key_files(me, [".ssh/authorized_keys", pattern.replace("{absolute}", str(folder))])
    assert [file.missing for file in logins.read_key_files(me, files)] == [True, False]


def test_a_device_in_place_of_the_keys_is_never_waited_for(me: pwd.struct_passwd) -> None:
    file = Path(me.pw_dir) / ".ssh" / "authorized_keys"
    file.unlink()
    os.mkfifo(file)
    good, problems = evaluated(me)
    assert good == [] and "cannot be read" in problems[0]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has rights to give up")
def test_a_link_of_the_account_leads_to_nothing_of_others(tmp_path: Path) -> None:
    """Read with the account's own rights, as sshd does: what only root may read stays unread."""
    secret = tmp_path / "secret"
    secret.write_text(f"{ED25519}\n")
    secret.chmod(0o600)
    home = tmp_path / "home"
    (home / ".ssh").mkdir(parents=True)
    (home / ".ssh" / "authorized_keys").symlink_to(secret)
    for folder in (home / ".ssh", home, *home.parents):
        if folder.stat().st_uid == 0 and str(folder).startswith(str(tmp_path.parents[1])):
            folder.chmod(0o755)
    nobody = pwd.getpwnam("nobody")
    account = pwd.struct_passwd(("nobody", "x", nobody.pw_uid, nobody.pw_gid, "", str(home), "/bin/sh"))
    good, problems = evaluated(account)
    assert good == [] and "Permission denied" in problems[0]


def test_keys_from_elsewhere_are_ways_to_log_in(me: pwd.struct_passwd, monkeypatch: pytest.MonkeyPatch) -> None:
    """AuthorizedKeysCommand and TrustedUserCAKeys: what they give is not known here, but it is not nothing."""
    (Path(me.pw_dir) / ".ssh" / "authorized_keys").unlink()
    monkeypatch.setattr(pwd, "getpwnam", {"ada": me}.__getitem__)
    server = logins.LoginRules(root_login=True)
    assert not logins.evaluate_login("ada", server, "", TODAY).usable
    for values in ({"authorizedkeyscommand": ["/usr/bin/keys", "%u"]}, {"trustedusercakeys": ["/etc/ssh/ca.pub"]}):
        other = logins.server_of({"authorizedkeyscommand": ["none"], **values}).other_keys
        assert logins.evaluate_login("ada", dataclasses.replace(server, other_keys=other), "", TODAY).usable
    assert logins.server_of({"authorizedkeyscommand": ["none"], "trustedusercakeys": ["none"]}).other_keys == ()


def test_what_sshd_says_decides(me: pwd.struct_passwd, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pwd, "getpwnam", {"ada": me}.__getitem__)
    said = {"permitrootlogin": ["yes"], "usepam": ["yes"]}

    def problems(**more: list[str]) -> list[str]:
        return logins.evaluate_login("ada", logins.server_of({**said, **more}), "ada:!:::::::", TODAY).problems

    assert problems() == []
    assert "is locked" in problems(usepam=["no"])[0]
    assert "AllowUsers" in problems(allowusers=["bob", "carla"])[0]
    assert "AllowGroups" in problems(allowgroups=["ssh-users"])[0]
    assert "PubkeyAuthentication is no" in problems(pubkeyauthentication=["no"])[0]
    assert "does not exist" in problems(authorizedkeysfile=["elsewhere"])[0]
    assert "RevokedKeys /nowhere" in problems(revokedkeys=["/nowhere"])[0], "sshd refuses every key then"


@pytest.mark.parametrize("kind", ["list", "krl"])
def test_keys_that_the_owners_own_file_revokes_do_not_count(
    me: pwd.struct_passwd, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, kind: str
) -> None:
    monkeypatch.setattr(pwd, "getpwnam", {"ada": me}.__getitem__)
    revoked, public = tmp_path / "revoked", tmp_path / "key.pub"
    public.write_text(f"{ED25519}\n")
    if kind == "krl":
        subprocess.run(["ssh-keygen", "-q", "-k", "-f", str(revoked), str(public)], check=True)
    else:
        revoked.write_text(f"# lost\n{ED25519} ada@laptop\n")
    assert read_file(str(revoked)).holds(read(ED25519)) and not read_file(str(revoked)).holds(read(rsa(3072)))
    server = logins.server_of({"permitrootlogin": ["yes"], "revokedkeys": [str(revoked)], "usepam": ["yes"]})
    verdict = logins.evaluate_login("ada", server, "", TODAY)
    assert verdict.keys == [] and "is revoked" in verdict.problems[0]


def test_who_is_denied_does_not_log_in(me: pwd.struct_passwd) -> None:
    assert "DenyUsers" in logins.permitted(me, logins.LoginRules(root_login=True, deny_users=(me.pw_name,)))
    assert not logins.permitted(me, logins.LoginRules(root_login=True, deny_users=(f"{me.pw_name}@10.0.0.1",)))


USABLE, LOCKED = logins.KeyLogin(True, ["SHA256:x"], []), logins.KeyLogin(False, [], ["has expired"])


def test_refusals() -> None:
    check = ssh_preflight.refusals
    assert check({"ada": USABLE}, {"ada": "192.0.2.5"}, "", ["ada"]) == []
    assert "Nobody could log in" in check({"ada": LOCKED}, {"ada": "192.0.2.5"}, "", ["ada"])[0]
    (reason,) = check({"ada": USABLE, "bob": LOCKED}, {"ada": "192.0.2.5", "bob": "192.0.2.6"}, "", ["ada"])
    assert "bob is logged in over ssh now, from 192.0.2.6, and could not log in again" in reason
    assert "has expired" in reason and "ansible_user to one that could: ada;" in reason
    assert "is the account that this run logs in to" in check({"ada": USABLE, "bob": LOCKED}, {"bob": ""}, "", [])[0]
    assert check({}, {}, "", []) == [], "where nobody is logged in over ssh nobody needs to"
    assert "one-time code" in check({"ada": USABLE}, {"ada": "192.0.2.5"}, "ada", ["ada"])[0]


PLANNED_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f zoe@laptop"


@pytest.mark.parametrize(
    ("planned", "server", "why"),
    [
        ({"keys": [PLANNED_KEY]}, {}, ""),
        ({"keys": []}, {}, "will have no key"),
        ({"keys": [PLANNED_KEY]}, {"algorithms": ("rsa-sha2-512",)}, "which the server will not accept"),
        ({"keys": [PLANNED_KEY]}, {"allow_groups": ("staff",)}, "is in none of AllowGroups"),
        ({"keys": [PLANNED_KEY]}, {"deny_groups": ("sudo",)}, "is in one of DenyGroups"),
    ],
)
def test_an_account_that_is_still_to_be_made_is_evaluated_as_it_will_be(
    planned: dict[str, list[str]], server: dict[str, tuple[str, ...]], why: str
) -> None:
    verdict = logins.evaluate_planned(
        {"name": "zoe", "groups": ["zoe", "sudo"], **planned},
        logins.LoginRules(**server),
        "",
        datetime.date(2026, 11, 21),
    )
    assert verdict.usable == (not why) and why in "; ".join(verdict.problems)
