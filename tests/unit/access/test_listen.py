"""Where sshd is to listen, from what the owner wrote."""

from __future__ import annotations

import pytest
from ansible_collections.dlbox.workstation.plugins.module_utils.ssh.listen import absent, deserted, probe, read_listen

V = "ssh_hardening_listen_addresses"


@pytest.mark.parametrize(
    ("value", "texts"),
    [
        ("192.0.2.5", ["192.0.2.5:22", "192.0.2.5:2222"]),
        ("192.0.2.5:2200", ["192.0.2.5:2200"]),
        ("fd00::5", ["[fd00::5]:22", "[fd00::5]:2222"]),
        ("[fd00::5]", ["[fd00::5]:22", "[fd00::5]:2222"]),
        ("[fd00::5]:2200", ["[fd00::5]:2200"]),
        ("fe80::1%eth0", ["[fe80::1%eth0]:22", "[fe80::1%eth0]:2222"]),
        ("0.0.0.0", ["0.0.0.0:22", "0.0.0.0:2222"]),
        ("FD00:0::5", ["[fd00::5]:22", "[fd00::5]:2222"]),
    ],
)
def test_an_address_with_or_without_a_port(value: str, texts: list[str]) -> None:
    found, problems = read_listen([value], [22, 2222], V)
    assert [one.text for one in found] == texts and not problems


@pytest.mark.parametrize("value", ["home", "192.0.2.5:0", "192.0.2.5:70000", "[192.0.2", "10.0.0.0/8", ""])
def test_what_is_no_address_is_refused_by_name(value: str) -> None:
    found, problems = read_listen([value], [22], V)
    assert not found and problems[0].startswith(f"{V}: {value!r}") and "expected" in problems[0]


def test_an_address_that_the_host_does_not_have_is_refused() -> None:
    found, _ = read_listen(["192.0.2.5", "192.0.2.6", "::", "127.0.0.1", "fe80::1%eth0"], [22], V)
    assert absent(found, {"192.0.2.5", "fe80::1"}, V) == [
        f"{V}: the host has no address 192.0.2.6; it has 192.0.2.5, fe80::1. sshd would not listen there: name an "
        "address of the host, or leave the list empty to listen on all."
    ]


def test_the_address_over_which_somebody_is_logged_in_stays() -> None:
    found, _ = read_listen(["192.0.2.5", "::"], [22], V)
    assert deserted(found, [("ada", "192.0.2.5"), ("bea", "fd00::5")], V) == []
    assert "bea is logged in over 10.0.0.1" in deserted(found, [("bea", "10.0.0.1")], V)[0]
    assert deserted([], [("bea", "10.0.0.1")], V) == [], "no list listens on all"


def test_where_it_is_tried() -> None:
    found, _ = read_listen(["0.0.0.0", "[::]:2222", "192.0.2.5"], [22], V)
    assert [one.text for one in probe(found, [22])] == ["127.0.0.1:22", "[::1]:2222", "192.0.2.5:22"]
    assert [one.text for one in probe([], [22, 2222])] == ["127.0.0.1:22", "127.0.0.1:2222"]
