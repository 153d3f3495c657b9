"""Secure Boot: whether the firmware verifies what it starts, so that the kernel takes signed modules alone.

mokutil's answer comes first, where it is installed: it is the distribution's reader of the firmware's variables. Else
the variables themselves (sysfs, efivars), by the kernel's own rule: on, unless the firmware is in setup mode.
"""

from __future__ import annotations

from pathlib import Path

from .files import matching

#: What prints the state, for `secure_boot`.
COMMAND = ("mokutil", "--sb-state")
_FIRMWARE = "sys/firmware/efi"
_GLOBAL = "8be4df61-93ca-11d2-aa0d-00e098032b8c"


def has_efi(root: Path = Path("/")) -> bool:
    """Whether the machine was started by EFI; without it there is no Secure Boot."""
    return (root / _FIRMWARE).exists()


def secure_boot(root: Path = Path("/"), mokutil: str = "") -> bool | None:
    """Return whether Secure Boot is on; None where there is no EFI, or its variables cannot be read.

    mokutil: what COMMAND printed, "" where it was not run.
    """
    printed = mokutil.lower()
    if "secureboot enabled" in printed:
        return True
    if "secureboot disabled" in printed:
        return False
    variables = root / _FIRMWARE / "efivars"
    try:
        # Four bytes of attributes, then the value.
        state = (variables / f"SecureBoot-{_GLOBAL}").read_bytes()[4:5]
    except FileNotFoundError:
        return False if matching(variables, "*") else None  # a firmware that knows no Secure Boot
    except OSError:
        return None
    try:
        setup = (variables / f"SetupMode-{_GLOBAL}").read_bytes()[4:5]
    except OSError:
        setup = b""
    return state == b"\1" and setup != b"\1"
