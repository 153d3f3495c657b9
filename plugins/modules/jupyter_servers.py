#!/usr/bin/python
"""Configure one JupyterLab server per user, with a password that only its user can read."""

from __future__ import annotations

DOCUMENTATION = r"""
module: jupyter_servers
short_description: Configure one JupyterLab server per user, each behind its own password
version_added: "1.0.0"
description:
  - Writes I(config_dir)/USER/jupyter_server_config.json, readable by that user only, for a server that is started with
    C(JUPYTER_CONFIG_PATH) set to that folder.
  - Passwords are hashed by the server's own code. The old hash stays as long as the password verifies against it, so a
    second run changes nothing although hashes are salted.
  - A user without a given password gets a random one, made on the host and kept in a file in the user's home that only
    the user can read. A user who writes another password into that file has it taken over by the next run.
  - The clear text is in no argument list, no log and no file but that one.
options:
  python:
    description: Interpreter of the environment that the servers run from.
    type: path
    required: true
  config_dir:
    description: Folder with one folder per user.
    type: path
    default: /etc/jupyterlab
  password_file:
    description: Path of the file with a generated password, below the user's home.
    type: str
    default: .config/dlbox/jupyter-password
  ports:
    description: TCP port by account. There is one server per account; that of an account not named here is removed.
    type: dict
    required: true
  passwords:
    description:
      - By account a password, or its hash as C(jupyter server password) makes it (C(argon2:...)).
      - An account without one gets a random password.
    type: dict
    default: {}
  start_folder:
    description:
      - Folder that the file browser starts in; C(~) is the account's home. One below the home is made, with the
        account's rights; another has to exist.
    type: str
    default: "~"
  tls:
    description: Listen on all addresses, encrypted with I(config_dir)/USER/tls.crt and tls.key, instead of on loopback.
    type: bool
    default: false
  certificate:
    description: With I(tls), the PEM file on the host that every account's server gets a copy of.
    type: path
    default: ""
  key:
    description: With I(tls), the PEM file with its key. Each copy is readable by its account only.
    type: path
    default: ""
  address:
    description: Name or address of this machine, for I(access).
    type: str
    default: localhost
  ssh_port:
    description: TCP port of its sshd, for I(access).
    type: int
    default: 22
  terminals:
    description: Whether the browser offers terminals.
    type: bool
    default: true
  default_kernel:
    description: Jupyter kernel of a new notebook. Empty for the server's own choice.
    type: str
    default: ""
  extensions:
    description: Extensions and whether they are on.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Name for people.
        type: str
        required: true
      package:
        description: The package that brings it.
        type: str
        required: true
      server:
        description: Name of its server extension, a Python module. Empty if it has none.
        type: str
        default: ""
      lab:
        description: Name of its browser extension. Empty if it has none.
        type: str
        default: ""
      system:
        description: Debian packages with the programs that it calls; I(packages) says which are missing.
        type: list
        elements: str
        default: []
      enabled:
        description: Whether it is on.
        type: bool
        default: true
  settings:
    description:
      - More server settings by class, as in jupyter_server_config.json. What keeps the server private is refused.
    type: dict
    default: {}
attributes:
  check_mode:
    support: full
    description: Users and the server's environment need not exist yet.
  diff_mode:
    support: full
    description: Hashes are not shown.
author: dlbox
"""

EXAMPLES = r"""
- name: Configure JupyterLab for two users
  jupyter_servers:
    python: /opt/conda/envs/jupyter/bin/python
    ports: {ada: 8888, bob: 8889}
    passwords: {bob: "{{ vault_jupyter_bob }}"}
"""

RETURN = r"""
servers:
  description: Per user where the password is; C(password) is given, generated (now), file (found there) or kept.
  type: list
  elements: dict
  returned: success
  sample: [{user: ada, port: 8888, password: generated, password_file: /home/ada/.config/dlbox/jupyter-password}]
access:
  description: A sentence per account, how to reach its server.
  type: list
  elements: str
  returned: success
packages:
  description: Debian packages that enabled extensions call and that are not installed.
  type: list
  elements: str
  returned: success
todo:
  description: Sentences for the owner, about extensions that are on but not installed.
  type: list
  elements: str
  returned: success
"""

