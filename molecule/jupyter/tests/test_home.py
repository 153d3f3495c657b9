"""JupyterLab with TLS on the home network, by choice."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import subprocess
from pathlib import Path
from typing import Any

import pytest
from conftest import address

testinfra_hosts = ["ansible://dlbox-jupyter-u2204"]
GIVEN = "wrought-iron Gauss 1777"


@pytest.fixture(scope="module")
def certificate(host: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The host's self-signed certificate, as a person would take it into the browser's trust."""
    file = tmp_path_factory.mktemp("tls") / "tls.crt"
    file.write_text(host.file("/etc/jupyterlab/ada/tls.crt").content_string)
    return file


def test_another_machine_gets_an_encrypted_connection_that_it_can_verify(host: Any, certificate: Path) -> None:
    context = ssl.create_default_context(cafile=str(certificate))
    with (
        socket.create_connection((address(host), 8888), timeout=10) as plain,
        context.wrap_socket(plain, server_hostname=address(host)) as secured,
    ):
        assert secured.version() in ("TLSv1.2", "TLSv1.3")


def test_plain_http_gets_nothing(host: Any) -> None:
    with socket.create_connection((address(host), 8888), timeout=10) as plain:
        plain.sendall(b"GET /lab HTTP/1.0\r\n\r\n")
        with contextlib.suppress(ConnectionResetError):
            assert b"HTTP/" not in plain.recv(200)


def test_the_password_holds_over_the_network_too(host: Any, ask: Any) -> None:
    where = {"scheme": "https", "name": address(host), "ca": "/etc/jupyterlab/ada/tls.crt"}
    assert ask(8888, None, ["/api/contents"], **where)["/api/contents"][0] == 403
    assert ask(8888, "wrong password", [], **where) == {"login": 401}
    answers = ask(8888, GIVEN, ["/api/contents"], **where)
    assert answers["login"] == 302 and answers["/api/contents"][0] == 200


def test_the_key_is_readable_by_its_account_only(host: Any) -> None:
    for path, user in (("/var/lib/dlbox/jupyter/tls.key", "root"), ("/etc/jupyterlab/ada/tls.key", "ada")):
        key = host.file(path)
        assert key.user == user and key.mode & 0o077 == 0, path


def test_a_browser_that_trusts_the_certificate_gets_in(host: Any, browser: Any, certificate: Path) -> None:
    shown = subprocess.run(
        ["openssl", "x509", "-in", certificate, "-noout", "-ext", "subjectAltName"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert f"IP Address:{address(host)}" in shown
    page = browser.new_context(ignore_https_errors=True).new_page()
    page.set_default_timeout(60_000)
    page.goto(f"https://{address(host)}:8888/lab")
    page.fill("input[name=password]", GIVEN)
    page.click("#login_submit")
    page.wait_for_selector(".jp-Launcher")
    cookies = {cookie["name"]: cookie for cookie in page.context.cookies()}
    login = next(cookie for name, cookie in cookies.items() if name.startswith("username-"))
    assert login["secure"] and login["httpOnly"], json.dumps(login)
    page.context.close()
