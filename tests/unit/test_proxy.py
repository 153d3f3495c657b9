"""One variable, and everything that downloads goes through the proxy; its password is nowhere that others read."""

from __future__ import annotations

import base64
import os
import re
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from ansible.module_utils import basic
from ansible_collections.dlbox.workstation.plugins.filter.proxy import apt_proxy_files
from ansible_collections.dlbox.workstation.plugins.module_utils import proxy

URL = "http://ada:p%40ss%3Aword@proxy.home:3128"
PLUGINS = Path(__file__).resolve().parents[2] / "plugins"


@pytest.mark.parametrize(
    "good", ["", URL, "http://proxy.home:3128/", "https://proxy.home", "http://[fd00::5]:3128", "http://10.0.0.1:8080"]
)
def test_a_proxys_url_is_taken(good: str) -> None:
    assert proxy.problems(good, ["mirror.home", "192.168.1.5", "fd00::7"]) == []


@pytest.mark.parametrize(
    "bad",
    [
        "proxy.home:3128",
        "socks5://proxy.home:1080",
        "http://",
        "http://proxy.home:port",
        "http://proxy.home:99999",
        "http://ada:secret@proxy.home/path",
        'http://ada:secret@proxy.home";',
        "http://ada:sec ret@proxy.home",
        "http://ada:sec%0Aret@proxy.home",
        "http://ada:sec%00ret@proxy.home",
        "http://ada:sec/ret@proxy.home",
        "http://ada:sec#ret@proxy.home",
        "http://ada:secret@[fd00::5:3128",
        "http://ada:sec\nret@proxy.home",
        "http://ada:sec\u2100ret@proxy.home",
        "http:/ada:secret@proxy.home",
        "ada:secret@proxy.home:3128",
        "ada:secret",
        "http://ada:secret",
        "http://:secret@proxy.home",
    ],
)
def test_another_one_is_refused_without_showing_its_password(bad: str) -> None:
    (problem,) = proxy.problems(bad, [])
    assert problem.startswith("dlbox_proxy is ") and "sec" not in problem


@pytest.mark.parametrize("bad", [".home", "10.0.0.0/8", "*.home", 'x";'])
def test_what_apt_would_read_otherwise_is_no_exception(bad: str) -> None:
    (problem,) = proxy.problems("http://proxy.home", [bad])
    assert bad in problem and "dlbox_no_proxy" in problem


def test_python_takes_it_from_the_environment() -> None:
    before = dict(os.environ)
    with proxy.used({"proxy": URL, "no_proxy": ["mirror.home"]}):
        assert urllib.request.getproxies()["https"] == urllib.request.getproxies()["http"] == URL
        assert urllib.request.proxy_bypass("mirror.home") and urllib.request.proxy_bypass("127.0.0.1")
        assert not urllib.request.proxy_bypass("pypi.example")
    assert dict(os.environ) == before


def test_nothing_changes_without_one() -> None:
    assert proxy.variables({"proxy": "", "no_proxy": ["mirror.home"]}) == {}


def test_apt_gets_the_password_in_a_file_of_roots() -> None:
    settings, credentials = apt_proxy_files(URL, ["mirror.home"])
    assert 'Acquire::https::Proxy "http://proxy.home:3128/";' in settings["content"]
    assert 'Acquire::http::Proxy::mirror.home "DIRECT";' in settings["content"]
    assert "p@ss" not in str(settings) and "p%40ss" not in str(settings)
    text = base64.b64decode(credentials["secret"]).decode()
    assert text == "machine http://proxy.home:3128/ login ada password p@ss:word\n"
    assert credentials["mode"] == "0600" and "content" not in credentials


def test_apts_credentials_are_for_an_address_without_brackets() -> None:
    assert proxy.apt_credentials("http://ada:word@[fd00::5]:3128") == (
        "machine http://fd00::5:3128/ login ada password word\n"
    )


def test_apts_files_go_with_the_proxy() -> None:
    assert [file["present"] for file in apt_proxy_files("", [])] == [False, False]
    assert [file["present"] for file in apt_proxy_files("http://proxy.home", [])] == [True, False]


@pytest.mark.parametrize("module", ["preflight_host", "signing_key", "conda_engine", "conda_env"])
def test_modules_that_download_take_it_before_they_begin(module: str) -> None:
    text = (PLUGINS / f"modules/{module}.py").read_text(encoding="utf-8")
    assert (
        "**proxy.OPTIONS" in text
        and re.search(r"proxy\.(used|variables)\(", text)
        and "dlbox.workstation.proxy]" in text
    )


def test_the_password_is_in_no_log(tmp_path: Path) -> None:
    """What a module logs of its options is what Ansible takes for no secret."""
    path = tmp_path / "auth.conf"
    program = f"""
import json, sys
sys.path.insert(0, {str(PLUGINS.parent / "collections")!r})
from ansible.module_utils import basic
basic._ANSIBLE_ARGS = sys.stdin.buffer.read()
basic._ANSIBLE_PROFILE = "legacy"
basic.AnsibleModule.log = lambda self, msg, log_args=None: print(msg, log_args, file=sys.stderr)
from ansible_collections.dlbox.workstation.plugins.modules import host_files
host_files.main()
"""
    (_, file) = apt_proxy_files("http://ada:s3cr3t-w0rd%27%5C@proxy.home", [])
    file["path"] = str(path)
    arguments = basic.json.dumps({"ANSIBLE_MODULE_ARGS": {"files": [file], "_ansible_diff": True}})
    hidden = {"s3cr3t-w0rd", file["secret"]}
    done = subprocess.run([sys.executable, "-c", program], input=arguments, text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert path.read_text().endswith(" password s3cr3t-w0rd'\\\n") and path.stat().st_mode & 0o777 == 0o600
    assert str(path) in done.stderr and not [word for word in hidden if word in done.stdout + done.stderr]
