"""Read over HTTP: whole texts, and parts of files by range."""

from __future__ import annotations

import io
import subprocess
import sys
import urllib.request
from collections.abc import Mapping

TIMEOUT = 60


class SourceUnreachable(OSError):
    """A source did not answer; its tables stay as they are."""


def get(url: str, headers: Mapping[str, str] | None = None) -> bytes:
    """Return what an address answers; raises SourceUnreachable."""
    if not url.startswith(("http://", "https://")):
        raise SourceUnreachable(f"{url}: expected an http or https address")
    try:
        with urllib.request.urlopen(
            urllib.request.Request(url, headers=dict(headers or {})), timeout=TIMEOUT
        ) as answer:
            content: bytes = answer.read()
            return content
    except OSError as error:
        raise SourceUnreachable(f"{url}: {error}") from error


class RemoteFile(io.RawIOBase):
    """A file read by HTTP range, a block at a time: a wheel's directory and one small member of it cost two blocks."""

    BLOCK = 1 << 18

    def __init__(self, url: str) -> None:
        """Start at the beginning of a file; raises SourceUnreachable where the server does not answer ranges."""
        self.url, self.position = url, 0
        self.blocks: dict[int, bytes] = {}
        self.size = self._length()

    def _length(self) -> int:
        request = urllib.request.Request(self.url, headers={"Range": "bytes=0-0"})
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:
                length = (answer.headers.get("Content-Range") or "").rpartition("/")[2]
        except OSError as error:
            raise SourceUnreachable(f"{self.url}: {error}") from error
        if not length.isdigit():
            raise SourceUnreachable(f"{self.url}: the server does not answer ranges")
        return int(length)

    def seekable(self) -> bool:
        """Return True."""
        return True

    def readable(self) -> bool:
        """Return True."""
        return True

    def tell(self) -> int:
        """Return the position."""
        return self.position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move the position."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self.position, io.SEEK_END: self.size}[whence]
        self.position = base + offset
        return self.position

    def read(self, size: int = -1) -> bytes:
        """Return up to ``size`` bytes."""
        end = self.size if size < 0 else min(self.position + size, self.size)
        parts = []
        while self.position < end:
            number, inside = divmod(self.position, self.BLOCK)
            part = self._block(number)[inside : inside + end - self.position]
            parts.append(part)
            self.position += len(part)
        return b"".join(parts)

    def _block(self, number: int) -> bytes:
        if number not in self.blocks:
            first = number * self.BLOCK
            last = min(first + self.BLOCK, self.size) - 1
            content = get(self.url, {"Range": f"bytes={first}-{last}"})
            if len(content) != last - first + 1:
                raise SourceUnreachable(f"{self.url}: the server does not answer ranges")
            self.blocks[number] = content
        return self.blocks[number]


def package_index() -> str:
    """Return the index that pip on this machine installs from, without a slash at the end; raises SourceUnreachable."""
    asked = "from pip._internal.cli.main_parser import create_main_parser as p; import sys; "
    asked += "from pip._internal.commands import create_command as c; "
    asked += "print(c('download').parser.get_default_values().index_url)"
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=False)
    url = done.stdout.strip().rstrip("/")
    if done.returncode or not url.startswith("http"):
        raise SourceUnreachable(f"pip does not say which index it uses: {done.stderr.strip()[-200:] or url}")
    return url