import hashlib
import json
import os
import pwd
import shutil
from pathlib import Path
from typing import Any, NamedTuple

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.dlbox_jupyter import files, settings
from ansible.module_utils.dlbox_jupyter import password as passwords

CONFIG = "jupyter_server_config.json"
PAGE = "labconfig/page_config.json"
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
        found = json.loads(file.read_text(encoding="utf-8"))["PasswordIdentityProvider"]["hashed_password"]
    except (OSError, ValueError, KeyError, TypeError):
        return ""
    return found if isinstance(found, str) and passwords.is_hash(found) else ""


def read_own(account: pwd.struct_passwd, file: Path) -> str:
    """The password in the user's file, read with the user's rights; "" if there is none."""

    def work() -> str:
        try:
            return file.read_text(encoding="utf-8").strip()
        except FileNotFoundError:
            return ""

    return str(files.as_user(account, work))


def write_own(account: pwd.struct_passwd, file: Path, clear: str) -> None:
    """Write the user's password file with the user's rights: mode 0600 in folders that only the user can enter."""

    def work() -> str:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        files.write(file, clear + "\n", 0o600)
        return ""

    files.as_user(account, work)


def remove_own(account: pwd.struct_passwd, file: Path) -> None:
    """Remove the user's password file with the user's rights."""

    def work() -> str:
        file.unlink(missing_ok=True)
        return ""

    files.as_user(account, work)


def too_open(file: Path) -> bool:
    """Whether others can read the user's password file."""
    try:
        return bool(file.lstat().st_mode & 0o077)
    except OSError:
        return False


def version(file: Path) -> str:
    """What changes with every change of a file; "" where there is none. Nobody but the kernel sets ctime."""
    try:
        state = file.lstat()
    except OSError:
        return ""
    return f"{state.st_dev} {state.st_ino} {state.st_size} {state.st_ctime_ns}"


def choose(given: str, own: str, old: str) -> Secret:
    """Decide where a user's password comes from: what the owner gave, the user's file, the hash there is, chance."""
    if given:
        return Secret("given", hashed=given) if passwords.is_hash(given) else Secret("given", clear=given)
    if own:
        return Secret("file", clear=own)
    if old:
        return Secret("kept", hashed=old)
    return Secret("generated", clear=passwords.generate())


def accounts(users: list[str]) -> dict[str, pwd.struct_passwd]:
    """The accounts that exist, by name."""
    found = {}
    for user in users:
        try:
            found[user] = pwd.getpwnam(user)
        except KeyError:
            continue
    return found


def folder_of(wish: str, home: str) -> str:
    """The start folder as an absolute path."""
    return str(Path(home, wish[1:].lstrip("/"))) if wish == "~" or wish.startswith("~/") else wish


def objections(params: dict[str, Any], known: dict[str, pwd.struct_passwd], check_mode: bool) -> list[str]:
    """Everything that is wrong with the request, in sentences."""
    found = []
    ports = params["ports"]
    for user, port in ports.items():
        sharing = sorted(other for other, theirs in ports.items() if str(theirs) == str(port))
        if len(sharing) > 1 and user == sharing[0]:
            found.append(f"port {port} is given to {' and '.join(sharing)}; each server needs its own (jupyter_ports)")
        if not str(port).isdecimal() or not 1024 <= int(port) <= 65535:
            found.append(f"port {port} of {user} is not a number from 1024 to 65535")
    for user, given in params["passwords"].items():
        if user not in ports:
            found.append(
                f"jupyter_passwords names {user}, who is not in jupyter_users ({', '.join(ports) or 'nobody'})"
            )
            continue
        try:
            passwords.check(user, str(given))
        except passwords.Refused as error:
            found.append(str(error))
    if params["start_folder"] != "~" and not params["start_folder"].startswith(("/", "~/")):
        found.append(f"jupyter_start_folder is {params['start_folder']}; expected ~, ~/FOLDER or an absolute path")
    unknown = [] if check_mode else [user for user in ports if user not in known]
    if unknown:
        found.append(
            f"no account named {', '.join(unknown)} on this host: add it to dlbox_admins "
            "or leave it out of jupyter_users"
        )
    undone = settings.refused(params["settings"])
    if undone:
        found.append(f"jupyter_settings may not set {', '.join(undone)}, which keep the server private")
    if ports and not check_mode and not Path(params["python"]).is_file():
        found.append(
            f"{params['python']} does not exist: JupyterLab needs its environment first "
            "(run the role conda, or name another environment in jupyter_environment)"
        )
    return found


