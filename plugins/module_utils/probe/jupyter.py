"""Each account's JupyterLab."""

# os.path and glob throughout: in the evidence, which becomes JSON, paths are texts.
# ruff: noqa: PTH112, PTH116, PTH119, PTH207
from __future__ import annotations

import glob
import json
import os
import re
import stat
import time
from typing import Any

from ..host.units import parse_show, show_command
from ..jupyter import ports
from ..jupyter.answer import http_status
from .common import Settings, read, run

#: Properties of an account's jupyterlab unit.
OF_A_SERVER = (
    "ActiveState", "SubState", "NRestarts", "UnitFileState", "LoadState", "ActiveEnterTimestampMonotonic", "MainPID",
)  # fmt: skip


def first_answer(port: int, unit: dict[str, str], tls: bool) -> dict[str, Any]:
    """GET /api; a server whose unit became active a moment ago gets the rest of a minute to start listening."""
    started = int(unit.get("ActiveEnterTimestampMonotonic") or 0) / 1e6
    answer = http_status(port, "/api", tls)
    while answer["status"] is None and unit.get("ActiveState") == "active" and time.monotonic() - started < 60:
        time.sleep(0.5)
        answer = http_status(port, "/api", tls)
    return answer


def jupyter(_: Settings) -> list[dict[str, Any]]:
    """Each account's JupyterLab: unit state, the settings that guard it (never their secrets), and its answers."""
    accounts = {os.path.basename(path) for path in glob.glob("/etc/jupyterlab/*") if os.path.isdir(path)}
    for line in run(["systemctl", "list-units", "--all", "--plain", "--no-legend", "jupyterlab@*"])["out"].splitlines():
        accounts.update(re.findall(r"jupyterlab@([^.\s]+)\.service", line))
    found = []
    for account in sorted(accounts):
        settings: dict[str, Any] = {}
        files = []
        for path in sorted(glob.glob(f"/etc/jupyterlab/{account}/**/*.json", recursive=True)):
            info = os.stat(path)
            files.append(
                {
                    "path": path,
                    "mode": f"{stat.S_IMODE(info.st_mode):04o}",
                    "owner": info.st_uid,
                    "secret": "hashed_password" in (read(path) or ""),
                }
            )
            try:
                for section, values in json.loads(read(path) or "{}").items():
                    settings.setdefault(section, {}).update(values)
            except (ValueError, AttributeError, TypeError, RecursionError):
                files[-1]["malformed"] = True
        server, identity, password = (
            settings.get(name, {}) for name in ("ServerApp", "IdentityProvider", "PasswordIdentityProvider")
        )
        # What listens for the account: the TLS endpoint where there is one, or the proxy.
        front, port = "jupyterlab-proxy", 0
        for name in ("jupyterlab-proxy", "jupyterlab-tls"):
            text = read(f"/etc/systemd/system/{name}@{account}.socket") or ""
            named = re.search(r"^ListenStream=(?:\S*:)?(\d+)$", text, re.MULTILINE)
            front, port = (name, int(named.group(1))) if named else (front, port)
        tls = front == "jupyterlab-tls"
        service, endpoint = f"jupyterlab@{account}.service", f"{front}@{account}.socket"
        shown = parse_show(run(show_command([service, endpoint], *OF_A_SERVER))["out"])
        unit = shown.get(service, {})
        found.append(
            {
                "account": account,
                "unit": unit,
                "pid": int(unit.get("MainPID") or 0),
                "socket": endpoint,
                "held": shown.get(endpoint, {}).get("ActiveState") == "active",
                "holders": ports.holders(port),
                "files": files,
                "ip": server.get("ip", "localhost"),
                "port": port,
                "has_password": bool(password.get("hashed_password") or server.get("password")),
                "has_token": bool(identity.get("token", server.get("token"))),
                "tls": tls,
                "alive": first_answer(port, unit, tls),
                "guarded": http_status(port, "/api/contents?content=0", tls),
            }
        )
    return found
