"""JupyterLab behind an ssh tunnel: who gets in, what is offered, what runs, and what nobody can read."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from conftest import address, opens, wanted_by_eve

testinfra_hosts = ["ansible://dlbox-jupyter-d13"]
HERE = Path(__file__).resolve().parent
GIVEN = "wrought-iron Gauss 1777"
OWN_FILE = "/home/ada/.config/dlbox/jupyter-password"
KERNELS = {"jax", "plain", "python3"}


def limit_by_hand(host: Any, account: str) -> None:
    """Hold a service to its MemoryMax where systemd cannot: on a machine whose memory controller is still of version 1.

    systemd in these containers has version 2 only. What it would tell the kernel is told it here, in a group of
    version 1 with the unit's own limit and processes.
    """
    if "memory" in host.file("/sys/fs/cgroup/cgroup.controllers").content_string.split():
        return
    limit = host.check_output(f"systemctl show --value -p MemoryMax jupyterlab@{account}")
    group = host.check_output(f"systemctl show --value -p ControlGroup jupyterlab@{account}")
    host.check_output(
        "mkdir -p /run/memory && mount -t cgroup -o memory cgroup /run/memory && mkdir -p /run/memory/jupyter && "
        f"echo {limit} > /run/memory/jupyter/memory.limit_in_bytes && "
        f"for process in $(cat /sys/fs/cgroup{group}/cgroup.procs); do "
        "echo $process > /run/memory/jupyter/cgroup.procs; done"
    )


@pytest.fixture(scope="module")
def generated(host: Any) -> str:
    """The password that was made for ada."""
    return str(host.file(OWN_FILE).content_string).strip()


def test_each_account_has_its_own_server_as_itself(host: Any) -> None:
    for account, port in {"ada": 8888, "bob": 8889}.items():
        service = host.service(f"jupyterlab@{account}")
        assert service.is_running and service.is_enabled
        main = host.check_output(f"systemctl show --value -p MainPID jupyterlab@{account}")
        assert host.check_output(f"ps -o user= -p {main}") == account
        # Held by systemd, also as ::1, which browsers try first for localhost; the server itself has no port.
        listening = [line for line in host.check_output("ss -Hltnp").splitlines() if f":{port} " in line]
        assert {line.split()[3] for line in listening} == {f"127.0.0.1:{port}", f"[::1]:{port}"}
        assert all('"systemd",pid=1,' in line and f"pid={main}," not in line for line in listening), listening
        folder = f"/run/jupyterlab/{account}"
        assert host.check_output(f"stat -c '%U %a' {folder} {folder}/server.sock") == f"{account} 700\n{account} 600"
        told = host.check_output(f"cd / && runuser -u {account} -- /opt/conda/envs/jupyter/bin/jupyter server list")
        assert "server.sock" in told


def test_no_account_ever_gets_the_port(host: Any, ask: Any) -> None:
    """Observed: a restart left the port free for a second, and whoever took it got the cookie of an open tab."""
    with wanted_by_eve(host, 8889):
        for order in (
            "systemctl restart jupyterlab@bob", "systemctl restart jupyterlab-proxy@bob", "systemctl daemon-reload",
            "systemctl kill -s KILL jupyterlab@bob", "systemctl kill -s KILL jupyterlab-proxy@bob",
            "systemctl stop jupyterlab@bob jupyterlab-proxy@bob.service", "systemctl start jupyterlab@bob",
            "systemctl daemon-reexec",
        ):  # fmt: skip
            host.check_output(f"{order}; sleep 2")
    host.check_output(RUNS.format("bob"))
    assert ask(8889, GIVEN, ["/api/contents"])["/api/contents"][0] == 200


# Until a server listens: the folder goes with the service.
RUNS = "timeout 90 sh -c 'until [ -S /run/jupyterlab/{}/server.sock ]; do sleep 0.5; done'"
LOGIN = """
import http.cookiejar, subprocess, time, urllib.error, urllib.parse, urllib.request
jar = http.cookiejar.CookieJar()
opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
base = "http://127.0.0.1:8889"
def ask(path, data=None, headers={}):
    for _ in range(200):
        try: return opener.open(urllib.request.Request(base + path, data, headers), timeout=9).status
        except urllib.error.HTTPError as error: return error.code
        except OSError: time.sleep(0.3)
