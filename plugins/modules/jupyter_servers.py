#!/usr/bin/python
"""Configure one JupyterLab server per user, with a password that only its user can read."""

from __future__ import annotations

DOCUMENTATION = r"""
module: jupyter_servers
short_description: Configure one JupyterLab server per user, each behind its own password
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
  links:
    description:
      - Links in every account's start folder, made with the account's rights, as mappings with C(path) and, where the
        link has another name than the folder, C(name). Other keys are ignored.
      - What is already there under such a name stays, and is named in RV(todo).
    type: list
    elements: dict
    default: []
  tls:
    description:
      - The servers are reached through a TLS endpoint that listens on all addresses on their port;
        I(config_dir)/USER/tls.conf is for its stunnel(8).
    type: bool
    default: false
  certificate:
    description: With I(tls), the PEM file on the host with the endpoint's certificate.
    type: path
    default: ""
  key:
    description: With I(tls), the PEM file with its key, which no account needs to be able to read.
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
author: [dlbox (!UNKNOWN)]
version_added: 0.1.0
"""

EXAMPLES = r"""
- name: Configure JupyterLab for two users
  dlbox.workstation.jupyter_servers:
    python: /opt/conda/envs/jupyter/bin/python
    ports: {ada: 8888, bob: 8889}
    passwords: {bob: "{{ vault_jupyter_bob }}"}
"""

RETURN = r"""
servers:
  description:
    - Per user where the password is; C(password) is given, generated (now), file (found there), kept, or locked where
      the account's file is no password and there was none before.
  type: list
  elements: dict
  returned: success
  sample: [{user: ada, port: 8888, password: generated, password_file: /home/ada/.config/dlbox/jupyter-password}]
access:
  description: A sentence per account, how to reach its server.
  type: list
  elements: str
  returned: success
tls_unit:
  description: Whether a TLS endpoint was set up by this or an earlier run.
  type: bool
  returned: success
packages:
  description: Debian packages that are needed and not installed, such as those that enabled extensions call.
  type: list
  elements: str
  returned: success
todo:
  description:
    - Sentences for the owner, about extensions that are on but not installed, links that could not be made, and
      accounts whose password file is none.
  type: list
  elements: str
  returned: success
"""

import contextlib
import hashlib
import json
import os
import pwd
import shutil
from pathlib import Path
from typing import Any, NamedTuple

from ansible.module_utils.basic import AnsibleModule

from ..module_utils import run_as
from ..module_utils.host.dpkg import read_packages
from ..module_utils.jupyter import password as passwords
from ..module_utils.jupyter import settings

CONFIG = "jupyter_server_config.json"
PAGE = "labconfig/page_config.json"
TLS = "tls.conf"
TLS_UNIT = Path("/etc/systemd/system/jupyterlab-tls@.service")
#: Bytes of a configuration: its account owns the file and could make it any size.
LARGEST = 1 << 20
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


class Folders(NamedTuple):
    """What a start folder lacks, or lacked."""

    folder: bool
    links: list[str]
    taken: list[str]
    """Names of links in whose place something else is."""


def settle_folders(account: run_as.Account, folder: Path, links: dict[str, str], dry: bool) -> Folders:
    """Make a start folder and the links in it with the account's rights. Raises OSError."""

    def work() -> str:
        missing = not folder.is_dir()
        if missing and not dry:
            folder.mkdir(parents=True, exist_ok=True)
        lacking, taken = [], []
        for name, target in links.items():
            link = folder / name
            if link.is_symlink() and str(link.readlink()) == target:
                continue
            if os.path.lexists(link):
                taken.append(str(link))
                continue
            lacking.append(str(link))
            if not dry:
                link.symlink_to(target)
        return json.dumps(Folders(missing, lacking, taken))

    return Folders(*json.loads(run_as.call_as(account, work)))


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
            found.append(f"port {port} is given to {' and '.join(sharing)}; each server needs its own (ports)")
        if not str(port).isdecimal() or not 1024 <= int(port) <= 65535:
            found.append(f"port {port} of {user} is not a number from 1024 to 65535")
    for user, given in params["passwords"].items():
        if user not in ports:
            found.append(f"passwords names {user}, who is not in ports ({', '.join(ports) or 'nobody'})")
            continue
        try:
            passwords.check(user, str(given))
        except passwords.Refused as error:
            found.append(str(error))
    if params["start_folder"] != "~" and not params["start_folder"].startswith(("/", "~/")):
        found.append(f"start_folder is {params['start_folder']}; expected ~, ~/FOLDER or an absolute path")
    unknown = [] if check_mode else [user for user in ports if user not in known]
    if unknown:
        found.append(
            f"no account named {', '.join(unknown)} on this host: create it (each admin gets one), or "
            "leave it out of ports"
        )
    undone = settings.refused(params["settings"])
    if undone:
        found.append(f"settings may not set {', '.join(undone)}, which keep the server private")
    if ports and not check_mode and not Path(params["python"]).is_file():
        found.append(
            f"{params['python']} does not exist: JupyterLab needs its environment first "
            "(make it with conda_env, or name another one's interpreter in python)"
        )
    elif ports and os.geteuid() == 0 and Path(params["python"]).exists():
        loose = run_as.root_only(params["python"])
        if loose:
            found.append(
                f"{loose}, and the JupyterLab of every account would run from there: "
                "make the environment root's alone, or name another one's interpreter in python"
            )
    return found + led_astray(params["links"])


