#!/usr/bin/python
"""Inspect the host's OpenSSH, and find out who could log in once a configuration is in place, before it is."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: ssh_preflight
short_description: Inspect the host's OpenSSH, and refuse a configuration that locks people out
description:
  - One call for all that decisions about sshd need. It changes nothing and works on a host without an ssh server.
  - Evaluates each allowed account by what sshd reads, that is the lists of users and groups, the account's
    expiry and password ageing, shell, home, owner and mode of the key files and the directories above them, and each
    key in them (parseable, of an accepted type, long enough, not revoked, expired or bound to a command). Key files are
    those that sshd names for the account, read with the account's rights. C(AuthorizedKeysCommand) and
    C(TrustedUserCAKeys) count as ways to log in.
  - Fails, with each reason and its remedy, where nobody could log in afterwards, or not everybody who is logged in over
    ssh now, whether or not the play itself comes over ssh.
  - Fails where sshd is to listen on an address that the host does not have, or no longer on one over which somebody is
    logged in.
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
    description:
      - Signature algorithms that the server will accept from keys, as far as it knows them. Empty accepts all.
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
    description: AuthorizedKeysFile as it will be. Empty stands for what sshd says of each account.
    type: list
    elements: str
    default: []
  certificates:
    description: Whether the server will trust an ssh CA of the role. Users may then log in without a key file.
    type: bool
    default: false
  dropin:
    description: The role's own drop-in, which says nothing about what was there before.
    type: path
    default: /etc/ssh/sshd_config.d/00-dlbox.conf
  ports:
    description: Ports that sshd will listen on.
    type: list
    elements: int
    default: [22]
  listen_addresses:
    description: Addresses that sshd will listen on, each alone (at all ports) or with a port. Empty stands for all.
    type: list
    elements: str
    default: []
  connecting_user:
    description: Another account that has to be able to log in, beside those that are logged in over ssh now.
    type: str
    default: ""
  second_factor:
    description:
      - Whether the server will ask for a one-time code. The account by which a controller logs in cannot answer, and
        has to be exempt.
    type: bool
    default: false
  second_factor_exempt:
    description: Accounts that it will not ask.
    type: list
    elements: str
    default: []
  planned:
    description:
      - Accounts as another role will leave them before this configuration is in effect. They are evaluated by these
        keys and groups, not by those that they have.
    type: list
    elements: dict
    default: []
    suboptions:
      name: {description: Account name., type: str, required: true}
      keys: {description: Lines of its authorized_keys., type: list, elements: str, default: []}
      groups: {description: Names of its groups., type: list, elements: str, default: []}
author: [dlbox (!UNKNOWN)]
version_added: 0.1.0
"""

EXAMPLES = r"""
- name: Inspect sshd and refuse a configuration that locks out
  dlbox.workstation.ssh_preflight:
    allow_users: [ada]
  register: server
"""

RETURN = r"""
installed:
  description: Whether sshd is there. Without it the lists below are empty.
  type: bool
  returned: success
release:
  description: The host's release as in /etc/os-release, for instance debian-13 or ubuntu-24.04.
  type: str
  returned: success
version:
  description: What C(ssh -V) says, for people.
  type: str
  returned: success
algorithms:
  description: "What C(ssh -Q) offers, by its query: kex, mac, cipher, hostkey and pubkey (signature algorithms)."
  type: dict
  returned: success
keywords:
  description: Keywords in lower case that this sshd knows.
  type: list
  returned: success
host_keys:
  description: "Host keys in /etc/ssh: type, bits, path of the private key, fingerprint."
  type: list
  returned: success
socket:
  description: "Whether ssh.socket is used (enabled or active), and has a generator that follows Port in sshd_config."
  type: dict
  returned: success
weak_moduli:
  description: Number of groups in /etc/ssh/moduli with less than 3071 bits.
  type: int
  returned: success
pam:
  description: Text of /etc/pam.d/sshd; empty where there is none.
  type: str
  returned: success
totp_module:
  description: Whether the PAM module for one-time codes is installed.
  type: bool
  returned: success
listen:
  description: "Where sshd will listen: address, port, and both as text (192.0.2.1:22); empty for everywhere."
  type: list
  returned: success
probe:
  description: "Where to find sshd listening then, from the host itself: address and port."
  type: list
  returned: success
sessions:
  description: "Who is logged in over ssh now: account and client (address)."
  type: list
  returned: success
usable:
  description: Accounts that could log in.
  type: list
  returned: success
users:
  description: "Each evaluated account: usable, keys (fingerprints of the keys that log in), problems (sentences)."
  type: dict
  returned: success
"""

