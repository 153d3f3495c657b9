"""Secure Boot: whether it is on, what mokutil says of the key that DKMS signs with, and how its owner enrols it."""

from __future__ import annotations

import secrets
from pathlib import Path

_EFI_VARIABLE = "sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"
# Without characters that MokManager's US keyboard has elsewhere on others (y, z, q, w, a, m) or that look alike.
_ALPHABET = "bcdefghkrt"

KEYSTROKES = (
    "At the next start the firmware shows a blue screen for ten seconds: press any key, choose `Enroll MOK`,"
    " `Continue`, `Yes`, type the one-time password, choose `Reboot`. Without it the machine starts as before, and the"
    " NVIDIA modules do not load."
)


def is_enabled(mokutil_output: str, root: Path = Path("/")) -> bool | None:
    """Return whether Secure Boot is on, from `mokutil --sb-state` or else the EFI variable; None where there is no
    EFI.
    """
    text = mokutil_output.lower()
    if "secureboot enabled" in text:
        return True
    if "secureboot disabled" in text:
        return False
    try:
        return (root / _EFI_VARIABLE).read_bytes()[4:5] == b"\x01"
    except OSError:
        return None


def enrolment(test_key_output: str) -> str:
    """Return "enrolled", "staged" or "absent" from what `mokutil --test-key` printed."""
    text = test_key_output.lower()
    if "already in the enrollment request" in text:
        return "staged"
    if "is already enrolled" in text or "already in the" in text:
        return "enrolled"
    return "absent"


def one_time_password(length: int = 8) -> str:
    """Return a password that every keyboard layout types alike in MokManager."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))