def missing_extensions(python: Path, extensions: list[dict[str, Any]]) -> list[str]:
    """Enabled extensions whose server module or browser part is not in the environment."""
    prefix = python.parent.parent
    packages = list(prefix.glob("lib/python3.*/site-packages"))
    missing = []
    for extension in extensions:
        server, lab = extension["server"], extension["lab"]
        here = (not server or any((site / server).is_dir() for site in packages)) and (
            not lab or (prefix / "share/jupyter/labextensions" / lab).is_dir()
        )
        if extension["enabled"] and not here:
            missing.append(str(extension["name"]))
    return missing


def missing_packages(module: AnsibleModule, extensions: list[dict[str, Any]]) -> list[str]:
    """Debian packages that enabled extensions call and that are not installed."""
    wanted = sorted({name for extension in extensions if extension["enabled"] for name in extension["system"]})
    if not wanted:
        return []
    # Its exit status says that a name is unknown, which is one more that is missing.
    _, out, _ = module.run_command(["dpkg-query", "--show", "--showformat=${Package} ${db:Status-Abbrev}\n", *wanted])
    there = {line.split()[0] for line in out.splitlines() if line.split()[1:] == ["ii"]}
    return [name for name in wanted if name not in there]


def way(person: str, port: int, password_file: str | None, tls: bool, address: str, ssh_port: int) -> str:
    """How to reach a server: the ssh command ready to paste, or the address, and where the password is."""
    password = f"its password is in {password_file} on {address}" if password_file else "with the password you gave"
    if tls:
        return f"JupyterLab of {person}: https://{address}:{port}/ ({password})"
    option = f" -p {ssh_port}" if ssh_port != 22 else ""
    command = f"ssh -N{option} -L {port}:localhost:{port} {person}@{address}"
    return f"JupyterLab of {person}: {command}   then http://localhost:{port}/ ({password})"


def as_text(content: Any) -> str:
    """JSON as it is written."""
    return json.dumps(content, indent=1, sort_keys=True) + "\n"


def shown(text: str) -> str:
    """A configuration as a diff may show it."""
    try:
        return as_text(settings.masked(json.loads(text))) if text else ""
    except (ValueError, TypeError, AttributeError):
        return "(not JSON)\n"


def right(file: Path, content: str, uid: int, mode: int) -> bool:
    """Whether a file has this content, owner and mode."""
    try:
        state = file.lstat()
        return (state.st_uid, state.st_mode & 0o7777) == (uid, mode) and file.read_text(encoding="utf-8") == content
    except (OSError, ValueError):
        return False


class Person(NamedTuple):
    """An account, as far as it exists, and its places."""

    name: str
    account: pwd.struct_passwd | None
    folder: Path
    """Its configuration."""
    own_file: Path
    """Its password file."""

    @property
    def home(self) -> str:
        """The home folder; a guess in check mode, while the account does not exist."""
        return self.account.pw_dir if self.account else f"/home/{self.name}"

    @property
    def uid(self) -> int:
        """The numeric user id; -1 while the account does not exist."""
        return self.account.pw_uid if self.account else -1


