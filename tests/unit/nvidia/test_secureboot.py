"""Secure Boot's state from mokutil or from the firmware's own variable, and what mokutil says of a key."""

from __future__ import annotations

from pathlib import Path

import pytest
from dlbox_nvidia import secureboot

VARIABLE = "sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"


def firmware(root: Path, value: bytes) -> Path:
    """A stand-in for efivars: four bytes of attributes, then the value."""
    path = root / VARIABLE
    path.parent.mkdir(parents=True)
    path.write_bytes(b"\x06\0\0\0" + value)
    return root


def test_mokutil_is_asked_first(tmp_path: Path) -> None:
    assert secureboot.is_enabled("SecureBoot enabled\n", tmp_path) is True
    assert secureboot.is_enabled("SecureBoot disabled\nPlatform is in Setup Mode\n", firmware(tmp_path, b"\1")) is False


@pytest.mark.parametrize(("value", "state"), [(b"\1", True), (b"\0", False), (b"", False)])
@pytest.mark.parametrize("said", ["", "EFI variables are not supported on this system\n"])
def test_without_mokutil_the_firmwares_variable_decides(tmp_path: Path, said: str, value: bytes, state: bool) -> None:
    assert secureboot.is_enabled(said, firmware(tmp_path, value)) is state


def test_a_machine_without_efi_has_no_secure_boot(tmp_path: Path) -> None:
    assert secureboot.is_enabled("", tmp_path) is None


@pytest.mark.parametrize(
    ("said", "state"),
    [
        ("/var/lib/dkms/mok.pub is already enrolled\n", "enrolled"),
        ("SKIP: /x/MOK.der is already in the enrollment request\n", "staged"),
        ("/x/MOK.der is not enrolled\n", "absent"),
        ("", "absent"),
    ],
)
def test_what_mokutil_says_of_a_key(said: str, state: str) -> None:
    assert secureboot.enrolment(said) == state


def test_passwords_are_typed_alike_on_every_keyboard_and_never_twice_the_same() -> None:
    made = {secureboot.one_time_password() for _ in range(50)}
    assert len(made) == 50
    assert all(len(word) == 8 and not set(word) & set("yzqwam0123456789") for word in made)
