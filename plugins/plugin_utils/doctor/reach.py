"""How the controller's commands reach a host: over one connection that is kept, with no secret that others see."""

from __future__ import annotations

import hashlib
import json
import os
import shlex
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import outside, runner
from .model import Check, Context
from .runner import HostUnreachable, received

if TYPE_CHECKING:
    from testinfra.host import Host

PROJECT = Path(__file__).resolve().parents[3]
# testinfra would put the first two into the argument list of sshpass, and cannot answer sudo.
SECRETS = ("ansible_password", "ansible_ssh_pass", "ansible_become_password", "ansible_become_pass")
SOCKET_LENGTH = 90  # bytes: 108 of sun_path in unix(7), less what ssh appends while it opens the socket


def socket(name: str, variables: dict[str, Any]) -> Path:
    """Where the shared connection of a host is: beside Ansible's own, in a folder that only this login can enter."""
    target = [variables.get(key) for key in ("ansible_host", "ansible_port", "ansible_user")]
    arguments = [variables.get(key) for key in ("ansible_ssh_common_args", "ansible_ssh_extra_args")]
    made_of = json.dumps([name, *target, *arguments], default=str)
    return Path.home() / ".ansible/cp" / f"dlbox-{hashlib.sha256(made_of.encode()).hexdigest()[:10]}"


def connect(found: Any, name: str) -> Host:
    """testinfra's host `name` of `found` (runner.hosts), over one connection however many commands follow.

    Raises:
        HostUnreachable: testinfra cannot reach such a host, or only with a password that others would see.
    """
    variables = dict(found.get_variables(name))
    secret = next((key for key in SECRETS[:2] if variables.get(key)), "")
    if secret:
        raise HostUnreachable(
            f"{secret} is set, and would be seen in the process list of this machine. Log in with a key: "
            f"ssh-copy-id {variables.get('ansible_host', name)}"
        )
    host = found.get_host(name)
    if host is None:
        raise HostUnreachable(
            f"ansible_connection {variables.get('ansible_connection')!r}: expected ssh, local or docker"
        )
    path = socket(name, variables)
    if hasattr(host.backend, "controlpath") and len(os.fsencode(path)) <= SOCKET_LENGTH:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Without a path, ssh shares nothing, whatever ControlMaster says. testinfra formats the text with %.
        host.backend.controlpath = shlex.quote(str(path)).replace("%", "%%")
    return host


def needs_ansible(variables: dict[str, Any], password: str) -> bool:
    """Whether the evidence has to come through Ansible: there is a password to give to ssh or sudo."""
    return bool(password) or any(variables.get(key) for key in SECRETS)


def gather(hosts: Any, name: str, chosen: Iterable[Check], password: str = "", *, look: bool) -> Context:
    """Everything that the checks look at, of a host of `hosts` (runner.hosts), by the way that reaches it.

    look: also from outside. Raises HostUnreachable.
    """
    variables, chosen = dict(hosts.get_variables(name)), list(chosen)
    if not needs_ansible(variables, password):
        return runner.context(connect(hosts, name), name, variables, chosen, look=look)
    seen = Context(through_ansible(name, password, runner.settings(variables, chosen)), {}, variables)
    if look:
        seen.outside.update(outside.look(runner.connection_of(variables), name, variables, seen))
    return seen


def through_ansible(name: str, password: str, told: dict[str, Any]) -> dict[str, Any]:
    """The evidence through Ansible's own connection and `become`. Raises HostUnreachable.

    The password goes through a pipe: no file, argument list or environment ever holds it, however the command ends.
    """
    command = [str(Path(sys.executable).parent / "ansible"), "-b", "-m", "dlbox.workstation.host_evidence"]
    command += ["-a", json.dumps({"settings": told}), *(["--become-password-file", "-"] if password else []), name]
    form = {"ANSIBLE_CALLBACK_RESULT_FORMAT": "json", "ANSIBLE_STDOUT_CALLBACK": "minimal", "NO_COLOR": "1"}
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=PROJECT, input=password, env={**os.environ, **form}
    )
    try:
        # "HOST | SUCCESS => {...}"
        answer = json.JSONDecoder().raw_decode(done.stdout.partition(" => ")[2])[0]
    except ValueError as error:
        said = (done.stderr.strip() or done.stdout.strip()).splitlines()
        raise HostUnreachable((said or ["ansible gave no answer"])[-1]) from error
    if "evidence" not in answer:
        raise HostUnreachable(str(answer.get("msg", "ansible gave no answer")))
    return received(answer["evidence"])
