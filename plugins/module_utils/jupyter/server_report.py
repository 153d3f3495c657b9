"""What the owner reads of the servers: how to reach them, and what is missing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..host.dpkg import read_packages


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


def access_hint(person: str, port: int, password_file: str | None, tls: bool, address: str, ssh_port: int) -> str:
    """How to reach a server: the ssh command ready to paste, or the address, and where the password is."""
    password = f"its password is in {password_file} on {address}" if password_file else "with the password you gave"
    if tls:
        return f"JupyterLab of {person}: https://{address}:{port}/ ({password})"
    option = f" -p {ssh_port}" if ssh_port != 22 else ""
    # Not localhost, which is ::1 first: any account of the host could listen there, and would get the password.
    command = f"ssh -N{option} -L {port}:127.0.0.1:{port} {person}@{address}"
    return f"JupyterLab of {person}: {command}   then http://localhost:{port}/ ({password})"
