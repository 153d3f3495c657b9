"""Who could log in over ssh with a key, by the rules that sshd itself applies (sshd(8), sshd_config(5), shadow(5))."""

from __future__ import annotations

import dataclasses
import datetime
import fnmatch
import grp
import json
import os
import pwd
import re
import stat
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..public_key import PublicKey, read_lines
from ..run_as import Account, call_as, read_regular
from . import revoked as revocation

NO_LOGIN_SHELLS = {"nologin", "false", "true", "sync", "halt", "shutdown"}
EPOCH = datetime.date(1970, 1, 1)
# A key's type names its signature algorithm, except for RSA, whose SHA-1 signatures are refused since OpenSSH 8.8.
SIGNATURES = {"ssh-rsa": ("rsa-sha2-512", "rsa-sha2-256")}


@dataclasses.dataclass(frozen=True)
class LoginRules:
    """What decides about an account's login once the configuration is in place.

    allow_users and allow_groups hold sshd patterns; empty means everybody. algorithms are signature algorithms.
    other_keys are the places beside files that sshd takes keys from, such as AuthorizedKeysCommand: what they hold is
    not known here, but they are ways to log in. takes_keys is PubkeyAuthentication.
    """

    allow_users: tuple[str, ...] = ()
    allow_groups: tuple[str, ...] = ()
    deny_users: tuple[str, ...] = ()
    deny_groups: tuple[str, ...] = ()
    root_login: bool = False
    algorithms: tuple[str, ...] = ()
    rsa_bits: int = 3072
    revoked: revocation.Revoked = revocation.NONE
    authorized_keys_files: tuple[str, ...] = (".ssh/authorized_keys", ".ssh/authorized_keys2")
    use_pam: bool = True
    other_keys: tuple[str, ...] = ()
    takes_keys: bool = True


#: Where sshd takes keys from beside files, by the keyword as `sshd -T` prints it.
OTHER_KEYS = {"authorizedkeyscommand": "AuthorizedKeysCommand", "trustedusercakeys": "TrustedUserCAKeys"}


def server_of(values: Mapping[str, Sequence[str]]) -> LoginRules:
    """A server by what it says of an account itself: `sshd -T -C` as config.effective reads it; empty for defaults."""

    def first(keyword: str, default: str) -> str:
        return (values.get(keyword) or [default])[0]

    return LoginRules(
        allow_users=tuple(values.get("allowusers", ())),
        allow_groups=tuple(values.get("allowgroups", ())),
        deny_users=tuple(values.get("denyusers", ())),
        deny_groups=tuple(values.get("denygroups", ())),
        root_login=first("permitrootlogin", "no") != "no",
        algorithms=tuple(name for name in first("pubkeyacceptedalgorithms", "").split(",") if name),
        rsa_bits=int(first("requiredrsasize", "1024")),
        revoked=revocation.read_file(first("revokedkeys", "none")),
        authorized_keys_files=tuple(values.get("authorizedkeysfile") or LoginRules.authorized_keys_files),
        use_pam=first("usepam", "no") == "yes",
        other_keys=tuple(
            f"{name} {' '.join(values[keyword])}"
            for keyword, name in OTHER_KEYS.items()
            if first(keyword, "none") != "none"
        ),
        takes_keys=first("pubkeyauthentication", "yes") != "no",
    )


def groups_of(user: pwd.struct_passwd) -> set[str]:
    """Names of the groups that a user is in."""
    names = set()
    for gid in os.getgrouplist(user.pw_name, user.pw_gid):
        try:
            names.add(grp.getgrgid(gid).gr_name)
        except KeyError:
            continue
    return names


def keyless(server: LoginRules) -> str:
    """Why no key at all logs anybody in; empty where keys do."""
    return server.revoked.problem if server.takes_keys else "cannot log in with any key: PubkeyAuthentication is no"


