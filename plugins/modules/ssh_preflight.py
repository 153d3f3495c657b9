#!/usr/bin/python
"""Look at the host's OpenSSH, and find out who could log in once a configuration is in place, before it is."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: ssh_preflight
short_description: Look at the host's OpenSSH, and refuse a configuration that locks its owner out
description:
  - One call for all that decisions about sshd need. It changes nothing and works on a host without an ssh server.
  - Judges each allowed account by what sshd will look at, that is C(AllowUsers) and C(AllowGroups), the account's
    expiry and password ageing, shell, home, owner and mode of the key file and the directories above it, and each key
    in it (parseable, of an accepted type, long enough, not revoked, expired or bound to a command).
  - Fails, with each reason and its remedy, where nobody or not the connecting account could log in afterwards.
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
    description: As for AuthorizedKeysFile.
    type: list
    elements: str
    default: [.ssh/authorized_keys, .ssh/authorized_keys2]
  certificates:
    description: Whether the server will trust an ssh CA. Users may then log in without a key file.
    type: bool
    default: false
  over_ssh:
    description:
      - Whether the play comes over ssh. Then somebody has to be able to log in, and the connecting account too.
      - On the machine that its owner sits at nobody needs to.
    type: bool
    default: true
  connecting_user:
    description: Account that the play logs in to. Empty finds it out.
    type: str
    default: ""
  second_factor:
    description: Whether the server will ask for a one-time code, which programs cannot answer.
    type: bool
    default: false
  second_factor_exempt:
    description: Accounts that it will not ask.
    type: list
    elements: str
    default: []
  planned:
    description: Accounts that another role makes in the same run. In check mode they are taken as usable.
    type: list
    elements: str
    default: []
author: dlbox
"""

EXAMPLES = r"""
- name: Look at the ssh server and refuse to lock the owner out
  ssh_preflight:
    allow_users: [ada]
  register: server
"""

RETURN = r"""
installed:
  description: Whether sshd is there. Without it the lists below are empty.
  type: bool
release:
  description: The host's release as in /etc/os-release, for instance debian-13 or ubuntu-24.04.
  type: str
version:
  description: What C(ssh -V) says, for people.
  type: str
algorithms:
  description: "What C(ssh -Q) offers, by its query: kex, mac, cipher, hostkey and pubkey (signature algorithms)."
  type: dict
keywords:
  description: Keywords in lower case that this sshd knows.
  type: list
host_keys:
  description: "Host keys in /etc/ssh: type, bits, path of the private key, fingerprint."
  type: list
socket:
  description: "Whether ssh.socket is used (enabled or active), and has a generator that follows Port in sshd_config."
  type: dict
weak_moduli:
  description: Number of groups in /etc/ssh/moduli with less than 3071 bits.
  type: int
pam:
  description: Text of /etc/pam.d/sshd; empty where there is none.
  type: str
usable:
  description: Accounts that could log in.
  type: list
users:
  description: "Each judged account: usable, keys (fingerprints of the keys that log in) and problems (sentences)."
  type: dict
"""

import datetime
import os
import pwd
import re
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.dlbox_public_key import MalformedKey
from ansible.module_utils.dlbox_public_key import read as read_key
from ansible.module_utils.dlbox_ssh import logins

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


