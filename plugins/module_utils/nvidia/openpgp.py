"""OpenPGP public keys: fingerprints, and the digest that binds a key to its user, without gpg on the host.

Reads version 4 keys (RFC 4880, section 5.5 and 12.2), armoured or not: all archive keys of the distributions and
NVIDIA are such.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

_ARMOUR = re.compile(rb"-----BEGIN PGP PUBLIC KEY BLOCK-----\r?\n(.*?)-----END PGP PUBLIC KEY BLOCK-----", re.DOTALL)
_DIGESTS = {1: "MD5", 2: "SHA1", 3: "RIPEMD160", 8: "SHA256", 9: "SHA384", 10: "SHA512", 11: "SHA224"}
_SIGNATURE, _PUBLIC_KEY, _USER_ID, _SUBKEY = 2, 6, 13, 14
_CERTIFICATIONS = range(0x10, 0x14)


class NotAKey(ValueError):
    """The data is no OpenPGP public key."""


@dataclass
class Key:
    """A primary key: 40 hexadecimal digits, its first user id, and the digests of the signatures over its user ids."""

    fingerprint: str
    user_id: str = ""
    digests: list[str] = field(default_factory=list)

    @property
    def sha1_bound(self) -> bool:
        """Whether nothing stronger than SHA-1 binds the key to its user: apt with sqv (Debian 13) refuses it since
        2026-02-01.
        """
        return bool(self.digests) and all(digest in ("SHA1", "MD5") for digest in self.digests)


def dearmour(data: bytes) -> bytes:
    """Return the binary packets of armoured or binary key data."""
    blocks = _ARMOUR.findall(data)
    if not blocks:
        if not data or not data[0] & 0x80:
            raise NotAKey("neither an armoured nor a binary OpenPGP key")
        return data
    out = b""
    for block in blocks:
        _headers, _blank, body = block.replace(b"\r\n", b"\n").partition(b"\n\n")
        lines = [line for line in (body or block).split(b"\n") if line and not line.startswith(b"=")]
        try:
            out += base64.b64decode(b"".join(lines), validate=True)
        except binascii.Error as error:
            raise NotAKey(f"damaged armour: {error}") from error
    return out


def packets(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield tag and body of each packet; partial lengths do not occur in keys."""
    at = 0
    try:
        while at < len(data):
            head = data[at]
            if not head & 0x80:
                raise NotAKey("not an OpenPGP packet")
            at += 1
            if head & 0x40:
                tag, first = head & 0x3F, data[at]
                if first < 192:
                    length, at = first, at + 1
                elif first < 224:
                    length, at = ((first - 192) << 8) + data[at + 1] + 192, at + 2
                elif first == 255:
                    length, at = int.from_bytes(data[at + 1 : at + 5], "big"), at + 5
                else:
                    raise NotAKey("partial packet length in a key")
            else:
                tag, kind = (head >> 2) & 0x0F, head & 3
                if kind == 3:
                    raise NotAKey("packet of unknown length in a key")
                size = 1 << kind
                length, at = int.from_bytes(data[at : at + size], "big"), at + size
            if at + length > len(data):
                raise NotAKey("the key is cut off")
            yield tag, data[at : at + length]
            at += length
    except IndexError as error:
        raise NotAKey("the key is cut off") from error


def keys(data: bytes) -> list[Key]:
    """Return the primary keys in armoured or binary data; raise NotAKey when there is none."""
    found: list[Key] = []
    over_user_id = False
    for tag, body in packets(dearmour(data)):
        if tag == _PUBLIC_KEY:
            if body[:1] != b"\x04":
                raise NotAKey(f"key of version {body[:1].hex()}, expected 04")
            digest = hashlib.sha1(b"\x99" + len(body).to_bytes(2, "big") + body, usedforsecurity=False)
            found.append(Key(digest.hexdigest().upper()))
            over_user_id = False
        elif tag == _USER_ID and found:
            found[-1].user_id = found[-1].user_id or body.decode(errors="replace")
            over_user_id = True
        elif tag == _SUBKEY:
            over_user_id = False
        elif (
            tag == _SIGNATURE
            and found
            and over_user_id
            and len(body) > 4
            and body[0] == 4
            and body[1] in _CERTIFICATIONS
        ):
            found[-1].digests.append(_DIGESTS.get(body[3], f"digest {body[3]}"))
    if not found:
        raise NotAKey("no public key in the file")
    return found


def normal_fingerprint(text: str) -> str:
    """Return a fingerprint as 40 upper-case hexadecimal digits; raise ValueError when it is none."""
    out = re.sub(r"[\s:]", "", text).upper().removeprefix("0X")
    if not re.fullmatch(r"[0-9A-F]{40}", out):
        raise ValueError(f"{text!r} is no fingerprint, expected 40 hexadecimal digits")
    return out


def refusals(found: list[Key], pinned: list[str], verifier: str = "gpgv") -> list[str]:
    """Return why a file of keys is not to be trusted; empty when every key in it is pinned and the verifier takes it.

    verifier: "sqv" where apt checks signatures with Sequoia (Debian 13), "gpgv" elsewhere.
    """
    wanted = [normal_fingerprint(text) for text in pinned]
    out = [
        f"it has the key {key.fingerprint} ({key.user_id or 'no user id'}), pinned is {' or '.join(wanted)}"
        for key in found
        if key.fingerprint not in wanted
    ]
    out += [
        f"the key {key.fingerprint} ({key.user_id}) is bound to its user by SHA-1 alone, which apt on this release"
        " (sqv) refuses;"
        " use the repository and key made for this release"
        for key in found
        if key.fingerprint in wanted and key.sha1_bound and verifier == "sqv"
    ]
    return out
