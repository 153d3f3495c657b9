"""What the checks of sshd ask the hosts of the scenario."""

from __future__ import annotations

import functools
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

PROJECT = Path(__file__).resolve().parents[3]
Effective = dict[str, list[str]]
# Both down, then the socket, as the role does it; systemd would refuse the sixth start within ten seconds.
RESTART = (
    "systemctl reset-failed ssh.service ssh.socket; "
    "if systemctl -q is-active ssh.socket; then systemctl stop ssh.socket ssh.service; systemctl start ssh.socket; "
    "else systemctl restart ssh.service; fi"
)


def check_mode(host: Any) -> subprocess.CompletedProcess[str]:
    """What the role says of a host, which it does not change."""
    command = ["ansible-playbook", "--check", "--limit", host.backend.get_hostname()]
    command += ["-i", "molecule/shared/inventory", "-i", "molecule/ssh_hardening/inventory"]
    env = {
        **os.environ,
        "ANSIBLE_CONFIG": str(PROJECT / "ansible.cfg"),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "NO_COLOR": "1",
    }
    command.append("molecule/ssh_hardening/converge.yml")
    return subprocess.run(command, capture_output=True, text=True, cwd=PROJECT, env=env, stdin=subprocess.DEVNULL)


@functools.cache
def _effective(host: Any, user: str, address: str) -> Effective:
    """`sshd -T` for a connection: keyword in lower case to its words; those of repeated keywords together."""
    out = host.check_output(f"install -d /run/sshd && sshd -T -C user={user},host=localhost,addr={address}")
    values: Effective = {}
    for line in out.splitlines():
        keyword, _, rest = line.partition(" ")
        values.setdefault(keyword.lower(), []).extend(rest.split())
    return values


@pytest.fixture(params=[("ada", "192.0.2.7"), ("root", "127.0.0.1")], ids=["ada", "root"])
def effective(request: pytest.FixtureRequest, host: Any) -> Effective:
    """The configuration that a connection gets."""
    return _effective(host, *request.param)


@pytest.fixture
def sshd(host: Any) -> Effective:
    """The configuration that the owner gets."""
    return _effective(host, "ada", "192.0.2.7")


@pytest.fixture
def profile(host: Any) -> str:
    """The profile that the host was given."""
    return str(host.ansible.get_variables().get("ssh_hardening_profile", "workstation"))


@pytest.fixture
def address(host: Any) -> str:
    """Address of the host on the test network, as the controller reaches it."""
    return str(host.check_output("hostname -I").split()[0])


@pytest.fixture
def login(host: Any, address: str, tmp_path: Path, sshd: Effective) -> Iterator[Any]:
    """Log in from the controller, the host key checked: login(*words, user, key, options, askpass) -> process.

    Logins that a test lets fail earn penalties where the server has them; a restart makes it forget.
    """
    failures = []
    known = tmp_path / "known_hosts"
    public = host.check_output("cat /etc/ssh/ssh_host_ed25519_key.pub").split()
    known.write_text(f"{address} {public[0]} {public[1]}\n")
    owner = Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"]) / "ada"

    def run(
        *words: str, user: str = "ada", key: Path = owner, options: tuple[str, ...] = (), askpass: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        settings = {
            "BatchMode": "no" if askpass else "yes",
            "ConnectTimeout": "5",
            "IdentitiesOnly": "yes",
            "NumberOfPasswordPrompts": "1",
            "UserKnownHostsFile": str(known),
        }
        base = ["ssh", "-F", "none", *(word for pair in settings.items() for word in ("-o", "=".join(pair)))]
        command = [*base, "-i", str(key), *options, f"{user}@{address}", *words]
        environment = dict(os.environ)
        if askpass:
            environment |= {"SSH_ASKPASS": str(askpass), "SSH_ASKPASS_REQUIRE": "force"}
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, env=environment)
        if done.returncode == 255:
            failures.append(done)
        return done

    yield run
    if failures and "persourcepenalties" in sshd:
        host.check_output(RESTART)
