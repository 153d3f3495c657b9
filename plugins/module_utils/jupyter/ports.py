"""Who listens on the port of a JupyterLab: systemd holds it, from boot on, and passes connections on."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterable, Iterator
from pathlib import Path

from ..guard import sessions

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


@contextlib.contextmanager
def reserved(ports: Iterable[int]) -> Iterator[None]:
    """Keep these TCP ports from other accounts while systemd's sockets there are stopped and started anew.

    The kernel lets sockets of one account share a port where each asks for it (SO_REUSEPORT, socket(7); ReusePort= in
    systemd's units). This one never listens, so nobody reaches it. A port that somebody else has stays his.
    """
    with contextlib.ExitStack() as held:
        for port in ports:
            # The wildcard of both families, else that of IPv4, keeps every address of the port.
            for family, address in ((socket.AF_INET6, "::"), (socket.AF_INET, "0.0.0.0")):
                try:
                    one = held.enter_context(socket.socket(family, socket.SOCK_STREAM))
                    one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
                    if family == socket.AF_INET6:
                        one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
                    one.bind((address, port))
                    break
                except OSError:
                    continue
        yield