import contextlib
import dataclasses
import datetime
import os
import pwd
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.guard import sessions
from ..module_utils.host import units
from ..module_utils.host.os_release import read_os_release, release_name
from ..module_utils.public_key import MalformedKey
from ..module_utils.public_key import read as read_key
from ..module_utils.ssh import config, listen, logins, reading, revoked
from ..module_utils.ssh.asking import privilege_separation_directory

# The words of ssh -Q in the releases of Debian 12 and Ubuntu 22.04 and newer.
QUERIES = {
    "kex": "kex",
    "mac": "mac",
    "cipher": "cipher",
    "hostkey": "HostKeyAlgorithms",
    "pubkey": "PubkeyAcceptedAlgorithms",
}
SOCKET_GENERATORS = (
    "/usr/lib/systemd/system-generators/sshd-socket-generator",
    "/lib/systemd/system-generators/sshd-socket-generator",
)
MODULI_BITS = 3071
CONFIGURATION = Path("/etc/ssh/sshd_config")
TOTP_MODULES = ("/usr/lib", "/lib")
# What may differ from one account to another by Match blocks.
OF_ACCOUNTS = {
    "authorizedkeyscommand",
    "authorizedkeysfile",
    "authorizedprincipalscommand",
    "authorizedprincipalsfile",
    "denygroups",
    "denyusers",
    "revokedkeys",
    "trustedusercakeys",
}
# Settings that would take the place of the host's own, by the option that announces them.
OURS = {"trustedusercakeys": "certificates", "revokedkeys": "revoked"}


