"""Which connections have to be asked for, and what sshd's answers mean; molecule/ssh_hardening asks a real sshd."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from pathlib import Path

import pytest
from ansible_collections.dlbox.workstation.plugins.module_utils.ssh.criteria import (
    Connection,
    MatchAccount,
    address_list,
    connections,
    holds,
    pattern_list,
)
from ansible_collections.dlbox.workstation.plugins.module_utils.ssh.passwords import (
    PasswordLogins,
    barred,
    keyless_methods,
    survey,
)
from ansible_collections.dlbox.workstation.plugins.module_utils.ssh.reading import (
    UnreadableConfiguration,
    blocks_of,
    criteria_of,
    read_settings,
)
from hypothesis import given
from hypothesis import strategies as st

ADA = MatchAccount("ada", frozenset({"ada", "sudo"}))
BOB = MatchAccount("bob", frozenset({"bob", "students"}))
ROOT = MatchAccount("root", frozenset({"root"}))
PEOPLE = [ADA, BOB, ROOT]
KEYS_ONLY = "authenticationmethods publickey\npasswordauthentication no\npermitrootlogin no\n"


def test_included_files_stand_in_their_place(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    base = tmp_path / "sshd_config"
    base.write_text("Include d/*.conf\nMatch User bob\n  Include more\nMatch all\nX11Forwarding no\n")
    (tmp_path / "d" / "2.conf").write_text("UsePAM yes\n")
    (tmp_path / "d" / "1.conf").write_text("Match Address 10.0.0.0/8\nPasswordAuthentication yes\n")
    (tmp_path / "more").write_text("Match LocalPort=2222\nPasswordAuthentication yes\n")
    found = {one.keyword + one.file[-6:]: [block.text for block in one.blocks] for one in read_settings(base)}
    assert found["passwordauthentication1.conf"] == ["Match Address 10.0.0.0/8"]
    assert found["usepam2.conf"] == [], "a block ends with its file"
    assert found["passwordauthentication" + str(tmp_path / "more")[-6:]] == ["Match User bob", "Match LocalPort=2222"]
    assert found["x11forwardingconfig"] == ["Match all"]
    assert blocks_of(read_settings(base))[0].where == f"{tmp_path}/d/1.conf:1"


def test_files_that_include_one_another_are_told(tmp_path: Path) -> None:
    base = tmp_path / "sshd_config"
    base.write_text(f"Include {base}\n")
    with pytest.raises(UnreadableConfiguration, match="include one another"):
        read_settings(base)


def test_criteria_with_and_without_an_equals_sign() -> None:
    words = ("User", "a,b", "address=10.0.0.0/8", "invalid-user", "LocalPort", "22")
    assert criteria_of(words) == (
        ("user", "a,b"),
        ("address", "10.0.0.0/8"),
        ("invalid-user", ""),
        ("localport", "22"),
    )


@pytest.mark.parametrize(
    ("address", "patterns", "met"),
    [
        ("10.1.2.3", "10.0.0.0/8", True),
        ("10.1.2.3", "10.0.0.0/8,!10.1.0.0/16", False),
        ("10.1.2.3", "!10.0.0.0/8", False),
        ("192.0.2.1", "*,!10.0.0.0/8", True),
        ("192.168.7.1", "192.168.?.*", True),
        ("fd00::1", "fd00::/8", True),
        ("fd00::1", "10.0.0.0/8", False),
    ],
)
def test_lists_of_addresses(address: str, patterns: str, met: bool) -> None:
    assert address_list(address, patterns) is met


def test_lists_of_patterns() -> None:
    assert pattern_list("ada", "a*,!adam") and not pattern_list("adam", "a*,!adam") and not pattern_list("ada", "!eve")


NETWORKS = st.builds(
    lambda low, length: str(ipaddress.ip_network((low << 24, length), strict=False)),
    st.integers(9, 12),
    st.integers(5, 12),
)
LISTS = st.lists(st.tuples(st.booleans(), NETWORKS), min_size=1, max_size=4).map(
    lambda parts: ",".join(("!" if no else "") + network for no, network in parts)
)


@given(LISTS, st.integers(8 << 24, (13 << 24) - 1))
def test_if_any_address_meets_a_block_one_is_asked_for(
    tmp_path_factory: pytest.TempPathFactory, text: str, one: int
) -> None:
    base = tmp_path_factory.mktemp("c") / "sshd_config"
    base.write_text(f"Match Address {text}\nPasswordAuthentication yes\n")
    (block,) = blocks_of(read_settings(base))
    if address_list(str(ipaddress.ip_address(one)), text):
        assert any(holds(block, connection) for connection in connections([block], ADA, 22))


def test_what_the_settings_admit() -> None:
    yes = {"passwordauthentication": ["yes"], "kbdinteractiveauthentication": ["yes"], "permitrootlogin": ["yes"]}
    assert keyless_methods({**yes, "authenticationmethods": ["any"]}, "ada") == ("keyboard-interactive", "password")
    assert keyless_methods({**yes, "authenticationmethods": ["publickey"]}, "ada") == ()
    assert keyless_methods({**yes, "authenticationmethods": ["publickey,keyboard-interactive:pam"]}, "ada") == ()
    both = ["publickey,password", "keyboard-interactive:pam"]
    assert keyless_methods({**yes, "authenticationmethods": both}, "ada") == ("keyboard-interactive",)
    assert keyless_methods({"passwordauthentication": ["no"], "authenticationmethods": ["password"]}, "ada") == ()
    assert keyless_methods({**yes, "permitrootlogin": ["without-password"]}, "root") == ()
    assert keyless_methods({**yes, "permitrootlogin": ["no"]}, "root") == ()


def test_who_the_lists_keep_out() -> None:
    assert barred(BOB, {"allowusers": ["ada"]}) and not barred(BOB, {"allowusers": ["ada", "b*"]})
    assert barred(BOB, {"denygroups": ["students"]}) and barred(BOB, {"allowgroups": ["sudo"]})
    assert not barred(BOB, {"denyusers": ["bob@10.0.0.1"]}) and not barred(BOB, {"allowusers": ["bob@10.0.0.1"]})


def asked(tmp_path: Path, text: str, answer: Callable[[Connection], str]) -> PasswordLogins:
    base = tmp_path / "sshd_config"
    base.write_text(text)
    return survey(base, answer, PEOPLE, name=lambda path: path.replace(f"{tmp_path}/", ""))


def test_without_blocks_one_question_for_people_and_one_for_root(tmp_path: Path) -> None:
    questions: list[str] = []

    def answer(connection: Connection) -> str:
        questions.append(connection.text)
        return KEYS_ONLY

    assert asked(tmp_path, "PasswordAuthentication no\n", answer).keys_only is True
    assert [text.split(",")[0] for text in questions] == ["user=ada", "user=root"]


def test_a_block_that_only_tightens_opens_nothing(tmp_path: Path) -> None:
    text = "Match Group nobody-is-in-it\nPasswordAuthentication no\nAuthenticationMethods publickey\n"
    assert asked(tmp_path, text, lambda _c: KEYS_ONLY).keys_only is True


@pytest.mark.parametrize(
    "criteria", ["Group nobody-is-in-it", "User nobody-*", "Tide high", "Address 10.0.0.0/8,!10.0.0.0/8"]
)
def test_where_no_connection_is_known_it_is_not_known(tmp_path: Path, criteria: str) -> None:
    verdict = asked(tmp_path, f"\nMatch {criteria}\nPasswordAuthentication yes\n", lambda _c: KEYS_ONLY)
    assert verdict.keys_only is None
    assert verdict.unknown[0].startswith(f"sshd_config:2 (Match {criteria}): ")


def test_nobody_logs_in_to_an_account_that_does_not_exist(tmp_path: Path) -> None:
    text = "Match invalid-user\nPasswordAuthentication yes\n"
    assert asked(tmp_path, text, lambda _c: KEYS_ONLY).keys_only is True


def test_where_sshd_does_not_answer_it_is_not_known(tmp_path: Path) -> None:
    def answer(_connection: Connection) -> str:
        raise OSError("sshd: bad configuration")

    assert asked(tmp_path, "UsePAM yes\n", answer) == PasswordLogins(unknown=("sshd: bad configuration",))


def test_an_opening_names_its_block_and_an_example(tmp_path: Path) -> None:
    def answer(connection: Connection) -> str:
        inside = address_list(connection.addr, "10.0.0.0/8,!10.0.0.0/9") and connection.account == BOB
        return KEYS_ONLY.replace("no", "yes", 1).replace("publickey", "any") if inside else KEYS_ONLY

    text = "Match User bob Address 10.0.0.0/8,!10.0.0.0/9\nPasswordAuthentication yes\nAuthenticationMethods any\n"
    (opening,) = asked(tmp_path, text, answer).open
    assert opening.sentence == ("sshd_config:1 (Match User bob Address 10.0.0.0/8,!10.0.0.0/9): password without a key")
    assert "user=bob" in opening.example and "addr=10.128.0.0" in opening.example