class Work:
    """One run of the module: collects what changes, and changes it outside of check mode."""

    def __init__(self, module: AnsibleModule) -> None:
        """Find the accounts."""
        self.module = module
        self.params: dict[str, Any] = module.params
        self.dry: bool = module.check_mode
        self.python = Path(self.params["python"])
        self.root = Path(self.params["config_dir"])
        known = accounts(list(self.params["ports"]))
        self.people = {
            name: Person(
                name,
                known.get(name),
                self.root / name,
                Path(known[name].pw_dir if name in known else f"/home/{name}", self.params["password_file"]),
            )
            for name in self.params["ports"]
        }
        self.versions: dict[str, str] = {}
        self.changed = False
        self.diffs: list[dict[str, str]] = []
        wrong = objections(self.params, known, self.dry)
        if wrong:
            module.fail_json(msg="; ".join(wrong))

    def secret(self, person: Person) -> Secret:
        """Where this account's password comes from."""
        # Before it is read: a password that its user changes in this moment is another version.
        self.versions[person.name] = version(person.own_file)
        try:
            own = read_own(person.account, person.own_file) if person.account else ""
        except OSError as error:
            self.module.fail_json(msg=f"cannot read {person.own_file} as {person.name}: {error}")
        secret = choose(str(self.params["passwords"].get(person.name, "")), own, old_hash(person.folder / CONFIG))
        if secret.source == "file" and len(own) < passwords.SHORTEST:
            self.module.fail_json(
                msg=f"{person.own_file} holds {len(own)} characters; expected {passwords.SHORTEST} or more. "
                "Write a longer password into it, or remove the file to get a random one."
            )
        return secret

    def hashes(self, secrets: dict[str, Secret]) -> dict[str, str]:
        """The hash by account, made by the server's own code in one process."""
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
        try:
            made: dict[str, str] = passwords.Hasher(str(self.python)).hashes(to_hash)
            return ready | made
        except RuntimeError as error:
            self.module.fail_json(msg=str(error))
        return {}

    def note_of(self, person: Person, hashed: str) -> str:
        """What VERIFIED says when this hash is that of the password file as it was read; it tells nothing of either."""
        return hashlib.sha256(f"{self.versions[person.name]} {hashed}".encode()).hexdigest() + "\n"

    def verified(self, person: Person, hashed: str) -> bool:
        """Whether an earlier run has found that this hash is that of the account's password file."""
        return bool(hashed) and right(person.folder / VERIFIED, self.note_of(person, hashed), os.geteuid(), 0o400)

    def remember(self, person: Person, hashed: str) -> None:
        """Note for the next run that this hash is that of the account's password file."""
        if not self.dry and not self.verified(person, hashed):
            files.write(person.folder / VERIFIED, self.note_of(person, hashed), 0o400)

    def keep_password(self, person: Person, secret: Secret) -> None:
        """Write a generated password where its user finds it, close a file that is too open, remove a stale one."""
        account = person.account
        if secret.source == "generated" or (secret.source == "file" and too_open(person.own_file)):
            self.changed = True
            if not self.dry and account:
                write_own(account, person.own_file, secret.clear)
        elif secret.source == "given" and account and person.own_file.is_file():
            # It no longer opens anything and would only mislead.
            self.changed = True
            if not self.dry:
                remove_own(account, person.own_file)

    def configure(self, person: Person, hashed: str) -> None:
        """Write the account's configuration."""
        tls = self.params["tls"]
        wish = settings.Server(
            user=person.name,
            port=int(self.params["ports"][person.name]),
            start_folder=folder_of(self.params["start_folder"], person.home),
            certificate=str(person.folder / "tls.crt") if tls else "",
            key=str(person.folder / "tls.key") if tls else "",
            terminals=self.params["terminals"],
            default_kernel=self.params["default_kernel"],
            extensions=tuple(self.params["extensions"]),
            extra=self.params["settings"],
        )
        contents = {CONFIG: settings.server_settings(wish, hashed), PAGE: settings.page_settings(wish)}
        for name, content in contents.items():
            file, text = person.folder / name, as_text(content)
            if right(file, text, person.uid, 0o400):
                continue
            before = file.read_text(encoding="utf-8", errors="replace") if file.is_file() else ""
            self.note(file, shown(before), shown(text))
            if not self.dry and person.account:
                file.parent.mkdir(parents=True, exist_ok=True)
                for place in (self.root, person.folder, file.parent):
                    place.chmod(0o755)
                files.write(file, text, 0o400, person.uid, person.account.pw_gid)

    def start_folder(self, person: Person) -> None:
        """Make the account's start folder where it is below its home; without it the server would not start."""
        folder = Path(folder_of(self.params["start_folder"], person.home))
        if person.account is None or folder.is_dir():
            return
        self.note(folder, "", "a folder\n")
        if self.dry:
            return

        def work() -> str:
            folder.mkdir(parents=True, exist_ok=True)
            return ""

        try:
            files.as_user(person.account, work)
        except OSError as error:
            self.module.fail_json(
                msg=f"jupyter_start_folder is {self.params['start_folder']}: {person.name} cannot make {folder} "
                f"({error}). Make it, or choose a folder below the home"
            )

    def certify(self, person: Person) -> None:
        """Give the account's server its copy of the certificate and key."""
        for source, name in ((self.params["certificate"], "tls.crt"), (self.params["key"], "tls.key")):
            try:
                text = Path(source).read_text(encoding="utf-8")
            except OSError as error:
                if self.dry:
                    continue  # it may be only announced
                self.module.fail_json(msg=f"cannot read {source} for the server of {person.name}: {error}")
            file = person.folder / name
            if right(file, text, person.uid, 0o400):
                continue
            self.note(file, "", f"(a copy of {source})\n")
            if not self.dry and person.account:
                files.write(file, text, 0o400, person.uid, person.account.pw_gid)

    def forget(self) -> None:
        """Remove the configuration of accounts that are not listed, and their password, which opens nothing more."""
        for place in sorted(self.root.iterdir()) if self.root.is_dir() else []:
            if (place / CONFIG).is_file() and place.name not in self.people:
                self.note(place, f"{place.name}\n", "")
                if not self.dry:
                    for account in accounts([place.name]).values():
                        remove_own(account, Path(account.pw_dir, self.params["password_file"]))
                    shutil.rmtree(place)
        if not self.people and self.root.is_dir() and not self.dry and not any(self.root.iterdir()):
            self.root.rmdir()

    def note(self, place: Path, before: str, after: str) -> None:
        """Record a change."""
        self.changed = True
        header = str(place)
        self.diffs.append({"before_header": header, "after_header": header, "before": before, "after": after})

    def run(self) -> None:
        """Do it all and report."""
        secrets = {name: self.secret(person) for name, person in self.people.items()}
        hashes = self.hashes(secrets)
        for name, person in self.people.items():
            # The password file first: a run killed in between must not leave the hash of a lost password.
            self.keep_password(person, secrets[name])
            self.start_folder(person)
            self.configure(person, hashes[name])
            if secrets[name].source == "file":
                self.remember(person, hashes[name])
            if self.params["tls"]:
                self.certify(person)
        self.forget()
        servers: list[dict[str, Any]] = [
            {
                "user": name,
                "port": int(self.params["ports"][name]),
                "password": secrets[name].source,
                "password_file": str(person.own_file) if secrets[name].source in ("generated", "file") else None,
            }
            for name, person in self.people.items()
        ]
        missing = missing_extensions(self.python, self.params["extensions"]) if self.python.is_file() else []
        self.module.exit_json(
            changed=self.changed,
            servers=servers,
            access=[
                way(
                    server["user"],
                    server["port"],
                    server["password_file"],
                    self.params["tls"],
                    self.params["address"],
                    self.params["ssh_port"],
                )
                for server in servers
            ],
            todo=[
                f"JupyterLab has no {', '.join(missing)}: add the package to the environment "
                f"{self.python.parent.parent}, or set enabled: false in jupyter_extensions."
            ]
            if missing
            else [],
            packages=missing_packages(self.module, self.params["extensions"]) if self.people else [],
            diff=self.diffs,
        )


