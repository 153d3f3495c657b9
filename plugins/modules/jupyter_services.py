#!/usr/bin/python
"""Run one JupyterLab service per user, and never restart one under a running notebook."""

from __future__ import annotations

DOCUMENTATION = r"""
module: jupyter_services
short_description: Run one JupyterLab service per user, and never restart one under a running notebook
description:
  - Enables and starts the instances of a template unit, stops and disables the instances of users who are not listed.
  - An instance that started before one of its files changed is restarted, by default only while no Jupyter kernel or
    terminal of it runs. One that waits is reported and restarted by a later run.
  - With I(socket) systemd listens on each account's port, and hands it to the service. The port is never free, also not
    while the service restarts, so that no account can take it and receive what a browser sends there.
  - With I(answer) it waits until each server answers over HTTP. One that does not is named in RV(todo), with the end of
    its journal, since its account may be the cause; where none answers, the module fails.
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
  socket:
    description:
      - Text of the C(.socket) unit of each account, with C(PORT) for its port. Written as I(unit)C(@ACCOUNT.socket).
        Lines for IPv6 addresses are left out where the kernel has no IPv6.
      - To listen on another port, the account's C(jupyterlab) is stopped, unless I(restart) says otherwise.
    type: str
    default: ""
  ports:
    description: TCP port by account (the instance of the unit).
    type: dict
    required: true
  answer:
    description: Wait until each account's server, unless it is one of RV(waiting), answers on its port of 127.0.0.1.
    type: bool
    default: false
  moving:
    description: Accounts whose port waits to be another one, so that their servers cannot be expected to answer there.
    type: list
    elements: str
    default: []
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
    description:
      - Seconds after which a server whose process runs is given up all the same. One whose process has ended is not
        waited for.
    type: int
    default: 600
attributes:
  check_mode:
    support: full
    description: The unit need not be installed yet.
  diff_mode:
    support: full
    description: Shows what it changes, before and after.
author: [dlbox (!UNKNOWN)]
version_added: 0.1.0
"""

EXAMPLES = r"""
- name: Run JupyterLab for ada
  dlbox.workstation.jupyter_services:
    ports: {ada: 8888}
    answer: true
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

import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.host.units import properties_of, show_command
from ..module_utils.jupyter import ports
from ..module_utils.jupyter.answer import http_status
from ..module_utils.run_as import replace_file
from ..module_utils.umask import with_umask

SERVER = "jupyterlab"
UNITS = Path("/etc/systemd/system")
PROPERTIES = (
    "LoadState",
    "ActiveState",
    "UnitFileState",
    "NeedDaemonReload",
    "MainPID",
    "ExecMainStartTimestampMonotonic",
    "ActiveEnterTimestampMonotonic",
)
IPV6 = Path("/proc/net/if_inet6")


class Service(NamedTuple):
    """What systemd says of one instance."""

    loaded: bool
    active: bool
    enabled: bool
    stale_unit: bool
    pid: int
    started: float
    """Unix time at which the main process, or the socket, started; 0 if it does not run."""


def parse(text: str, offset: float) -> Service:
    """Read `systemctl show` output. `offset` is Unix time minus monotonic time, in seconds."""
    values = properties_of(text)
    start = int(values.get("ExecMainStartTimestampMonotonic") or values.get("ActiveEnterTimestampMonotonic") or 0)
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


def answers(port: int, tls: bool, end: float, ended: Callable[[], str]) -> str:
    """Wait for an HTTP answer on loopback, at a port that systemd holds. Returns "" or why there was none.

    end: monotonic time of the last attempt; ended: says why no answer is to come any more, "" while one may.
    """
    while True:
        answer = http_status(port, "/api", tls)
        if answer["status"] is not None:
            return ""
        if why := ended():
            return why
        if time.monotonic() >= end:
            return f"{answer['error']}; its process runs all the same"
        time.sleep(0.5)


def socket_text(template: str, port: int) -> str:
    """The text of an account's socket unit."""
    lines = template.replace("PORT", str(port)).splitlines(keepends=True)
    return "".join(line for line in lines if IPV6.exists() or not line.startswith("ListenStream=["))


