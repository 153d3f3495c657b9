"""Whether a server takes keys only: sshd is asked, for every kind of connection that its Match blocks tell apart."""

from __future__ import annotations

import dataclasses
import grp
import pwd
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from .config import effective
from .criteria import KNOWN, Connection, MatchAccount, account_kinds, connections, group_list, holds, pattern_list
from .reading import MatchBlock, Setting, UnreadableConfiguration, blocks_of, read_settings

# What decides whether a login needs a key. A block without any of these is of no interest here.
DECISIVE = {
    "allowgroups",
    "allowusers",
    "authenticationmethods",
    "challengeresponseauthentication",
    "denygroups",
    "denyusers",
    "gssapiauthentication",
    "hostbasedauthentication",
    "kbdinteractiveauthentication",
    "kerberosauthentication",
    "passwordauthentication",
    "permitemptypasswords",
    "permitrootlogin",
    "skeyauthentication",
}
METHODS = {
    "passwordauthentication": "password",
    "kbdinteractiveauthentication": "keyboard-interactive",
    "gssapiauthentication": "gssapi-with-mic",
    "hostbasedauthentication": "hostbased",
}
OUTSIDE = "outside of Match blocks"
MOST_QUESTIONS = 200

Effective = dict[str, list[str]]


@dataclasses.dataclass(frozen=True)
class Opening:
    """Match blocks (or OUTSIDE) under which a login needs no key: where, their text, the methods, and an example."""

    where: str
    text: str
    methods: tuple[str, ...]
    example: str

    @property
    def sentence(self) -> str:
        """As a person reads it."""
        return f"{self.where}{f' ({self.text})' if self.text else ''}: {' and '.join(self.methods)} without a key"


@dataclasses.dataclass(frozen=True)
class PasswordLogins:
    """The logins that need no key, and what is not known of the rest, as sentences."""

    open: tuple[Opening, ...] = ()
    unknown: tuple[str, ...] = ()

    @property
    def keys_only(self) -> bool | None:
        """True and False where it is known, else None."""
        return False if self.open else None if self.unknown else True


def keyless_methods(values: Effective, account: str) -> tuple[str, ...]:
    """The methods by which these settings let an account in without a key."""
    enabled = {method for keyword, method in METHODS.items() if values.get(keyword) == ["yes"]}
    if account == "root":
        permitted = (values.get("permitrootlogin") or ["no"])[0]
        if permitted in ("prohibit-password", "without-password"):
            enabled -= {"password", "keyboard-interactive"}
        elif permitted != "yes":
            return ()
    lists = values.get("authenticationmethods") or ["any"]
    if lists == ["any"]:
        return tuple(sorted(enabled))
    keyless = set()
    for steps in lists:
        methods = {step.partition(":")[0] for step in steps.split(",")}
        if "publickey" not in methods and methods <= enabled:
            keyless |= methods
    return tuple(sorted(keyless))


def barred(account: MatchAccount, values: Effective) -> bool:
    """Whether the lists of users and groups keep an account out, wherever it comes from.

    Patterns of the form USER@HOST hold for some addresses only: here they allow, and do not deny.
    """
    deny = [pattern for pattern in values.get("denyusers", []) if "@" not in pattern]
    allow = [pattern.partition("@")[0] for pattern in values.get("allowusers", [])]
    if any(pattern_list(account.name, pattern) for pattern in deny):
        return True
    if any(group_list(account.groups, pattern) for pattern in values.get("denygroups", [])):
        return True
    if allow and not any(pattern_list(account.name, pattern) for pattern in allow):
        return True
    groups = values.get("allowgroups", [])
    return bool(groups) and not any(group_list(account.groups, pattern) for pattern in groups)


def loosens(setting: Setting) -> bool:
    """Whether a directive may open what others shut."""
    if setting.keyword not in DECISIVE or setting.keyword in ("denyusers", "denygroups"):
        return False
    if setting.keyword == "authenticationmethods":
        return not all("publickey" in steps.split(",") for steps in setting.arguments)
    return [argument.lower() for argument in setting.arguments] != ["no"]


