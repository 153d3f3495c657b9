"""Passwords: what may be given, what is generated, and that the clear text goes nowhere else."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.dlbox.workstation.plugins.module_utils.jupyter import password, settings
from hypothesis import given
from hypothesis import strategies as st

HASH = "argon2:$argon2id$v=19$m=10240,t=10,p=8$KAcoRkyPgI9sx/01lTtGDQ$qXrtR1kw1a5KkYFROUtvj+jFRTKKQ5DkIaz5YT0aQa4"

# Stands in for the interpreter of the server's environment: same interface, a toy hash, and a record of how it was run.
PYTHON = """#!{interpreter}
import json, os, pathlib, sys
pathlib.Path({record!r}).write_text(json.dumps([sys.argv, dict(os.environ)]))
clear, old = json.load(sys.stdin)
tail = "".join(str(ord(c) % 10) for c in clear)
same = old.endswith("$" + tail)
fresh = "argon2:$argon2id$v=19$m=10240,t=10,p=8$" + os.urandom(9).hex() + "$" + tail
json.dump(old if same else fresh, sys.stdout)
"""


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A host with the accounts ada and bob, who are both this process's user, and a stand-in of the server."""
    import os
    import pwd
    import sys

    me = pwd.getpwuid(os.getuid())
    people = {}
    for name in ("ada", "bob"):
        (tmp_path / name).mkdir()
        people[name] = pwd.struct_passwd((*me[:5], str(tmp_path / name), me[6]))
    monkeypatch.setattr(pwd, "getpwnam", lambda name: people[name])
    python = tmp_path / "env" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(PYTHON.format(interpreter=sys.executable, record=str(tmp_path / "record")))
    python.chmod(0o755)

    class Host:
        root = tmp_path
        config = tmp_path / "etc"

        def run(self, check: bool = False, **arguments: Any) -> dict[str, Any]:
            from .module import run

            base = {"python": str(python), "config_dir": str(self.config), "ports": {"ada": 8888}}
            return run("jupyter_servers", {**base, **arguments}, check=check)

        def hash(self, user: str = "ada") -> str:
            content = json.loads((self.config / user / "jupyter_server_config.json").read_text())
            return str(content["PasswordIdentityProvider"]["hashed_password"])

        def own_file(self, user: str = "ada") -> Path:
            return tmp_path / user / ".config/dlbox/jupyter-password"

    return Host()


def test_a_password_is_generated_once_and_only_its_user_can_read_it(host: Any) -> None:
    first = host.run()
    assert first["changed"] and first["servers"][0]["password"] == "generated"
    clear = host.own_file().read_text().strip()
    assert len(clear) == 24 and stat.S_IMODE(host.own_file().stat().st_mode) == 0o600
    assert stat.S_IMODE(host.own_file().parent.stat().st_mode) == 0o700
    config = host.config / "ada" / "jupyter_server_config.json"
    assert stat.S_IMODE(config.stat().st_mode) == 0o400 and clear not in config.read_text()
    before = host.hash()
    again = host.run()
    assert not again["changed"] and again["servers"][0]["password"] == "file" and host.hash() == before
    assert clear not in json.dumps([first, again])
    argv, environment = json.loads((host.root / "record").read_text())
    assert clear not in json.dumps([argv, environment])


def test_two_users_get_two_passwords(host: Any) -> None:
    host.run(ports={"ada": 8888, "bob": 8889})
    assert host.own_file("ada").read_text() != host.own_file("bob").read_text()


def test_another_password_in_the_file_is_taken_over(host: Any) -> None:
    host.run()
    before = host.hash()
    host.own_file().write_text("chosen by ada\n")
    assert host.run()["changed"] and host.hash() != before
    assert not host.run()["changed"]


