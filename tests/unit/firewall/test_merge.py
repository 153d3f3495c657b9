"""Whose rule is whose, and in which order they end up."""

from __future__ import annotations

from ansible_collections.dlbox.workstation.plugins.module_utils.firewall.entries import Entry
from ansible_collections.dlbox.workstation.plugins.module_utils.firewall.merge import duplicates, merge
from ansible_collections.dlbox.workstation.plugins.module_utils.firewall.userfile import Block, own_block
from hypothesis import given
from hypothesis import strategies as st


def rule(port: int, action: str = "allow", comment: str = "", src: str = "any") -> Entry:
    return Entry(family=4, action=action, protocol="tcp", dport=str(port), src=src, comment=comment)


def blocks(*entries: Entry) -> list[Block]:
    return [own_block(entry) for entry in entries]


SSH = rule(22, "limit", "dlbox: ssh")
WEB = rule(80, "allow", "dlbox: web")
BAN = rule(1, "deny", src="203.0.113.7")
MINE = rule(3306, comment="mine")


def order(present: list[Block], wanted: list[Entry], *, keep: bool = True) -> list[Entry]:
    return [block.entry for block in merge(present, wanted, keep_unmanaged=keep).blocks]


def test_the_first_run_adds_the_list_after_bans_and_before_other_rules() -> None:
    assert order(blocks(BAN, MINE), [SSH, WEB]) == [BAN, SSH, WEB, MINE]


def test_what_is_no_longer_listed_goes() -> None:
    merged = merge(blocks(SSH, WEB), [SSH], keep_unmanaged=True)
    assert merged.removed == (WEB,)
    assert merged.added == ()


def test_the_second_run_changes_nothing() -> None:
    first = merge(blocks(MINE, BAN), [SSH, WEB], keep_unmanaged=True)
    assert first.changed
    assert not merge(first.blocks, [SSH, WEB], keep_unmanaged=True).changed


def test_a_denial_behind_the_list_stays_behind_it() -> None:
    late = rule(80, "deny", src="10.0.0.0/8")
    assert order(blocks(SSH, WEB, late), [SSH, WEB]) == [SSH, WEB, late]


def test_an_opening_put_before_the_list_goes_behind_it_in_its_own_order() -> None:
    first, second = rule(22, src="10.0.0.5"), rule(22, "deny", src="10.0.0.0/8")
    assert order(blocks(first, second, SSH), [SSH]) == [SSH, first, second]


def test_a_rule_made_by_hand_for_the_same_traffic_is_taken_over() -> None:
    merged = merge(blocks(rule(22), MINE), [SSH], keep_unmanaged=True)
    assert merged.adopted == (rule(22),)
    assert merged.removed == (rule(22),)
    assert merged.unmanaged == (MINE,)


def test_rules_made_by_hand_are_removed_by_choice_and_reported_either_way() -> None:
    merged = merge(blocks(BAN, SSH, MINE), [SSH], keep_unmanaged=False)
    assert [block.entry for block in merged.blocks] == [SSH]
    assert merged.unmanaged == (BAN, MINE)


def test_kept_rules_keep_the_lines_that_ufw_wrote() -> None:
    logged = Block(rule(23, "deny"), ("-A something ufw made",), "### tuple ### as it was")
    assert merge([logged], [SSH], keep_unmanaged=True).blocks[0] is logged


def test_two_specs_for_the_same_traffic_are_a_pair() -> None:
    again = rule(22, "allow", "dlbox: again")
    assert duplicates([SSH, WEB, again]) == [(SSH, again)]


entries = st.builds(
    rule,
    st.integers(1, 5),
    st.sampled_from(["allow", "deny", "reject", "limit"]),
    st.sampled_from(["", "mine", "dlbox: old"]),
    st.sampled_from(["any", "10.0.0.0/8"]),
)


@given(st.lists(entries, max_size=8), st.lists(st.integers(1, 5), unique=True), st.booleans())
def test_merging_is_settled_after_once_and_keeps_the_order_of_hand_made_rules(
    present: list[Entry], ports: list[int], keep: bool
) -> None:
    wanted = [rule(port, "allow", "dlbox: new") for port in ports]
    first = merge(blocks(*present), wanted, keep_unmanaged=keep)
    assert not merge(first.blocks, wanted, keep_unmanaged=keep).changed
    after = [block.entry for block in first.blocks]
    assert [entry for entry in after if entry in wanted] == wanted
    kept = [entry for entry in after if entry not in wanted]
    assert kept == (list(first.unmanaged) if keep else [])
