"""Public keys as OpenSSH writes them: authorized_keys lines (sshd(8), AUTHORIZED_KEYS FILE FORMAT) and blobs."""

from __future__ import annotations

import base64
import binascii
import dataclasses
import hashlib
import re

KEY_TYPES = (
    "ssh-ed25519",
    "sk-ssh-ed25519@openssh.com",
    "sk-ecdsa-sha2-nistp256@openssh.com",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "ssh-rsa",
    "ssh-dss",
)
# A key's type names its signature algorithm, except for RSA, whose SHA-1 signatures are refused since OpenSSH 8.8.
SIGNATURES = {"ssh-rsa": ("rsa-sha2-512", "rsa-sha2-256")}


@dataclasses.dataclass(frozen=True)
class PublicKey:
    """One key: its type, length in bits (0 where the type fixes it), SHA-256 fingerprint, options and comment."""

    type: str
    bits: int
    fingerprint: str
    blob: str
    options: tuple[str, ...] = ()
    comment: str = ""


class MalformedKey(ValueError):
    """A line that is no public key; the message says why."""


def _field(blob: bytes, offset: int) -> tuple[bytes, int]:
    """Length-prefixed field of an SSH wire blob at offset, and the offset behind it (RFC 4251, section 5)."""
    end = offset + 4 + int.from_bytes(blob[offset : offset + 4], "big")
    if len(blob) < offset + 4 or end > len(blob):
        raise MalformedKey("the key data is cut short")
    return blob[offset + 4 : end], end


def parse_blob(key_type: str, encoded: str) -> tuple[int, str]:
    """Bits and fingerprint of a base64 key; MalformedKey where it is not a key of that type."""
    try:
        blob = base64.b64decode(encoded, validate=True)
    except binascii.Error as error:
        raise MalformedKey(f"the key data is not base64: {error}") from error
    name, offset = _field(blob, 0)
    if name.decode("ascii", "replace") != key_type:
        raise MalformedKey(f"the line says {key_type} and the key data {name.decode('ascii', 'replace')!r}")
    bits = 0
    if key_type == "ssh-rsa":
        _, offset = _field(blob, offset)
        modulus, offset = _field(blob, offset)
        bits = int.from_bytes(modulus, "big").bit_length()
    else:
        body, offset = _field(blob, offset)
        if key_type == "ssh-ed25519" and len(body) != 32:
            raise MalformedKey(f"an ed25519 key has 32 bytes, this has {len(body)}")
    digest = base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")
    return bits, f"SHA256:{digest}"


def split_options(line: str) -> tuple[list[str], str]:
    """Options in front of an authorized_keys line, and the rest; quotes protect blanks and commas."""
    if line.split(None, 1)[0] in KEY_TYPES:
        return [], line
    options, word, quoted, index = [], "", False, 0
    while index < len(line):
        char = line[index]
        if char == '"' and not (index and line[index - 1] == "\\"):
            quoted = not quoted
        if not quoted and char in ", \t":
            options.append(word)
            word = ""
            if char != ",":
                break
        else:
            word += char
        index += 1
    return options, line[index:].strip()


def parse_line(line: str) -> PublicKey:
    """The key of one authorized_keys line (or .pub file); MalformedKey with the reason where there is none."""
    options, rest = split_options(line.strip())
    words = rest.split(None, 2)
    if len(words) < 2 or words[0] not in KEY_TYPES:
        raise MalformedKey(f"no known key type in {line.strip()[:40]!r}")
    bits, fingerprint = parse_blob(words[0], words[1])
    return PublicKey(words[0], bits, fingerprint, words[1], tuple(options), words[2] if len(words) > 2 else "")


def parse_file(text: str) -> tuple[list[PublicKey], list[str]]:
    """Keys of an authorized_keys file, and what is wrong with its other lines ("line 3: ...")."""
    keys, problems = [], []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        try:
            keys.append(parse_line(line))
        except MalformedKey as error:
            problems.append(f"line {number}: {error}")
    return keys, problems


def refusal(key: PublicKey, algorithms: list[str], rsa_bits: int, revoked: set[str], today: str) -> str:
    """Why a server with these accepted algorithms would not log this key in; empty where it would.

    today is YYYYMMDD, for the expiry-time option.
    """
    if key.blob in revoked:
        return "is revoked"
    if algorithms and not set(SIGNATURES.get(key.type, (key.type,))) & set(algorithms):
        return f"is of type {key.type}, which the server will not accept"
    if key.type == "ssh-rsa" and key.bits < rsa_bits:
        return f"has {key.bits} bits, and RSA keys need {rsa_bits}"
    for option in key.options:
        name, _, value = option.partition("=")
        if name.lower() == "command":
            return "is bound to a command and gives no login"
        if name.lower() == "cert-authority":
            return "is a certificate authority, not a login key"
        if name.lower() == "expiry-time" and re.sub(r"\D", "", value)[:8] < today:
            return f"has expired ({value})"
    return ""
