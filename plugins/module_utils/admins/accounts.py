"""Admin accounts: how the host's accounts differ from the spec, and what of it would cost a login or sudo."""

from __future__ import annotations

import fnmatch
import grp
import os
import pwd
import stat
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

# pam_nologin's and Debian's: they end a session at once, wherever they lie.
NO_LOGIN_SHELLS = {"nologin", "false", "true", "sync", "halt", "shutdown"}
SUDO_GROUP = "sudo"
NEW_SHELL = "/bin/bash"
REMEDY_PACKAGE = "Add the package that brings it to base_packages_extra"


class Admin(NamedTuple):
    """An entry of admins_accounts. `shell` and `comment` None: as they are."""

    name: str
    keys: tuple[str, ...] = ()
    shell: str | None = None
    groups: tuple[str, ...] = ()
    comment: str | None = None

    @property
    def needed_groups(self) -> tuple[str, ...]:
        """The groups that an admin is to be in; it is removed from none."""
        return tuple(dict.fromkeys((SUDO_GROUP, *self.groups)))


class HostAccount(NamedTuple):
    """An account of the host: one line of passwd(5) and the names of its groups. `local`: it is in /etc/passwd."""

    name: str
    uid: int
    gid: int
    home: str
    shell: str
    comment: str
    groups: frozenset[str]
    local: bool = True


class AccountsHost(NamedTuple):
    """What decides about accounts on a host. `announced` are packages that this run installs before the accounts."""

    accounts: Mapping[str, HostAccount]
    groups: frozenset[str]
    shells: tuple[str, ...]
    announced: tuple[str, ...] = ()
    root: Path = Path("/")
    homes: str = "/home"


def admin_of(entry: Mapping[str, Any]) -> Admin:
    """An entry of the owner's list."""
    return Admin(
        name=entry["name"],
        keys=tuple(entry.get("keys") or ()),
        shell=entry.get("shell") or None,
        groups=tuple(entry.get("groups") or ()),
        comment=entry.get("comment"),
    )


def group_names(name: str, gid: int) -> frozenset[str]:
    """The names of an account's groups; a number that no group has is left out."""
    names = set()
    for number in os.getgrouplist(name, gid):
        try:
            names.add(grp.getgrgid(number).gr_name)
        except KeyError:
            continue
    return frozenset(names)


def read_host(names: Iterable[str], announced: Iterable[str] = ()) -> AccountsHost:
    """This host, as far as the accounts `names` go. Needs no rights."""
    passwd = Path("/etc/passwd").read_text(encoding="utf-8", errors="replace")
    in_file = {line.split(":", 1)[0] for line in passwd.splitlines()}
    found = {}
    for name in names:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        found[name] = HostAccount(
            name,
            entry.pw_uid,
            entry.pw_gid,
            entry.pw_dir,
            entry.pw_shell,
            entry.pw_gecos,
            group_names(name, entry.pw_gid),
            name in in_file,
        )
    shells = Path("/etc/shells")
    listed = shells.read_text(encoding="utf-8", errors="replace").splitlines() if shells.exists() else []
    return AccountsHost(
        accounts=found,
        groups=frozenset(group.gr_name for group in grp.getgrall()),
        shells=tuple(line.strip() for line in listed if line.startswith("/")),
        announced=tuple(announced),
    )


def _announced(name: str, host: AccountsHost) -> bool:
    """Whether a package that is still to be installed probably brings a shell or group of that name (docker.io)."""
    return any(package.startswith(name) for package in host.announced)


def shell_problem(shell: str, host: AccountsHost) -> str:
    """Why a shell that the owner names gives no login; empty where it does."""
    program = host.root / shell.lstrip("/")
    if not shell.startswith("/"):
        return f"the shell {shell!r} is no absolute path. Name one of /etc/shells: {', '.join(host.shells)}"
    if program.name in NO_LOGIN_SHELLS:
        return f"the shell {shell} ends every login at once. Name one of /etc/shells: {', '.join(host.shells)}"
    if _announced(program.name, host) and not program.exists():
        return ""
    if not program.is_file():
        return f"the shell {shell} does not exist on the host. {REMEDY_PACKAGE}, or leave `shell` out"
    if not os.access(program, os.X_OK):
        return f"the shell {shell} cannot be executed: chmod 755 {shell}, or leave `shell` out"
    if shell not in host.shells:
        return f"the shell {shell} is not in /etc/shells. Run `add-shell {shell}` on the host, or leave `shell` out"
    return ""


def kept_shell_problem(admin: Admin, host: AccountsHost) -> str:
    """Why the shell that an existing account keeps gives no session; empty where it does, or where it is changed."""
    account = host.accounts.get(admin.name)
    if account is None or admin.shell not in (None, account.shell):
        return ""
    shell = account.shell or "/bin/sh"
    program = host.root / shell.lstrip("/")
    if program.name in NO_LOGIN_SHELLS:
        return f"its shell {shell} ends every login at once: usermod --shell /bin/bash {admin.name}"
    if not os.access(program, os.X_OK) and not (_announced(program.name, host) and not program.exists()):
        return (
            f"its shell {shell} does not exist on the host, or cannot be executed, so no login succeeds. "
            f"{REMEDY_PACKAGE}, or set `shell: /bin/bash`"
        )
    return ""