def led_astray(folders: list[dict[str, Any]]) -> list[str]:
    """Data folders whose owner and mode root would set, and at whose place others could put a link, in sentences."""
    found = []
    places = {os.path.normpath(item["path"]): item for item in folders}
    for path in places:
        problem = run_as.root_places(path) if os.geteuid() == 0 else ""
        for above, item in places.items():
            mode = int(str(item.get("mode") or "0755"), 8)
            given = mode & 0o022 or (item.get("owner") or "root") != "root"
            if path.startswith(f"{above}/") and given and not problem:
                problem = f"{above} will be writable by others than root (owner, mode)"
        if problem:
            found.append(
                f"links names the folder {path}, but {problem}, who could put a link in its place. Name a folder "
                "whose parents root alone can write; what lies in it its owner and group make themselves"
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


def missing_packages(extensions: list[dict[str, Any]], tls: bool) -> list[str]:
    """Debian packages that enabled extensions and the TLS endpoint call and that are not installed."""
    called = {name for extension in extensions if extension["enabled"] for name in extension["system"]}
    wanted = sorted(called | ({"stunnel4"} if tls else set()))
    there = read_packages() if wanted else {}
    return [name for name in wanted if name not in there or not there[name].configured]


def way(person: str, port: int, password_file: str | None, tls: bool, address: str, ssh_port: int) -> str:
    """How to reach a server: the ssh command ready to paste, or the address, and where the password is."""
    password = f"its password is in {password_file} on {address}" if password_file else "with the password you gave"
    if tls:
        return f"JupyterLab of {person}: https://{address}:{port}/ ({password})"
    option = f" -p {ssh_port}" if ssh_port != 22 else ""
    # Not localhost, which is ::1 first: any account of the host could listen there, and would get the password.
    command = f"ssh -N{option} -L {port}:127.0.0.1:{port} {person}@{address}"
    return f"JupyterLab of {person}: {command}   then http://localhost:{port}/ ({password})"


def as_text(content: Any) -> str:
    """JSON as it is written."""
    return json.dumps(content, indent=1, sort_keys=True) + "\n"


def shown(text: str) -> str:
    """A configuration as a diff may show it."""
    try:
        return as_text(settings.masked(json.loads(text))) if text else ""
    except (ValueError, TypeError, AttributeError, RecursionError):
        return "(not JSON)\n"


def text_of(file: Path) -> str:
    """The text of a configuration; "" where there is none."""
    try:
        return str(run_as.read_regular(file, LARGEST, follow=False).decode("utf-8", "replace"))
    except OSError:
        return ""


def right(file: Path, content: str, uid: int, mode: int) -> bool:
    """Whether a file has this content, owner and mode."""
    try:
        state = file.lstat()
    except OSError:
        return False
    return (state.st_uid, state.st_mode & 0o7777) == (uid, mode) and text_of(file) == content


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
        self.own: dict[str, OwnFile] = dict.fromkeys(self.params["ports"], OwnFile())
        self.links = {
            str(item.get("name") or Path(item["path"]).name): str(item["path"]) for item in self.params["links"]
        }
        self.taken: list[str] = []
        self.todo: list[str] = []
        self.changed = False
        self.diffs: list[dict[str, str]] = []
        wrong = objections(self.params, known, self.dry)
        if wrong:
            module.fail_json(msg="; ".join(wrong))

    def secret(self, person: Person) -> Secret:
        """Where this account's password comes from. A file of its own that is none concerns this account alone."""
        problem = ""
        try:
            if person.account:
                self.own[person.name] = read_own(run_as.account(person.name), person.own_file)
        except (OSError, ValueError) as error:
            problem = f"cannot be read as {person.name} ({error})"
        own, old = self.own[person.name].text, old_hash(person.folder / CONFIG)
        secret = choose(str(self.params["passwords"].get(person.name, "")), own, old)
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
        made: dict[str, str] = {}
        for name, (clear, old_one) in to_hash.items():
            if self.people[name].account is None:
                made[name] = "(not hashed yet)"  # check mode before the account exists
                continue
            try:
                made[name] = passwords.hashed(str(self.python), run_as.account(name), clear, old_one)
            except RuntimeError as error:
                self.module.fail_json(msg=str(error))
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

    def keep_password(self, person: Person, secret: Secret) -> None:
        """Write a generated password where its user finds it, close a file that is too open, remove a stale one."""
        account = person.account
        own = self.own[person.name]
        if secret.source == "generated" or (secret.source == "file" and own.open):
            self.changed = True
            if not self.dry and account:
                run_as.write_as(run_as.account(person.name), person.own_file, secret.clear + "\n")
        elif secret.source == "given" and account and own.version:
            # It no longer opens anything and would only mislead.
            self.changed = True
            if not self.dry:
                run_as.remove_as(run_as.account(person.name), person.own_file)

    def configure(self, person: Person, hashed: str) -> None:
        """Write the account's configuration."""
        tls, port = self.params["tls"], int(self.params["ports"][person.name])
        server = settings.Server(
            user=person.name,
            start_folder=folder_of(self.params["start_folder"], person.home),
            behind_tls=tls,
            terminals=self.params["terminals"],
            default_kernel=self.params["default_kernel"],
            extensions=tuple(self.params["extensions"]),
            extra=self.params["settings"],
        )
        gid = person.account.pw_gid if person.account else 0
        # The password's hash is the account's to read; the rest is root's and no secret.
        files = [
            (CONFIG, as_text(settings.server_settings(server, hashed)), person.uid, gid, 0o400),
            (PAGE, as_text(settings.page_settings(server)), person.uid, gid, 0o400),
        ]
        if tls:
            endpoint = settings.tls_endpoint(person.name, port, self.params["certificate"], self.params["key"])
            files.append((TLS, endpoint, os.geteuid(), os.getegid(), 0o644))
        elif (person.folder / TLS).exists():
            self.note(person.folder / TLS, text_of(person.folder / TLS), "")
            if not self.dry:
                (person.folder / TLS).unlink()
        for name, text, uid, gid, mode in files:
            file = person.folder / name
            if right(file, text, uid, mode):
                continue
            before = text_of(file)
            self.note(file, *(side if name == TLS else shown(side) for side in (before, text)))
            if not self.dry and person.account:
                file.parent.mkdir(parents=True, exist_ok=True)
                for place in (self.root, person.folder, file.parent):
                    place.chmod(0o755)
                run_as.replace_file(file, text, mode, uid, gid)

    def start_folder(self, person: Person) -> None:
        """Make the account's start folder, without which the server would not start, and the links in it."""
        if person.account is None:
            return
        folder = Path(folder_of(self.params["start_folder"], person.home))
        try:
            found = settle_folders(run_as.account(person.name), folder, self.links, self.dry)
        except OSError as error:
            self.todo.append(
                f"start_folder is {self.params['start_folder']}: {person.name} cannot make {folder} or the "
                f"links in it ({error}). Make it, or choose a folder below the home."
            )
            return
        if found.folder:
            self.note(folder, "", "a folder\n")
        for link in found.links:
            self.note(Path(link), "", "a link\n")
        self.taken += found.taken

    def forget(self) -> None:
        """Remove the configuration of accounts that are not listed, and their password, which opens nothing more."""
        for place in sorted(self.root.iterdir()) if self.root.is_dir() else []:
            if (place / CONFIG).is_file() and place.name not in self.people:
                self.note(place, f"{place.name}\n", "")
                if not self.dry:
                    for name, account in accounts([place.name]).items():
                        run_as.remove_as(run_as.account(name), Path(account.pw_dir, self.params["password_file"]))
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
            if secrets[name].source in ("file", "generated"):
                self.remember(person, secrets[name], hashes[name])
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
                f"{self.python.parent.parent}, or set enabled: false in extensions."
            ]
            * bool(missing)
            + [f"{link} is not the link to a data folder: rename it, and run again." for link in self.taken]
            + self.todo,
            tls_unit=self.params["tls"] or TLS_UNIT.exists(),
            packages=missing_packages(self.params["extensions"], self.params["tls"]) if self.people else [],
            diff=self.diffs,
        )


def main() -> None:
    """Run the module."""
    os.umask(0o022)  # others read what it makes, whatever umask root has on this host
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
            "links": {"type": "list", "elements": "dict", "default": []},
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