def permitted(user: pwd.struct_passwd, server: LoginRules) -> str:
    """Why the lists of users and groups or PermitRootLogin keep a user out; empty where they do not."""
    if user.pw_uid == 0 and not server.root_login:
        return "is root, and root will not log in over ssh"
    return listed(user.pw_name, groups_of(user), server)


def listed(name: str, groups: set[str], server: LoginRules) -> str:
    """Why the lists of users and groups keep an account with these groups out; empty where they do not."""
    if any("@" not in pattern and fnmatch.fnmatchcase(name, pattern) for pattern in server.deny_users):
        return f"is in DenyUsers ({' '.join(server.deny_users)})"
    # USER@HOST patterns allow from some addresses; from which, the host cannot know.
    users = [pattern.split("@")[0] for pattern in server.allow_users]
    if users and not any(fnmatch.fnmatchcase(name, pattern) for pattern in users):
        return f"is not in AllowUsers ({' '.join(server.allow_users)})"
    if any(fnmatch.filter(groups, pattern) for pattern in server.deny_groups):
        return f"is in one of DenyGroups ({' '.join(server.deny_groups)})"
    if server.allow_groups and not any(fnmatch.filter(groups, pattern) for pattern in server.allow_groups):
        return f"is in none of AllowGroups ({' '.join(server.allow_groups)}); its groups are {' '.join(sorted(groups))}"
    return ""


def account_problem(fields: list[str], today: datetime.date, use_pam: bool) -> str:
    """Why an account with these fields of /etc/shadow takes no login; empty where it does."""
    day = (today - EPOCH).days
    number = [int(field) if field.strip().lstrip("-").isdigit() else None for field in fields[2:8]]
    changed, _, maximum, _, inactive, expires = number + [None] * (6 - len(number))
    if expires is not None and 0 <= expires <= day:
        return f"has expired on {EPOCH + datetime.timedelta(days=expires)}: chage --expiredate -1 NAME"
    if not use_pam and fields[1].startswith("!"):
        return "is locked, and without UsePAM that refuses keys too: usermod --unlock NAME"
    if changed == 0:
        return "has to change its password at the next login: passwd NAME"
    has_password = fields[1][:1] not in ("!", "*", "")
    if (
        has_password
        and changed is not None
        and maximum is not None
        and 0 <= maximum < 99999
        and changed + maximum < day
    ):
        late = f"password expired on {EPOCH + datetime.timedelta(days=changed + maximum)}"
        closed = inactive is not None and changed + maximum + inactive < day
        return f"{late}{' and the account is closed' if closed else ''}: chage --maxdays -1 NAME"
    return ""


def shell_problem(shell: str) -> str:
    """Why a login shell gives no session; empty where it does."""
    path = Path(shell or "/bin/sh")
    if path.name in NO_LOGIN_SHELLS:
        return f"has the shell {shell}: usermod --shell /bin/bash NAME"
    if not path.is_file() or not os.access(path, os.X_OK):
        return f"has the shell {shell}, which is not there or cannot be run: usermod --shell /bin/bash NAME"
    return ""


@dataclasses.dataclass(frozen=True)
class KeyFile:
    """A key file as the account sees it: its text, or why it cannot be read, and what StrictModes looks at.

    steps are (path, uid, gid, mode) of the file without links and of each folder above it up to the home, or to /.
    """

    path: str
    text: str = ""
    error: str = ""
    missing: bool = False
    steps: tuple[tuple[str, int, int, int], ...] = ()


def read_key_files(user: pwd.struct_passwd, files: Iterable[Path]) -> list[KeyFile]:
    """The files as sshd reads them: with the account's own rights, so that its links lead to nothing of others."""
    paths = [str(path) for path in files]

    def work() -> str:
        return json.dumps([_key_file(path, user.pw_dir) for path in paths])

    who = Account(user.pw_name, user.pw_uid, user.pw_gid, tuple(os.getgrouplist(user.pw_name, user.pw_gid)))
    found = [KeyFile(**one) for one in json.loads(call_as(who, work))]
    return [dataclasses.replace(one, steps=tuple((p, u, g, m) for p, u, g, m in one.steps)) for one in found]