class Systemd:
    """The few questions and orders that are needed."""

    def __init__(self, module: AnsibleModule, unit: str) -> None:
        """Speak through the module's run_command."""
        self.module, self.unit = module, unit
        self.offset = time.time() - time.monotonic()

    def name(self, user: str) -> str:
        """The instance of a user."""
        return f"{self.unit}@{user}.service"

    def socket(self, user: str) -> str:
        """The name of the unit that holds a user's port."""
        return f"{self.unit}@{user}.socket"

    def show(self, name: str) -> Service:
        """The state of a unit."""
        _, out, _ = self.module.run_command(show_command([name], *PROPERTIES))
        return parse(out, self.offset)

    def ended(self, user: str) -> Callable[[], str]:
        """What says why a user's server, started just now, will not answer; "" while it runs or is tried again."""
        properties = ("ActiveState", "Result", "NRestarts")

        def look() -> dict[str, str]:
            return properties_of(self.module.run_command(show_command([self.name(user)], *properties))[1])

        def restarts(values: dict[str, str]) -> int:
            return int(values.get("NRestarts") or 0)

        before = restarts(look())

        def why() -> str:
            values = look()
            state, result, times = values.get("ActiveState", ""), values.get("Result", ""), restarts(values) - before
            if state in ("failed", "inactive"):
                return f"it is {state} ({result})"
            # systemd starts it again and again: twice is no accident.
            return f"it has ended {times} times since it was started ({result})" if times > 1 else ""

        return why

    def order(self, *words: str) -> None:
        """Give an order; fail with systemd's words if it is refused."""
        code, out, err = self.module.run_command(["systemctl", *words])
        if code != 0:
            self.module.fail_json(msg=f"systemctl {' '.join(words)}: {(err or out).strip()}")

    def journal(self, user: str) -> str:
        """The end of the journal of a user's server and of what is in front of it."""
        return str(
            self.module.run_command(
                ["journalctl", "--no-pager", "-n", "20", "-o", "cat", "-u", f"{SERVER}*@{user}.service"]
            )[1]
        ).strip()

    def write(self, file: Path, text: str) -> list[dict[str, str]]:
        """Make a unit file this text, or remove it for ""; the diffs."""
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
                self.socket("*"),
            ]
        )
        names = {line.split()[0] for line in out.splitlines() if line.split()}
        names |= {link.name for link in UNITS.glob(f"*.wants/{self.unit}@*.*")}
        names |= {file.name for file in UNITS.glob(f"{self.unit}@?*.socket")}
        found = {name.partition("@")[2].rpartition(".")[0] for name in names}
        return sorted(found - set(users))

    def remove(self, user: str) -> list[dict[str, str]]:
        """Stop and disable a user's instance, and its socket where it has one; the diffs."""
        file = UNITS / self.socket(user)
        if not self.module.check_mode:
            units = [*([self.socket(user)] if file.exists() else []), self.name(user)]
            self.order("disable", "--now", *units)
            self.module.run_command(["systemctl", "reset-failed", *units])
        return self.write(file, "") if file.exists() else []

    def waits(self, user: str, restart: str) -> bool:
        """Whether a user's server runs and may not be stopped now."""
        pid = self.show(f"{SERVER}@{user}.service").pid
        return bool(pid and restart != "always" and (restart == "never" or children(pid)))

    def unheld(self, user: str, text: str) -> bool:
        """Whether a user's socket has to be started, or started anew to become this text."""
        file, state = UNITS / self.socket(user), self.show(self.socket(user))
        same = file.is_file() and file.read_text(encoding="utf-8", errors="replace") == text
        return not same or bool(due(state, newest([str(file)]), "always", False))

    def hold(self, places: dict[str, int]) -> None:
        """Have systemd listen on these users' ports, with nothing of an account that could be reached meanwhile.

        A service has to be started by its socket to be given it. The server behind is stopped too: who still sends the
        cookie of an old login to a port that is given up, sends it to no use, since a login ends with the server.
        """
        for user in places:
            # Refused for a unit that is not there yet. One that does not stop keeps the port from being taken below.
            self.module.run_command(
                ["systemctl", "stop", f"{SERVER}@{user}.service", self.name(user), self.socket(user)]
            )
        for user, port in places.items():
            holders = ports.holders(port)
            if holders:
                self.module.fail_json(
                    msg=f"port {port}, of the JupyterLab of {user}, is held by a process of {', '.join(holders)}, and "
                    f"gets what people type there. sudo ss -lntp sport = :{port} names the process; end it, and run "
                    f"again. {user} should choose another password if it was typed there"
                )
            self.order("enable", "--now", self.socket(user))


def due(state: Service, changed: float, restart: str, busy: bool) -> str:
    """What a service needs: start, restart, wait (out of date but busy) or nothing ("")."""
    if not state.active:
        return "start"
    if state.started >= changed and not state.stale_unit:
        return ""
    return "restart" if restart == "always" or (restart == "idle" and not busy) else "wait"


