#!/usr/bin/python
"""Find out who could log in over ssh once a configuration is in place, before it is."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: ssh_login_check
short_description: Find out who could log in over ssh with a key, and refuse a configuration that locks out
description:
  - Judges each allowed account by what sshd will look at, that is C(AllowUsers) and C(AllowGroups), the account's
    expiry and password ageing, shell, home, owner and mode of the key file and the directories above it, and each key
    in it (parseable, of an accepted type, long enough, not revoked, expired or bound to a command).
  - Changes nothing. I(refusals) of the answer is empty where the configuration is safe.
options:
  allow_users:
    description: Patterns as for AllowUsers. Empty allows everybody.
    type: list
    elements: str
    default: []
  allow_groups:
    description: Patterns as for AllowGroups. Empty allows everybody.
    type: list
    elements: str
    default: []
  root_login:
    description: Whether root will log in over ssh.
    type: bool
    default: false
  algorithms:
    description: Signature algorithms that the server will accept from keys. Empty accepts all.
    type: list
    elements: str
    default: []
  rsa_bits:
    description: Least length of an RSA key in bits.
    type: int
    default: 3072
  revoked:
    description: Public keys that the server will refuse.
    type: list
    elements: str
    default: []
  authorized_keys_files:
    description: As for AuthorizedKeysFile.
    type: list
    elements: str
    default: [.ssh/authorized_keys, .ssh/authorized_keys2]
  certificates:
    description: Whether the server will trust an ssh CA. Users may then log in without a key file.
    type: bool
    default: false
  connecting_user:
    description: Account that the play itself logs in to over ssh. Empty where it does not come over ssh.
    type: str
    default: ""
  second_factor_users:
    description: Accounts that will be asked for a one-time code, which programs cannot answer.
    type: list
    elements: str
    default: []
  required:
    description: Whether somebody has to be able to log in. False on a machine that its owner sits at.
    type: bool
    default: true
  planned:
    description: Accounts that another role makes in the same run. In check mode they are taken as usable.
    type: list
    elements: str
    default: []
author: dlbox
"""

EXAMPLES = r"""
- name: Find out who could log in
  ssh_login_check:
    allow_users: [ada]
    connecting_user: ada
  register: logins

- name: Refuse to lock the owner out
  ansible.builtin.assert:
    that: logins.refusals | length == 0
    fail_msg: "{{ logins.refusals | join('\n') }}"
"""

RETURN = r"""
usable:
  description: Accounts that could log in.
  type: list
users:
  description: "Each judged account: usable, keys (fingerprints of the keys that log in) and problems (sentences)."
  type: dict
refusals:
  description: Why the configuration would lock out, each with its remedy. Empty where it would not.
  type: list
"""

import datetime
import pwd
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.dlbox_ssh import keys, logins


def revoked_blobs(lines: list[str]) -> frozenset[str]:
    """Key data of revoked public keys; lines that are none are left to sshd."""
    blobs = set()
    for line in lines:
        try:
            blobs.add(keys.parse_line(line).blob)
        except (keys.MalformedKey, IndexError):
            continue
    return frozenset(blobs)


def sentence(name: str, problems: list[str]) -> str:
    """What is wrong with an account, as one line."""
    return f"{name}: {'; '.join(problems) or 'no usable key'}"


def refusals(
    verdicts: dict[str, logins.Verdict], connecting: str, second_factor: bool, required: bool, allow_users: list[str]
) -> list[str]:
    """Why nobody, or not the connecting user, could log in afterwards."""
    reasons = []
    usable = [name for name, verdict in verdicts.items() if verdict.usable]
    if not usable and (required or allow_users):
        each = "\n".join("  " + sentence(name, verdict.problems) for name, verdict in verdicts.items())
        reasons.append(
            "Nobody could log in over ssh afterwards: no allowed account has a usable key.\n"
            f"{each or '  no account is allowed at all'}\n"
            "Put a public key (ssh-keygen -t ed25519) into the keys of an account in dlbox_admins, and run again."
        )
    if connecting and not verdicts[connecting].usable and (usable or not reasons):
        reasons.append(
            "The account that this run logs in to could not log in afterwards. "
            f"{sentence(connecting, verdicts[connecting].problems)}.\n"
            "Add it to dlbox_admins with a key, or set ansible_user to one that could: "
            f"{', '.join(usable) or 'none yet'}."
        )
    if second_factor:
        reasons.append(
            f"{connecting} would be asked for a one-time code, which Ansible cannot answer.\n"
            "Add the account to ssh_hardening_totp_exempt_users, or run as another account."
        )
    return reasons


def main() -> None:
    """Judge the accounts."""
    lists = ("allow_users", "allow_groups", "algorithms", "revoked", "second_factor_users", "planned")
    spec: dict[str, Any] = {name: {"type": "list", "elements": "str", "default": []} for name in lists}
    module = AnsibleModule(
        argument_spec={
            **spec,
            "root_login": {"type": "bool", "default": False},
            "rsa_bits": {"type": "int", "default": 3072},
            "authorized_keys_files": {
                "type": "list",
                "elements": "str",
                "default": [".ssh/authorized_keys", ".ssh/authorized_keys2"],
                "no_log": False,
            },
            "certificates": {"type": "bool", "default": False},
            "connecting_user": {"type": "str", "default": ""},
            "required": {"type": "bool", "default": True},
        },
        supports_check_mode=True,
    )
    wanted = module.params
    server = logins.Server(
        allow_users=tuple(wanted["allow_users"]),
        allow_groups=tuple(wanted["allow_groups"]),
        root_login=wanted["root_login"],
        algorithms=tuple(wanted["algorithms"]),
        rsa_bits=wanted["rsa_bits"],
        revoked=revoked_blobs(wanted["revoked"]),
        authorized_keys_files=tuple(wanted["authorized_keys_files"]),
        certificates=wanted["certificates"],
    )
    connecting = wanted["connecting_user"]
    names = list(dict.fromkeys(logins.candidates(server, pwd.getpwall()) + ([connecting] if connecting else [])))
    shadow = Path("/etc/shadow").read_text()
    verdicts = {name: logins.judge(name, server, shadow, datetime.date.today()) for name in names}
    if module.check_mode:
        for name in wanted["planned"]:
            if name in verdicts and not verdicts[name].usable:
                verdicts[name] = logins.Verdict(True, [], ["is planned; judged when it exists"])
    module.exit_json(
        changed=False,
        usable=[name for name, verdict in verdicts.items() if verdict.usable],
        users={name: {"usable": v.usable, "keys": v.keys, "problems": v.problems} for name, v in verdicts.items()},
        refusals=refusals(
            verdicts,
            connecting,
            connecting in [u for u in wanted["second_factor_users"] if u],
            wanted["required"],
            wanted["allow_users"],
        ),
    )


if __name__ == "__main__":
    main()
