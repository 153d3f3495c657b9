"""Read OpenSSH public keys: one line of authorized_keys or of a .pub file, checked down to its bytes.

Not cryptography, which the controller has: hosts have none in a base install, and they read keys in five places. One
reader on both sides gives one answer; options before a key, and comments, cryptography does not read either.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
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


class MalformedKey(ValueError):
    """A line that is no public key; the message says why."""


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

    @property
    def fingerprint(self) -> str:
        """What ssh-keygen -l shows: SHA256:..."""
        digest = hashlib.sha256(base64.b64decode(self.body)).digest()
        return "SHA256:" + base64.b64encode(digest).decode().rstrip("=")

    @property
    def option_list(self) -> list[str]:
        """The options one by one; quotes protect commas."""
        return [self.options[slice(*span)] for span in _outside_quotes(self.options, ",")] if self.options else []


def _outside_quotes(text: str, separators: str) -> list[tuple[int, int]]:
    """Spans of the parts of a text between separators that no quotes protect."""
    spans, begin, quoted = [], 0, False
    for position, char in enumerate(text):
        if char == '"' and text[position - 1 : position] != "\\":
            quoted = not quoted
        elif char in separators and not quoted:
            spans.append((begin, position))
            begin = position + 1
    return [*spans, (begin, len(text))]


def _split_options(line: str) -> tuple[str, str]:
    """Split leading authorized_keys options (which may hold quoted blanks) from the key itself."""
    if line.split(None, 1)[0] in KNOWN_TYPES:
        return "", line
    _, end = _outside_quotes(line, " \t")[0]
    return (line[:end], line[end:].strip()) if end < len(line) else ("", line)


def _fields(blob: bytes) -> list[bytes]:
    """Split an SSH wire-format blob (RFC 4251 section 5: length-prefixed strings) into its fields."""
    fields = []
    while blob:
        if len(blob) < 4:
            raise MalformedKey("the key is cut off")
        (size,) = struct.unpack(">I", blob[:4])
        if len(blob) < 4 + size:
            raise MalformedKey("the key is cut off")
        fields.append(blob[4 : 4 + size])
        blob = blob[4 + size :]
    return fields


def read(line: str) -> PublicKey:
    """Read one line of authorized_keys or of a .pub file, however weak its key is.

    Raises:
        MalformedKey: the line is no public key; the message says why.
    """
    line = line.strip()
    if not line:
        raise MalformedKey("it is empty")
    if "PRIVATE KEY" in line:
        raise MalformedKey("it is a private key; give the public half (the file that ends in .pub)")
    options, rest = _split_options(line)
    parts = rest.split(None, 2)
    if parts[0] not in KNOWN_TYPES or len(parts) < 2:
        raise MalformedKey(f"it does not start with a key type such as ssh-ed25519, but with {parts[0][:40]!r}")
    key_type, body = parts[0], parts[1]
    try:
        fields = _fields(base64.b64decode(body, validate=True))
    except binascii.Error as error:
        raise MalformedKey(f"its base64 part is damaged ({error})") from None
    if not fields or fields[0] != key_type.encode():
        raise MalformedKey(f"its base64 part is not a key of the type {key_type}")
    if key_type == "ssh-ed25519" and (len(fields) != 2 or len(fields[1]) != 32):
        raise MalformedKey("its base64 part is not an ed25519 key (32 bytes)")
    if key_type == "ssh-rsa" and len(fields) != 3:
        raise MalformedKey("its base64 part is not an RSA key")
    bits = int.from_bytes(fields[2], "big").bit_length() if key_type == "ssh-rsa" else 0
    return PublicKey(key_type, bits, options, body, parts[2] if len(parts) > 2 else "")


def parse(line: str) -> PublicKey:
    """Read one public key line that a person wants to log in with.

    Raises:
        ValueError: the line is not a public key that sshd would accept, or is too weak; the message says why.
    """
    key = read(line)
    if key.type not in PERMITTED_TYPES:
        raise ValueError(f"the type {key.type} is no longer accepted by OpenSSH; make one with: ssh-keygen -t ed25519")
    if key.type == "ssh-rsa" and key.bits < SMALLEST_RSA:
        raise ValueError(
            f"RSA with {key.bits} bit is too weak, {SMALLEST_RSA} is the least; better: ssh-keygen -t ed25519"
        )
    return key


def _key_lines(text: str) -> list[tuple[int, str]]:
    """The lines of a .pub or authorized_keys text with their numbers, without blank ones and comments."""
    numbered = enumerate(text.splitlines(), 1)
    return [(number, line) for number, line in numbered if line.strip() and not line.lstrip().startswith("#")]


def parse_lines(text: str) -> list[PublicKey]:
    """Parse every key of a .pub or authorized_keys text; blank lines and comments are passed over.

    Raises:
        ValueError: as ``parse``, with the line's number.
    """
    keys = []
    for number, line in _key_lines(text):
        try:
            keys.append(parse(line))
        except ValueError as error:
            raise ValueError(f"line {number}: {error}") from None
    return keys


def read_lines(text: str) -> tuple[list[PublicKey], list[str]]:
    """The keys of an authorized_keys text, and what is wrong with its other lines ("line 3: ...")."""
    keys, problems = [], []
    for number, line in _key_lines(text):
        try:
            keys.append(read(line))
        except MalformedKey as error:
            problems.append(f"line {number}: {error}")
    return keys, problems