def weak_moduli(text: str) -> int:
    """Number of lines of moduli(5) whose size, the fifth word, is below MODULI_BITS."""
    sizes = [line.split()[4] for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return sum(int(size) < MODULI_BITS for size in sizes if size.isdigit())


def host_keys(folder: Path) -> list[dict[str, Any]]:
    """The host keys of a directory, by their public halves."""
    found = []
    for public in sorted(folder.glob("ssh_host_*_key.pub")):
        try:
            key = read_key(public.read_text())
        except MalformedKey:
            continue
        private = str(public.with_suffix(""))
        if Path(private).exists():
            found.append({"type": key.type, "bits": key.bits, "path": private, "fingerprint": key.fingerprint})
    return found


def server_facts(module: AnsibleModule) -> dict[str, Any]:
    """What the host's OpenSSH offers and how it is started, by asking the binaries and units."""

    def run(*words: str) -> str:
        code, out, err = module.run_command(list(words))
        return (out + err if words[-1] == "-V" else out) if code == 0 or words[-1] == "-V" else ""

    sshd = module.get_bin_path("sshd", opt_dirs=["/usr/sbin"])
    folder = Path("/etc/ssh")
    ssh = module.get_bin_path("ssh")
    found = host_keys(folder) if folder.is_dir() else []
    keywords: list[str] = []
    if sshd and found:
        defaults = run(sshd, "-T", "-f", "/dev/null", "-h", found[0]["path"])
        keywords = sorted({line.split()[0].lower() for line in defaults.splitlines() if line})
    listener = units.properties_of(run(*units.show_command(["ssh.socket"], "UnitFileState", "ActiveState")))
    moduli = folder / "moduli"
    pam = Path("/etc/pam.d/sshd")
    return {
        "installed": bool(sshd),
        "release": release_name(read_os_release()),
        "version": re.split(r"[\s,]", run(ssh, "-V"))[0] if ssh else "",
        "algorithms": {name: run(ssh, "-Q", query).split() if ssh and sshd else [] for name, query in QUERIES.items()},
        "keywords": keywords,
        "host_keys": found,
        "socket": {
            "used": any(units.enabled_and_active(listener).values()),
            "generator": any(map(os.path.exists, SOCKET_GENERATORS)),
        },
        "weak_moduli": weak_moduli(moduli.read_text()) if moduli.exists() else 0,
        "pam": pam.read_text() if pam.exists() else "",
        "totp_module": any(
            next(Path(folder).glob("*/security/pam_google_authenticator.so"), None) for folder in TOTP_MODULES
        ),
    }


class Current:
    """The configuration that the host has now, and what sshd makes of it for an account."""

    def __init__(self, module: AnsibleModule, dropin: str) -> None:
        """Read it; empty where there is none, or where sshd would not read it either."""
        self.module = module
        self.sshd = module.get_bin_path("sshd", opt_dirs=["/usr/sbin"]) if CONFIGURATION.exists() else None
        self.settings: list[reading.Setting] = []
        with contextlib.suppress(reading.UnreadableConfiguration):
            self.settings = reading.read_settings(CONFIGURATION) if self.sshd else []
        self.foreign = [one for one in self.settings if one.file != dropin]
        self.same_for_all = not any(one.keyword in OF_ACCOUNTS and one.blocks for one in self.settings)
        self.known: dict[str, dict[str, list[str]]] = {}

    def of(self, account: str, peer: str) -> dict[str, list[str]]:
        """`sshd -T` for an account that comes from an address; empty where sshd does not answer."""
        key = "" if self.same_for_all else account
        if self.sshd and key not in self.known:
            question = f"user={account},host={peer},addr={peer},laddr=192.0.2.2,lport=22"
            with privilege_separation_directory():
                code, out, _err = self.module.run_command([self.sshd, "-T", "-C", question])
            self.known[key] = config.effective(out) if code == 0 else {}
        return self.known.get(key, {})

    def keeps_revoked(self, values: dict[str, list[str]], ours: list[str]) -> bool:
        """Whether the RevokedKeys that sshd names for an account is not the role's, and stays."""
        theirs = {one.arguments[:1] for one in self.foreign if one.keyword == "revokedkeys"}
        return not ours and tuple(values.get("revokedkeys", [])[:1]) in theirs

    def replaced(self, wanted: dict[str, Any]) -> list[str]:
        """Sentences on settings of the host's owner that the role's would take the place of."""
        given = {"trustedusercakeys": wanted["certificates"], "revokedkeys": bool(wanted["revoked"])}
        return [
            f"{OURS[one.keyword]}: {one.file}:{one.line} names {' '.join(one.arguments)} already, and sshd reads one "
            "such file only. Expected either; put the keys of that file among yours and remove the line, or give none "
            "to keep it."
            for one in self.foreign
            if one.keyword in OURS and given[one.keyword] and not one.blocks and one.arguments[:1] != ("none",)
        ]


def sentence(name: str, problems: list[str]) -> str:
    """What is wrong with an account, as one line."""
    return f"{name}: {'; '.join(problems) or 'no usable key'}"


def unusable(name: str, verdict: logins.KeyLogin, usable: list[str], peer: str) -> str:
    """Why an account has to stay able to log in, and could not."""
    why = f"is logged in over ssh now, from {peer}" if peer else "is the account that this run logs in to"
    return (
        f"{name} {why}, and could not log in again afterwards. {sentence(name, verdict.problems)}.\n"
        "Name it among the admins or in allow_users, with a key. Otherwise, if this run logs in to it, set "
        f"ansible_user to one that could: {', '.join(usable) or 'none yet'}; if it is not to come back, let it log out."
    )


def refusals(
    verdicts: dict[str, logins.KeyLogin], stay: dict[str, str], second_factor: str, allow_users: Sequence[str]
) -> list[str]:
    """Why nobody, or not somebody who has to stay, could log in afterwards.

    stay has the accounts that have to be able to, with the address that each is logged in from ("" for none);
    second_factor the account of a program that would be asked for a code, else "".
    """
    reasons = []
    usable = [name for name, verdict in verdicts.items() if verdict.usable]
    if not usable and (stay or allow_users):
        each = "\n".join("  " + sentence(name, verdict.problems) for name, verdict in verdicts.items())
        reasons.append(
            "Nobody could log in over ssh afterwards: no allowed account has a usable key.\n"
            f"{each or '  no account is allowed at all'}\n"
            "Put a public key (ssh-keygen -t ed25519) into the keys of an allowed admin, and run again."
        )
    else:
        reasons += [unusable(name, verdicts[name], usable, peer) for name, peer in stay.items() if name not in usable]
    if second_factor:
        reasons.append(
            f"{second_factor} would be asked for a one-time code, which Ansible cannot answer.\n"
            "Add the account to second_factor_exempt, or run as another account."
        )
    return reasons


def evaluate(
    wanted: dict[str, Any], offered: list[str], current: Current, stay: dict[str, str]
) -> dict[str, logins.KeyLogin]:
    """The verdict on every account that may log in, and on those that have to."""
    server = logins.LoginRules(
        allow_users=tuple(wanted["allow_users"]),
        allow_groups=tuple(wanted["allow_groups"]),
        root_login=wanted["root_login"],
        algorithms=tuple(name for name in wanted["algorithms"] if name in offered),
        rsa_bits=wanted["rsa_bits"],
        revoked=revoked.listed(wanted["revoked"]),
    )
    shadow = Path("/etc/shadow").read_text()
    today = datetime.date.today()
    verdicts = {}
    planned = {entry["name"]: entry for entry in wanted["planned"]}
    for name in dict.fromkeys([*logins.candidates(server, pwd.getpwall()), *stay]):
        values = current.of(name, stay.get(name) or "192.0.2.1")
        now = logins.server_of(values)
        own = dataclasses.replace(
            server,
            deny_users=now.deny_users,
            deny_groups=now.deny_groups,
            revoked=now.revoked if current.keeps_revoked(values, wanted["revoked"]) else server.revoked,
            authorized_keys_files=tuple(wanted["authorized_keys_files"] or now.authorized_keys_files),
            other_keys=(
                *now.other_keys,
                *(["certificates of TrustedUserCAKeys"] if wanted["certificates"] else []),
            ),
        )
        verdicts[name] = (
            logins.evaluate_planned(planned[name], own, shadow, today)
            if name in planned
            else logins.evaluate_login(name, own, shadow, today)
        )
    return verdicts


def run_from_here(pid: int) -> bool:
    """Whether the play's controller runs on this host itself: it is among the ancestors of this process."""
    for _ in range(64):
        process = sessions.read_process(pid)
        if process is None or pid <= 1:
            return False
        if process.name.startswith("ansible-playboo"):
            return True
        pid = process.parent
    return False


def listening(
    wanted: dict[str, Any], connections: Sequence[sessions.SshConnection]
) -> tuple[list[listen.Endpoint], list[str]]:
    """Where sshd is to listen, and what is wrong with it."""
    option = "listen_addresses"
    endpoints, problems = listen.read_listen(wanted["listen_addresses"], wanted["ports"], option)
    own = sessions.host_addresses()
    people = [
        (str(one.account), one.local_address)
        for one in connections
        if one.account and not sessions.is_local_address(one.remote_address, own)
    ]
    if not problems:
        problems = listen.absent(endpoints, own, option) + listen.deserted(endpoints, people, option)
    return endpoints, problems


def main() -> None:
    """Inspect the server, evaluate the accounts."""
    lists = (
        "allow_users",
        "allow_groups",
        "algorithms",
        "revoked",
        "second_factor_exempt",
        "listen_addresses",
    )
    spec: dict[str, Any] = {name: {"type": "list", "elements": "str", "default": []} for name in lists}
    planned: dict[str, Any] = {
        "name": {"type": "str", "required": True},
        "keys": {"type": "list", "elements": "str", "default": [], "no_log": False},
        "groups": {"type": "list", "elements": "str", "default": []},
    }
    module = AnsibleModule(
        argument_spec={
            **spec,
            "root_login": {"type": "bool", "default": False},
            "rsa_bits": {"type": "int", "default": 3072},
            "authorized_keys_files": {"type": "list", "elements": "str", "default": [], "no_log": False},
            "certificates": {"type": "bool", "default": False},
            "dropin": {"type": "path", "default": "/etc/ssh/sshd_config.d/00-dlbox.conf"},
            "ports": {"type": "list", "elements": "int", "default": [22]},
            "connecting_user": {"type": "str", "default": ""},
            "second_factor": {"type": "bool", "default": False},
            "planned": {"type": "list", "elements": "dict", "default": [], "options": planned, "no_log": False},
        },
        supports_check_mode=True,
    )
    wanted = module.params
    with privilege_separation_directory():
        server = server_facts(module)
    current = Current(module, wanted["dropin"])
    connections = sessions.live_ssh_connections()
    around = sessions.connection_around(os.getpid(), connections)
    stay = {str(one.account): one.remote_address for one in [*filter(None, [around]), *connections] if one.account}
    if wanted["connecting_user"]:
        stay.setdefault(wanted["connecting_user"], "")
    verdicts = evaluate(wanted, server["algorithms"]["pubkey"], current, stay)
    # A person in a terminal answers the question for a code; a controller that logs in from elsewhere cannot.
    program = "" if run_from_here(os.getpid()) or not around else str(around.account or "")
    program = wanted["connecting_user"] or program
    asked = program if wanted["second_factor"] and program not in wanted["second_factor_exempt"] else ""
    endpoints, reasons = listening(wanted, connections)
    reasons += current.replaced(wanted) + refusals(verdicts, stay, asked, wanted["allow_users"])
    users = {name: {"usable": v.usable, "keys": v.keys, "problems": v.problems} for name, v in verdicts.items()}
    if reasons:
        module.fail_json(msg="\n".join([*reasons, "Nothing was changed."]), users=users)
    module.exit_json(
        changed=False,
        usable=[name for name, verdict in verdicts.items() if verdict.usable],
        users=users,
        listen=[{"address": one.address, "port": one.port, "text": one.text} for one in endpoints],
        probe=[{"address": one.address, "port": one.port} for one in listen.probe(endpoints, wanted["ports"])],
        sessions=[{"account": name, "client": peer} for name, peer in stay.items() if peer],
        **server,
    )


if __name__ == "__main__":
    main()
