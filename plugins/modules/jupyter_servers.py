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

from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.jupyter.server_configuration import ServerConfiguration
from ..module_utils.jupyter.server_files import Person, accounts
from ..module_utils.jupyter.server_passwords import ServerPasswords
from ..module_utils.jupyter.server_report import access_hint, missing_extensions, missing_packages
from ..module_utils.jupyter.server_request import request_problems
from ..module_utils.umask import with_umask

TLS_UNIT = Path("/etc/systemd/system/jupyterlab-tls@.service")


def set_up(params: dict[str, Any], people: dict[str, Person], *, dry: bool) -> dict[str, Any]:
    """Apply passwords and configurations, and return the module's result. Raises RuntimeError."""
    python = Path(params["python"])
    passwords = ServerPasswords(people, params["passwords"], python, dry=dry)
    configuration = ServerConfiguration(people, params, dry=dry)
    secrets = {name: passwords.secret(person) for name, person in people.items()}
    hashes = passwords.hashes(secrets)
    changed = False
    for name, person in people.items():
        # The password file first: a run killed in between must not leave the hash of a lost password.
        changed |= passwords.keep_file(person, secrets[name])
        configuration.start_folder(person)
        configuration.configure(person, hashes[name])
        if secrets[name].source in ("file", "generated"):
            passwords.remember(person, secrets[name], hashes[name])
    configuration.remove_unlisted()
    servers: list[dict[str, Any]] = [
        {
            "user": name,
            "port": int(params["ports"][name]),
            "password": secrets[name].source,
            "password_file": str(person.own_file) if secrets[name].source in ("generated", "file") else None,
        }
        for name, person in people.items()
    ]
    missing = missing_extensions(python, params["extensions"]) if python.is_file() else []
    todo = [
        f"JupyterLab has no {', '.join(missing)}: add the package to the environment "
        f"{python.parent.parent}, or set enabled: false in extensions."
    ] * bool(missing)
    todo += [f"{link} is not the link to a data folder: rename it, and run again." for link in configuration.taken]
    reach = {"tls": params["tls"], "address": params["address"], "ssh_port": params["ssh_port"]}
    return {
        "changed": changed or bool(configuration.diffs),
        "servers": servers,
        "access": [access_hint(one["user"], one["port"], one["password_file"], **reach) for one in servers],
        "todo": todo + passwords.todo + configuration.todo,
        "tls_unit": params["tls"] or TLS_UNIT.exists(),
        "packages": missing_packages(params["extensions"], params["tls"]) if people else [],
        "diff": configuration.diffs,
    }


@with_umask(0o022)  # others read what it makes
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
    params: dict[str, Any] = module.params
    known = accounts(list(params["ports"]))
    if problems := request_problems(params, known, module.check_mode):
        module.fail_json(msg="; ".join(problems))
    people = {
        name: Person(
            name,
            known.get(name),
            Path(params["config_dir"], name),
            Path(known[name].pw_dir if name in known else f"/home/{name}", params["password_file"]),
        )
        for name in params["ports"]
    }
    try:
        module.exit_json(**set_up(params, people, dry=module.check_mode))
    except RuntimeError as error:
        module.fail_json(msg=str(error))


if __name__ == "__main__":
    main()
