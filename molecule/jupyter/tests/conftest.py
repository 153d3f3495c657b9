"""What the tests of the role jupyter share: the browser, a tunnel as people use it, and a client of Jupyter's API."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from chromium import chromium

PROJECT = Path(__file__).resolve().parents[3]
# For `host.ansible`: where the project's modules are.
os.environ.setdefault("ANSIBLE_CONFIG", str(PROJECT / "ansible.cfg"))


# Runs on the host under the system's Python; the password comes over stdin, so that it is in no process list.
CLIENT = r"""
import http.cookiejar, json, ssl, sys, urllib.error, urllib.parse, urllib.request
base, password, paths, cafile = json.load(sys.stdin)
class Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *a): return None
jar = http.cookiejar.CookieJar()
handlers = [Stay, urllib.request.HTTPCookieProcessor(jar)]
if cafile: handlers.append(urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=cafile)))
opener = urllib.request.build_opener(*handlers)
def ask(path, data=None):
    try: answer = opener.open(base + path, data, timeout=60)
    except urllib.error.HTTPError as error: answer = error
    return answer.status, answer.read().decode()
answers = {}
if password is not None:
    ask("/login")
    xsrf = next(c.value for c in jar if c.name == "_xsrf")
    answers["login"] = ask("/login", urllib.parse.urlencode({"password": password, "_xsrf": xsrf}).encode())[0]
for path in paths: answers[path] = ask(path)
json.dump(answers, sys.stdout)
"""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Run a module only on the hosts it names: `--hosts`, which molecule gives, would run it on all."""
    mine, others = [], []
    for item in items:
        host = item.callspec.params["_testinfra_host"].backend.get_pytest_id()
        named = item.getparent(pytest.Module).obj.testinfra_hosts
        (mine if host in named else others).append(item)
    config.hook.pytest_deselected(items=others)
    items[:] = mine


def unreadable(host: Any, path: str) -> None:
    """Assert that no account can read a key of the endpoint, where it lies or as a copy anywhere else."""
    key = host.file(path)
    assert key.user == "root" and key.mode & 0o077 == 0
    host.check_output("id eve || useradd -m eve")
    marked = key.content_string.splitlines()[1]
    for account in ("ada", "eve", "nobody"):
        found = host.run(
            f"runuser -u {account} -- grep -rlFs --exclude-dir=proc --exclude-dir=sys {marked}"
            " /etc /home /run /var /tmp /usr/local /srv"
        )
        assert found.stdout == "", (account, found.stdout)
    assert set(host.check_output("ps -o user= -C stunnel4").split()) == {"stunnel4"}


# An account that wants the port: every way to bind it, without a pause, until it is told to stop.
TAKER = """
import itertools, pathlib, socket, sys
ways = [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::1"), (socket.AF_INET6, "::")]
tried = 0
while not pathlib.Path("/tmp/enough").exists():
    for (family, address), reuse in itertools.product(ways, (0, socket.SO_REUSEADDR, socket.SO_REUSEPORT)):
        tried += 1
        with socket.socket(family) as mine:
            if reuse: mine.setsockopt(socket.SOL_SOCKET, reuse, 1)
            try: mine.bind((address, int(sys.argv[1]))); mine.listen()
            except OSError: continue
            print("took", address, reuse, flush=True)
print("tried", tried)
"""


