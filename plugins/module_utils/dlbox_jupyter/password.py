"""Passwords of Jupyter servers: what the owner may give, what is generated, and hashing by the server's own code.

The clear text travels only through pipes and memory: never in an argument list, an environment variable or a file other
than the user's own password file.
"""

from __future__ import annotations

import json
import re
import secrets
import subprocess
from collections.abc import Mapping
from typing import NamedTuple

# jupyter_server.auth.passwd() writes `argon2:` and the hash as argon2-cffi encodes it.
ARGON2 = re.compile(r"argon2:\$argon2(id|i|d)\$v=\d+\$m=\d+,t=\d+,p=\d+\$[A-Za-z0-9+/]+\$[A-Za-z0-9+/]+")
# The older form `algorithm:salt:digest`, one round of a fast hash.
WEAK = re.compile(r"(md5|sha1|sha224|sha256|sha384|sha512):[0-9a-f]{8,32}:[0-9a-f]{32,128}")
SHORTEST = 8

# Runs under the server's interpreter; -I keeps the caller's environment and folder out of it.
HELPER = """\
import json, sys
from jupyter_server.auth import passwd, passwd_check
answer = {}
for user, (password, old) in json.load(sys.stdin).items():
    answer[user] = old if old and passwd_check(old, password) else passwd(password, "argon2")
json.dump(answer, sys.stdout)
"""


class Refused(ValueError):
    """A password or hash that is not acceptable; the message says what is, without repeating it."""


def is_hash(value: str) -> bool:
    """Whether the owner gave a ready hash instead of a password."""
    return ARGON2.fullmatch(value) is not None


def check(user: str, value: str) -> None:
    """Refuse what would be no protection. Raises Refused; the message never contains the value."""
    where = f"jupyter_passwords['{user}']"
    if is_hash(value):
        return
    if value.startswith("argon2:"):
        raise Refused(f"{where} starts like an argon2 hash but is not a whole one; copy all of it, in quotes")
    if WEAK.fullmatch(value):
        raise Refused(
            f"{where} is a salted fast hash of the old form algorithm:salt:digest, which is quickly guessed; give the "
            "password itself (from a vault) or an argon2 hash as `jupyter server password` makes it"
        )
    if len(value) < SHORTEST:
        raise Refused(f"{where} has {len(value)} characters; expected {SHORTEST} or more")
    if value != value.strip():
        raise Refused(f"{where} begins or ends with blanks, which a login form may drop; remove them")
    if value.casefold() in (user.casefold(), "password", "jupyter", "jupyterlab", "changeme", "12345678"):
        raise Refused(f"{where} is one of the first that anybody tries; expected another")


def generate() -> str:
    """A random password: 24 characters, 144 bits, all of them easy to paste."""
    return secrets.token_urlsafe(18)


class Hasher(NamedTuple):
    """The server's own hashing, one process for all users."""

    python: str

    def hashes(self, secrets_: Mapping[str, tuple[str, str]]) -> dict[str, str]:
        """Hash by user: {user: (password, old hash or "")}; an old hash that verifies is returned unchanged.

        Raises RuntimeError when the interpreter has no working jupyter_server.
        """
        if not secrets_:
            return {}
        run = subprocess.run(
            [self.python, "-I", "-c", HELPER],
            input=json.dumps({user: list(pair) for user, pair in secrets_.items()}),
            capture_output=True,
            text=True,
            check=False,
        )
        if run.returncode != 0:
            last = (run.stderr.strip().splitlines() or ["no message"])[-1]
            raise RuntimeError(f"{self.python} cannot hash passwords with jupyter_server: {last}")
        return {str(user): str(value) for user, value in json.loads(run.stdout).items()}