ask("/login")
xsrf = next(c.value for c in jar if c.name == "_xsrf")
ask("/login", urllib.parse.urlencode({"password": input(), "_xsrf": xsrf}).encode())
print(ask("/api/contents"), ask("/api/terminals", b"", {"X-XSRFToken": xsrf}))
subprocess.run(["systemctl", "restart", "jupyterlab@bob"], check=True)
print(ask("/api/contents"))
"""


def test_a_login_is_good_for_a_terminal_and_ends_with_the_server(host: Any) -> None:
    host.check_output(f"cat > /srv/login.py <<'END'\n{LOGIN}\nEND")
    assert host.check_output(f"echo '{GIVEN}' | python3 /srv/login.py").split() == ["200", "200", "403"]


def test_the_service_is_hardened_and_bounded(host: Any) -> None:
    shown = host.check_output("systemctl show jupyterlab@ada -p MemoryMax,NoNewPrivileges,OOMPolicy,PrivateDevices")
    assert {"MemoryMax=1073741824", "NoNewPrivileges=yes", "OOMPolicy=continue", "PrivateDevices=no"} == set(
        shown.split()
    )
    exposure = host.check_output("systemd-analyze security --no-pager jupyterlab@ada.service | tail -1")
    assert float(re.findall(r"\d+\.\d+", exposure)[0]) < 5, exposure


@pytest.mark.parametrize("port", [8888, 8889])
def test_the_ports_are_closed_to_another_machine(host: Any, port: int) -> None:
    assert opens(address(host), 22), "the test network does not connect at all"
    assert not opens(address(host), port)


def test_nobody_gets_in_without_the_password(ask: Any, generated: str) -> None:
    assert ask(8888, None, ["/api/contents", "/api/kernelspecs"]) == {
        "/api/contents": [403, '{"message": "Forbidden", "reason": null}'],
        "/api/kernelspecs": [403, '{"message": "Forbidden", "reason": null}'],
    }
    for wrong in ("", "jupyter", "ada", GIVEN, generated[:-1]):
        answers = ask(8888, wrong, ["/api/contents"])
        assert answers["login"] == 401 and answers["/api/contents"][0] == 403, wrong
    assert ask(8888, None, [f"/api/contents?token={generated}"]).popitem()[1][0] == 403


def test_the_right_password_gets_in_and_every_environment_is_offered(host: Any, ask: Any, generated: str) -> None:
    for port, password, home in ((8888, generated, "ada"), (8889, GIVEN, "bob")):
        answers = ask(port, password, ["/api/contents", "/api/kernelspecs", "/api/status", "/lab/api/extensions"])
        assert answers["login"] == 302
        assert "data" in [entry["name"] for entry in json.loads(answers["/api/contents"][1])["content"]], home
        assert host.file(f"/home/{home}/work/data").linked_to == "/srv/data"
        installed = {entry["name"] for entry in json.loads(answers["/lab/api/extensions"][1])}
        assert {"@jupyterlab/git", "@jupyter-server/resource-usage", "jupyterlab-nvdashboard"} <= installed
        offered = json.loads(answers["/api/kernelspecs"][1])
        assert set(offered["kernelspecs"]) == KERNELS and offered["default"] == "jax"
        assert offered["kernelspecs"]["python3"]["spec"]["display_name"] == "Python 3 (jax)"


def test_a_foreign_host_name_is_refused(host: Any) -> None:
    """DNS rebinding: a page elsewhere must not reach the server through a name that leads to loopback."""
    assert "403" in host.check_output(
        "python3 -c \"import http.client as h; c = h.HTTPConnection('127.0.0.1', 8888);"
        " c.request('GET', '/login', headers={'Host': 'evil.example'}); print(c.getresponse().status)\""
    )


@pytest.mark.parametrize("account", ["ada", "bob"])
def test_old_settings_of_the_account_do_not_open_the_server(host: Any, ask: Any, account: str) -> None:
    """Settings in the style of old guides: no token, no password, all addresses."""
    folder = f"/home/{account}/.jupyter"
    settings = ["ip = '0.0.0.0'", "port = 9999", "token = ''", "password = ''"]
    text = "".join(f"c.ServerApp.{setting}\n" for setting in settings)
    host.check_output(f"install -d -o {account} {folder}")
    for name in ("server", "lab"):
        host.check_output(f"cat > {folder}/jupyter_{name}_config.py <<'END'\n{text}END")
    port = 8888 if account == "ada" else 8889
    try:
        host.check_output(f"systemctl restart jupyterlab@{account}")
        host.check_output(RUNS.format(account))
        assert ask(port, None, ["/api/contents"])["/api/contents"][0] == 403
        assert f"127.0.0.1:{port}" in host.check_output("ss -ltn") and ":9999" not in host.check_output("ss -ltn")
    finally:
        host.check_output(f"rm -r {folder}")


def test_no_secret_can_be_read_by_others(host: Any, generated: str) -> None:
    """As an account of its own: through the whole disk, the process list, the journal that it may read."""
    host.check_output("id eve || useradd -m eve")
    config = host.file("/etc/jupyterlab/ada/jupyter_server_config.json").content_string
    hashed = json.loads(config)["PasswordIdentityProvider"]["hashed_password"]
    assert hashed.startswith("argon2:$argon2id$")
    assert host.file(OWN_FILE).mode == 0o600 and host.file(OWN_FILE).user == "ada"
    for secret in (generated, GIVEN, hashed.rpartition("$")[2]):
        patterns = f"printf '%s\\n' '{secret}' > /home/eve/secret && chown eve /home/eve/secret"
        host.check_output(patterns)
        found = host.run(
            "runuser -u eve -- grep -rlFs -f /home/eve/secret --exclude-dir=proc --exclude-dir=sys --exclude=secret"
            " /etc /home /root /run /var /tmp /usr/local /srv"
        )
        assert found.stdout == "", found.stdout
        # The kernel shows others' arguments to everybody, their environment to root: neither has it.
        assert host.run("cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ | grep -aF -f /home/eve/secret").rc == 1
        assert host.run("journalctl --no-pager | grep -F -f /home/eve/secret").rc == 1
    assert "token" not in host.check_output("ps -eo args")
    assert host.run("journalctl --no-pager -u 'jupyterlab@*' | grep 'http://.*token='").rc == 1


def test_a_framework_trains_through_its_jupyter_kernel(host: Any) -> None:
    for name in ("train.py", "cell_jax.py"):
        host.backend.run_local(f"docker cp {HERE}/{name} {host.backend.host}:/srv/{name}")
    told = host.check_output(
        "cd /home/ada && runuser -u ada -- /opt/conda/envs/jupyter/bin/python /srv/train.py jax /srv/cell_jax.py"
    )
    assert "environment jax device cpu" in told and "preallocates false" in told
    assert "weights 3.0 2.0 better True" in told


def test_a_kernel_has_its_environment_and_an_encrypted_transport(host: Any) -> None:
    script = '''
import json, pathlib, sys
from jupyter_client.manager import KernelManager
from traitlets.config import Config
settings = json.load(open("/etc/jupyterlab/ada/jupyter_server_config.json"))
manager = KernelManager(kernel_name="plain", config=Config(settings))
manager.start_kernel()
client = manager.blocking_client(); client.start_channels(); client.wait_for_ready(timeout=60)
told = {}
def hook(message):
    if message["msg_type"] == "stream": told["out"] = message["content"]["text"]
client.execute_interactive("""
import json, os, shutil, subprocess, sys
def refused(*command):
    done = subprocess.run(command, capture_output=True, text=True)
    return done.returncode != 0 and "six" in done.stdout + done.stderr