@contextmanager
def wanted_by_eve(host: Any, port: int) -> Iterator[None]:
    """Have an account try to get a port of the host all the time; assert that it never did."""
    host.check_output("id eve || useradd -m eve; sysctl -qw net.ipv6.conf.all.disable_ipv6=0; rm -f /tmp/enough")
    host.check_output(f"cat > /srv/take.py <<'END'\n{TAKER}\nEND")
    free = 'cd / && touch /tmp/enough && runuser -u eve -- python3 -c "{}"'
    assert host.run(free.format("import socket; socket.create_server(('::1', 9999), family=socket.AF_INET6)")).rc == 0
    host.check_output(
        "rm /tmp/enough; systemd-run -q --unit taker --uid eve --collect -p StandardOutput=file:/srv/took"
        f" python3 /srv/take.py {port}"
    )
    try:
        yield
    finally:
        host.check_output(
            "touch /tmp/enough; timeout 20 sh -c 'while systemctl -q is-active taker; do sleep 0.2; done'"
        )
    told = host.file("/srv/took").content_string.split()
    assert told[0] == "tried" and int(told[1]) > 1000, told


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Headless Chromium, one for the whole run."""
    with chromium() as running:
        yield running


@pytest.fixture(scope="module")
def ask(host: Any) -> Callable[..., dict[str, Any]]:
    """Ask a server on the host's loopback: ask(port, password or None, [path...]) -> answer by path."""

    def question(
        port: int, password: str | None, paths: list[str], scheme: str = "http", name: str = "localhost", ca: str = ""
    ) -> dict[str, Any]:
        request = json.dumps([f"{scheme}://{name}:{port}", password, paths, ca])
        done = subprocess.run(
            ["docker", "exec", "-i", host.backend.host, "python3", "-c", CLIENT],
            input=request,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        answers: dict[str, Any] = json.loads(done.stdout)
        return answers

    return question


def address(host: Any) -> str:
    """The host's address on the test network, as another machine sees it."""
    return str(host.check_output("ip -o -4 route get 192.0.2.1").split(" src ")[1].split()[0])


def opens(where: str, port: int) -> bool:
    """Whether a TCP port of a host lets this machine, another network namespace, connect."""
    with closing(socket.socket()) as probe:
        probe.settimeout(3)
        return probe.connect_ex((where, port)) == 0


def play(host: Any, *options: str, **variables: Any) -> subprocess.CompletedProcess[str]:
    """Both roles once more on one host, as a play."""
    scenario = PROJECT / "molecule/jupyter"
    command = ["ansible-playbook", str(scenario / "again.yml"), "--diff", "--limit", host.backend.host]
    command += ["--inventory", str(PROJECT / "molecule/shared/inventory"), "--inventory", str(scenario / "inventory")]
    command += ["--extra-vars", json.dumps(variables), *options]
    settings = {"ANSIBLE_CONFIG": str(PROJECT / "ansible.cfg"), "MOLECULE_PROJECT_DIRECTORY": str(PROJECT)}
    return subprocess.run(command, env={**os.environ, **settings}, text=True, capture_output=True, check=False)


def free_port() -> int:
    """A TCP port that nobody uses now."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def tunnel(host: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str, int], int]]:
    """Open a tunnel as the report tells people to: tunnel(account, port on the host) -> local port."""
    folder = tmp_path_factory.mktemp("ssh")
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / "key")], check=True)
    public = (folder / "key.pub").read_text()
    running: list[subprocess.Popen[bytes]] = []

    def open_tunnel(account: str, port: int) -> int:
        host.run_test(
            f"install -d -m 700 -o {account} -g {account} /home/{account}/.ssh && "
            f"printf %s {public.strip()!r} > /home/{account}/.ssh/authorized_keys && "
            f"chown {account}: /home/{account}/.ssh/authorized_keys"
        )
        local = free_port()
        command = ["ssh", "-N", "-L", f"{local}:127.0.0.1:{port}", "-i", str(folder / "key")]
        options = ["StrictHostKeyChecking=no", f"UserKnownHostsFile={folder}/known", "LogLevel=ERROR"]
        command += ["-F", "none", *(f"-o{option}" for option in options), f"{account}@{address(host)}"]
        running.append(subprocess.Popen(command))
        for _ in range(100):
            if opens("127.0.0.1", local):
                return local
            time.sleep(0.1)
        raise AssertionError("the tunnel did not open")

    yield open_tunnel
    for process in running:
        process.terminate()
        process.wait()