def _key_file(path: str, home: str) -> dict[str, object]:
    """The fields of a KeyFile."""
    try:
        text = read_regular(path, 1 << 20).decode("utf-8", "replace")
        top, steps = os.path.realpath(home), []
        real = Path(os.path.realpath(path))
        for step in (real, *real.parents):
            status = step.stat()
            steps.append((str(step), status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode)))
            if str(step) == top:
                break
    except FileNotFoundError:
        return {"path": path, "missing": True}
    except OSError as error:
        return {"path": path, "error": error.strerror or str(error)}
    return {"path": path, "text": text, "steps": steps}


def others_in_group(gid: int, uid: int) -> bool:
    """Whether somebody else than the user is in a group, by the rule of Debian's sshd (user-group-modes.patch).

    It takes a file that a group may write where the group is the user's own alone.
    """
    try:
        members = grp.getgrgid(gid).gr_mem
    except KeyError:
        return True
    first = {entry.pw_uid for entry in pwd.getpwall() if entry.pw_gid == gid}
    return first != {uid} or any(name != pwd.getpwuid(uid).pw_name for name in members)


def unsafe(steps: Iterable[tuple[str, int, int, int]], uid: int) -> str:
    """Why StrictModes refuses a key file: an owner or a mode on the way from it up to the home directory."""
    for path, owner, group, mode in steps:
        if owner not in (0, uid):
            return f"{path} belongs to uid {owner}: chown NAME {path}"
        if mode & stat.S_IWOTH or (mode & stat.S_IWGRP and others_in_group(group, uid)):
            return f"{path} is writable by others (mode {mode:04o}): chmod go-w {path}"
    return ""


def key_refusal(key: PublicKey, server: LoginRules, today: datetime.date) -> str:
    """Why the server would not log this key in; empty where it would."""
    try:
        if server.revoked.holds(key):
            return "is revoked"
    except OSError as error:
        return f"cannot be held against RevokedKeys, and sshd refuses it then ({error})"
    if server.algorithms and not set(SIGNATURES.get(key.type, (key.type,))) & set(server.algorithms):
        return f"is of type {key.type}, which the server will not accept"
    if key.type == "ssh-rsa" and key.bits < server.rsa_bits:
        return f"has {key.bits} bits, and RSA keys need {server.rsa_bits}"
    for option in key.option_list:
        name, _, value = option.partition("=")
        if name.lower() == "command":
            return "is bound to a command and gives no login"
        if name.lower() == "expiry-time" and re.sub(r"\D", "", value)[:8] < f"{today:%Y%m%d}":
            return f"has expired ({value})"
    return ""


def key_file_problems(
    file: KeyFile, user: pwd.struct_passwd, server: LoginRules, today: datetime.date
) -> tuple[list[str], list[str]]:
    """Fingerprints of the keys in a file that would log the user in, and what is wrong with the others.

    One that stands for a certificate authority counts: its certificates log in.
    """
    if file.missing:
        return [], [f"{file.path} does not exist"]
    if file.error:
        return [], [f"{file.path} cannot be read by {user.pw_name} ({file.error}), with whose rights sshd reads it"]
    why = unsafe(file.steps, user.pw_uid)
    if why:
        return [], [why]
    found, problems = read_lines(file.text)
    problems = [f"{file.path} {problem}" for problem in problems]
    good = []
    for key in found:
        why = key_refusal(key, server, today)
        if why:
            problems.append(f"{file.path}: the key {key.comment or key.fingerprint} {why}")
        else:
            good.append(key.fingerprint)
    if not found and not problems:
        problems.append(f"{file.path} holds no key")
    return good, problems


