"""JupyterLab: it runs, it answers, it asks for a password, and it listens where only the account's owner gets to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from ..model import Context, Finding, check, fail, na, ok, warn
from .ssh import sockets

NONE = "no JupyterLab account on this host"


def _each(context: Context, evaluate: Callable[[dict[str, Any]], Finding]) -> Iterator[Finding]:
    for server in context.evidence["jupyter"]:
        yield evaluate(server)
    if not context.evidence["jupyter"]:
        yield na(NONE)


def _stopped(server: dict[str, Any]) -> bool:
    return bool(server["unit"].get("ActiveState") != "active")


@check("jupyter.running", ("jupyter",), quick=True)
def running(context: Context) -> Iterator[Finding]:
    """The service runs."""

    def evaluate(server: dict[str, Any]) -> Finding:
        unit, name = server["unit"], server["account"]
        if unit.get("LoadState") == "not-found":
            return fail("configured, but there is no unit jupyterlab@.service", "./dlbox up", name)
        if unit.get("UnitFileState") == "disabled" and _stopped(server):
            return na("switched off by the owner (the unit is disabled)", name)
        if _stopped(server):
            return fail(
                f"jupyterlab@{name} is {unit.get('ActiveState', 'unknown')}",
                f"journalctl -u jupyterlab@{name} -n 30; sudo systemctl restart jupyterlab@{name}",
                name,
            )
        restarts = int(unit.get("NRestarts") or 0)
        if restarts > 2:
            return warn(f"systemd had to restart it {restarts} times", f"journalctl -u jupyterlab@{name}", name)
        return ok("active", name)

    return _each(context, evaluate)


@check("jupyter.answers", ("jupyter",))
def answers(context: Context) -> Iterator[Finding]:
    """The server answers on a port that systemd holds, and nobody else in its place."""

    def evaluate(server: dict[str, Any]) -> Finding:
        name, alive = server["account"], server["alive"]
        if server["holders"]:
            return fail(
                f"port {server['port']}: a process of {', '.join(server['holders'])} listens there; it gets the "
                "password that people type",
                f"sudo ss -lntp sport = :{server['port']} names the process; end it, then sudo systemctl restart "
                f"{server['socket']}; {name} should choose another password",
                name,
            )
        if not server["held"]:
            return fail(
                f"{server['socket']} does not hold its port, which any account could take",
                f"journalctl -u {server['socket']} -n 30; sudo systemctl restart {server['socket']}",
                name,
            )
        if _stopped(server):
            return na("the service does not run", name)
        if alive["status"] != 200:
            seen = f"status {alive['status']}" if alive["status"] else alive["error"]
            return fail(
                f"port {server['port']}: {seen}",
                f"journalctl -u jupyterlab@{name} -n 30; sudo systemctl restart jupyterlab@{name}",
                name,
            )
        return ok(f"port {server['port']}", name)

    return _each(context, evaluate)


@check("jupyter.password", ("jupyter",))
def password(context: Context) -> Iterator[Finding]:
    """The server lets nobody in without the password."""

    def evaluate(server: dict[str, Any]) -> Finding:
        name, status = server["account"], server["guarded"]["status"]
        remedy = "Set the account's password hash (jupyter_accounts in the inventory) and run ./dlbox up"
        if status == 200:
            return fail("answers requests without a password or token", remedy, name)
        if not server["has_password"] and not server["has_token"]:
            return fail("neither a password nor a token is configured", remedy, name)
        if status is None:
            return na("the server does not answer", name)
        return ok(f"a request without credentials gets {status}", name)

    return _each(context, evaluate)


@check("jupyter.listens", ("jupyter", "listening"))
def listens(context: Context) -> Iterator[Finding]:
    """The server is reached by the loopback address only."""

    def evaluate(server: dict[str, Any]) -> Finding:
        name = server["account"]
        open_to = sorted(
            {item.address for item in sockets(context) if item.port == server["port"] and not item.loopback}
        )
        own = [
            f"{item.address} port {item.port}"
            for item in sockets(context)
            if server["pid"] in item.pids and not item.loopback
        ]
        if own:
            return fail(
                f"the server itself listens on {', '.join(sorted(own))}",
                "./dlbox up writes its settings anew",
                name,
            )
        if open_to and not (server["tls"] and server["has_password"]):
            return fail(
                f"port {server['port']} listens on {', '.join(open_to)}", "./dlbox up; reach it through ssh -L", name
            )
        if open_to:
            return ok(f"{', '.join(open_to)} port {server['port']}, with TLS, as its settings say", name)
        return ok(f"127.0.0.1:{server['port']}", name)

    return _each(context, evaluate)


@check("jupyter.secrets", ("jupyter",))
def secrets(context: Context) -> Iterator[Finding]:
    """The password hash is readable by its account only."""

    def evaluate(server: dict[str, Any]) -> Finding:
        name = server["account"]
        loose = [
            f"{item['path']} ({item['mode']})"
            for item in server["files"]
            if item["secret"] and int(item["mode"], 8) & 0o007
        ]
        broken = [item["path"] for item in server["files"] if item.get("malformed")]
        if broken:
            return fail(f"not JSON: {', '.join(broken)}", "./dlbox up writes it anew", name)
        if loose:
            return fail(
                f"every account can read {', '.join(loose)}",
                f"sudo chmod 0640 {loose[0].split()[0]}; then change the password",
                name,
            )
        return ok("not readable by others", name)

    return _each(context, evaluate)
