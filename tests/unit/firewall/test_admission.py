"""Could the owner come back? And on which ports does sshd listen at all?"""

from __future__ import annotations

import pytest
from dlbox_firewall.admission import Session, admits, covers, lockout, session_of, ssh_ports
from dlbox_firewall.entries import Entry


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


@pytest.mark.parametrize(
    ("rules", "client", "passes"),
    [
        ([rule("limit")], None, True),
        ([rule("allow", "80")], None, False),
        ([], None, False),
        ([rule("deny"), rule("allow")], None, False),
        ([rule("deny", src="203.0.113.7"), rule("allow")], None, True),
        ([rule("allow", src="10.0.0.0/8")], "10.1.2.3", True),
        ([rule("allow", src="10.0.0.0/8")], "192.0.2.1", False),
        ([rule("allow", src="10.0.0.0/8")], None, True),
        ([rule("deny", src="10.0.0.0/8"), rule("allow")], "10.1.2.3", False),
        ([rule("allow", src="fd00::/64")], "fd00::5", True),
        ([rule("allow")], "fd00::5", False),
        ([rule("allow", interface_in="eth0")], "10.1.2.3", True),
        ([rule("deny", interface_in="eth0"), rule("allow")], "10.1.2.3", True),
        ([rule("allow", direction="out")], None, False),
    ],
)
def test_the_first_rule_that_matches_decides(rules: list[Entry], client: str | None, passes: bool) -> None:
    assert admits(rules, 22, client) is passes


def test_a_lock_out_is_told_with_ports_origin_and_what_is_open() -> None:
    reason = lockout([rule("allow", "80"), rule("allow", "2222")], [22], Session("192.0.2.1", 22))
    assert reason == (
        "sshd listens on port 22, and no rule would admit a new login there from 192.0.2.1, where this connection "
        "comes from. The rules open: 80, 2222."
    )


def test_one_admitted_port_is_enough_and_no_sshd_needs_none() -> None:
    assert lockout([rule("allow", "2222")], [22, 2222], None) == ""
    assert lockout([], [], None) == ""


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


TABLE = """\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 100 1 0 100 0 0 10 0
   1: 0200A8C0:0016 0501A8C0:D431 01 00000000:00000000 02:000A 00000000     0        0 200 2 0 20 4 30 10 -1
"""
TABLE6 = """\
   1: 0000000000000000FFFF00000200A8C0:08AE 0000000000000000FFFF00000501A8C0:D431 01 0:0 2:A 0 0 0 300 2 0
   2: 000000FD000000000000000001000000:0016 000000FD000000000000000002000000:D431 01 0:0 2:A 0 0 0 400 2 0
"""


@pytest.mark.parametrize(
    ("table", "inode", "session"),
    [
        (TABLE, "200", Session("192.168.1.5", 22)),
        (TABLE, "100", None),
        (TABLE, "999", None),
        (TABLE6, "300", Session("192.168.1.5", 2222)),
        (TABLE6, "400", Session("fd00::2", 22)),
    ],
)
def test_the_own_connection_is_found_by_its_socket(table: str, inode: str, session: Session | None) -> None:
    assert session_of(table, [inode]) == session