pip = [sys.executable, "-m", "pip", "install", "--dry-run", "--upgrade"]
uv = ["/opt/dlbox/engine/venv/bin/uv", "pip", "install", "--dry-run", "--upgrade", "--python", sys.executable]
os.environ.update(SSL_CERT_FILE="/etc/ssl/certs/ca-certificates.crt", UV_NO_CACHE="1")
print(json.dumps([sys.prefix, shutil.which("tqdm"), os.environ["CONDA_PREFIX"], os.environ.get("LD_LIBRARY_PATH"),
    sys.flags.no_user_site, refused(*pip, "six>1.16.0"), refused(*uv, "six>1.16.0"), os.environ.get("KERAS_BACKEND"),
    refused(*pip, "six"), refused(*uv, "six")]))
""", output_hook=hook)
print(json.dumps([json.loads(told["out"]), sorted(json.load(open(manager.connection_file)))]))
client.stop_channels(); manager.shutdown_kernel(now=True)
'''
    host.check_output(f"cat > /srv/kernel.py <<'END'\n{script}\nEND")
    told = host.check_output("cd /home/ada && runuser -u ada -- /opt/conda/envs/jupyter/bin/python /srv/kernel.py")
    inside, connection = json.loads(told.splitlines()[-1])
    prefix = "/opt/conda/envs/plain"
    assert inside[:5] == [prefix, f"{prefix}/bin/tqdm", prefix, None, 1]
    # The pins hold here too: forced is refused, --upgrade alone finds nothing to do. pip and uv.
    assert inside[5:] == [True, True, None, False, False]
    assert any("curve" in key for key in connection), connection


def test_in_a_browser_over_the_tunnel(host: Any, browser: Any, tunnel: Any, generated: str) -> None:
    """As a person: the login page, a wrong password, the right one, the launcher, a cell."""
    from playwright.sync_api import expect

    port = tunnel("ada", 8888)
    pictures = HERE.parents[2] / ".cache" / "screenshots"
    page = browser.new_context(viewport={"width": 1280, "height": 800}).new_page()
    page.set_default_timeout(120_000)
    expect.set_options(timeout=120_000)
    page.goto(f"http://localhost:{port}/lab?reset")
    expect(page.locator("input[name=password]")).to_be_visible()
    assert "token" not in page.url
    page.screenshot(path=pictures / "jupyter-login.png")

    page.fill("input[name=password]", "not the password")
    page.click("#login_submit")
    expect(page.get_by_text("Invalid credentials")).to_be_visible()

    page.fill("input[name=password]", generated)
    page.click("#login_submit")
    cards = page.locator(".jp-LauncherCard[data-category=Notebook]")
    expect(cards.first).to_be_visible()
    labels = cards.locator(".jp-LauncherCard-label").all_inner_texts()
    assert {label.strip() for label in labels} == {"jax", "plain", "Python 3 (jax)"}
    page.screenshot(path=pictures / "jupyter-launcher.png")

    cards.filter(has_text="plain").click()
    expect(page.get_by_text("plain | Idle")).to_be_visible()
    cell = page.locator(".jp-Notebook .jp-CodeCell .cm-content").first
    cell.click()
    page.keyboard.type("import os; print(os.environ['CONDA_DEFAULT_ENV'], 6 * 7)")
    page.keyboard.press("Shift+Enter")
    expect(page.locator(".jp-OutputArea-output").first).to_have_text(re.compile("plain 42"))
    page.screenshot(path=pictures / "jupyter-cell.png")
    assert page.locator(".jp-Dialog, .Toastify__toast").count() == 0, "something asks or complains"

    # More than the limit: this Jupyter kernel is ended and started anew; the server and its other notebooks go on.
    server = host.check_output("systemctl show --value -p MainPID jupyterlab@ada")
    limit_by_hand(host, "ada")
    page.keyboard.type("'x' * 3_000_000_000; print('survived')")
    page.keyboard.press("Shift+Enter")
    expect(page.locator(".jp-Dialog").get_by_text("appears to have died")).to_be_visible()
    page.locator(".jp-Dialog button.jp-mod-accept").click()
    assert host.check_output("systemctl show --value -p MainPID jupyterlab@ada") == server
    page.locator(".jp-Notebook .jp-CodeCell .cm-content").last.click()
    page.keyboard.type("print('back', 40 + 2)")
    page.keyboard.press("Shift+Enter")
    expect(page.locator(".jp-OutputArea-output").get_by_text("back 42")).to_be_visible()
    assert page.locator(".jp-OutputArea-output").get_by_text("survived").count() == 0

    # Now a notebook runs: settings that change are told, not enforced under it.
    host.check_output("touch /srv/changed")
    for restart, waiting, actions in (("idle", ["ada"], ["stop bob"]), ("always", [], ["stop bob", "restart ada"])):
        arguments = {"ports": {"ada": 8888}, "files": ["/srv/changed"], "restart": restart}
        told = host.ansible("dlbox.workstation.jupyter_services", json.dumps(arguments), check=True)
        assert (told.get("waiting"), told.get("actions")) == (waiting, actions), told
    page.context.close()
