"""The independent measure of the server's cryptography: ssh-audit over the network, and its policies for releases."""

from __future__ import annotations

import json
import re
import subprocess
from typing import Any

import pytest
from ssh_audit.builtin_policies import BUILTIN_POLICIES

# The releases for which the policy demands key exchanges of which ssh-audit itself warns since they are not safe from
# quantum computers: no server passes both. ssh_hardening_clients chooses: older passes those policies, quantum_safe
# those of the other releases, and current, the default, keeps curve25519 for the desktops that people have.
POLICY_AGAINST_RATING = ("debian-12", "ubuntu-22.04", "ubuntu-24.04")
UNSAFE_FROM_QUANTUM_COMPUTERS = re.compile("curve25519-|diffie-hellman-")


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


def newest_policy(release: str) -> str:
    """The name of ssh-audit's newest built-in policy for servers of a release, e.g. debian-13 or ubuntu-24.04."""
    name, version = release.split("-")
    title = {"debian": "Debian {}", "ubuntu": "Ubuntu Server {} LTS"}[name].format(version)
    found = re.findall(rf"Hardened {re.escape(title)} \(version (\d+)\)", "\n".join(BUILTIN_POLICIES))
    return f"Hardened {title} (version {max(map(int, found))})"


@pytest.fixture
def release(host: Any) -> str:
    return str(host.check_output('. /etc/os-release && echo "$ID-$VERSION_ID"'))


@pytest.fixture
def clients(host: Any) -> str:
    given = host.ansible.get_variables()
    strict = given.get("ssh_hardening_profile") == "strict"
    return str(given.get("ssh_hardening_clients", "quantum_safe" if strict else "current"))


def test_no_fail_and_no_warn(host: Any, address: str, clients: str) -> None:
    """None at all for quantum_safe; else of the key exchanges that are not, and nothing else."""
    _, report = audit(address)
    notes = {
        f"{kind} {entry.get('algorithm')}": entry["notes"]
        for kind in ("kex", "key", "enc", "mac")
        for entry in report[kind]
        if entry.get("notes", {}).get("fail") or entry.get("notes", {}).get("warn")
    }
    if clients != "quantum_safe":
        offered = host.check_output("sshd -T | sed -n 's/^kexalgorithms //Ip'").split(",")
        unsafe = {f"kex {name}" for name in offered if UNSAFE_FROM_QUANTUM_COMPUTERS.match(name)}
        assert unsafe and set(notes) == unsafe
        assert not [note for note in notes.values() if note.get("fail")]
    else:
        assert notes == {}


def test_the_policy_of_the_release(host: Any, address: str, release: str, clients: str) -> None:
    """Passed, or missed in exactly what contradicts the rating above or would change the key that clients know.

    The length of a host key is seen through the older key exchanges only.
    """
    code, report = audit(address, "--policy", newest_policy(release))
    assert not report["warnings"], report
    reasons = {}
    if clients != ("older" if release in POLICY_AGAINST_RATING else "quantum_safe"):
        reasons["Key exchanges"] = "curve25519 beside the quantum-safe ones, for desktops; no Diffie-Hellman"
    bits = host.check_output("ssh-keygen -lf /etc/ssh/ssh_host_rsa_key").split()[0]
    if clients != "quantum_safe" and bits != "4096":
        for name in ("rsa-sha2-256", "rsa-sha2-512"):
            reasons[f"Host key ({name}) sizes"] = "a key of 3072 bits is kept, as clients know the host by it"
    assert {error["mismatched_field"] for error in report["errors"]} == set(reasons), report
    assert report["passed"] == (not reasons)
    assert (code == 0) == (not reasons)