def test_the_server_is_asked_again_only_after_a_change(host: Any) -> None:
    record = host.root / "record"

    def asked(**arguments: Any) -> bool:
        record.unlink(missing_ok=True)
        assert not host.run(**arguments)["failed"]
        return bool(record.exists())

    host.run()
    assert not asked() and not asked(check=True), "it made that password itself"
    before = host.hash()
    own = host.own_file()
    content = own.read_text()
    own.write_text(content[::-1].strip() + "\n")
    assert asked() and host.hash() != before and asked() is False
    config = host.config / "ada" / "jupyter_server_config.json"
    config.chmod(0o600)
    config.write_text(config.read_text().replace(host.hash(), HASH))
    assert asked() and host.hash() not in (before, HASH), "a hash that somebody put there is not believed"
    (host.config / "ada" / "password-verified").chmod(0o666)
    assert asked(), "nor is a note that anybody could have written"
    clear = own.read_text().strip()
    assert clear not in (host.config / "ada" / "password-verified").read_text()


def test_a_short_password_in_the_file_concerns_its_account_alone(host: Any) -> None:
    host.run(ports={"ada": 8888, "bob": 8889})
    before = host.hash()
    host.own_file().write_text("short\n")
    told = host.run(ports={"ada": 8888, "bob": 8889})
    assert not told["failed"] and host.hash() == before and host.own_file().read_text() == "short\n"
    assert f"{host.own_file()} holds 5 characters, expected 8 or more: the JupyterLab of ada keeps" in told["todo"][0]


def test_a_file_that_others_can_read_is_closed(host: Any) -> None:
    host.run()
    host.own_file().chmod(0o644)
    assert host.run()["changed"] and stat.S_IMODE(host.own_file().stat().st_mode) == 0o600
    assert not host.run()["changed"]


def test_a_lost_file_does_not_change_the_password(host: Any) -> None:
    host.run()
    before = host.hash()
    host.own_file().unlink()
    told = host.run()
    assert not told["changed"] and told["servers"][0]["password"] == "kept" and host.hash() == before


def test_a_given_password_is_hashed_and_its_hash_kept(host: Any) -> None:
    host.run()
    assert host.own_file().exists()
    told = host.run(passwords={"ada": "given by the owner"})
    assert told["changed"] and not host.own_file().exists(), "the old generated password would only mislead"
    before = host.hash()
    assert not host.run(passwords={"ada": "given by the owner"})["changed"] and host.hash() == before
    assert host.run(passwords={"ada": "given by the owner, new"})["changed"] and host.hash() != before


def test_a_ready_hash_is_taken_as_it_is(host: Any) -> None:
    host.run(passwords={"ada": HASH})
    assert host.hash() == HASH and not host.own_file().exists()
    assert not host.run(passwords={"ada": HASH})["changed"]


