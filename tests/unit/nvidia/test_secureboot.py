"""What mokutil says of a key."""

from __future__ import annotations

import re

import pytest
from ansible_collections.dlbox.workstation.plugins.module_utils.nvidia import secureboot
from ansible_collections.dlbox.workstation.plugins.module_utils.nvidia.apt import Done

CERTIFICATE = b"a certificate in DER"
FINGERPRINT = ":".join(re.findall("..", secureboot.fingerprint(CERTIFICATE)))
LISTED = """[key 1]
SHA1 Fingerprint: {}
Certificate:
    Data:
        Version: 3 (0x2)
        Serial Number:
            3e:a1:0c:00:5b:77
        Signature Algorithm: sha256WithRSAEncryption
        Issuer: CN=box modules built by DKMS
"""


@pytest.mark.parametrize(
    ("new", "said", "state"),
    [
        ("MokNew is empty\n", "/var/lib/dkms/mok.pub is already enrolled\n", "enrolled"),
        ("", "SKIP: /x/MOK.der is already in the enrollment request\n", "staged"),
        (LISTED.format(FINGERPRINT), "/x/MOK.der is already enrolled\n", "staged"),
        (LISTED.format(FINGERPRINT.upper()), "", "staged"),
        (LISTED.format(":".join(["00"] * 20)), "/x/MOK.der is not enrolled\n", "absent"),
        ("", "", "absent"),
    ],
    ids=[
        "enrolled",
        "staged, newer mokutil",
        "staged, mokutil 0.3",
        "staged, upper case",
        "another is staged",
        "nothing",
    ],
)
def test_what_mokutil_says_of_a_key(new: str, said: str, state: str) -> None:
    assert secureboot.enrolment(CERTIFICATE, new, said) == state


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        (LISTED, {"3EA10C005B77"}),
        ("        Serial Number: 4660 (0x1234)\n", {"1234"}),
        ("serial=3EA10C005B77\n", {"3EA10C005B77"}),
        ("serial=0AB1\n", {"AB1"}),
        ("MokListRT is empty\n", set()),
    ],
)
def test_serial_numbers_are_read_as_openssl_and_mokutil_print_them(text: str, numbers: set[str]) -> None:
    assert secureboot.serials(text) == numbers


def test_a_modules_signature_names_the_certificate_by_its_serial_number() -> None:
    printed = (
        "filename:       /lib/modules/6.8.0-149-generic/updates/dkms/nvidia.ko.zst\nversion:        580.178.04\n"
        "sig_id:         PKCS#7\nsigner:         box modules built by DKMS\nsig_key:        0A:B1:0C\n"
        "sig_hashalgo:   sha512\nsignature:      11:22:\n\t\t33\n"
    )
    assert secureboot.signature("/x/nvidia.ko", lambda _argv: Done(0, printed, "")) == (
        "box modules built by DKMS",
        "AB10C",
    )
    assert secureboot.signature("/x/nvidia.ko", lambda _argv: Done(0, "version: 1\n", "")) == ("", "")


def test_passwords_are_typed_alike_on_every_keyboard_and_never_twice_the_same() -> None:
    made = {secureboot.one_time_password() for _ in range(50)}
    assert len(made) == 50
    assert all(len(word) == 8 and not set(word) & set("yzqwam0123456789") for word in made)
