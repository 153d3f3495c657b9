"""Passwords of Jupyter servers: what the owner may give, what is generated, and hashing by the server's own code.

The clear text travels only through pipes and memory: never in an argument list, an environment variable or a file other
than the user's own password file.
"""

from __future__ import annotations

import contextlib
import json
import re
import secrets

from .. import run_as

# jupyter_server.auth.passwd() writes `argon2:` and the hash as argon2-cffi encodes it.
ARGON2 = re.compile(r"argon2:\$argon2(id|i|d)\$v=\d+\$m=\d+,t=\d+,p=\d+\$[A-Za-z0-9+/]+\$[A-Za-z0-9+/]+")
# The older form `algorithm:salt:digest`, one round of a fast hash.
WEAK = re.compile(r"(md5|sha1|sha224|sha256|sha384|sha512):[0-9a-f]{8,32}:[0-9a-f]{32,128}")
SHORTEST = 8

# Runs under the server's interpreter.
HELPER = """\
import json, sys
from jupyter_server.auth import passwd, passwd_check
password, old = json.load(sys.stdin)
json.dump(old if old and passwd_check(old, password) else passwd(password, "argon2"), sys.stdout)
"""


class Refused(ValueError):
    """A password or hash that is not acceptable; the message says what is, without repeating it."""


def is_hash(value: str) -> bool:
    """Whether the owner gave a ready hash instead of a password."""
    return ARGON2.fullmatch(value) is not None


def check(user: str, value: str) -> None:
    """Refuse what would be no protection. Raises Refused; the message never contains the value."""
    where = f"passwords['{user}']"
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


def hashed(python: str, who: run_as.Account, clear: str, old: str) -> str:
    """The hash of a user's password, by the server's own code in a process of that user.

    An old hash that verifies is returned unchanged. Raises RuntimeError when
    the interpreter has no working jupyter_server.
    """
    done = run_as.run([*run_as.isolated_python(python), "-c", HELPER], who, text=json.dumps([clear, old]))
    if done.rc != 0:
        last = (done.err.strip().splitlines() or ["no message"])[-1]
        raise RuntimeError(f"{python} cannot hash passwords with jupyter_server: {last}")
    with contextlib.suppress(ValueError, RecursionError):  # a process of the account: its answer is no more than data
        told = json.loads(done.out)
        if isinstance(told, str) and is_hash(told):
            return told
    raise RuntimeError(f"{python}, as {who.name}, did not make a hash")
