#!/usr/bin/python
"""Put a drop-in into sshd's configuration that wins, proved with sshd itself before anything is replaced."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: sshd_config
short_description: Manage sshd's drop-in, and verify the effective configuration before anything is replaced
description:
  - Writes a drop-in, lets the base file include the directory of drop-ins first, and makes comments of the directives
    elsewhere that would add to those of the drop-in (C(Port), C(ListenAddress), C(HostKey), C(AllowUsers),
    C(AllowGroups)).
  - The whole result is assembled in a copy of the directory first. There sshd has to accept it, and C(sshd -T -C) has
    to show the drop-in's values for each of I(users); otherwise nothing is written.
  - All files are replaced together, with a copy of each in I(backup_dir).
options:
  path:
    description: The drop-in. Its directory is included by the base file.
    type: path
    default: /etc/ssh/sshd_config.d/00-dlbox.conf
  content:
    description: Text of the drop-in.
    type: str
    required: true
  base:
    description: The base file.
    type: path
    default: /etc/ssh/sshd_config
  files:
    description: Other files that belong to the same change.
    type: list
    elements: dict
    default: []
    suboptions:
      path: {description: Absolute path., type: path, required: true}
      content: {description: Text. Empty removes the file., type: str, required: true}
      mode: {description: Mode in octal., type: str, default: "0644"}
  host_keys:
    description: Host keys that have to be there and strong.
    type: list
    elements: dict
    default: []
    suboptions:
      path: {description: Path of the private key., type: path, required: true}
      type: {description: Type as for ssh-keygen., type: str, required: true, choices: [ed25519, rsa]}
      bits: {description: Length of a new key; ed25519 has its own., type: int, default: 4096}
      min_bits: {description: A shorter key is replaced., type: int, default: 0}
  users:
    description: Accounts for which the effective configuration has to be the drop-in's.
    type: list
    elements: str
    default: [root]
  keys_needed:
    description:
      - Whether a configuration is refused that lets somebody in without a key by C(keyboard-interactive) or
        C(password). With one-time codes in PAM's place of the password, those would take a code for a password.
    type: bool
    default: false
  backup_dir:
    description:
      - Directory for copies of the files before each change; the first and the latest nine are kept. It lies outside of
        the configuration, so that none of it is left there when a change is undone.
    type: path
    default: /var/lib/dlbox/ssh
author: [dlbox (!UNKNOWN)]
version_added: 0.1.0
"""

EXAMPLES = r"""
- name: Let nobody log in with a password
  dlbox.workstation.sshd_config:
    content: |
      PasswordAuthentication no
    users: [root, ada]
"""

RETURN = r"""
files:
  description: Files that were, or in check mode would be, replaced.
  type: list
  returned: success
validated:
  description: False where the host has no sshd yet (check mode on a fresh machine).
  type: bool
  returned: success
keys_only:
  description: Whether every login needs a key, also under each Match block; null where that is not known.
  type: bool
  returned: success
keyless:
  description: Where a login needs no key, as sentences that name file and line.
  type: list
  elements: str
  returned: success
keyless_unknown:
  description: Where it is not known, as sentences that name file and line.
  type: list
  elements: str
  returned: success
"""

import os
import shutil
import stat
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.backup import keep_copies
from ..module_utils.public_key import MalformedKey
from ..module_utils.public_key import read as read_key
from ..module_utils.ssh import config, passwords
from ..module_utils.ssh.asking import privilege_separation_directory
from ..module_utils.ssh.criteria import Connection
from ..module_utils.umask import with_umask


def read(path: Path) -> str:
    """Text of a file; empty where there is none."""
    return path.read_text(errors="surrogateescape") if path.is_file() else ""


def desired_texts(params: dict[str, Any]) -> dict[str, tuple[str, int]]:
    """Path to (text, mode) of every file as it should be: drop-in, base, other drop-ins, the extras."""
    dropin, base = Path(params["path"]), Path(params["base"])
    clash = config.cumulative(params["content"])
    wanted = {str(dropin): (params["content"], 0o600)}
    wanted[str(base)] = (config.with_include(config.without(read(base), clash), f"{dropin.parent}/*.conf"), 0o600)
    for other in sorted(dropin.parent.glob("*.conf")):
        if other != dropin:
            wanted[str(other)] = (config.without(read(other), clash), 0o600)
    for extra in params["files"]:
        wanted[extra["path"]] = (extra["content"], int(extra["mode"], 8))
    return wanted


def without_value(text: str) -> list[str]:
    """Keywords of a configuration that nothing follows; sshd's own error does not say which list came out empty."""
    return [words[0] for words in map(str.split, text.splitlines()) if len(words) == 1 and words[0][0] != "#"]


