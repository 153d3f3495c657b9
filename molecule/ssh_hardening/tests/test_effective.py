"""The server does what it was asked to, in its effective configuration and towards a person who logs in."""

from __future__ import annotations

from typing import Any

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


def test_what_was_taken_out_is_still_readable(host: Any) -> None:
    by_hand = host.file("/etc/ssh/sshd_config.d/99-by-hand.conf")
    assert "#dlbox: Port 2022" in by_hand.content_string
    assert host.run("ls /etc/ssh/sshd_config.d/99-by-hand.conf.*~").rc == 0, "with a copy of what it was"


def test_no_algorithm_that_the_host_does_not_offer(host: Any, sshd: dict[str, list[str]]) -> None:
    for keyword, query in ALGORITHMS.items():
        chosen = sshd[keyword][0].split(",")
        assert set(chosen) <= set(host.check_output(f"ssh -Q {query}").split())
        assert not [name for name in chosen if "sha1" in name or "cbc" in name]
    assert sshd["kexalgorithms"][0].split(",")[0] in ("mlkem768x25519-sha256", "sntrup761x25519-sha512")
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
    assert sshd["allowagentforwarding"] == ["no"]
    assert sshd["x11forwarding"] == ["no"]


def test_penalties_where_the_server_has_them(host: Any, sshd: dict[str, list[str]]) -> None:
    if "persourcepenalties" in sshd:
        assert "authfail:5" in sshd["persourcepenalties"]
        assert "127.0.0.0/8" in sshd["persourcepenaltyexemptlist"][0]
    else:
        assert host.check_output("ssh -V 2>&1").startswith("OpenSSH_9.2")


def test_the_unit_that_the_distribution_chose_still_starts_it(host: Any) -> None:
    by_socket = (
        "ubuntu-24" in host.check_output("cat /etc/hostname /etc/os-release | tr -d '\\n'")
        or host.service("ssh.socket").is_enabled
    )
    assert host.service("ssh.socket").is_enabled == by_socket
    assert host.service("ssh.service").is_enabled == (not by_socket)
