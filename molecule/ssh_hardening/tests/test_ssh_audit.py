"""The independent measure of the server's cryptography: ssh-audit over the network, and its policies for releases."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import pytest


def audit(address: str, *options: str) -> tuple[int, dict[str, Any]]:
    """Exit code and report. The test for DHEat would only cost time: it floods the server."""
    done = subprocess.run(
        ["ssh-audit", "--json", "--skip-rate-test", *options, address],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return done.returncode, json.loads(done.stdout)


def test_no_fail_and_no_warn(address: str) -> None:
    _, report = audit(address)
    notes = {
        f"{kind} {entry.get('algorithm')}": entry["notes"]
        for kind in ("kex", "key", "enc", "mac")
        for entry in report[kind]
        if entry.get("notes", {}).get("fail") or entry.get("notes", {}).get("warn")
    }
    assert notes == {}


@pytest.mark.parametrize("policy", ["Hardened Debian 13 (version 1)"])
def test_policy_of_the_release(host: Any, address: str, policy: str) -> None:
    if "10.0" not in host.check_output("ssh -V 2>&1"):
        pytest.skip("the policies for older releases demand key exchanges that are not safe from quantum computers")
    if host.check_output("ssh-keygen -lf /etc/ssh/ssh_host_rsa_key").split()[0] != "4096":
        pytest.skip(
            "the policy demands an RSA key of 4096 bits; the host's key of 3072 is kept, as its clients know it"
        )
    code, report = audit(address, "--policy", policy)
    assert report["passed"], report
    assert code == 0
