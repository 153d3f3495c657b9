"""Could the owner come back? And on which ports does sshd listen at all?"""

from __future__ import annotations

import pytest
from ansible_collections.dlbox.workstation.plugins.module_utils.firewall.admission import (
    Session,
    admits,
    covers,
    interface_of,
    lockout,
    ssh_ports,
)
from ansible_collections.dlbox.workstation.plugins.module_utils.firewall.entries import Entry


def rule(action: str, port: str = "22", src: str = "any", **more: str) -> Entry:
    return Entry(family=6 if ":" in src else 4, action=action, protocol="tcp", dport=port, src=src, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("ports", "port", "inside"),
    [
        ("any", 1, True),
        ("22", 22, True),
        ("22", 23, False),
        ("20:25", 22, True),
        ("80,443", 443, True),
        ("80,443", 81, False),
    ],
)
def test_a_port_value_covers_its_ports(ports: str, port: int, inside: bool) -> None:
    assert covers(ports, port) is inside


def person(client: str, local: str = "", interface: str = "eth0") -> Session:
    """Somebody who is logged in from an address, to the host's own of the same family."""
    return Session("ada", client, local or ("fd00::1" if ":" in client else "10.0.0.1"), interface)


@pytest.mark.parametrize(
    ("rules", "client", "passes"),
    [
        ([rule("limit")], "", True),
        ([rule("allow", "80")], "", False),
        ([], "", False),
        ([rule("deny"), rule("allow")], "", False),
        ([rule("deny", src="203.0.113.7"), rule("allow")], "", True),
        ([rule("allow", src="10.0.0.0/8")], "10.1.2.3", True),
        ([rule("allow", src="10.0.0.0/8")], "192.0.2.1", False),
        ([rule("allow", src="10.0.0.0/8")], "", True),
        ([rule("deny", src="10.0.0.0/8"), rule("allow")], "10.1.2.3", False),
        ([rule("reject", "any", src="10.1.0.0/16"), rule("allow", src="10.0.0.0/8")], "10.1.2.3", False),
        ([rule("allow", src="10.0.0.0/8"), rule("deny", src="10.1.2.3")], "10.1.2.3", True),
        ([rule("allow", src="fd00::/64")], "fd00::5", True),
        ([rule("allow")], "fd00::5", False),
        ([rule("allow", interface_in="eth0")], "10.1.2.3", True),
        ([rule("allow", interface_in="eth+")], "10.1.2.3", True),
        ([rule("allow", interface_in="wg0")], "10.1.2.3", False),
        ([rule("deny", interface_in="eth0"), rule("allow")], "10.1.2.3", False),
        ([rule("deny", interface_in="wg0"), rule("allow")], "10.1.2.3", True),
        ([rule("allow", interface_in="wg0")], "", True),
        ([rule("allow", dst="10.0.0.2")], "10.1.2.3", False),
        ([rule("allow", dst="10.0.0.1")], "10.1.2.3", True),
        ([rule("allow", direction="out")], "", False),
        ([rule("allow", sport="1000")], "10.1.2.3", False),
    ],
)
def test_the_first_rule_that_matches_decides(rules: list[Entry], client: str, passes: bool) -> None:
    assert admits(rules, 22, person(client) if client else None) is passes


@pytest.mark.parametrize(
    "rules", [[rule("allow", interface_in="eth0")], [rule("deny", interface_in="eth0"), rule("allow")]]
)
def test_where_the_interface_is_not_known_a_rule_for_one_is_believed_when_it_allows(rules: list[Entry]) -> None:
    assert admits(rules, 22, person("10.1.2.3", interface=""))


def test_a_lock_out_is_told_with_ports_origin_and_what_is_open() -> None:
    reason = lockout([rule("allow", "80"), rule("allow", "2222")], [22], [person("192.0.2.1")])
    assert reason == (
        "sshd listens on port 22, and no rule would admit a new login there from 192.0.2.1 (ada), where people are "
        "logged in from now. The rules open: 80, 2222."
    )


def test_everybody_who_is_logged_in_has_to_be_admitted() -> None:
    rules = [rule("allow", src="192.0.2.0/24")]
    assert lockout(rules, [22], [person("192.0.2.1")]) == ""
    reason = lockout(
        rules, [22], [person("192.0.2.1"), person("198.51.100.4"), person("198.51.100.4"), person("fd00::2")]
    )
    assert "from 198.51.100.4 (ada), fd00::2 (ada), where" in reason


def test_with_nobody_logged_in_somebody_has_to_be_admitted() -> None:
    assert "no rule would admit a new login there." in lockout([rule("allow", "80")], [22], [])
    assert lockout([rule("allow", src="192.0.2.0/24")], [22], []) == ""


def test_the_interface_of_an_address() -> None:
    listing = (
        "1: lo    inet 127.0.0.1/8 scope host lo\\ valid_lft forever\n"
        "2: eth0    inet 10.0.0.1/8 brd 10.255.255.255 scope global eth0\\ valid_lft forever\n"
        "3: wg0    inet6 fd00::1/64 scope global \\ valid_lft forever\n"
    )
    assert [interface_of(address, listing) for address in ("10.0.0.1", "fd00::1", "192.0.2.9")] == ["eth0", "wg0", ""]


def test_one_admitted_port_is_enough_and_no_sshd_needs_none() -> None:
    assert lockout([rule("allow", "2222")], [22, 2222], [person("10.1.2.3")]) == ""
    assert lockout([], [], [person("10.1.2.3")]) == ""


LISTENING = """\
LISTEN 0 128    0.0.0.0:22    0.0.0.0:* users:(("sshd",pid=69,fd=6))
LISTEN 0 128  127.0.0.1:2200  0.0.0.0:* users:(("sshd",pid=70,fd=6))
LISTEN 0 128  127.0.0.1:6010  0.0.0.0:* users:(("sshd-session",pid=71,fd=9))
LISTEN 0 128    0.0.0.0:80    0.0.0.0:* users:(("nginx",pid=9,fd=6))
LISTEN 0 128 [fe80::1%eth0]:2222 [::]:* users:(("sshd",pid=69,fd=7))
"""


def test_the_ports_of_sshd_are_those_it_listens_on_from_outside() -> None:
    assert ssh_ports(LISTENING, "") == [22, 2222]


def test_a_socket_unit_listens_in_sshds_place() -> None:
    assert ssh_ports("", "[::]:22 (Stream) 127.0.0.1:23 (Stream)\n0.0.0.0:2222 (Stream)") == [22, 2222]
