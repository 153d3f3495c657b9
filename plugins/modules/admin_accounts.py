#!/usr/bin/python
"""The admin accounts of a host with their public keys; what would cost a login or sudo is refused beforehand."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: admin_accounts
short_description: Manage admin accounts with groups and public keys, and refuse changes that lock one out
description:
  - One call for all admins. An existing account keeps its shell, comment and password unless the owner names another
    shell or comment, and is removed from no group.
  - Validates all of them before the first is changed, and refuses a shell that does not exist, cannot be executed or is
    not in C(/etc/shells), a group that does not exist, a home that is missing, somebody else's or writable by others, a
    group that sshd shuts out, and the end of a rule without which an account loses sudo.
  - C(authorized_keys) is read and written with the account's own rights. Foreign keys, options and comments stay.
  - Of C(/etc/shadow) it returns nothing but whether an account has a password.
options:
  admins:
    description: The admins.
    type: list
    elements: dict
    required: true
    suboptions:
      name: {description: Account name., type: str, required: true}
      keys: {description: Public keys as lines of C(authorized_keys)., type: list, elements: str, required: true}
      shell: {description: Login shell. Without it a new account gets C(/bin/bash)., type: str}
      groups: {description: Groups beside C(sudo)., type: list, elements: str, default: []}
      comment: {description: Full name., type: str}
      sudo: {description: Whether sudo asks for a password, type: str, default: password, choices: [password, nopasswd]}
  exclusive:
    description: Remove keys that are not listed.
    type: bool
    default: false
  sudoers_file:
    description: dlbox's own sudoers file, as it is before this run changes it.
    type: path
    required: true
  announced:
    description: Packages that are installed before the accounts are made. Their shells and groups may be missing yet.
    type: list
    elements: str
    default: []
extends_documentation_fragment: [dlbox.workstation.predictable]
"""

EXAMPLES = r"""
- name: Create the admin accounts
  dlbox.workstation.admin_accounts:
    admins:
      - {name: ada, keys: ["ssh-ed25519 AAAA... ada@desk"], shell: /usr/bin/zsh}
    sudoers_file: /etc/sudoers.d/50-dlbox-admins
"""

RETURN = r"""
accounts:
  description:
    - "Each admin: whether the account exists (exists) and has a password (password), why it takes no login (problem),
      and whether sudo spares it the password by a rule that is not dlbox's (passwordless)."
  type: dict
  returned: success
planned:
  description: In check mode, each account that would change, as it would be (name, keys, groups).
  type: list
  elements: dict
  returned: success
sudo:
  description: Whether sudo is installed.
  type: bool
  returned: success
"""

import datetime
import grp
import os
import pwd
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.admins import accounts, keys, sudoers
from ..module_utils.ssh import logins

Texts = tuple[str, str]


def account_before_sudo() -> str:
    """The account that this connection logged in to; the own one where sudo did not come in between."""
    return os.environ.get("SUDO_USER") or pwd.getpwuid(os.getuid()).pw_name


def text_of(path: Path) -> str:
    """A file's text, empty where there is none."""
    return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""


def key_texts(admin: accounts.Admin, exists: bool, exclusive: bool) -> tuple[Texts, bool]:
    """(authorized_keys now and then, whether others can write them now). Raises OSError."""
    now, loose = keys.read(admin.name) if exists else ("", False)
    return (now, keys.merged(now, list(admin.keys), exclusive)), loose


def shut_out(module: AnsibleModule, admin: accounts.Admin, account: accounts.HostAccount | None) -> str:
    """Why sshd as it is now would let this admin in no more once the groups are added; empty where it would."""
    sshd = module.get_bin_path("sshd", opt_dirs=["/usr/sbin"])
    if not sshd or "groups" not in accounts.differences(admin, account):
        return ""
    code, out, _ = module.run_command([sshd, "-T", "-C", f"user={admin.name},host=localhost,addr=127.0.0.1"])
    groups = (account.groups if account else frozenset({admin.name})) | set(admin.needed_groups)
    why = accounts.denied(admin.name, sorted(groups), out) if code == 0 else ""
    return f"{why}. Take it out of sshd's configuration first" if why else ""


def problems_of(
    module: AnsibleModule, admins: list[accounts.Admin], host: accounts.AccountsHost, passwords: dict[str, bool]
) -> list[str]:
    """Every reason, with its account and remedy, for which nothing is changed."""
    found = []
    for admin in admins:
        account = host.accounts.get(admin.name)
        sentences = [*accounts.account_problems(admin, host), shut_out(module, admin, account)]
        found += [f"{admin.name}: {sentence}" for sentence in sentences if sentence]
        if module.params["exclusive"] and not admin.keys:
            found.append(f"{admin.name}: no key is listed, and `exclusive` would remove all others. List one")
    watched = [*(admin.name for admin in admins), account_before_sudo()]
    wanted = [entry["name"] for entry in module.params["admins"] if entry["sudo"] == "nopasswd"]
    found += sudoers.losses(text_of(Path(module.params["sudoers_file"])), wanted, watched, passwords)
    return found


