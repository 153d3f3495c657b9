"""Which OpenPGP keys are in a file, from gpg's colon listing (doc/DETAILS of GnuPG)."""

from __future__ import annotations

from dataclasses import dataclass, field

#: What lists the keys of a file or of standard input without importing them; needs no agent and no keyring.
ARGUMENTS = ("--batch", "--show-keys", "--with-colons", "--with-sig-list")
_WEAK = {"1", "2"}  # MD5 and SHA-1, by their numbers in RFC 4880, section 9.4


@dataclass
class OpenPgpKey:
    """A primary key: 40 hexadecimal digits, its first user id, its end in seconds since 1970 (None: none), and the
    digests of its own signatures over its user ids. Subkeys are left out.
    """

    fingerprint: str = ""
    user_id: str = ""
    ends: int | None = None
    digests: set[str] = field(default_factory=set)

    @property
    def sha1_bound(self) -> bool:
        """Whether nothing stronger than SHA-1 binds the key to its user: apt with sqv (Debian 13) refuses it since
        2026-02-01.
        """
        return bool(self.digests) and self.digests <= _WEAK


def parse(listing: str) -> list[OpenPgpKey]:
    """Return the primary keys of a listing, in the file's order."""
    found: list[OpenPgpKey] = []
    primary = False
    for line in listing.splitlines():
        fields = ["", *line.split(":"), *[""] * 20]  # numbered from 1, as in GnuPG's description
        kind = fields[1]
        if kind == "pub":
            found.append(OpenPgpKey(ends=int(fields[7]) if fields[7].isdigit() else None))
        if kind in ("pub", "sub"):
            primary = kind == "pub"
        elif not found:
            continue
        elif kind == "fpr" and primary:
            found[-1].fingerprint = fields[10]
        elif kind == "uid":
            found[-1].user_id = found[-1].user_id or fields[10]
        elif kind == "sig" and fields[11][:2] in ("10", "11", "12", "13") and fields[5]:
            found[-1].digests |= {fields[16]} if found[-1].fingerprint.endswith(fields[5]) else set()
    return found
