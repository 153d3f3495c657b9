"""ufw's own file format, against files that ufw 0.36.2 wrote."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.dlbox.workstation.plugins.module_utils.firewall.entries import (
    Entry,
    TupleError,
    describe,
    format_tuple,
    iptables_lines,
    parse_tuple,
)
from ansible_collections.dlbox.workstation.plugins.module_utils.firewall.userfile import (
    own_block,
    read_user_rules,
    write_user_rules,
)
from hypothesis import given
from hypothesis import strategies as st

DATA = Path(__file__).parent / "data"
LEVELS = ("off", "low", "medium")


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize(("name", "family"), [("user", 4), ("user6", 6)])
def test_a_file_written_by_ufw_is_written_back_byte_for_byte(name: str, family: int, level: str) -> None:
    text = (DATA / f"{name}-{level}.rules").read_text()
    blocks = read_user_rules(text, family)
    assert len(blocks) > 10
    assert write_user_rules(blocks, family, level, ["deny", "allow", "deny"]) == text


@pytest.mark.parametrize(("name", "family"), [("user", 4), ("user6", 6)])
def test_rules_made_here_are_those_that_ufw_makes_from_the_same_tuple(name: str, family: int) -> None:
    for block in read_user_rules((DATA / f"{name}-low.rules").read_text(), family):
        assert format_tuple(block.entry) == block.tuple_line
        if not block.entry.log:
            assert list(block.lines) == iptables_lines(block.entry)


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        (
            "limit tcp 22 0.0.0.0/0 any 0.0.0.0/0 in comment=646c626f783a20737368",
            "v4 limit in 22/tcp from anywhere # dlbox: ssh",
        ),
        ("allow tcp 80,443 0.0.0.0/0 any 0.0.0.0/0 WWW%20Full - in", "v4 allow in WWW Full/tcp from anywhere"),
        ("deny_log tcp 23 0.0.0.0/0 any 0.0.0.0/0 in", "v4 deny (log) in 23/tcp from anywhere"),
        (
            "route:allow any any 0.0.0.0/0 any 10.0.0.0/8 in_eth0!out_eth1",
            "v4 route allow in any/any on eth0 out on eth1 from 10.0.0.0/8",
        ),
        (
            "allow udp 5 198.51.100.7 any 0.0.0.0/0 out_wg0",
            "v4 allow out 5/udp out on wg0 from anywhere to 198.51.100.7",
        ),
        ("deny tcp 99 0.0.0.0/0 80,443 0.0.0.0/0 in", "v4 deny in 99/tcp from anywhere port 80,443"),
    ],
)
def test_a_rule_reads_as_a_sentence(line: str, sentence: str) -> None:
    assert describe(parse_tuple(f"### tuple ### {line}", 4)) == sentence


@pytest.mark.parametrize("line", ["### tuple ### allow tcp 22", "### tuple ### allow tcp 22 a any b in comment=zz"])
def test_a_tuple_that_cannot_be_read_is_named(line: str) -> None:
    with pytest.raises(TupleError, match="###"):
        parse_tuple(line, 4)


names = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=30)
interfaces = st.sampled_from(["", "eth0", "wg_0", "br-1"])


@given(
    st.builds(
        Entry,
        family=st.sampled_from([4, 6]),
        action=st.sampled_from(["allow", "deny", "reject", "limit"]),
        protocol=st.sampled_from(["tcp", "udp", "any"]),
        dport=st.sampled_from(["any", "22", "80,443", "8000:8010"]),
        src=st.sampled_from(["any", "10.0.0.0/8", "fd00::/64"]),
        direction=st.just("in"),
        interface_in=interfaces,
        dapp=st.sampled_from(["", "WWW Full"]),
        log=st.sampled_from(["", "log", "log-all"]),
        forward=st.booleans(),
        comment=names,
    )
)
def test_any_entry_survives_its_line(entry: Entry) -> None:
    assert parse_tuple(format_tuple(entry), entry.family) == entry
    block = own_block(Entry(**{**vars(entry), "log": ""}))
    text = write_user_rules([block], entry.family, "low", ["deny", "allow", "deny"])
    assert [b.entry for b in read_user_rules(text, entry.family)] == [block.entry]