def test_a_killed_run_leaves_no_hash_of_a_lost_password(host: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from ansible_collections.dlbox.workstation.plugins.module_utils.jupyter import server_configuration

    def die(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(server_configuration.ServerConfiguration, "configure", die)
        with pytest.raises(KeyboardInterrupt):
            host.run()
    assert host.own_file().exists() and not (host.config / "ada").exists()
    assert host.run()["servers"][0]["password"] == "file"


def test_check_mode_changes_nothing_even_before_the_account_and_the_environment_exist(host: Any) -> None:
    told = host.run(check=True, python="/nowhere/bin/python")
    assert told["changed"] and not host.config.exists() and not host.own_file().exists()
    assert "(a hash)" in json.dumps(told["diff"]) and "argon2" not in json.dumps(told["diff"])


def test_an_account_that_is_taken_out_loses_its_configuration(host: Any) -> None:
    host.run(ports={"ada": 8888, "bob": 8889})
    (host.config / "somebody-elses").mkdir()
    assert host.run()["changed"]
    assert sorted(place.name for place in host.config.iterdir()) == ["ada", "somebody-elses"]


def test_without_accounts_nothing_of_ours_is_left(host: Any) -> None:
    host.run(ports={"ada": 8888, "bob": 8889})
    (host.own_file().parent / "other").write_text("ada's own")
    told = host.run(ports={}, python="/nowhere/bin/python", check=True)
    assert told["changed"] and host.own_file().exists()
    assert host.run(ports={}, python="/nowhere/bin/python")["changed"]
    assert not host.config.exists() and not host.own_file().exists() and not host.own_file("bob").exists()
    assert (host.own_file().parent / "other").exists()
    assert not host.run(ports={}, python="/nowhere/bin/python")["changed"]


def test_tls_ends_before_the_server_and_no_account_gets_the_key(host: Any) -> None:
    pair = {"certificate": "/etc/ssl/own.crt", "key": "/etc/ssl/own.key"}
    told = host.run(tls=True, **pair)
    assert told["changed"] and told["tls_unit"]
    assert "stunnel4" in told["packages"] or Path("/usr/bin/stunnel4").exists()
    endpoint = host.config / "ada/tls.conf"
    text = endpoint.read_text()
    assert "accept = 8888\n" in text and "connect = /run/jupyterlab-proxy/ada.sock\n" in text
    assert "key = /etc/ssl/own.key\n" in text and "setuid = stunnel4\n" in text
    assert sorted(place.name for place in (host.config / "ada").iterdir()) == [
        "jupyter_server_config.json",
        "labconfig",
        "password-verified",
        "tls.conf",
    ]
    assert not host.run(tls=True, **pair)["changed"]
    assert host.run()["changed"] and not endpoint.exists()


def test_links_to_data_folders_replace_nothing(host: Any) -> None:
    links = [{"path": "/srv/data", "group": "users"}, {"path": "/srv/other", "name": "more"}]
    (host.root / "ada/more").write_text("ada's own")
    assert host.run(links=links, check=True)["changed"] and not (host.root / "ada/data").exists()
    told = host.run(links=links)
    assert str((host.root / "ada/data").readlink()) == "/srv/data"
    assert (host.root / "ada/more").read_text() == "ada's own"
    assert f"{host.root}/ada/more is not the link to a data folder" in told["todo"][0]
    assert not host.run(links=links)["changed"]


def test_a_password_file_that_is_a_trap_is_told_and_not_waited_for(host: Any) -> None:
    import os

    host.own_file().parent.mkdir(parents=True)
    os.mkfifo(host.own_file())
    told = host.run()
    assert not told["failed"] and "is no regular file): the JupyterLab of ada lets nobody in" in told["todo"][0]
    assert password.is_hash(host.hash()) and told["servers"][0]["password"] == "locked"
    assert not host.run()["changed"]


def test_a_configuration_that_its_account_blew_up_is_written_anew(host: Any) -> None:
    host.run(passwords={"ada": HASH})
    config = host.config / "ada" / "jupyter_server_config.json"
    config.chmod(0o600)
    with config.open("wb") as handle:
        handle.truncate(1 << 40)
    assert host.run(passwords={"ada": HASH})["changed"] and host.hash() == HASH
    # Observed: JSON too deep for Python to read ended every run.
    config.chmod(0o600)
    config.write_text("[" * 200_000)
    assert host.run(passwords={"ada": HASH})["changed"] and host.hash() == HASH


def test_a_start_folder_below_the_home_is_made(host: Any) -> None:
    assert host.run(start_folder="~/work/notebooks", check=True)["changed"]
    assert not (host.root / "ada/work").exists()
    assert host.run(start_folder="~/work/notebooks")["changed"] and (host.root / "ada/work/notebooks").is_dir()
    assert not host.run(start_folder="~/work/notebooks")["changed"]
    (host.root / "file").touch()
    told = host.run(start_folder=f"{host.root}/file/x")
    assert not told["failed"] and "Make it, or choose a folder below the home" in told["todo"][0]


def test_programs_that_extensions_call_are_asked_for_once(host: Any) -> None:
    extension = {"name": "x", "package": "x", "system": ["dpkg", "no-such-package"]}
    assert host.run(extensions=[extension])["packages"] == ["no-such-package"]
    assert host.run(extensions=[{**extension, "enabled": False}])["packages"] == []


def test_everything_wrong_is_said_at_once(host: Any) -> None:
    told = host.run(
        ports={"ada": 80, "bob": 80},
        passwords={"ada": "short", "eve": "whatever it is"},
        settings={"ServerApp": {"ip": "0.0.0.0", "token": ""}},
        python="/nowhere/bin/python",
        start_folder="somewhere",
    )
    for part in (
        "ada and bob", "not a number from 1024", "5 characters", "eve", "ServerApp.ip, ServerApp.token",
        "/nowhere/bin/python does not exist", "start_folder is somewhere",
    ):  # fmt: skip
        assert part in told["msg"], part
    assert "short" not in told["msg"] and "whatever" not in told["msg"]


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("sha1:0e112c3ddfce:a68df677475c2b47b6e86d0467eec97ac5f4b85a", "quickly guessed"),
        (HASH[:-30] + " ", "not a whole one"),
        ("seven77", "7 characters"),
        (" blank before", "blanks"),
        ("jupyterlab", "first that anybody tries"),
    ],
)
def test_weak_values_are_refused_without_repeating_them(value: str, reason: str) -> None:
    with pytest.raises(password.Refused, match=reason) as told:
        password.check("ada", value)
    assert value not in str(told.value)


