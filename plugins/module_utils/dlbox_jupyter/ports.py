"""Who listens on the port of a JupyterLab: systemd holds it, from boot on, and passes connections on."""

from __future__ import annotations

from pathlib import Path

from ansible.module_utils.dlbox_guard import sessions

#: Where a browser on this host, or an end of an ssh tunnel, gets to by the name localhost.
ADDRESSES = ("127.0.0.1", "::1", "0.0.0.0", "::")


def holders(port: int, proc: Path = sessions.PROC) -> list[str]:
    """The accounts, other than root, whose processes listen on a port of loopback.

    Whoever listens there gets the password that people type and the cookie of who is logged in.
    """
    uids = {
        entry.uid
        for entry in sessions.tcp_sockets(proc / "net")
        if entry.state == sessions.LISTEN and entry.local[1] == port and entry.local[0] in ADDRESSES and entry.uid
    }
    return [sessions.account_name(uid) for uid in sorted(uids)]