def spared(module: AnsibleModule, entry: dict[str, Any]) -> bool:
    """Whether an admin whom sudo is to ask for a password becomes root without one, by a rule that is not dlbox's."""
    own = sudoers.without_password(text_of(Path(module.params["sudoers_file"])))
    sudo = module.get_bin_path("sudo")
    if not sudo or entry["sudo"] == "nopasswd" or entry["name"] in own:
        return False
    code, out, _ = module.run_command([sudo, "-n", "-l", "-U", entry["name"]])
    return bool(code == 0 and sudoers.passwordless(out))


def apply(
    module: AnsibleModule, admin: accounts.Admin, account: accounts.HostAccount | None, texts: Texts | None
) -> None:
    """Make the account and its keys what they are to be; `texts` None: the keys are right. An error ends the module."""
    for command in accounts.commands(admin, account, [group.gr_name for group in grp.getgrall()]):
        code, out, err = module.run_command(command)
        if code:
            module.fail_json(msg=f"{admin.name}: {' '.join(command)}: {(err + out).strip()}")
    if account is None:
        # login.defs may let a group write new homes, and sshd would take no key from one.
        home = Path(pwd.getpwnam(admin.name).pw_dir)
        home.chmod(home.stat().st_mode & 0o7755)
    if texts is not None:
        keys.write(admin.name, texts[1])


def shown(admin: accounts.Admin, account: accounts.HostAccount | None, texts: Texts) -> list[dict[str, str]]:
    """The diffs of an account and of its keys."""
    changes = accounts.differences(admin, account)
    before, after = (
        "".join(f"{name}: {pair[side]}\n" for name, pair in changes.items() if pair[side]) for side in (0, 1)
    )
    title = f"account {admin.name}"
    file = f"authorized_keys of {admin.name}"
    diffs = [{"before_header": title, "after_header": title, "before": before, "after": after}] if changes else []
    if texts[0] != texts[1]:
        diffs.append({"before_header": file, "after_header": file, "before": texts[0], "after": texts[1]})
    return diffs


def main() -> None:
    """Validate all accounts, then change those that differ."""
    strings = {"type": "list", "elements": "str"}
    entry = {
        "name": {"type": "str", "required": True},
        "keys": {**strings, "required": True, "no_log": False},
        "shell": {"type": "str"},
        "groups": {**strings, "default": []},
        "comment": {"type": "str"},
        "sudo": {"type": "str", "default": "password", "choices": ["password", "nopasswd"]},
    }
    module = AnsibleModule(
        argument_spec={
            "admins": {"type": "list", "elements": "dict", "required": True, "options": entry},
            "exclusive": {"type": "bool", "default": False},
            "sudoers_file": {"type": "path", "required": True},
            "announced": {**strings, "default": []},
        },
        supports_check_mode=True,
    )
    given: dict[str, Any] = module.params
    admins = [accounts.admin_of(item) for item in given["admins"]]
    names = [admin.name for admin in admins]
    host = accounts.read_host(names, given["announced"])
    shadow = text_of(Path("/etc/shadow"))
    passwords = {name: accounts.has_password(name, shadow) for name in [*names, account_before_sudo()]}
    problems = problems_of(module, admins, host, passwords)
    if problems:
        module.fail_json(
            msg="\n".join(["These admins would lose or not get their login:", *problems]) + "\nNothing was changed."
        )
    diffs: list[dict[str, str]] = []
    planned: list[dict[str, Any]] = []
    changed = False
    for admin in admins:
        account = host.accounts.get(admin.name)
        try:
            texts, loose = key_texts(admin, account is not None, given["exclusive"])
            diff = shown(admin, account, texts)
            if not diff and not loose:
                continue
            changed = True
            diffs += diff
            if not module.check_mode:
                apply(module, admin, account, texts if loose or texts[0] != texts[1] else None)
                continue
        except OSError as error:
            module.fail_json(msg=f"{admin.name}: the keys could not be read or written: {error}")
        planned.append(
            {
                "name": admin.name,
                "keys": keys.key_lines(texts[1]),
                "groups": sorted((account.groups if account else frozenset({admin.name})) | set(admin.needed_groups)),
            }
        )
    module.exit_json(
        changed=changed,
        diff=diffs,
        planned=planned,
        sudo=Path("/usr/sbin/visudo").exists(),
        accounts={
            entry["name"]: {
                "exists": entry["name"] in host.accounts,
                "password": passwords[entry["name"]],
                "problem": logins.account_problem(
                    logins.shadow_entry(entry["name"], shadow), datetime.date.today(), use_pam=True
                ).replace("NAME", entry["name"]),
                "passwordless": entry["name"] in host.accounts and spared(module, entry),
            }
            for entry in given["admins"]
        },
    )


if __name__ == "__main__":
    main()
