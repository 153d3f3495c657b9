"""The server does what it was asked to, in its effective configuration and towards a person who logs in."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"])
ALGORITHMS = {"kexalgorithms": "kex", "ciphers": "cipher", "macs": "mac"}


def test_the_owner_logs_in_with_a_key(login: Any) -> None:
    done = login("id", "-un")
    assert (done.returncode, done.stdout.strip()) == (0, "ada"), done.stderr


def test_root_does_not(login: Any) -> None:
    assert login("true", user="root").returncode == 255


def test_nothing_but_keys_is_offered(login: Any) -> None:
    done = login("true", options=("-o", "PubkeyAuthentication=no", "-v"))
    assert "Authentications that can continue: publickey\n" in done.stderr.replace("\r", "")


def test_the_drop_in_wins_over_cloud_init_for_everybody(effective: dict[str, list[str]]) -> None:
    assert effective["passwordauthentication"] == ["no"]
    assert effective["permitrootlogin"] == ["no"]
    assert effective["allowusers"] == ["ada", "bea"], "the hand-written AllowUsers does not add to ours"
    assert effective["port"] == ["22"], "the hand-written port does not add to ours"


def test_the_base_file_includes_the_drop_ins_first(host: Any) -> None:
    """Also where there was no Include, as on one of the hosts."""
    lines = host.file("/etc/ssh/sshd_config").content_string.splitlines()
    directives = [line for line in lines if line.strip() and not line.lstrip().startswith("#")]
    assert directives[0] == "Include /etc/ssh/sshd_config.d/*.conf"


def test_a_short_rsa_key_does_not_log_in(login: Any) -> None:
    assert login("true", user="bea", key=FOLDER / "short").returncode == 255


def test_who_leaves_the_group_does_not_log_in(host: Any, login: Any, sshd: dict[str, list[str]]) -> None:
    if "allowgroups" not in sshd:
        pytest.skip("no groups were chosen on this host")
    assert login("true", user="bea", key=FOLDER / "bea").returncode == 0
    host.check_output("gpasswd -d bea users")
    assert login("true", user="bea", key=FOLDER / "bea").returncode == 255
    host.check_output("gpasswd -a bea users")


def test_what_was_taken_out_is_still_readable(host: Any) -> None:
    by_hand = host.file("/etc/ssh/sshd_config.d/99-by-hand.conf")
    assert "#dlbox: Port 2022" in by_hand.content_string
    copies = host.check_output("ls /var/lib/dlbox/ssh/*/etc_ssh_sshd_config.d_99-by-hand.conf")
    assert host.file(copies.splitlines()[0]).content_string == "Port 2022\nAllowUsers somebody\n", (
        "a copy of what it was"
    )
    assert (
        host.file("/var/lib/dlbox/ssh").mode == 0o755
        and not host.run("ls /var/lib/dlbox/ssh/* -ld | grep -v ^drwx------").stdout
    )
    assert not host.check_output("find /etc/ssh /etc/pam.d -name '*~'"), "nothing of it beside what is guarded"


def test_no_algorithm_that_the_host_does_not_offer(host: Any, sshd: dict[str, list[str]]) -> None:
    for keyword, query in ALGORITHMS.items():
        chosen = sshd[keyword][0].split(",")
        assert set(chosen) <= set(host.check_output(f"ssh -Q {query}").split())
        assert not [name for name in chosen if "sha1" in name or "cbc" in name]
    first = sshd["kexalgorithms"][0].split(",")[0].removesuffix("@openssh.com")
    assert first in ("mlkem768x25519-sha256", "sntrup761x25519-sha512")
    assert all(name.endswith("-etm@openssh.com") for name in sshd["macs"][0].split(","))


def test_post_quantum_key_exchange_is_negotiated(login: Any) -> None:
    assert "kex: algorithm: sntrup761x25519-sha512" in login("true", options=("-v",)).stderr


def test_host_keys_are_kept_unless_weak(host: Any, sshd: dict[str, list[str]]) -> None:
    assert sshd["hostkey"] == ["/etc/ssh/ssh_host_ed25519_key", "/etc/ssh/ssh_host_rsa_key"]
    kept = host.check_output("ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key").split()[1]
    assert kept == host.check_output("cat /root/host-key-before").split()[1]
    assert host.check_output("ssh-keygen -lf /etc/ssh/ssh_host_rsa_key").split()[0] in ("3072", "4096")


def test_weak_moduli_are_gone(host: Any) -> None:
    assert host.check_output("awk '$5 ~ /^[0-9]+$/ && $5 < 3071' /etc/ssh/moduli | wc -l") == "0"


def test_forwarding_is_the_profiles(profile: str, login: Any, sshd: dict[str, list[str]]) -> None:
    # A forwarded connection to sshd's own port answers with its banner.
    done = login(options=("-W", "127.0.0.1:22"))
    assert done.stdout.startswith("SSH-2.0") == (profile == "workstation"), done.stderr
    assert sshd["allowtcpforwarding"] == (["local"] if profile == "workstation" else ["no"])


def test_agent_and_x11_forwarding_are_choices(
    host: Any, login: Any, sshd: dict[str, list[str]], tmp_path: Path
) -> None:
    chosen = bool(host.ansible.get_variables().get("ssh_hardening_agent_forwarding", False))
    assert sshd["allowagentforwarding"] == sshd["x11forwarding"] == (["yes"] if chosen else ["no"])
    agent = subprocess.Popen(["ssh-agent", "-D", "-a", str(tmp_path / "a")], stdout=subprocess.DEVNULL)
    try:
        while not (tmp_path / "a").exists():
            time.sleep(0.05)
        options = ("-A", "-o", f"IdentityAgent={tmp_path / 'a'}")
        assert login("printenv", "SSH_AUTH_SOCK", options=options).returncode == (0 if chosen else 1)
    finally:
        agent.kill()


def test_penalties_where_the_server_has_them(host: Any, sshd: dict[str, list[str]]) -> None:
    if "persourcepenalties" in sshd:
        assert "authfail:5" in sshd["persourcepenalties"]
        assert "127.0.0.0/8" in sshd["persourcepenaltyexemptlist"][0]
    else:
        assert host.check_output("ssh -V 2>&1").startswith("OpenSSH_9.2")


def test_who_only_tries_the_door_waits_and_a_slip_is_forgiven(
    login: Any, address: str, sshd: dict[str, list[str]]
) -> None:
    """A person's failed logins cost nothing; an address that keeps calling without a login waits, unless it is home."""
    if "persourcepenalties" not in sshd:
        pytest.skip("this server has no penalties; the role fail2ban is for such")
    for _ in range(3):
        assert login("true", user="nobody-here").returncode == 255
    assert login("true").returncode == 0, "a slip"
    for _ in range(30):
        with contextlib.suppress(OSError), socket.create_connection((address, 22), 3) as connection:
            connection.recv(4)
    time.sleep(1.5)  # the last of them have left: it is not MaxStartups that refuses
    home = "192.168.0.0/16" in sshd["persourcepenaltyexemptlist"][0]
    done = login("true")
    assert done.returncode == (0 if home else 255), done.stderr


def test_the_unit_that_the_distribution_chose_still_starts_it(host: Any) -> None:
    release = host.check_output('. /etc/os-release && echo "$ID-$VERSION_ID"')
    by_socket = release in ("ubuntu-24.04", "ubuntu-26.04")
    assert host.service("ssh.socket").is_enabled == by_socket
    assert host.service("ssh.service").is_enabled == (not by_socket)
