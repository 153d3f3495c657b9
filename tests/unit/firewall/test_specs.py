"""Every fault of the owner's list, told with the variable, the value, what was expected and the remedy."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.dlbox.workstation.plugins.module_utils.firewall.expand import expand, read_profiles
from ansible_collections.dlbox.workstation.plugins.module_utils.firewall.specs import (
    Fault,
    read_networks,
    read_port,
    read_rule_specs,
)
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("rule", "complaint"),
    [
        ({"port": 70000}, ".port: 70000 is not a port; expected 1 to 65535, a range like 8000:8010"),
        ({"port": 0}, ".port: 0 is not a port"),
        ({"port": "http"}, ".port: 'http' is not a port"),
        ({"port": "90:80"}, ".port: '90:80' is not a port"),
        ({"port": True}, ".port: True is not a port"),
        ({"port": "80,,443"}, ".port: '80,,443' is not a port"),
        ({"port": list(range(1, 32, 2))}, "more ports than one rule can hold (15"),
        ({"port": 80, "protocol": "sctp"}, ".protocol: 'sctp' is not known; expected one of tcp, udp, any"),
        ({"port": 80, "action": "drop"}, ".action: 'drop' is not known; expected one of allow, deny, reject"),
        ({"port": 80, "direction": "forward"}, ".direction: 'forward' is not known; expected one of in, out"),
        ({"port": 80, "limit": "sometimes"}, ".limit: 'sometimes' is not a boolean; expected true or false"),
        (
            {"port": 80, "from": "10.0.0.300"},
            ".from: '10.0.0.300' is not a network; expected 'any', an address or a CIDR",
        ),
        ({"port": 80, "from": "10.1.2.3/8"}, "Did you mean 10.0.0.0/8?"),
        ({"port": 80, "from": "fd00::1/64"}, "Did you mean fd00::/64?"),
        ({"port": 80, "from": 10}, ".from: 10 is not a network"),
        ({"port": 80, "from": []}, ".from: the list is empty; expected at least one network, or 'any'"),
        ({"port": 80, "from": ["any", "10.0.0.1"]}, "names networks and 'any' together"),
        ({"port": 80, "to": "here"}, ".to: 'here' is not a network"),
        ({"port": 80, "interface": "eth0 up"}, ".interface: 'eth0 up' cannot be used"),
        ({"port": 80, "interface": "a" * 16}, "an interface name of up to 15 characters"),
        ({"port": 80, "comment": "it's"}, ".comment:"),
        ({"application": "-x"}, ".application: '-x' cannot be used"),
        ({"port": 80, "application": "SSH"}, "port 80 and application 'SSH' together"),
        ({"protocol": "tcp", "application": "SSH"}, "protocol tcp and application 'SSH' together"),
        ({"port": 80, "protocol": "gre"}, "protocol gre has no ports"),
        ({"port": "80,81", "protocol": "any"}, "port 80,81 needs protocol tcp or udp"),
        ({"port": 80, "limit": True, "action": "deny"}, "limit with action deny"),
        ({"from": "10.0.0.0/8", "limit": True}, "limit without a port"),
        ({"port": 80, "from": "10.0.0.0/8", "to": "fd00::/8"}, "name no common address family"),
        ({"protocol": "igmp", "from": "fd00::/8"}, "name no common address family"),
        ({}, "allows everything from everywhere"),
        ({"protocol": "tcp"}, "allows everything from everywhere"),
        ({"port": 80, "ports": 81}, "unknown ports; expected some of name, port"),
    ],
)
def test_a_fault_is_told_with_its_place(rule: dict[str, Any], complaint: str) -> None:
    specs, errors = read_rule_specs([{"name": "ok", "port": 1}, {"name": "web", **rule}])
    assert [spec.name for spec in specs] == ["ok"]
    assert len(errors) == 1
    assert errors[0].startswith("ufw_rules[1] (web)")
    assert complaint in errors[0]


@pytest.mark.parametrize("name", [None, "", "-x", "a:b", "x" * 61])
def test_a_rule_needs_a_name_that_can_mark_it(name: str | None) -> None:
    _specs, errors = read_rule_specs([{"name": name, "port": 1}])
    assert "cannot name a rule" in errors[0]


def test_names_are_unique_and_all_faults_come_at_once() -> None:
    _specs, errors = read_rule_specs([{"name": "a", "port": 1}, {"name": "a", "port": 0, "protocol": "x"}, "22/tcp"])
    assert len(errors) == 4
    assert "'a' is already the name of ufw_rules[0]" in errors[0]
    assert errors[3].startswith("ufw_rules[2]: '22/tcp' is not a rule")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (22, "22"),
        ("22", "22"),
        ("443,80", "80,443"),
        ([443, 80, 80], "80,443"),
        ("8000:8010", "8000:8010"),
        ("5:5", "5"),
    ],
)
def test_ports_have_one_spelling(value: Any, text: str) -> None:
    assert read_port(value) == text


@given(st.lists(st.integers(1, 65535), min_size=1, max_size=15))
def test_any_list_of_ports_is_sorted_and_complete(ports: list[int]) -> None:
    assert [int(port) for port in read_port(ports).split(",")] == sorted(set(ports))


@given(st.one_of(st.integers(), st.text(max_size=12), st.none(), st.lists(st.text(max_size=5), max_size=3)))
def test_any_value_is_read_or_refused_with_its_own_text(value: Any) -> None:
    for reader in (read_port, read_networks):
        try:
            reader(value)
        except Fault as fault:
            assert repr(value) in str(fault) or "empty" in str(fault) or repr(value[0])[:3] in str(fault)


def entries_of(**rule: Any) -> list[tuple[int, str, str, str, str]]:
    specs, errors = read_rule_specs([{"name": "x", **rule}])
    assert errors == []
    profiles = read_profiles(
        ["[Two]\ntitle=t\ndescription=d\nports=80,443/tcp|53\n", "not a profile", "[Bad]\nports=x\n"]
    )
    entries, missing = expand(specs, profiles)
    assert missing == []
    return [(e.family, e.action, e.protocol, e.dport, e.src) for e in entries]


def test_one_rule_becomes_both_families() -> None:
    assert entries_of(port=80) == [(4, "allow", "tcp", "80", "0.0.0.0/0"), (6, "allow", "tcp", "80", "::/0")]


def test_sources_choose_the_family_and_a_host_has_no_prefix_length() -> None:
    assert entries_of(port=80, **{"from": ["10.0.0.1/32", "fd00::/64"]}) == [
        (4, "allow", "tcp", "80", "10.0.0.1"),
        (6, "allow", "tcp", "80", "fd00::/64"),
    ]


def test_an_application_brings_its_ports() -> None:
    assert entries_of(application="Two", limit=True)[:2] == [
        (4, "limit", "tcp", "80,443", "0.0.0.0/0"),
        (4, "limit", "any", "53", "0.0.0.0/0"),
    ]


def test_a_protocol_of_ipv4_stays_there() -> None:
    assert entries_of(protocol="igmp") == [(4, "allow", "igmp", "any", "0.0.0.0/0")]


def test_an_unknown_application_is_named() -> None:
    specs, _errors = read_rule_specs([{"name": "x", "application": "Nobody"}])
    assert expand(specs, {}) == ([], ["Nobody"])
