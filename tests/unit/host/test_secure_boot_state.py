"""Secure Boot's state from mokutil, or from the firmware's own variables."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.dlbox.workstation.plugins.module_utils.host.secure_boot import has_efi, secure_boot

VARIABLE = "sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"


def firmware(root: Path, value: bytes) -> Path:
    """A stand-in for efivars: four bytes of attributes, then the value."""
    path = root / VARIABLE
    path.parent.mkdir(parents=True)
    path.write_bytes(b"\x06\0\0\0" + value)
    return root


def test_mokutil_is_asked_first(tmp_path: Path) -> None:
    assert secure_boot(tmp_path, "SecureBoot enabled\n") is True
    assert secure_boot(firmware(tmp_path, b"\1"), "SecureBoot disabled\nPlatform is in Setup Mode\n") is False


@pytest.mark.parametrize(("value", "state"), [(b"\1", True), (b"\0", False), (b"", False)])
@pytest.mark.parametrize("said", ["", "EFI variables are not supported on this system\n"])
def test_without_mokutil_the_firmwares_variable_decides(tmp_path: Path, said: str, value: bytes, state: bool) -> None:
    assert secure_boot(firmware(tmp_path, value), said) is state


def test_a_machine_without_efi_has_no_secure_boot(tmp_path: Path) -> None:
    assert secure_boot(tmp_path, "") is None
    assert not has_efi(tmp_path)


def test_a_firmware_in_setup_mode_verifies_nothing(tmp_path: Path) -> None:
    root = firmware(tmp_path, b"\1")
    setup = root / VARIABLE.replace("SecureBoot", "SetupMode")
    setup.write_bytes(b"\x06\0\0\0\1")
    assert secure_boot(root) is False
    setup.write_bytes(b"\x06\0\0\0\0")
    assert secure_boot(root) is True


def test_variables_that_are_not_there_tell_nothing(tmp_path: Path) -> None:
    efi = tmp_path / "sys/firmware/efi"
    (efi / "efivars").mkdir(parents=True)
    assert has_efi(tmp_path) and secure_boot(tmp_path) is None, "efivarfs is not mounted"
    (efi / "efivars/BootOrder-x").touch()
    assert secure_boot(tmp_path) is False, "a firmware without Secure Boot"