def known_accounts(first: Iterable[str] = ()) -> list[MatchAccount]:
    """The host's accounts with their groups: those named first, then people, then the others."""
    first = [*first, "root"]
    entries = {entry.pw_name: entry for entry in pwd.getpwall()}
    for name in first:
        # A directory of accounts may not list what it knows by name.
        if name not in entries:
            try:
                entries[name] = pwd.getpwnam(name)
            except KeyError:
                continue
    titles, member = {}, {name: set() for name in entries}  # type: dict[int, str], dict[str, set[str]]
    for group in grp.getgrall():
        titles[group.gr_gid] = group.gr_name
        for name in group.gr_mem:
            member.setdefault(name, set()).add(group.gr_name)
    order = sorted(entries, key=lambda name: (name not in first, entries[name].pw_uid < 1000, name))
    return [
        MatchAccount(name, frozenset(member[name] | {titles.get(entries[name].pw_gid, str(entries[name].pw_gid))}))
        for name in order
    ]


def survey(
    base: Path,
    ask: Callable[[Connection], str],
    accounts: Sequence[MatchAccount],
    *,
    port: int = 22,
    folder: Path | None = None,
    name: Callable[[str], str] = str,
) -> PasswordLogins:
    """Whether a configuration takes keys only.

    ``ask`` gives what `sshd -T -C` prints for a connection (it raises OSError where sshd does not answer), ``accounts``
    are the host's, those that matter most first; ``port`` is one that sshd listens on.
    For ``folder`` and ``name`` see `read_settings`.
    """
    try:
        settings = [one for one in read_settings(base, folder, name) if one.keyword in DECISIVE]
    except UnreadableConfiguration as error:
        return PasswordLogins(unknown=(str(error),))
    blocks = blocks_of(settings)
    # Within an included file, a block stands inside the one around the Include: both have to hold.
    opening = list(dict.fromkeys(one.blocks for one in settings if one.blocks and loosens(one)))
    openings: dict[str, Opening] = {}
    met: set[tuple[MatchBlock, ...]] = set()
    questions = [
        (one, alike) for alike in account_kinds(blocks, accounts) for one in connections(blocks, alike[0], port)
    ]
    for one, alike in questions[:MOST_QUESTIONS]:
        nests = [nest for nest in opening if all(holds(block, one) for block in nest)]
        held = list(dict.fromkeys(nest[-1] for nest in nests))
        met |= set(nests)
        try:
            values = effective(ask(one))
        except OSError as error:
            return PasswordLogins(tuple(openings.values()), (str(error),))
        methods = keyless_methods(values, one.account.name)
        people = [account for account in alike if not barred(account, values)] if methods else []
        if people:
            where = " with ".join(block.where for block in held) or OUTSIDE
            example = dataclasses.replace(one, account=people[0]).text
            openings.setdefault(where, Opening(where, " with ".join(block.text for block in held), methods, example))
    unknown = [
        f"{nest[-1].where} ({nest[-1].text}): {_why(nest)}" for nest in opening if nest not in met and not _void(nest)
    ]
    if len(questions) > MOST_QUESTIONS:
        unknown.append(f"the Match blocks tell {len(questions)} kinds of connections apart, more than are tried")
    # What is open by itself is so together with other blocks.
    least = [one for where, one in openings.items() if not any(_within(other, where) for other in openings)]
    return PasswordLogins(tuple(least), tuple(unknown))


def _within(smaller: str, larger: str) -> bool:
    """Whether an opening is a part of another: fewer blocks, or none at all."""
    return smaller != larger and (smaller == OUTSIDE or set(smaller.split(" with ")) < set(larger.split(" with ")))


def _void(nest: tuple[MatchBlock, ...]) -> bool:
    """Whether no login can meet these blocks: nobody logs in to an account that does not exist."""
    return any(name == "invalid-user" for block in nest for name, _argument in block.criteria)


def _why(nest: tuple[MatchBlock, ...]) -> str:
    """Why no connection was found that meets these blocks."""
    strange = [name for block in nest for name, _argument in block.criteria if name not in KNOWN]
    if strange:
        return f"dlbox does not know the criterion {', '.join(strange)}"
    return "no account of this host, or no address, is known that meets it"
