"""Secure Boot's keys: what mokutil says of the one that DKMS signs with, and how its owner enrols it."""

from __future__ import annotations

import hashlib
import re
import secrets

from .apt import Runner

# Without characters that MokManager's US keyboard has elsewhere on others (y, z, q, w, a, m) or that look alike.
_ALPHABET = "bcdefghkrt"
_FINGERPRINT = re.compile(r"SHA1 Fingerprint: ([0-9A-Fa-f:]{59})")
_SERIAL = re.compile(r"Serial Number:\s+(?:\d+ \(0x([0-9a-f]+)\)|((?:[0-9a-f]{2}:)+[0-9a-f]{2}))|serial=([0-9A-F]+)")

KEYSTROKES = (
    "At the next start the firmware shows a blue screen for ten seconds: press any key, choose `Enroll MOK`,"
    " `Continue`, `Yes`, type the one-time password, choose `Reboot`. Without it the machine starts as before, and the"
    " NVIDIA modules do not load."
)


def fingerprint(certificate: bytes) -> str:
    """Return the SHA-1 fingerprint of a DER certificate as mokutil lists it, without colons, in lower case."""
    return hashlib.sha1(certificate, usedforsecurity=False).hexdigest()


def listed(text: str) -> set[str]:
    """Return the fingerprints in what `mokutil --list-new` or `--list-enrolled` printed."""
    return {match.replace(":", "").lower() for match in _FINGERPRINT.findall(text)}


def enrolment(certificate: bytes, list_new: str, test_key: str) -> str:
    """Return "staged", "enrolled" or "absent".

    list_new: what `mokutil --list-new` printed; test_key: what `mokutil --test-key` did. The list comes first, because
    mokutil up to 0.6 says "already enrolled" of a key that only waits for the next start too.
    """
    said = test_key.lower()
    if fingerprint(certificate) in listed(list_new) or "already in the enrollment request" in said:
        return "staged"
    return "enrolled" if "is already enrolled" in said or "already in the" in said else "absent"


def serials(text: str) -> set[str]:
    """Return the serial numbers of the certificates that mokutil or `openssl x509` printed, in upper-case hexadecimal.

    Short ones stand behind "Serial Number:" as "4660 (0x1234)", long ones on the next line as 3e:a1:...; openssl's
    -serial prints "serial=3EA1...".
    """
    found = {match[1] or match[2] or match[3] for match in _SERIAL.finditer(text)}
    return {_hexadecimal(number) for number in found}


def _hexadecimal(number: str) -> str:
    return number.replace(":", "").upper().lstrip("0") or "0"


def signature_of(text: str) -> tuple[str, str]:
    """Return (signer, serial number of its certificate) from what modinfo prints; "" where a module has none."""
    found = re.finditer(r"^(signer|sig_key):[ \t]*(.*?)[ \t]*$", text, re.MULTILINE)
    fields: dict[str, str] = {match[1]: match[2] for match in found}
    key = fields.get("sig_key", "")
    return fields.get("signer", ""), _hexadecimal(key) if key else ""


def signature(path: str, runner: Runner) -> tuple[str, str]:
    """Return (signer, serial number of its certificate) of a kernel module; "" where there is none."""
    return signature_of(runner(["modinfo", path]).out)


def one_time_password(length: int = 8) -> str:
    """Return a password that every keyboard layout types alike in MokManager."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))
