"""Keys are validated as gpg reads them: fingerprint, and the digest that binds them."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from pathlib import Path

import pytest
from ansible_collections.dlbox.workstation.plugins.module_utils.nvidia.apt import Apt, Done, Refused
from ansible_collections.dlbox.workstation.plugins.modules import signing_key

DATA = Path(__file__).parent / "data"
ARCHIVE = (DATA / "archive.asc").read_bytes()
SHA1 = (DATA / "sha1.asc").read_bytes()


def binary(armoured: bytes) -> bytes:
    return base64.b64decode(b"".join(armoured.split(b"\n\n")[1].split(b"\n=")[0].split()))


# A signature of a file by gpg: OpenPGP, and no key.
SIGNATURE = base64.b64decode(
    "iHUEABYIAB0WIQQv4lQhY0W5WBGJlgxX62AT2ntvDgUCawJthwAKCRBX62AT2ntvDnqSAP9yBZId1yLQmAlnbJIEBx7Vk1uEmrt0lLCFK9AY/99a"
    "uAEAjediuysIGwU+XycyW7BCMlHmkGFU+dvyxl/qgMA/3gQ="
)
ARCHIVE_FINGERPRINT = "991D11EA2BF6E0CF4B010591D830CA6C1A514572"
SHA1_FINGERPRINT = "269A62070B71825F6B00D316730771D5A7A6A3FD"


def test_fingerprint_is_the_one_that_gpg_computes() -> None:
    (key,) = signing_key.keys(ARCHIVE)
    assert key.fingerprint == ARCHIVE_FINGERPRINT
    assert key.user_id == "Stand-in archive <archive@example.test>"
    assert not key.sha1_bound


def test_armoured_and_binary_are_the_same_key() -> None:
    assert signing_key.keys(binary(ARCHIVE)) == signing_key.keys(ARCHIVE)


def test_a_key_bound_by_sha1_is_refused_where_apt_refuses_it() -> None:
    found = signing_key.keys(SHA1)
    assert found[0].sha1_bound
    assert signing_key.refusals(found, [SHA1_FINGERPRINT], "gpgv") == []
    (reason,) = signing_key.refusals(found, [SHA1_FINGERPRINT], "sqv")
    assert "SHA-1" in reason and SHA1_FINGERPRINT in reason


def test_another_key_than_the_pinned_one_is_refused_and_both_are_named() -> None:
    (reason,) = signing_key.refusals(signing_key.keys(ARCHIVE), [SHA1_FINGERPRINT])
    assert ARCHIVE_FINGERPRINT in reason and SHA1_FINGERPRINT in reason


def test_a_second_key_in_the_file_is_refused_too() -> None:
    both = signing_key.keys(binary(ARCHIVE) + binary(SHA1))
    assert len(signing_key.refusals(both, [ARCHIVE_FINGERPRINT])) == 1
    assert signing_key.refusals(both, [ARCHIVE_FINGERPRINT, SHA1_FINGERPRINT]) == []


@pytest.mark.parametrize("data", [b"", b"<html>not found</html>", ARCHIVE[:120], binary(ARCHIVE)[:30], SIGNATURE])
def test_what_is_no_key_is_said_to_be_none(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"^gpg: |no public key"):
        signing_key.keys(data)


def test_what_is_written_is_the_keys_alone_in_binary() -> None:
    file = ARCHIVE + b"\n" + SHA1
    written = signing_key.gpg(file, "--batch", "--import-options", "import-export", "--import")
    assert written == binary(ARCHIVE) + binary(SHA1)


def test_fingerprints_are_read_as_people_write_them() -> None:
    written = " ".join(ARCHIVE_FINGERPRINT[at : at + 4] for at in range(0, 40, 4)).lower()
    assert signing_key.normal_fingerprint(written) == ARCHIVE_FINGERPRINT
    with pytest.raises(ValueError, match="40 hexadecimal"):
        signing_key.normal_fingerprint("DDB5AF443514471E")


class Archive:
    """apt as the module sees it: without gpg until the lists are read, where `has` is true."""

    def __init__(self, has: bool, taking: str = "") -> None:
        self.has, self.taking, self.seen = has, taking, list[str]()

    def __call__(self, argv: Sequence[str]) -> Done:
        word = next(word for word in ("update", "--simulate", "--download-only", "install") if word in argv)
        self.seen.append(word)
        if not self.has or "update" not in self.seen:
            return Done(100, "", "E: Unable to locate package gpg")
        return Done(0, self.taking if word == "--simulate" else "", "")


def test_gpg_is_installed_from_lists_that_are_read_anew_where_the_hosts_do_not_have_it() -> None:
    archive = Archive(has=True)
    signing_key.install_gpg(Apt(archive))
    assert archive.seen == ["--simulate", "update", "--simulate", "--download-only", "install"]


@pytest.mark.parametrize(
    ("archive", "says"),
    [(Archive(has=False), "Unable to locate package gpg"), (Archive(True, "Remv desktop [1.0]\n"), "remove desktop")],
)
def test_gpg_that_is_nowhere_or_costs_a_package_is_not_installed(archive: Archive, says: str) -> None:
    with pytest.raises(Refused, match=says):
        signing_key.install_gpg(Apt(archive))
    assert "install" not in archive.seen