def key_files(user: pwd.struct_passwd, patterns: Iterable[str]) -> list[Path]:
    """AuthorizedKeysFile with its tokens replaced; relative ones are below the home directory."""
    files = []
    for pattern in patterns:
        if pattern == "none":
            continue
        name = pattern.replace("%%", "\0").replace("%h", user.pw_dir).replace("%u", user.pw_name)
        name = name.replace("%U", str(user.pw_uid)).replace("\0", "%")
        files.append(Path(name) if name.startswith("/") else Path(user.pw_dir) / name)
    return files


def shadow_entry(name: str, text: str) -> list[str]:
    """Fields of a user's line of /etc/shadow; an account without one has no password and never expires."""
    for line in text.splitlines():
        fields = line.split(":")
        if fields[0] == name:
            return fields + [""] * (9 - len(fields))
    return [name, "*", "", "", "", "", "", "", ""]


@dataclasses.dataclass
class KeyLogin:
    """Whether a user could log in, with which keys (fingerprints), and if not, every reason."""

    usable: bool
    keys: list[str]
    problems: list[str]


def evaluate_login(name: str, server: LoginRules, shadow: str, today: datetime.date) -> KeyLogin:
    """Whether a user could log in with a key."""
    try:
        user = pwd.getpwnam(name)
    except KeyError:
        return KeyLogin(False, [], ["has no account on the host"])
    fatal = [
        keyless(server),
        permitted(user, server),
        account_problem(shadow_entry(name, shadow), today, server.use_pam),
        shell_problem(user.pw_shell),
    ]
    if not Path(user.pw_dir).is_dir():
        fatal.append(f"has no home directory {user.pw_dir}: mkhomedir_helper {name}")
    good: list[str] = []
    problems: list[str] = []
    try:
        files = read_key_files(user, key_files(user, server.authorized_keys_files))
    except OSError as error:
        files = [KeyFile(user.pw_dir, error=str(error))]
    # Of several places one is enough: a missing file is news only where all are, and then the first stands for them.
    for file in [file for file in files if not file.missing] or files[:1]:
        fingerprints, wrong = key_file_problems(file, user, server, today)
        good += fingerprints
        problems += wrong
    if good or server.other_keys:
        problems = []
    elif not files:
        problems.append("has no AuthorizedKeysFile: sshd is told to read none")
    reasons = [reason.replace("NAME", name) for reason in [*fatal, *problems] if reason]
    return KeyLogin(not reasons, good, reasons)


def evaluate_planned(planned: dict[str, Any], server: LoginRules, shadow: str, today: datetime.date) -> KeyLogin:
    """Whether an account could log in once another role has left it with these keys and groups.

    Args:
        planned: name, keys (lines of authorized_keys) and groups (names).
        server: as for `evaluate_login`.
        shadow: text of /etc/shadow, for the expiry of an account that exists already.
        today: the date to hold expiries against.
    """
    name = planned["name"]
    fatal = [
        keyless(server),
        listed(name, set(planned["groups"]), server),
        account_problem(shadow_entry(name, shadow), today, server.use_pam),
    ]
    good: list[str] = []
    problems: list[str] = []
    for key in read_lines("\n".join(planned["keys"]))[0]:
        why = key_refusal(key, server, today)
        if why:
            problems.append(f"the key {key.comment or key.fingerprint} {why}")
        else:
            good.append(key.fingerprint)
    if good or server.other_keys:
        problems = []
    elif not problems:
        problems.append("will have no key")
    reasons = [reason.replace("NAME", name) for reason in [*fatal, *problems] if reason]
    return KeyLogin(not reasons, good, reasons)


def candidates(server: LoginRules, everybody: Iterable[pwd.struct_passwd]) -> list[str]:
    """Accounts that the server's lists name: AllowUsers, else the members of AllowGroups, else all people."""
    plain = [pattern.split("@")[0] for pattern in server.allow_users]
    if plain and not any(char in pattern for pattern in plain for char in "*?!"):
        return list(dict.fromkeys(plain))
    people = [user for user in everybody if user.pw_uid >= 1000 and user.pw_name != "nobody"]
    return [user.pw_name for user in people if not permitted(user, server)]
