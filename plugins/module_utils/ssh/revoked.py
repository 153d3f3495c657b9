"""RevokedKeys: keys with which nobody logs in, as a list of public keys or a KRL (sshd_config(5), ssh-keygen(1))."""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Iterable
from pathlib import Path

from ..public_key import MalformedKey, PublicKey
from ..public_key import read as read_key
from ..run_as import NO_HOME, ROOT, read_regular, run

# PROTOCOL.krl: the first bytes of a key revocation list.
KRL_MAGIC = b"SSHKRL\n\0"
LARGEST = 64 << 20  # bytes
SSH_KEYGEN = "/usr/bin/ssh-keygen"


@dataclasses.dataclass(frozen=True)
class Revoked:
    """The revoked keys: base64 bodies, or the path of a KRL; or why sshd cannot read them and refuses every key."""

    bodies: frozenset[str] = frozenset()
    krl: str = ""
    problem: str = ""

    def holds(self, key: PublicKey) -> bool:
        """Whether sshd refuses a key. Raises OSError where ssh-keygen cannot tell."""
        if not self.krl:
            return key.body in self.bodies
        with tempfile.NamedTemporaryFile("w", suffix=".pub") as file:
            file.write(f"{key.type} {key.body}\n")
            file.flush()
            done = run([SSH_KEYGEN, "-Q", "-f", self.krl, file.name], ROOT, home=NO_HOME)
        if done.rc != 0 and not done.out.rstrip().endswith("REVOKED"):
            raise OSError(f"ssh-keygen -Q -f {self.krl}: {done.err.strip() or f'code {done.rc}'}")
        return bool(done.rc != 0)


#: Where no key is revoked.
NONE = Revoked()


def listed(lines: Iterable[str]) -> Revoked:
    """The public keys of these lines; what is none is left to sshd."""
    bodies = set()
    for line in lines:
        try:
            bodies.add(read_key(line).body)
        except MalformedKey:
            continue
    return Revoked(frozenset(bodies))


def read_file(path: str) -> Revoked:
    """The keys that a RevokedKeys file names; path may be empty or "none"."""
    if path in ("", "none"):
        return NONE
    try:
        with Path(path).open("rb") as file:
            is_krl = file.read(len(KRL_MAGIC)) == KRL_MAGIC
        return (
            Revoked(krl=path) if is_krl else listed(read_regular(path, LARGEST).decode("utf-8", "replace").splitlines())
        )
    except OSError as error:
        return Revoked(
            problem=f"cannot log in with any key: sshd cannot read RevokedKeys {path} ({error.strerror or error})"
        )
