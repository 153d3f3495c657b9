#!/usr/bin/python
"""Ansible module ``preflight_host``: thin over ``module_utils/preflight.py``; reads the machine and changes nothing."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: preflight_host
short_description: Check whether this machine can be provisioned
description:
  - Reads the operating system, free space, memory, mount options, sudo and the package source in one call.
  - Needs no rights and changes nothing.
options:
  supported:
    description: Supported versions (VERSION_ID) per operating system (ID), as in os-release.
    type: dict
    required: true
  target:
    description: Directory of the environments; the free space of its nearest existing parent is measured.
    type: path
    required: true
  memory:
    description: Memory in MiB that the machine must have.
    type: int
    required: true
  check_apt:
    description: Ask a package source for its index when apt's lists are older than a day.
    type: bool
    default: true
  admins:
    description: The owner's admins, as the module C(admin_accounts) takes them.
    type: list
    elements: dict
    default: []
  announced:
    description: Packages that the run installs before it makes the accounts.
    type: list
    elements: str
    default: []
  become_exe:
    description: The program that Ansible becomes root with.
    type: str
    default: sudo
extends_documentation_fragment: [dlbox.workstation.proxy]
author: [dlbox (!UNKNOWN)]
version_added: 0.1.0
"""

EXAMPLES = r"""
- name: See what keeps this machine from being provisioned
  dlbox.workstation.preflight_host:
    supported: {debian: ["12", "13"]}
    target: /opt/conda
    memory: 2000
"""

RETURN = r"""
problems:
  description: One sentence per problem, each with what was found, what was expected and the remedy.
  returned: always
  type: list
  elements: str
disk:
  description: Where the environments go, the free space there in bytes, and the environments that are there already.
  returned: always
  type: dict
  sample: {target: /opt/conda, path: /opt, free: 64424509440, environments: [base, pytorch]}
over_ssh:
  description: Whether Ansible, or who runs it on this machine, came over ssh.
  returned: always
  type: bool
sudo_needs_password:
  description: Whether becoming root will ask for a password.
  returned: always
  type: bool
user:
  description: The account that Ansible connects as.
  returned: always
  type: str
"""

import os
import pwd
import re
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils import preflight, proxy
from ..module_utils.admins import accounts, sudoers
from ..module_utils.host import apt_lists
from ..module_utils.host.memory import read_memory
from ..module_utils.host.os_release import read_os_release

DAY = 86400


def existing(path: Path) -> Path:
    """Return ``path`` or its nearest parent that exists."""
    while not path.exists():
        path = path.parent
    return path


def read_only(paths: list[Path]) -> list[str]:
    """Return those of ``paths`` that are on a file system mounted read-only."""
    return [str(path) for path in paths if os.statvfs(existing(path)).f_flag & os.ST_RDONLY]


def disk_of(target: Path) -> dict[str, Any]:
    """Read the free space in bytes for the environments in ``target``, and which of them are there, base included."""
    folder = target / "envs"
    names = [entry.name for entry in os.scandir(folder) if entry.is_dir()] if folder.is_dir() else []
    base = ["base"] if (target / "conda-meta").is_dir() else []
    path = existing(target)
    return {
        "target": str(target),
        "path": str(path),
        "free": shutil.disk_usage(path).free,
        "environments": sorted(base + names),
    }


def sudo_state(module: AnsibleModule, exe: str) -> tuple[str, bool]:
    """Return the first line of sudo's version (empty without sudo) and whether it works without a password."""
    if os.geteuid() == 0:
        return "", True
    if not shutil.which(exe):
        return "", False
    _, out, err = module.run_command([exe, "--version"])
    # sudo-rs prints its version to standard error.
    # The list of rules is not logged as an error where it takes a password, as `sudo -n true` is.
    code, rules, _ = module.run_command([exe, "-n", "-l"], environ_update={"LC_ALL": "C"})
    return (out or err).partition("\n")[0] or exe, code == 0 and sudoers.passwordless(rules)


def unreachable_sources(module: AnsibleModule, environment: dict[str, str]) -> tuple[list[str], dict[str, str]]:
    """Ask the first repository for its index with apt's own tools; return all repositories, and who fails and why.

    environment: what makes apt use the proxy, of which its files do not know before the first run.
    """
    _, out, _ = module.run_command(["apt-get", "update", "--print-uris"])
    indexes = re.findall(r"^'([^']+InRelease)'", out, re.MULTILINE)
    uris = list(dict.fromkeys(re.sub(r"(dists/.*/|)InRelease$", "", index) for index in indexes))
    remote = [index for index in indexes if index.startswith(("http:", "https:", "mirror"))]
    failed = {}
    if remote:
        with tempfile.TemporaryDirectory() as folder:
            patience = ("Acquire::http::Timeout=10", "Acquire::https::Timeout=10", "Acquire::Retries=1")
            options = [word for setting in patience for word in ("-o", setting)]
            command = ["/usr/lib/apt/apt-helper", *options, "download-file", remote[0], f"{folder}/InRelease"]
            code, out, err = module.run_command(command, environ_update=environment)
            if code:
                lines = [line for line in (err + out).splitlines() if line.startswith("E:")] or [f"exit status {code}"]
                failed[re.sub(r"(dists/.*/|)InRelease$", "", remote[0])] = lines[0].removeprefix("E: ")
    return uris, failed


def admin_problems(entries: list[dict[str, Any]], announced: list[str]) -> list[str]:
    """Return what would cost an admin the login, as far as it can be seen without root."""
    admins = [accounts.admin_of(entry) for entry in entries]
    host = accounts.read_host([admin.name for admin in admins], announced)
    return [
        f"dlbox_admins: {admin.name}: {problem}"
        for admin in admins
        for problem in [*accounts.account_problems(admin, host), accounts.kept_shell_problem(admin, host)]
        if problem
    ]


def main() -> None:
    """Read the machine, hold it to the requirements, and return the problems."""
    module = AnsibleModule(
        argument_spec={
            "supported": {"type": "dict", "required": True},
            "target": {"type": "path", "required": True},
            "memory": {"type": "int", "required": True},
            "check_apt": {"type": "bool", "default": True},
            "admins": {"type": "list", "elements": "dict", "default": [], "no_log": False},
            "announced": {"type": "list", "elements": "str", "default": []},
            "become_exe": {"type": "str", "default": "sudo"},
            **proxy.OPTIONS,
        },
        supports_check_mode=True,
    )
    given = module.params
    target = Path(given["target"])
    sudo, works = sudo_state(module, given["become_exe"])
    user = pwd.getpwuid(os.geteuid()).pw_name
    problems = [
        *preflight.os_problems(read_os_release(), given["supported"]),
        *preflight.memory_problems(read_memory().get("MemTotal", 0) // 2**20, given["memory"]),
        *preflight.read_only_problems(read_only([Path("/etc"), Path("/usr"), Path("/var"), target])),
        *preflight.sudo_problems(user, sudo, works, given["become_exe"]),
        *admin_problems(given["admins"], given["announced"]),
    ]
    # Lists of the last day prove that the sources answer.
    if given["check_apt"] and shutil.which("apt-get") and time.time() - apt_lists.last_read() > DAY:
        problems += preflight.source_problems(*unreachable_sources(module, proxy.variables(given)))
    module.exit_json(
        changed=False,
        problems=problems,
        disk=disk_of(target),
        over_ssh="SSH_CONNECTION" in os.environ,
        sudo_needs_password=bool(sudo) and not works,
        user=user,
    )


if __name__ == "__main__":
    main()
