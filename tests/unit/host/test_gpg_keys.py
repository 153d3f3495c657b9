"""gpg's listing is read: primary keys with their ends and what binds them."""

from __future__ import annotations

import pytest
from ansible_collections.dlbox.workstation.plugins.module_utils.host import gpg_keys

LISTING = """\
tru::1:1795319590:0:3:1:5
pub:-:255:22:D830CA6C1A514572:1795176187:1999999999::-:::scSC:::::ed25519:::0:
fpr:::::::::991D11EA2BF6E0CF4B010591D830CA6C1A514572:
uid:-::::1795176187::E0476C7BBB7E::Stand-in archive <archive@example.test>::::::::::0:
sig:?::22:D830CA6C1A514572:1795176187::::[User ID not found]:13x::991D11EA2BF6E0CF4B010591D830CA6C1A514572:::{own}:
sig:?::1:0123456789ABCDEF:1795176187::::[User ID not found]:10x:::::{other}:
uid:-::::1795176187::E0476C7BBB7F::Another name::::::::::0:
sub:-:255:22:1111222233334444:1795176187:1799999999:::::s:::::ed25519::
fpr:::::::::00000000000000000000000011112222333344440:
sig:?::22:D830CA6C1A514572:1795176187::::[User ID not found]:18x::991D11EA2BF6E0CF4B010591D830CA6C1A514572:::10:
"""


@pytest.mark.parametrize(("own", "other", "weak"), [("2", "8", True), ("8", "2", False), ("1", "10", True)])
def test_the_primary_key_is_read_and_its_own_signatures_bind_it(own: str, other: str, weak: bool) -> None:
    (key,) = gpg_keys.parse(LISTING.format(own=own, other=other))
    assert key.fingerprint == "991D11EA2BF6E0CF4B010591D830CA6C1A514572"
    assert key.user_id == "Stand-in archive <archive@example.test>" and key.ends == 1999999999
    assert key.digests == {own} and key.sha1_bound is weak


def test_no_key_and_a_key_without_end() -> None:
    assert gpg_keys.parse("") == gpg_keys.parse("sig:::1\nuid:x\nfpr:y\n") == []
    assert gpg_keys.parse("pub:-:256:22:ABCD:1700000000:::\n")[0].ends is None
