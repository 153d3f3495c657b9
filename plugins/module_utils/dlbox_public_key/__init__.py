"""Read OpenSSH public keys: one line of authorized_keys or of a .pub file, checked down to its bytes."""

from __future__ import annotations

import base64
import binascii
import struct
from typing import NamedTuple

#: Key types that OpenSSH accepts and that are not broken. ``ssh-dss`` is gone from OpenSSH 10.0.
#: Source: sshd(8), AUTHORIZED_KEYS FILE FORMAT, and the OpenSSH 10.0 release notes.
PERMITTED_TYPES = (
    "ssh-ed25519",
    "sk-ssh-ed25519@openssh.com",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "sk-ecdsa-sha2-nistp256@openssh.com",
    "ssh-rsa",
)
KNOWN_TYPES = (*PERMITTED_TYPES, "ssh-dss")
#: NIST SP 800-57 part 1 rev. 5: 128 bit of security, good beyond 2030, needs an RSA modulus of 3072 bit.
SMALLEST_RSA = 3072


class PublicKey(NamedTuple):
    """One public key: its type, size in bits (RSA only, else 0), options, base64 body and comment."""

    type: str
    bits: int
    options: str
    body: str
    comment: str

    @property
    def line(self) -> str:
        """The key as one line of authorized_keys."""
        return " ".join(part for part in (self.options, self.type, self.body, self.comment) if part)


def _split_options(line: str) -> tuple[str, str]:
    """Split leading authorized_keys options (which may hold quoted blanks) from the key itself."""
    if line.split(None, 1)[0] in KNOWN_TYPES:
        return "", line
    quoted = False
    for position, char in enumerate(line):
        if char == '"' and line[position - 1 : position] != "\\":
            quoted = not quoted
        elif char in " \t" and not quoted:
            return line[:position], line[position:].strip()
    return "", line


def _fields(blob: bytes) -> list[bytes]:
    """Split an SSH wire-format blob (RFC 4251 section 5: length-prefixed strings) into its fields."""
    fields = []
    while blob:
        if len(blob) < 4:
            raise ValueError("the key is cut off")
        (size,) = struct.unpack(">I", blob[:4])
        if len(blob) < 4 + size:
            raise ValueError("the key is cut off")
        fields.append(blob[4 : 4 + size])
        blob = blob[4 + size :]
    return fields


def parse(line: str) -> PublicKey:
    """Parse one public key line.

    Raises:
        ValueError: the line is not a public key that sshd would accept, or is too weak; the message says why.
    """
    line = line.strip()
    if not line:
        raise ValueError("it is empty")
    if "PRIVATE KEY" in line:
        raise ValueError("it is a private key; give the public half (the file that ends in .pub)")
    options, rest = _split_options(line)
    parts = rest.split(None, 2)
    if parts[0] not in KNOWN_TYPES or len(parts) < 2:
        raise ValueError(f"it does not start with a key type such as ssh-ed25519, but with {parts[0][:40]!r}")
    key_type, body = parts[0], parts[1]
    if key_type not in PERMITTED_TYPES:
        raise ValueError(f"the type {key_type} is no longer accepted by OpenSSH; make one with: ssh-keygen -t ed25519")
    try:
        fields = _fields(base64.b64decode(body, validate=True))
    except binascii.Error as error:
        raise ValueError(f"its base64 part is damaged ({error})") from None
    if not fields or fields[0] != key_type.encode():
        raise ValueError(f"its base64 part is not a key of the type {key_type}")
    if key_type == "ssh-ed25519" and (len(fields) != 2 or len(fields[1]) != 32):
        raise ValueError("its base64 part is not an ed25519 key (32 bytes)")
    bits = 0
    if key_type == "ssh-rsa":
        if len(fields) != 3:
            raise ValueError("its base64 part is not an RSA key")
        bits = int.from_bytes(fields[2], "big").bit_length()
        if bits < SMALLEST_RSA:
            raise ValueError(
                f"RSA with {bits} bit is too weak, {SMALLEST_RSA} is the least; better: ssh-keygen -t ed25519"
            )
    return PublicKey(key_type, bits, options, body, parts[2] if len(parts) > 2 else "")


def parse_lines(text: str) -> list[PublicKey]:
    """Parse every key of a .pub or authorized_keys text; blank lines and comments are passed over.

    Raises:
        ValueError: as ``parse``, with the line's number.
    """
    keys = []
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip() and not line.lstrip().startswith("#"):
            try:
                keys.append(parse(line))
            except ValueError as error:
                raise ValueError(f"line {number}: {error}") from None
    return keys
