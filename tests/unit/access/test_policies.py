"""The lists for older clients are those of ssh-audit's policies, as the pinned release of it has them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from ssh_audit.builtin_policies import BUILTIN_POLICIES

ROLE = Path(__file__).resolve().parents[3] / "roles" / "ssh_hardening"
VARS = yaml.safe_load((ROLE / "vars" / "main.yml").read_text())
DEFAULTS = yaml.safe_load((ROLE / "defaults" / "main.yml").read_text())
RELEASES = VARS["__ssh_hardening_releases"]
# Sent by every server with the list; nobody configures them.
SIGNALS = ("ext-info-s", "kex-strict-s-v00@openssh.com")


def newest(title: str) -> dict[str, Any]:
    """The newest version of a policy."""
    found = [(int(n), name) for name in BUILTIN_POLICIES for n in re.findall(rf"{title} \(version (\d+)\)", name)]
    return BUILTIN_POLICIES[max(found)[1]]


@pytest.mark.parametrize(
    ("release", "title"),
    [
        ("debian-12", "Debian 12"),
        ("ubuntu-22.04", "Ubuntu Server 22.04 LTS"),
        ("ubuntu-24.04", "Ubuntu Server 24.04 LTS"),
    ],
)
def test_older_clients_get_the_list_of_the_policy(release: str, title: str) -> None:
    policy = newest(title)
    assert RELEASES[release]["kex"] == [name for name in policy["kex"] if name not in SIGNALS]
    assert RELEASES[release]["macs"] == policy["macs"]
    assert DEFAULTS["ssh_hardening_ciphers"] == policy["ciphers"]


@pytest.mark.parametrize("title", ["Debian 13", "Ubuntu Server 26.04 LTS"])
def test_the_default_is_the_list_of_the_policies_that_are_safe_from_quantum_computers(title: str) -> None:
    policy = newest(title)
    assert VARS["__ssh_hardening_quantum_safe"] == [name for name in policy["kex"] if name not in SIGNALS]
    assert RELEASES["newer"]["macs"] == policy["macs"]
    assert DEFAULTS["ssh_hardening_ciphers"] == policy["ciphers"]
    offered = [name for name in DEFAULTS["ssh_hardening_host_key_algorithms"] if name in policy["host_keys"]]
    assert offered == policy["host_keys"]