@given(st.text(min_size=8, max_size=60).filter(lambda t: t == t.strip() and not t.startswith("argon2:")))
def test_any_long_enough_password_is_a_password(value: str) -> None:
    if password.WEAK.fullmatch(value) or value.casefold() in ("password", "jupyterlab", "changeme", "12345678"):
        return
    password.check("ada", value)
    assert not password.is_hash(value)


def test_the_helper_is_the_servers_own_code() -> None:
    assert "from jupyter_server.auth import passwd, passwd_check" in password.HELPER


@pytest.mark.parametrize("tls", [False, True])
def test_the_settings_keep_the_server_private(tls: bool) -> None:
    server = settings.Server("ada", "/home/ada")
    made = settings.server_settings(server._replace(behind_tls=tls), HASH)
    app = made["ServerApp"]
    assert made["IdentityProvider"] == {"token": "", **({"secure_cookie": True} if tls else {})}
    assert made["PasswordIdentityProvider"]["password_required"] is True
    assert (app["ip"], app["allow_remote_access"]) == ("127.0.0.1", tls)
    assert (app["sock"], app["sock_mode"]) == ("/run/jupyterlab/ada/server.sock", "0600")
    assert app["cookie_secret_file"].startswith("/run/jupyterlab/ada/")
    assert settings.refused({"ServerApp": {"sock": "", "cookie_secret_file": "x", "port": 1}}) == [
        "ServerApp.cookie_secret_file", "ServerApp.port", "ServerApp.sock",
    ]  # fmt: skip
    assert HASH not in json.dumps(settings.masked(made)) and made["PasswordIdentityProvider"]["hashed_password"] == HASH


def test_extensions_are_switched_on_both_sides() -> None:
    extensions = (
        {"name": "git", "server": "jupyterlab_git", "lab": "@jupyterlab/git", "enabled": False},
        {"name": "other", "server": "", "lab": "other", "enabled": True},
    )
    server = settings.Server("ada", "/home/ada", extensions=extensions, extra={"LabApp": {"x": 1}})
    made = settings.server_settings(server, HASH)
    assert made["ServerApp"]["jpserver_extensions"] == {"jupyterlab_git": False}
    assert made["LabApp"]["x"] == 1 and made["LabApp"]["extension_manager"] == "readonly"
    assert settings.page_settings(server) == {"disabledExtensions": {"@jupyterlab/git": True, settings.NEWS: True}}
