"""The ssh of the desktops people have gets in, by what it really offers, and a person at work never meets a limit."""

from __future__ import annotations

import contextlib
import socket
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import RESTART

ROLE = Path(__file__).resolve().parents[3] / "roles" / "ssh_hardening"
CLIENTS = yaml.safe_load((ROLE / "files" / "clients.yml").read_text())
# The client's options, what `ssh -Q` calls their algorithms, and the server's keywords.
LISTS = {
    "kex": ("KexAlgorithms", "kex", "kexalgorithms"),
    "ciphers": ("Ciphers", "cipher", "ciphers"),
    "macs": ("MACs", "mac", "macs"),
    "host_keys": ("HostKeyAlgorithms", "HostKeyAlgorithms", "hostkeyalgorithms"),
}


def offers(client: dict[str, Any]) -> tuple[str, ...]:
    """Options that make this machine's ssh offer what a client does, as far as it still knows the algorithms at all."""
    options = []
    for key, (option, query, _keyword) in LISTS.items():
        known = subprocess.run(["ssh", "-Q", query], capture_output=True, text=True, check=True).stdout.split()
        options += ["-o", f"{option}={','.join(name for name in client[key] if name in known)}"]
    return tuple(options)


@pytest.mark.parametrize("client", CLIENTS, ids=lambda client: str(client["software"]))
def test_a_client_logs_in_unless_it_is_shut_out(client: dict[str, Any], login: Any, sshd: dict[str, list[str]]) -> None:
    shared = [set(client[key]) & set(sshd[keyword][0].split(",")) for key, (_o, _q, keyword) in LISTS.items()]
    assert login("true", options=offers(client)).returncode == (0 if all(shared) else 255)


def test_by_default_no_client_of_the_table_is_shut_out(profile: str, sshd: dict[str, list[str]]) -> None:
    offered = sshd["kexalgorithms"][0].split(",")
    if profile == "workstation":
        assert all(set(client["kex"]) & set(offered) for client in CLIENTS)
        safe = [name.startswith(("mlkem768x25519", "sntrup761x25519")) for name in offered]
        assert safe == sorted(safe, reverse=True), "the quantum-safe ones come first"


def test_sixty_logins_at_once_meet_no_limit(host: Any, profile: str, login: Any, address: str) -> None:
    """scp, rsync, git, an editor and dlbox at the same time: sixty have begun to log in, and the next one does."""
    if profile == "strict":
        pytest.skip("strict keeps CIS' MaxStartups 10:30:60")
    try:
        with contextlib.ExitStack() as held:
            begun = [held.enter_context(socket.create_connection((address, 22), 60)) for _ in range(60)]
            assert {one.recv(8) for one in begun} == {b"SSH-2.0-"}, "all are answered, none with a refusal"
            assert login("true", options=("-o", "ConnectTimeout=60")).returncode == 0
    finally:
        # They left without a login, which earns penalties where the server has them.
        host.check_output(RESTART)
