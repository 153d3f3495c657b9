"""Three failed logins over real ssh end in a ban, in the kernel, and `unbanip` lifts it."""

from __future__ import annotations

import socket
import subprocess
import time

import pytest


@pytest.fixture
def address(host) -> str:
    return host.check_output("ip -4 -o addr show eth0").split()[3].split("/")[0]


def reaches_ssh(address: str) -> bool:
    try:
        with socket.create_connection((address, 22), 3) as connection:
            return connection.recv(4) == b"SSH-"
    except OSError:
        return False


def until(condition, seconds: int = 20) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.3)
    return False


def test_the_service_runs_now_and_after_a_boot(host):
    service = host.service("fail2ban")
    assert service.is_running
    assert service.is_enabled


def test_the_effective_settings_are_those_of_the_variables(host):
    assert until(lambda: host.run("fail2ban-client ping").rc == 0)
    assert host.check_output("fail2ban-client get sshd maxretry") == "3"
    assert host.check_output("fail2ban-client get sshd bantime") == "3600"
    assert "192.0.2.0/24" in host.check_output("fail2ban-client get sshd ignoreip")


def test_guessing_ends_in_a_ban_and_an_unban_lifts_it(host, address):
    assert reaches_ssh(address)
    options = ["-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null"]
    for name in ("root1", "admin2", "guess3"):
        subprocess.run(["ssh", *options, f"{name}@{address}", "true"], capture_output=True, check=False, timeout=30)
    assert until(lambda: not reaches_ssh(address)), host.check_output("fail2ban-client status sshd")
    assert "f2b-sshd" in host.check_output("iptables -S INPUT")
    banned = host.check_output("fail2ban-client get sshd banip").split()
    assert len(banned) == 1
    host.check_output(f"fail2ban-client set sshd unbanip {banned[0]}")
    assert until(lambda: reaches_ssh(address))


def test_what_a_local_account_writes_into_the_journal_counts_for_nothing(host, address):
    """The jail's own match over the journal: a program that an account calls sshd is none, root's sshd is one."""
    lines = host.file("/etc/fail2ban/jail.d/dlbox.local").content_string.splitlines()
    match = next(line.partition("= ")[2] for line in lines if line.startswith("journalmatch"))
    host.check_output("id mallory 2>/dev/null || useradd -m mallory; cp /usr/bin/logger /home/mallory/sshd")
    forged = "Failed password for root from 203.0.113.99 port 22 ssh2"
    host.check_output(f"su mallory -c '/home/mallory/sshd -t sshd {forged}; logger -t sshd {forged}'")
    assert until(lambda: "203.0.113.99" in host.check_output("journalctl -q"))
    assert "203.0.113.99" not in host.check_output(f"journalctl -q {match}")
    options = ["-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null"]
    subprocess.run(["ssh", *options, f"intruder@{address}", "true"], capture_output=True, check=False, timeout=60)
    assert until(lambda: "nvalid user intruder" in host.check_output(f"journalctl -q {match}"))