@with_umask(0o022)  # others read what it makes
def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "unit": {"type": "str", "default": "jupyterlab"},
            "text": {"type": "str"},
            "socket": {"type": "str", "default": ""},
            "ports": {"type": "dict", "required": True},
            "answer": {"type": "bool", "default": False},
            "moving": {"type": "list", "elements": "str", "default": []},
            "files": {"type": "list", "elements": "path", "default": []},
            "tls": {"type": "bool", "default": False},
            "restart": {"type": "str", "choices": ["idle", "always", "never"], "default": "idle"},
            "timeout": {"type": "int", "default": 600},
        },
        supports_check_mode=True,
    )
    systemd = Systemd(module, module.params["unit"])
    places = {user: int(port) for user, port in module.params["ports"].items()}
    users = list(places)
    text, template = module.params["text"], module.params["socket"]
    diffs = systemd.write(UNITS / f"{systemd.unit}@.service", text) if text else []
    actions: list[str] = []
    waiting: list[str] = []
    unheld: dict[str, int] = {}
    for user, port in places.items() if template else ():
        unit = socket_text(template, port)
        if not systemd.unheld(user, unit):
            continue
        if systemd.waits(user, module.params["restart"]):
            waiting.append(user)
        else:
            unheld[user] = port
        # A unit that is there stays as it is: systemd would let go of the port in use with the next daemon-reload.
        if user in unheld or not (UNITS / systemd.socket(user)).exists():
            diffs += systemd.write(UNITS / systemd.socket(user), unit)
    states = {user: systemd.show(systemd.name(user)) for user in users}
    before = {
        user: ("running" if state.active else "stopped") + (", at boot" if state.enabled else "")
        for user, state in states.items()
    }
    after = dict.fromkeys(users, "running, at boot")
    if (unheld or any(state.stale_unit or not state.loaded for state in states.values())) and not module.check_mode:
        systemd.order("daemon-reload")
        # A unit that changed on disk is told apart from the loaded one only until here.
        states = {user: systemd.show(systemd.name(user))._replace(stale_unit=states[user].stale_unit) for user in users}
    actions += [f"listen for {user}" for user in unheld]
    with ports.reserved(() if module.check_mode else unheld.values()):
        for user in systemd.others(users):
            actions.append(f"stop {user}")
            before[user], after[user] = "running", "absent"
            diffs += systemd.remove(user)
        if not module.check_mode:
            systemd.hold(unheld)
    if text == "":
        diffs += systemd.write(UNITS / f"{systemd.unit}@.service", "")
    for user, state in states.items():
        if user in waiting:
            continue
        if not state.enabled:
            actions.append(f"enable {user}")
            if not module.check_mode:
                systemd.order("enable", systemd.name(user))
        need = due(
            state._replace(active=state.active and user not in unheld),
            newest([path.replace("%i", user) for path in module.params["files"]]),
            # What is in front of a server runs no notebooks.
            "always" if template else module.params["restart"],
            bool(children(state.pid)) if state.pid else False,
        )
        if need == "wait":
            waiting.append(user)
        elif need:
            actions.append(f"{need} {user}")
            after[user] += ", restarted" if need == "restart" else ""
            if not module.check_mode:
                systemd.order(need, systemd.name(user))
    silent: list[str] = []
    expected = [user for user in users if user not in [*waiting, *module.params["moving"]]]
    end = time.monotonic() + module.params["timeout"]  # for all of them: they start side by side
    for user in expected if module.params["answer"] and not module.check_mode else ():
        why = answers(places[user], module.params["tls"], end, systemd.ended(user))
        if why:
            silent.append(
                f"{systemd.name(user)} does not answer on 127.0.0.1:{places[user]}: {why}. "
                f"The end of its journal:\n{systemd.journal(user)}"
            )
    if silent and len(silent) == len(expected):
        module.fail_json(msg="\n".join(silent))
    lines = ["".join(f"{user}: {state}\n" for user, state in sorted(side.items())) for side in (before, after)]
    module.exit_json(
        changed=bool(actions or diffs),
        actions=actions,
        waiting=waiting,
        todo=[
            f"The JupyterLab of {user} runs notebooks and was not restarted for its new settings: "
            f"sudo systemctl restart {SERVER}@{user} when they may end."
            for user in waiting
        ]
        + silent,
        diff=[*diffs, {"before": lines[0], "after": lines[1] if actions else lines[0]}],
    )


if __name__ == "__main__":
    main()
