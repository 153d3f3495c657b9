"""Keys are judged by their own bytes: fingerprint, and the digest that binds them."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.dlbox.workstation.plugins.module_utils.nvidia import openpgp

DATA = Path(__file__).parent / "data"
ARCHIVE = (DATA / "archive.asc").read_bytes()
SHA1 = (DATA / "sha1.asc").read_bytes()
# What gpg 2.2 says of the two files.
ARCHIVE_FINGERPRINT = "991D11EA2BF6E0CF4B010591D830CA6C1A514572"
SHA1_FINGERPRINT = "269A62070B71825F6B00D316730771D5A7A6A3FD"


def test_fingerprint_is_the_one_that_gpg_computes() -> None:
    (key,) = openpgp.keys(ARCHIVE)
    assert key.fingerprint == ARCHIVE_FINGERPRINT
    assert key.user_id == "Stand-in archive <archive@example.test>"
    assert not key.sha1_bound


def test_armoured_and_binary_are_the_same_key() -> None:
    assert openpgp.keys(openpgp.dearmour(ARCHIVE)) == openpgp.keys(ARCHIVE)


def test_a_key_bound_by_sha1_is_refused_where_apt_refuses_it() -> None:
    found = openpgp.keys(SHA1)
    assert found[0].digests == ["SHA1"]
    assert openpgp.refusals(found, [SHA1_FINGERPRINT], "gpgv") == []
    (reason,) = openpgp.refusals(found, [SHA1_FINGERPRINT], "sqv")
    assert "SHA-1" in reason and SHA1_FINGERPRINT in reason


def test_another_key_than_the_pinned_one_is_refused_and_both_are_named() -> None:
    (reason,) = openpgp.refusals(openpgp.keys(ARCHIVE), [SHA1_FINGERPRINT])
    assert ARCHIVE_FINGERPRINT in reason and SHA1_FINGERPRINT in reason


def test_a_second_key_in_the_file_is_refused_too() -> None:
    both = openpgp.keys(openpgp.dearmour(ARCHIVE) + openpgp.dearmour(SHA1))
    assert len(openpgp.refusals(both, [ARCHIVE_FINGERPRINT])) == 1
    assert openpgp.refusals(both, [ARCHIVE_FINGERPRINT, SHA1_FINGERPRINT]) == []


@pytest.mark.parametrize("data", [b"", b"<html>not found</html>", ARCHIVE[:120], openpgp.dearmour(ARCHIVE)[:30]])
def test_what_is_no_key_is_said_to_be_none(data: bytes) -> None:
    with pytest.raises(openpgp.NotAKey):
        openpgp.keys(data)


def test_fingerprints_are_read_as_people_write_them() -> None:
    written = " ".join(ARCHIVE_FINGERPRINT[at : at + 4] for at in range(0, 40, 4)).lower()
    assert openpgp.normal_fingerprint(written) == ARCHIVE_FINGERPRINT
    with pytest.raises(ValueError, match="40 hexadecimal"):
        openpgp.normal_fingerprint("DDB5AF443514471E")