def main() -> None:
    """Run the module."""
    extension = {
        "name": {"type": "str", "required": True},
        "package": {"type": "str", "required": True},
        "server": {"type": "str", "default": ""},
        "lab": {"type": "str", "default": ""},
        "system": {"type": "list", "elements": "str", "default": []},
        "enabled": {"type": "bool", "default": True},
    }
    module = AnsibleModule(
        argument_spec={
            "python": {"type": "path", "required": True},
            "config_dir": {"type": "path", "default": "/etc/jupyterlab"},
            "password_file": {"type": "str", "default": ".config/dlbox/jupyter-password", "no_log": False},
            "ports": {"type": "dict", "required": True},
            "passwords": {"type": "dict", "default": {}, "no_log": True},
            "start_folder": {"type": "str", "default": "~"},
            "tls": {"type": "bool", "default": False},
            "certificate": {"type": "path", "default": ""},
            "key": {"type": "path", "default": "", "no_log": False},
            "address": {"type": "str", "default": "localhost"},
            "ssh_port": {"type": "int", "default": 22},
            "terminals": {"type": "bool", "default": True},
            "default_kernel": {"type": "str", "default": ""},
            "extensions": {"type": "list", "elements": "dict", "default": [], "options": extension},
            "settings": {"type": "dict", "default": {}},
        },
        supports_check_mode=True,
    )
    Work(module).run()


if __name__ == "__main__":
    main()
