"""What sshd needs to answer questions about a configuration (sshd -t, -T)."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def privilege_separation_directory() -> Iterator[None]:
    """/run/sshd, which sshd insists on even for a test, and which systemd makes only while the service runs."""
    folder = Path("/run/sshd")
    made = not folder.exists()
    if made:
        folder.mkdir(mode=0o755)
    try:
        yield
    finally:
        if made:
            with contextlib.suppress(OSError):
                folder.rmdir()
