#!/usr/bin/python
"""Run one JupyterLab service per user, and never restart one under a running notebook."""

from __future__ import annotations

DOCUMENTATION = r"""
module: jupyter_services
short_description: Run one JupyterLab service per user, and never restart one under a running notebook
version_added: "1.0.0"
description:
  - Enables and starts the instances of a template unit, stops and disables the instances of users who are not listed.
  - An instance that started before one of its files changed is restarted, by default only while no Jupyter kernel or
    terminal of it runs. One that waits is reported and restarted by a later run.
  - Waits until each server answers over HTTP; if one does not, fails with the end of its journal.
options:
  unit:
    description: Name of the template unit without C(@.service).
    type: str
    default: jupyterlab
  text:
    description:
      - The template unit's text; it is written to C(/etc/systemd/system), with a copy of another one
        that was there kept beside it. Empty removes the unit. Without the option the file is left as it is.
    type: str
  ports:
    description: By account (the instance of the unit) the TCP port on which its server has to answer on 127.0.0.1.
    type: dict
    required: true
  files:
    description:
      - Files and folders; a service that started before one of them changed is out of date.
      - C(%i) stands for the account; shell patterns may match several.
    type: list
    elements: path
    default: []
  tls:
    description: Whether the servers speak HTTPS.
    type: bool
    default: false
  restart:
    description: When to restart a service that is out of date.
    type: str
    choices: [idle, always, never]
    default: idle
  timeout:
    description: Seconds to wait for an answer.
    type: int
    default: 60
attributes:
  check_mode:
    support: full
    description: The unit need not be installed yet.
  diff_mode:
    support: full
author: dlbox
"""

EXAMPLES = r"""
- name: Run JupyterLab for ada
  jupyter_services:
    ports: {ada: 8888}
    files: ["/etc/jupyterlab/%i/jupyter_server_config.json"]
"""

RETURN = r"""
waiting:
  description: Users whose service is out of date but busy.
  type: list
  elements: str
  returned: success
todo:
  description: The same as sentences for the owner.
  type: list
  elements: str
  returned: success
"""

import contextlib
import pwd
import socket
import ssl
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.dlbox_guard import sessions
from ansible.module_utils.dlbox_run_as import replace_file

UNITS = Path("/etc/systemd/system")
PROPERTIES = (
    "LoadState",
    "ActiveState",
    "UnitFileState",
    "NeedDaemonReload",
    "MainPID",
    "ExecMainStartTimestampMonotonic",
)


class Service(NamedTuple):
    """What systemd says of one instance."""

    loaded: bool
    active: bool
    enabled: bool
    stale_unit: bool
    pid: int
    started: float
    """Unix time at which the main process started; 0 if it does not run."""


def parse(text: str, offset: float) -> Service:
    """Read `systemctl show` output. `offset` is Unix time minus monotonic time, in seconds."""
    values = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
    start = int(values.get("ExecMainStartTimestampMonotonic") or 0)
    active = values.get("ActiveState") in ("active", "activating", "reloading")
    return Service(
        loaded=values.get("LoadState") == "loaded",
        active=active,
        enabled=values.get("UnitFileState") == "enabled",
        stale_unit=values.get("NeedDaemonReload") == "yes",
        pid=int(values.get("MainPID") or 0),
        started=start / 1e6 + offset if active and start else 0.0,
    )


def newest(paths: list[str]) -> float:
    """When the last of these files and folders changed, in Unix time; 0 if none exists."""
    times = [0.0]
    for path in (found for pattern in paths for found in Path("/").glob(pattern.lstrip("/"))):
        try:
            state = path.stat()
            # The status change counts too: a file replaced by an older one has an old mtime.
            times.append(max(state.st_mtime, state.st_ctime))
        except OSError:
            continue
    return max(times)


