"""Send a command to the monitor of the qemu in this container: system_reset, savevm NAME, loadvm NAME."""

from __future__ import annotations

import socket
import sys


def answer(monitor: socket.socket) -> str:
    """What the monitor says until its next prompt."""
    said = b""
    while not said.endswith(b"(qemu) "):
        part = monitor.recv(4096)
        if not part:
            break
        said += part
    return said.decode(errors="replace").removesuffix("(qemu) ")


with socket.socket(socket.AF_UNIX) as monitor:
    monitor.connect("/var/tmp/box/monitor.sock")
    answer(monitor)
    monitor.sendall((" ".join(sys.argv[1:]) + "\n").encode())
    print(answer(monitor))