def differs(path: Path, text: str, mode: int) -> bool:
    """Whether a file has another text or mode; an empty text wants it absent."""
    if not text:
        return path.exists()
    return not path.exists() or read(path) != text or stat.S_IMODE(path.stat().st_mode) != mode


def weak_host_keys(host_keys: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Host keys that are missing or too short."""
    weak = []
    for key in host_keys:
        public = Path(key["path"] + ".pub")
        try:
            bits = read_key(public.read_text()).bits
        except (OSError, MalformedKey):
            bits = -1
        if bits < key["min_bits"] or not Path(key["path"]).exists():
            weak.append(key)
    return weak


class Stage:
    """A copy of the configuration's directory in which the result is assembled and asked for."""

    def __init__(self, module: AnsibleModule, base: Path) -> None:
        """Copy the directory of the base file, without the moduli, which are large and not configuration."""
        self.module = module
        self.home = base.parent
        self.root = Path(module.tmpdir) / "sshd-stage"
        shutil.rmtree(self.root, ignore_errors=True)
        shutil.copytree(self.home, self.root, symlinks=True, ignore=shutil.ignore_patterns("moduli*"))
        self.base = self.root / base.name
        for file in self.files():
            self.write(file, read(file))

    def files(self) -> list[Path]:
        """The base file and the drop-ins in the copy."""
        return [self.base, *sorted(self.root.glob("*.d/*.conf"))]

    def texts(self) -> list[str]:
        """What they say, with the paths that people know."""
        return [self.real(read(file)) for file in self.files()]

    def at(self, path: str) -> Path:
        """Where a path of the configuration lies in the copy."""
        return self.root / Path(path).relative_to(self.home)

    def write(self, path: Path, text: str) -> None:
        """Write a file whose paths lead into the copy."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.replace(f"{self.home}/", f"{self.root}/"), errors="surrogateescape")

    def real(self, text: str) -> str:
        """A text from sshd with the paths that people know."""
        return text.replace(f"{self.root}/", f"{self.home}/")

    def put(self, wanted: dict[str, tuple[str, int]]) -> None:
        """Assemble the wanted files."""
        for path, (text, _mode) in wanted.items():
            if Path(path).is_relative_to(self.home):
                if text:
                    self.write(self.at(path), text)
                else:
                    self.at(path).unlink(missing_ok=True)

    def generate(self, key: dict[str, Any]) -> None:
        """Make a host key in the copy."""
        target = self.at(key["path"])
        target.unlink(missing_ok=True)
        command = [
            "ssh-keygen",
            "-q",
            "-t",
            key["type"],
            "-N",
            "",
            "-f",
            str(target),
            "-C",
            f"root@{os.uname().nodename}",
        ]
        if key["type"] == "rsa":
            command += ["-b", str(key["bits"])]
        self.module.run_command(command, check_rc=True)

    def sshd(self, sshd: str, *options: str) -> str:
        """What sshd says to the assembled configuration; fails the module where it refuses."""
        code, out, err = self.module.run_command([sshd, *options, "-f", str(self.base)])
        if code != 0:
            self.module.fail_json(
                msg=f"sshd refuses the configuration, nothing was changed: {self.real(err or out).strip()}. "
                "The line and file that it names hold what to correct."
            )
        return self.real(out)


def questions(module: AnsibleModule, stage: Stage) -> list[tuple[str, str]]:
    """The accounts and addresses to ask sshd for: one is enough where no Match block tells connections apart."""
    pairs = [(user, address) for user in module.params["users"] for address in ("127.0.0.1", "192.0.2.1")]
    dropins = f"{Path(module.params['path']).parent}/*.conf"
    return pairs if config.tells_connections_apart(stage.texts(), dropins) else pairs[:1]


def check(module: AnsibleModule, stage: Stage, sshd: str) -> None:
    """Fail the module where sshd refuses the result or something else in it wins over the drop-in."""
    wrong = []
    asked = questions(module, stage)
    with privilege_separation_directory():
        if not asked:  # else -T checks what -t does
            stage.sshd(sshd, "-t")
        for user, address in asked:
            wanted = config.expected(module.params["content"], user)
            got = config.effective(stage.sshd(sshd, "-T", "-C", f"user={user},host=localhost,addr={address}"))
            wrong += [f"for {user}: {deviation}" for deviation in config.deviations(wanted, got)]
    if wrong:
        module.fail_json(
            msg="sshd would not do what its drop-in says, nothing was changed: "
            + "; ".join(dict.fromkeys(wrong))
            + f". Another file below {stage.home} decides, probably in a Match block: remove it there."
        )


def keyless_logins(module: AnsibleModule, stage: Stage, sshd: str) -> passwords.PasswordLogins:
    """Whether the assembled configuration takes keys only; fails the module where it must and does not."""

    def ask(connection: Connection) -> str:
        code, out, err = module.run_command([sshd, "-T", "-C", connection.text, "-f", str(stage.base)])
        if code != 0:
            raise OSError(f"sshd -T -C {connection.text}: {stage.real(err or out).strip()}")
        return str(out)

    ports = [int(one.arguments[0]) for one in config.parse(module.params["content"]) if one.keyword == "port"]
    with privilege_separation_directory():
        verdict = passwords.survey(
            stage.base,
            ask,
            passwords.known_accounts(module.params["users"]),
            port=ports[0] if ports else 22,
            folder=stage.root,
            name=stage.real,
        )
    wrong = [one.sentence for one in verdict.open if {"password", "keyboard-interactive"} & set(one.methods)]
    if module.params["keys_needed"] and wrong:
        module.fail_json(
            msg="With one-time codes a login must need a key as well, and would not: "
            + "; ".join(wrong)
            + ". Let AuthenticationMethods begin with publickey there, or do without the codes (keys_needed: false). "
            "Nothing was changed."
        )
    return verdict


def install(
    module: AnsibleModule, stage: Stage, wanted: dict[str, tuple[str, int]], weak: list[dict[str, Any]]
) -> None:
    """Replace the files, with a copy of what they were."""
    keys = [key["path"] + suffix for key in weak for suffix in ("", ".pub")]
    keep_copies(Path(module.params["backup_dir"]), [*keys, *wanted])
    for key in weak:
        for suffix, mode in (("", 0o600), (".pub", 0o644)):
            path = key["path"] + suffix
            module.atomic_move(str(stage.at(path)), path)
            Path(path).chmod(mode)
    for path, (text, mode) in wanted.items():
        target = Path(path)
        if not text:
            target.unlink(missing_ok=True)
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        fresh = Path(module.tmpdir) / target.name
        fresh.write_text(text, errors="surrogateescape")
        fresh.chmod(mode)
        module.atomic_move(str(fresh), path)
        target.chmod(mode)


@with_umask(0o022)  # others read what it makes
def main() -> None:
    """Assemble, prove, replace."""
    sub = {"path": {"type": "path", "required": True}}
    module = AnsibleModule(
        argument_spec={
            "path": {"type": "path", "default": "/etc/ssh/sshd_config.d/00-dlbox.conf"},
            "content": {"type": "str", "required": True},
            "base": {"type": "path", "default": "/etc/ssh/sshd_config"},
            "files": {
                "type": "list",
                "elements": "dict",
                "default": [],
                "options": {
                    **sub,
                    "content": {"type": "str", "required": True},
                    "mode": {"type": "str", "default": "0644"},
                },
            },
            "host_keys": {
                "type": "list",
                "elements": "dict",
                "default": [],
                "no_log": False,
                "options": {
                    **sub,
                    "type": {"type": "str", "required": True, "choices": ["ed25519", "rsa"]},
                    "bits": {"type": "int", "default": 4096},
                    "min_bits": {"type": "int", "default": 0},
                },
            },
            "users": {"type": "list", "elements": "str", "default": ["root"]},
            "keys_needed": {"type": "bool", "default": False},
            "backup_dir": {"type": "path", "default": "/var/lib/dlbox/ssh"},
        },
        supports_check_mode=True,
    )
    empty = without_value(module.params["content"])
    if empty:
        module.fail_json(
            msg=f"{module.params['path']} would name no value for {', '.join(empty)}. Of algorithms this means that "
            "this host's OpenSSH offers none of those that are allowed: upgrade OpenSSH, or extend the list. "
            "Nothing was changed."
        )
    wanted = desired_texts(module.params)
    changed = {path: want for path, want in wanted.items() if differs(Path(path), *want)}
    weak = weak_host_keys(module.params["host_keys"])
    sshd = module.get_bin_path("sshd", opt_dirs=["/usr/sbin"])
    if not sshd and not module.check_mode:
        module.fail_json(msg="sshd is not installed: install openssh-server first")
    diff = [
        {"before_header": path, "after_header": path, "before": read(Path(path)), "after": text}
        for path, (text, _mode) in changed.items()
    ]
    verdict = passwords.PasswordLogins(unknown=("there is no sshd yet",))
    if sshd and Path(module.params["base"]).exists():
        stage = Stage(module, Path(module.params["base"]))
        stage.put(wanted)
        for key in weak:
            stage.generate(key)
        check(module, stage, sshd)
        verdict = keyless_logins(module, stage, sshd)
        if not module.check_mode and (changed or weak):
            install(module, stage, changed, weak)
    names = [*changed, *(key["path"] for key in weak)]
    module.exit_json(
        changed=bool(names),
        files=names,
        validated=bool(sshd),
        diff=diff,
        keys_only=verdict.keys_only,
        keyless=[one.sentence for one in verdict.open],
        keyless_unknown=list(verdict.unknown),
    )


if __name__ == "__main__":
    main()