def release(os_release: str) -> str:
    """The release's name from the text of /etc/os-release: ID-VERSION_ID."""
    values = dict(line.split("=", 1) for line in os_release.splitlines() if "=" in line)
    return "-".join(values.get(name, "").strip("\"'") for name in ("ID", "VERSION_ID"))


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
        made = not Path("/run/sshd").exists()
        if made:
            Path("/run/sshd").mkdir(mode=0o755)
        defaults = run(sshd, "-T", "-f", "/dev/null", "-h", found[0]["path"])
        if made:
            Path("/run/sshd").rmdir()
        keywords = sorted({line.split()[0].lower() for line in defaults.splitlines() if line})
    states = run("systemctl", "show", "--value", "-p", "UnitFileState", "-p", "ActiveState", "ssh.socket").split()
    moduli = folder / "moduli"
    pam = Path("/etc/pam.d/sshd")
    system = Path("/etc/os-release")
    return {
        "installed": bool(sshd),
        "release": release(system.read_text()) if system.exists() else "",
        "version": re.split(r"[\s,]", run(ssh, "-V"))[0] if ssh else "",
        "algorithms": {name: run(ssh, "-Q", query).split() if ssh and sshd else [] for name, query in QUERIES.items()},
        "keywords": keywords,
        "host_keys": found,
        "socket": {
            "used": "enabled" in states or "active" in states,
            "generator": any(map(os.path.exists, SOCKET_GENERATORS)),
        },
        "weak_moduli": weak_moduli(moduli.read_text()) if moduli.exists() else 0,
        "pam": pam.read_text() if pam.exists() else "",
    }


def account_before_sudo() -> str:
    """The account that this connection logged in to; the own one where sudo did not come in between."""
    return os.environ.get("SUDO_USER") or pwd.getpwuid(os.getuid()).pw_name


def revoked_blobs(lines: list[str]) -> frozenset[str]:
    """Key data of revoked public keys; lines that are none are left to sshd."""
    blobs = set()
    for line in lines:
        try:
            blobs.add(read_key(line).body)
        except MalformedKey:
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


def judge(wanted: dict[str, Any], offered: list[str], connecting: str) -> dict[str, logins.Verdict]:
    """The verdict on every account that may log in, and on the one that the play logs in to ("" where it does not)."""
    server = logins.Server(
        allow_users=tuple(wanted["allow_users"]),
        allow_groups=tuple(wanted["allow_groups"]),
        root_login=wanted["root_login"],
        algorithms=tuple(name for name in wanted["algorithms"] if name in offered),
        rsa_bits=wanted["rsa_bits"],
        revoked=revoked_blobs(wanted["revoked"]),
        authorized_keys_files=tuple(wanted["authorized_keys_files"]),
        certificates=wanted["certificates"],
    )
    names = list(dict.fromkeys(logins.candidates(server, pwd.getpwall()) + ([connecting] if connecting else [])))
    shadow = Path("/etc/shadow").read_text()
    return {name: logins.judge(name, server, shadow, datetime.date.today()) for name in names}


def main() -> None:
    """Look at the server, judge the accounts."""
    lists = ("allow_users", "allow_groups", "algorithms", "revoked", "second_factor_exempt", "planned")
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
            "over_ssh": {"type": "bool", "default": True},
            "connecting_user": {"type": "str", "default": ""},
            "second_factor": {"type": "bool", "default": False},
        },
        supports_check_mode=True,
    )
    wanted = module.params
    server = server_facts(module)
    connecting = (wanted["connecting_user"] or account_before_sudo()) if wanted["over_ssh"] else ""
    verdicts = judge(wanted, server["algorithms"]["pubkey"], connecting)
    if module.check_mode:
        for name in wanted["planned"]:
            if name in verdicts and not verdicts[name].usable:
                verdicts[name] = logins.Verdict(True, [], ["is planned; judged when it exists"])
    asked = wanted["second_factor"] and bool(connecting) and connecting not in wanted["second_factor_exempt"]
    reasons = refusals(verdicts, connecting, asked, wanted["over_ssh"], wanted["allow_users"])
    users = {name: {"usable": v.usable, "keys": v.keys, "problems": v.problems} for name, v in verdicts.items()}
    if reasons:
        module.fail_json(msg="\n".join([*reasons, "Nothing was changed."]), users=users)
    module.exit_json(
        changed=False, usable=[name for name, verdict in verdicts.items() if verdict.usable], users=users, **server
    )


if __name__ == "__main__":
    main()