def children(pid: int) -> list[str]:
    """The command lines of a process's direct children: a server's Jupyter kernels and terminals."""
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            # The name in parentheses may hold blanks; the parent is the second field after it.
            fields = status.read_text().rpartition(")")[2].split()
            if int(fields[1]) == pid and fields[0] != "Z":
                found.append(status.parent.joinpath("cmdline").read_text().replace("\0", " ").strip())
        except (OSError, ValueError, IndexError):
            continue
    return found


def stranger(port: int, pid: int, proc: Path = sessions.PROC) -> str:
    """Who else than the process listens on a port of loopback, as a sentence; "" for nobody or the process itself.

    Whoever listens there gets the password that people type, and any account can where the server is late.
    """
    listening = [
        entry
        for entry in sessions.tcp_sockets(proc / "net")
        if entry.state == sessions.LISTEN
        and entry.local[1] == port
        and entry.local[0] in ("127.0.0.1", "0.0.0.0", "::")
    ]
    held = set(sessions.held_sockets(pid, proc)) if pid else set()
    others = [entry for entry in listening if entry.inode not in held]
    return f"a process of {account_name(others[0].uid)} listens there, which is not the server" if others else ""


def account_name(uid: int) -> str:
    """The name of a user id, or the number."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def answers(port: int, tls: bool, timeout: int, process: Callable[[], int]) -> str:
    """Wait for an HTTP answer of this process on loopback. Returns "" or why there was none."""
    end, why = time.monotonic() + timeout, "no attempt"
    # Whether it answers is the question here, not who it is: that says the kernel.
    context = ssl._create_unverified_context()
    while time.monotonic() < end:
        try:
            why = stranger(port, process())
            if not why:
                with contextlib.ExitStack() as stack:
                    link: socket.socket = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=5))
                    if tls:
                        link = stack.enter_context(context.wrap_socket(link))
                    link.sendall(f"GET /api HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: close\r\n\r\n".encode())
                    # The beginning is enough: what follows could be without end.
                    if link.recv(4096).startswith(b"HTTP/"):
                        return ""
                    why = "no HTTP answer"
        except OSError as error:
            why = str(error)
        time.sleep(0.25)
    return why


class Systemd:
    """The few questions and orders that are needed."""

    def __init__(self, module: AnsibleModule, unit: str) -> None:
        """Speak through the module's run_command."""
        self.module, self.unit = module, unit
        self.offset = time.time() - time.monotonic()

    def name(self, user: str) -> str:
        """The instance of a user."""
        return f"{self.unit}@{user}.service"

    def show(self, user: str) -> Service:
        """The state of a user's instance."""
        _, out, _ = self.module.run_command(
            ["systemctl", "show", f"--property={','.join(PROPERTIES)}", self.name(user)]
        )
        return parse(out, self.offset)

    def main_process(self, user: str) -> int:
        """The id of a user's server now; 0 where none runs."""
        return self.show(user).pid

    def order(self, *words: str) -> None:
        """Give an order; fail with systemd's words if it is refused."""
        code, out, err = self.module.run_command(["systemctl", *words])
        if code != 0:
            self.module.fail_json(msg=f"systemctl {' '.join(words)}: {(err or out).strip()}")

    def journal(self, user: str) -> str:
        """The end of a user's journal."""
        return str(
            self.module.run_command(["journalctl", "--no-pager", "-n", "20", "-o", "cat", "-u", self.name(user)])[1]
        ).strip()

    def write(self, text: str) -> list[dict[str, str]]:
        """Make the template unit this text, or remove it for ""; the diffs."""
        file = UNITS / f"{self.unit}@.service"
        before = file.read_text(encoding="utf-8", errors="replace") if file.is_file() else ""
        if before == text:
            return []
        if not self.module.check_mode:
            if before:
                self.module.backup_local(str(file))
            if text:
                replace_file(file, text, 0o644)  # systemd is told by who sees that its unit is stale
            else:
                file.unlink()
                self.order("daemon-reload")
        return [{"before_header": str(file), "after_header": str(file), "before": before, "after": text}]

    def others(self, users: list[str]) -> list[str]:
        """Instances that run or start at boot, of users who are not listed."""
        _, out, _ = self.module.run_command(
            [
                "systemctl",
                "list-units",
                "--all",
                "--plain",
                "--no-legend",
                "--state=active,activating,failed",
                self.name("*"),
            ]
        )
        names = {line.split()[0] for line in out.splitlines() if line.split()}
        names |= {link.name for link in UNITS.glob(f"*.wants/{self.unit}@*.service")}
        found = {name.partition("@")[2].removesuffix(".service") for name in names}
        return sorted(found - set(users))


