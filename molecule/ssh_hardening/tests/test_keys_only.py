"""What is said of keys only, and whether a password logs in, for every kind of Match block at a real sshd."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.dlbox.workstation.plugins.plugin_utils.doctor import runner
from ansible_collections.dlbox.workstation.plugins.plugin_utils.doctor.model import OK, REGISTRY
from conftest import RESTART, check_mode
from test_choices import only_on

PASSWORD = "suite-of-keys-only"
DROPIN = "/etc/ssh/sshd_config.d/99-suite.conf"
OPENS = "PasswordAuthentication yes\nAuthenticationMethods any\n"
# The criteria and lines of a block; whether it lets bea in with her password from here, and whether it is keys only.
BLOCKS = [
    ("User bea", OPENS, True, False),
    ("Group users", OPENS, True, False),
    ("LocalPort 22", OPENS, True, False),
    ("Address {network}", OPENS, True, False),
    ("Address *,!10.99.0.0/16 User b*", OPENS, True, False),
    ("User bea", "KbdInteractiveAuthentication yes\nAuthenticationMethods keyboard-interactive:pam\n", True, False),
    ("Address 203.0.113.0/24", OPENS, False, False),
    ("LocalPort 2222 User bea", OPENS, False, False),
    ("User bea", "PasswordAuthentication yes\nAuthenticationMethods publickey,password\n", False, True),
    ("Group users", "PasswordAuthentication no\nX11Forwarding no\n", False, True),
    ("User somebody-else", "PasswordAuthentication no\n", False, True),
]


@pytest.fixture
def password(host: Any) -> Iterator[str]:
    """bea has a password for the time of a test."""
    only_on(host, "d13")
    host.check_output("echo %s | chpasswd", f"bea:{PASSWORD}")
    yield PASSWORD
    host.check_output(f"usermod --lock bea; rm -f {DROPIN}; {RESTART}")


def said(host: Any) -> bool:
    """Whether the doctor says "keys only"."""
    variables = dict(host.ansible.get_variables())
    check = REGISTRY["ssh.passwords"]
    (outcome,) = check.run(runner.context(host, variables["inventory_hostname"], variables, [check], look=False))
    assert (outcome.result == OK) == outcome.observed.startswith("keys only"), outcome
    return bool(outcome.result == OK)


@pytest.mark.parametrize(
    ("criteria", "lines", "lets_in", "keys_only"), BLOCKS, ids=[f"{one[0]}-{one[1].split()[-1]}" for one in BLOCKS]
)
def test_keys_only_is_said_exactly_where_no_password_logs_in_from_anywhere(
    host: Any, login: Any, tmp_path: Path, password: str, criteria: str, lines: str, lets_in: bool, keys_only: bool
) -> None:
    here = host.check_output("ip -4 -o route show default").split()[2]
    block = f"Match {criteria.format(network=here + '/32')}\n{lines}"
    host.check_output("printf '%%s' %s > %s; sshd -t", block, DROPIN)
    host.check_output(RESTART)
    script = tmp_path / "answer"
    script.write_text(f"#!/bin/sh\necho {password}\n")
    script.chmod(0o700)
    done = login("true", user="bea", options=("-o", "PubkeyAuthentication=no"), askpass=script)
    assert done.returncode == (0 if lets_in else 255), done.stderr
    assert said(host) == keys_only


def test_the_role_says_where_a_password_logs_in(host: Any, password: str) -> None:
    """Its own summary, of the same survey."""
    block = f"Match Address 203.0.113.0/24\n{OPENS}"
    host.check_output("printf '%%s' %s > %s", block, DROPIN)
    done = check_mode(host)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "ssh: logins without a key are possible" in done.stdout and "ssh: keys only" not in done.stdout
    assert f"{DROPIN}:1 (Match Address 203.0.113.0/24): password without a key" in " ".join(done.stdout.split())


PARAMIKO = """
import json, paramiko, sys
told = json.loads(sys.argv[1])
client = paramiko.SSHClient()
client.load_host_keys(told["known"])
client.set_missing_host_key_policy(paramiko.RejectPolicy())
client.connect(told["address"], username="ada", key_filename=told["key"], look_for_keys=False, allow_agent=False)
print(client.exec_command("id -un")[1].read().decode().strip())
"""


@pytest.mark.parametrize("client", ["d12", "d13"])
def test_paramiko_of_the_supported_releases_logs_in_with_the_default_profile(
    host: Any, profile: str, address: str, client: str, tmp_path: Path
) -> None:
    """Backup tools, IDEs and Ansible's own plugin use it; its oldest has classic key exchanges only."""
    if profile == "strict":
        pytest.skip("strict names its clients: those of quantum-safe key exchanges")
    import testinfra

    other = testinfra.get_host(f"docker://dlbox-ssh_hardening-{client}")
    key = (Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"]) / "ada").read_text()
    public = host.check_output("cat /etc/ssh/ssh_host_ed25519_key.pub").split()
    other.check_output("umask 077; printf '%%s' %s > /root/suite-key; echo %s > /root/suite-known", key,
                       f"{address} {public[0]} {public[1]}")  # fmt: skip
    told = json.dumps({"known": "/root/suite-known", "key": "/root/suite-key", "address": address})
    try:
        done = other.run("/usr/bin/python3 -I -c %s %s", PARAMIKO, told)
    finally:
        other.check_output("rm /root/suite-key /root/suite-known")
    assert done.rc == 0 and done.stdout == "ada\n", done.stderr
