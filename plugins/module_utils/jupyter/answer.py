"""Whether something answers over HTTP on a port of loopback, without credentials."""

from __future__ import annotations

import contextlib
import re
import socket
import ssl
from typing import Any


def http_status(port: int, path: str, tls: bool = False) -> dict[str, Any]:
    """Return the status code of a GET ("status", None where there was no answer) and why there was none ("error")."""
    try:
        with contextlib.ExitStack() as stack:
            link: socket.socket = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=5))
            if tls:
                # Whose certificate it is does not matter on the host itself; that it answers does.
                trust = ssl.create_default_context()
                trust.check_hostname, trust.verify_mode = False, ssl.CERT_NONE
                link = stack.enter_context(trust.wrap_socket(link))
            link.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: close\r\n\r\n".encode())
            head = link.recv(4096).decode("latin-1")  # what follows could be without end
    except OSError as error:
        return {"status": None, "error": str(error)}
    match = re.match(r"HTTP/\d\.\d (\d{3})", head)
    return {"status": int(match.group(1)) if match else None, "error": "" if match else "no HTTP answer"}