def home_problem(account: HostAccount, root: Path = Path("/")) -> str:
    """Why sshd would take no key from an account's home, or dlbox could put none there; empty where both work."""
    home, name = account.home, account.name
    try:
        status = (root / home.lstrip("/")).stat()
    except PermissionError:
        return ""  # nobody but root is kept from looking, and root looks again
    except OSError as error:
        return f"its home {home} cannot be read ({error.strerror}). Make it with `mkhomedir_helper {name}`, or mount it"
    if not stat.S_ISDIR(status.st_mode):
        return f"its home {home} is no directory: usermod --home PATH {name}"
    if status.st_uid != account.uid:
        return f"its home {home} belongs to uid {status.st_uid}, not to {account.uid}: chown {name}: {home}"
    if status.st_mode & 0o022:
        mode = stat.S_IMODE(status.st_mode)
        return f"its home {home} can be written by others (mode {mode:04o}), so sshd takes no key: chmod go-w {home}"
    return ""


def account_problems(admin: Admin, host: AccountsHost) -> list[str]:
    """What keeps an admin from being provisioned without costing a login: sentences without the account's name."""
    account = host.accounts.get(admin.name)
    problems = [
        f"the group {group} does not exist. Create it (`groupadd {group}`), or leave it out of `groups`"
        for group in admin.needed_groups
        if group not in host.groups and not _announced(group, host)
    ]
    if admin.shell is not None and (account is None or account.shell != admin.shell):
        problems.append(shell_problem(admin.shell, host))
    if account is None:
        home = f"{host.homes}/{admin.name}"
        if os.path.lexists(host.root / home.lstrip("/")):
            problems.append(
                f"the account does not exist, but {home} does, and may belong to somebody else. Move it away, or make "
                f"the account yourself (`useradd --no-create-home --uid NUMBER {admin.name}`)"
            )
        return [problem for problem in problems if problem]
    if account.uid == 0:
        problems.append("the account has uid 0, and ssh does not let root in. Name an ordinary account")
    if not account.local and differences(admin, account):
        problems.append(
            f"the account is not in /etc/passwd (a directory service has it) and differs in "
            f"{', '.join(differences(admin, account))}. Change it there"
        )
    problems.append(home_problem(account, host.root))
    return [problem for problem in problems if problem]


def differences(admin: Admin, account: HostAccount | None) -> dict[str, tuple[str, str]]:
    """What changes: its name -> (now, then). An existing account keeps what the owner does not name."""
    if account is None:
        wanted = {"shell": admin.shell or NEW_SHELL, "groups": " ".join(sorted(admin.needed_groups))}
        return {"account": ("missing", "exists"), **{name: ("", value) for name, value in wanted.items()}}
    found = {}
    groups = account.groups | set(admin.needed_groups)
    if groups != account.groups:
        found["groups"] = (" ".join(sorted(account.groups)), " ".join(sorted(groups)))
    if admin.shell is not None and admin.shell != account.shell:
        found["shell"] = (account.shell, admin.shell)
    if admin.comment is not None and admin.comment != account.comment.split(",")[0]:
        found["comment"] = (account.comment, admin.comment)
    return found


def commands(admin: Admin, account: HostAccount | None, groups: Iterable[str]) -> list[list[str]]:
    """The programs that make the account what it is to be. `groups` are all of the host."""
    if account is None:
        command = ["useradd", "--create-home", "--shell", admin.shell or NEW_SHELL]
        command += ["--groups", ",".join(admin.needed_groups)]
        if admin.comment is not None:
            command += ["--comment", admin.comment]
        if admin.name in groups:  # useradd would refuse to make the group of the account's own
            command += ["--gid", admin.name]
        return [[*command, admin.name]]
    changes = differences(admin, account)
    command = ["usermod"]
    if "groups" in changes:
        command += ["--append", "--groups", ",".join(admin.needed_groups)]
    if "shell" in changes:
        command += ["--shell", changes["shell"][1]]
    if "comment" in changes:
        # Only the name: office and telephone numbers follow it.
        command += ["--comment", ",".join([changes["comment"][1], *account.comment.split(",")[1:]])]
    return [[*command, admin.name]] if changes else []


def has_password(name: str, shadow: str) -> bool:
    """Whether an account has a password that could match, by the text of shadow(5): no hash begins with ! or *."""
    for line in shadow.splitlines():
        fields = line.split(":")
        if fields[0] == name and len(fields) > 1:
            return fields[1][:1] not in ("", "!", "*")
    return False


def denied(name: str, groups: Iterable[str], effective: str) -> str:
    """Which DenyUsers or DenyGroups of sshd (the text of `sshd -T`) shuts an account with these groups out."""
    for line in effective.splitlines():
        keyword, _, value = line.partition(" ")
        if keyword.lower() == "denyusers" and any(
            fnmatch.fnmatchcase(name, pattern.split("@")[0]) for pattern in value.split()
        ):
            return f"sshd shuts it out by DenyUsers {value}"
        if keyword.lower() == "denygroups":
            for group in groups:
                if any(fnmatch.fnmatchcase(group, pattern) for pattern in value.split()):
                    return f"sshd shuts the group {group} out by DenyGroups {value}"
    return ""