def due(state: Service, changed: float, restart: str, busy: bool) -> str:
    """What a service needs: start, restart, wait (out of date but busy) or nothing ("")."""
    if not state.active:
        return "start"
    if state.started >= changed and not state.stale_unit:
        return ""
    return "restart" if restart == "always" or (restart == "idle" and not busy) else "wait"


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "unit": {"type": "str", "default": "jupyterlab"},
            "text": {"type": "str"},
            "ports": {"type": "dict", "required": True},
            "files": {"type": "list", "elements": "path", "default": []},
            "tls": {"type": "bool", "default": False},
            "restart": {"type": "str", "choices": ["idle", "always", "never"], "default": "idle"},
            "timeout": {"type": "int", "default": 60},
        },
        supports_check_mode=True,
    )
    systemd = Systemd(module, module.params["unit"])
    ports: dict[str, Any] = module.params["ports"]
    users = list(ports)
    text = module.params["text"]
    unit_diff = systemd.write(text) if text else []
    states = {user: systemd.show(user) for user in users}
    before = {
        user: ("running" if state.active else "stopped") + (", at boot" if state.enabled else "")
        for user, state in states.items()
    }
    after = dict.fromkeys(users, "running, at boot")
    actions, waiting = [], []

    if any(state.stale_unit or not state.loaded for state in states.values()) and not module.check_mode:
        systemd.order("daemon-reload")
        # A unit that changed on disk is told apart from the loaded one only until here.
        states = {user: systemd.show(user)._replace(stale_unit=states[user].stale_unit) for user in users}
    for user in systemd.others(users):
        actions.append(f"stop {user}")
        before[user], after[user] = "running", "absent"
        if not module.check_mode:
            systemd.order("disable", "--now", systemd.name(user))
            systemd.module.run_command(["systemctl", "reset-failed", systemd.name(user)])
    if text == "":
        unit_diff = systemd.write("")
    for user, state in states.items():
        if not state.enabled:
            actions.append(f"enable {user}")
            if not module.check_mode:
                systemd.order("enable", systemd.name(user))
        need = due(
            state,
            newest([path.replace("%i", user) for path in module.params["files"]]),
            module.params["restart"],
            bool(children(state.pid)) if state.pid else False,
        )
        if need == "wait":
            waiting.append(user)
        elif need:
            actions.append(f"{need} {user}")
            after[user] += ", restarted" if need == "restart" else ""
            if not module.check_mode:
                systemd.order(need, systemd.name(user))
    if not module.check_mode:
        for user, port in ports.items():
            timeout = module.params["timeout"]
            why = answers(int(port), module.params["tls"], timeout, partial(systemd.main_process, user))
            if why:
                module.fail_json(
                    msg=f"{systemd.name(user)} does not answer on 127.0.0.1:{port} within "
                    f"{module.params['timeout']} s ({why}). The end of its journal:\n{systemd.journal(user)}"
                )
    lines = ["".join(f"{user}: {state}\n" for user, state in sorted(side.items())) for side in (before, after)]
    module.exit_json(
        changed=bool(actions or unit_diff),
        actions=actions,
        waiting=waiting,
        todo=[
            f"The JupyterLab of {user} runs notebooks and was not restarted for its new settings: "
            f"sudo systemctl restart {systemd.name(user)} when they may end."
            for user in waiting
        ],
        diff=[*unit_diff, {"before": lines[0], "after": lines[1] if actions else lines[0]}],
    )


if __name__ == "__main__":
    main()
