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
from conftest import address, opens, unreadable

testinfra_hosts = ["ansible://dlbox-jupyter-u2204"]
GIVEN = "wrought-iron Gauss 1777"


@pytest.fixture(scope="module")
def certificate(host: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The host's self-signed certificate, as a person would take it into the browser's trust."""
    file = tmp_path_factory.mktemp("tls") / "tls.crt"
    file.write_text(host.file("/var/lib/dlbox/jupyter/tls.crt").content_string)
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
    where = {"scheme": "https", "name": address(host), "ca": "/var/lib/dlbox/jupyter/tls.crt"}
    assert ask(8888, None, ["/api/contents"], **where)["/api/contents"][0] == 403
    assert ask(8888, "wrong password", [], **where) == {"login": 401}
    answers = ask(8888, GIVEN, ["/api/contents"], **where)
    assert answers["login"] == 302 and answers["/api/contents"][0] == 200


# Two neighbours of the machine, each on a network of its own. Only the first network is among dlbox_home_networks.
NEIGHBOURS = """
ip netns list | grep -q elsewhere && exit 0
for side in 1:home 2:elsewhere; do
  number=${side%%:*} name=${side#*:}
  ip netns add $name
  ip link add to-$name type veth peer name eth0 netns $name
  ip addr add 10.77.$number.1/24 dev to-$name
  ip link set to-$name up
  ip -n $name addr add 10.77.$number.2/24 dev eth0
  ip -n $name link set eth0 up
done
systemd-run --quiet --unit other-service python3 -m http.server 9999
timeout 20 sh -c 'until ss -ltn | grep -q :9999; do sleep 0.1; done'
"""
TRY = "import socket; s = socket.socket(); s.settimeout(3); print(s.connect_ex(('10.77.{}.1', {})))"


def test_the_firewall_lets_the_home_network_in_and_to_nothing_else(host: Any) -> None:
    done = host.run(NEIGHBOURS)
    assert done.rc == 0, done.stderr

    def connects(name: str, port: int) -> bool:
        program = TRY.format({"home": 1, "elsewhere": 2}[name], port)
        return str(host.check_output(f'ip netns exec {name} python3 -c "{program}"')).strip() == "0"

    assert connects("home", 22) and connects("elsewhere", 22), "the neighbours do not reach the machine at all"
    assert connects("home", 8888)
    assert not connects("home", 9999), "another service is not JupyterLab's"
    assert not connects("elsewhere", 8888) and not connects("elsewhere", 9999)


def test_no_account_can_read_the_key(host: Any) -> None:
    unreadable(host, "/var/lib/dlbox/jupyter/tls.key")


def test_the_server_itself_has_no_port_and_systemd_holds_that_of_the_endpoint(host: Any) -> None:
    main = host.check_output("systemctl show --value -p MainPID jupyterlab@ada")
    listening = host.check_output("ss -Hltnp").splitlines()
    assert not [line for line in listening if f"pid={main}," in line], listening
    held = [line for line in listening if ":8888 " in line]
    assert len(held) == 1 and '"systemd",pid=1,' in held[0], listening
    assert host.check_output("stat -c '%U %a' /run/jupyterlab-proxy/ada.sock") == "stunnel4 600"
    host.check_output("systemctl stop jupyterlab-tls@ada.service jupyterlab@ada")
    try:
        taken = "cd / && runuser -u ada -- python3 -c \"import socket; socket.create_server(('{}', 8888))\""
        assert "in use" in host.run(taken.format("127.0.0.1")).stderr
        assert opens(address(host), 8888), "a connection starts the endpoint"
    finally:
        host.check_output(
            "systemctl start jupyterlab-tls@ada jupyterlab@ada;"
            " timeout 90 sh -c 'until [ -S /run/jupyterlab/ada/server.sock ]; do sleep 0.5; done'"
        )


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
