"""Where each account's password comes from, its hash, and the file in which its user finds it."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from .. import run_as
from . import password as passwords
from .server_files import CONFIG, LARGEST, Person, right

#: Says for which password file and hash it was verified that one belongs to the other.
VERIFIED = "password-verified"


class Secret(NamedTuple):
    """Where a user's password comes from: a clear text to be hashed, or a hash. At most one of the two is not empty."""

    source: str
    clear: str = ""
    hashed: str = ""


def old_hash(file: Path) -> str:
    """The hash in an existing configuration; "" if there is none."""
    try:
        found = json.loads(run_as.read_regular(file, LARGEST, follow=False))
        hashed = found["PasswordIdentityProvider"]["hashed_password"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return ""
    return hashed if isinstance(hashed, str) and passwords.is_hash(hashed) else ""


class OwnFile(NamedTuple):
    """A user's password file, as its user sees it; all empty where there is none."""

    text: str = ""
    version: str = ""
    """What changes with every change of the file. Nobody but the kernel sets ctime."""
    open: bool = False
    """Whether others can read it."""


def read_own(account: run_as.Account, file: Path) -> OwnFile:
    """The user's password file, read with the user's rights. Raises OSError."""

    def work() -> str:
        try:
            # Before it is read: a password that its user changes in this moment is another version.
            state = file.lstat()
            text = run_as.read_regular(file, 4096).decode("utf-8", "replace").strip()
        except FileNotFoundError:
            return json.dumps(OwnFile())
        version = f"{state.st_dev} {state.st_ino} {state.st_size} {state.st_ctime_ns}"
        return json.dumps(OwnFile(text, version, bool(state.st_mode & 0o077)))

    return OwnFile(*json.loads(run_as.call_as(account, work)))


def choose(given: str, own: str, old: str) -> Secret:
    """Decide where a user's password comes from: what the owner gave, the user's file, the hash there is, chance."""
    if given:
        return Secret("given", hashed=given) if passwords.is_hash(given) else Secret("given", clear=given)
    if own:
        return Secret("file", clear=own)
    if old:
        return Secret("kept", hashed=old)
    return Secret("generated", clear=passwords.generate())


class ServerPasswords:
    """The passwords of all accounts in one run of the module."""

    def __init__(self, people: Mapping[str, Person], given: Mapping[str, object], python: Path, *, dry: bool) -> None:
        """`given` are the owner's, by account; `python` is the server's interpreter; nothing is written where `dry`."""
        self.people = people
        self.given = given
        self.python = python
        self.dry = dry
        self.own: dict[str, OwnFile] = dict.fromkeys(people, OwnFile())
        self.todo: list[str] = []

    def secret(self, person: Person) -> Secret:
        """Where this account's password comes from. A file of its own that is none concerns this account alone."""
        problem = ""
        try:
            if person.account:
                self.own[person.name] = read_own(run_as.account(person.name), person.own_file)
        except (OSError, ValueError) as error:
            problem = f"cannot be read as {person.name} ({error})"
        own, old = self.own[person.name].text, old_hash(person.folder / CONFIG)
        secret = choose(str(self.given.get(person.name, "")), own, old)
        if secret.source == "file" and len(own) < passwords.SHORTEST:
            problem = f"holds {len(own)} characters, expected {passwords.SHORTEST} or more"
        if not problem or secret.source == "given":
            return secret
        self.todo.append(
            f"{person.own_file} {problem}: the JupyterLab of {person.name} "
            f"{'keeps the password it had' if old else 'lets nobody in'}. {person.name} writes another password into "
            "the file, or removes it to get a random one."
        )
        return Secret("kept", hashed=old) if old else Secret("locked", clear=passwords.generate())

    def hashes(self, secrets: dict[str, Secret]) -> dict[str, str]:
        """The hash by account, made by the server's own code in one process. Raises RuntimeError."""
        ready = {name: secret.hashed for name, secret in secrets.items() if secret.hashed}
        old = {name: old_hash(person.folder / CONFIG) for name, person in self.people.items()}
        # The server's own code takes a moment to load: it is not asked again about what it has verified.
        ready |= {
            name: old[name]
            for name, secret in secrets.items()
            if secret.source == "file" and self.verified(self.people[name], old[name])
        }
        to_hash = {
            name: (secret.clear, old[name]) for name, secret in secrets.items() if secret.clear and name not in ready
        }
        if not self.python.is_file():
            # Check mode before the environment exists.
            return ready | dict.fromkeys(to_hash, "(not hashed yet)")
        made: dict[str, str] = {}
        for name, (clear, old_one) in to_hash.items():
            if self.people[name].account is None:
                made[name] = "(not hashed yet)"  # check mode before the account exists
                continue
            made[name] = passwords.hashed(str(self.python), run_as.account(name), clear, old_one)
        return ready | made

    def note_of(self, person: Person, hashed: str) -> str:
        """What VERIFIED says when this hash is that of the password file as it was read; it tells nothing of either."""
        return hashlib.sha256(f"{self.own[person.name].version} {hashed}".encode()).hexdigest() + "\n"

    def verified(self, person: Person, hashed: str) -> bool:
        """Whether an earlier run has found that this hash is that of the account's password file."""
        return bool(hashed) and right(person.folder / VERIFIED, self.note_of(person, hashed), os.geteuid(), 0o400)

    def remember(self, person: Person, secret: Secret, hashed: str) -> None:
        """Note for the next run that this hash is that of the account's password file."""
        if self.dry or self.verified(person, hashed):
            return
        if secret.source == "generated":
            with contextlib.suppress(OSError):
                self.own[person.name] = read_own(run_as.account(person.name), person.own_file)
        # Written a moment ago, and its account may have written another one since.
        if secret.source == "file" or self.own[person.name].text == secret.clear:
            run_as.replace_file(person.folder / VERIFIED, self.note_of(person, hashed), 0o400)

    def keep_file(self, person: Person, secret: Secret) -> bool:
        """Write a generated password where its user finds it, close one that is too open, remove a stale one.

        Returns whether that is a change.
        """
        account = person.account
        own = self.own[person.name]
        if secret.source == "generated" or (secret.source == "file" and own.open):
            if not self.dry and account:
                run_as.write_as(run_as.account(person.name), person.own_file, secret.clear + "\n")
            return True
        if secret.source == "given" and account and own.version:
            # It no longer opens anything and would only mislead.
            if not self.dry:
                run_as.remove_as(run_as.account(person.name), person.own_file)
            return True
        return False
