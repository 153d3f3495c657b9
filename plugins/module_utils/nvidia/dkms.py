"""DKMS: what it built for which kernel, and the compiler's line when it did not."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_REST = r"(?P<version>[^,:\s]+)(?:, (?P<kernel>[^,:]+), (?P<arch>[^:]+))?: (?P<state>\w+)(?P<note>.*)$"
_NEW = re.compile(r"^(?P<module>[^/,\s]+)/" + _REST)
_OLD = re.compile(r"^(?P<module>[^/,\s]+), " + _REST)
_ERROR = re.compile(
    r"(?:\berror:|: error\b|fatal error|\*\*\* |undefined reference|No such file|ERROR: modpost)", re.IGNORECASE
)
_NOISE = re.compile(r"Error 2$|\[Makefile:\d+: modules\]")


@dataclass(frozen=True)
class Build:
    """A line of `dkms status`; kernel is None for a tree that is only added."""

    module: str
    version: str
    kernel: str | None
    state: str

    def __str__(self) -> str:
        """Return it as dkms 3 prints it, without the architecture."""
        return f"{self.module}/{self.version}{f', {self.kernel}' if self.kernel else ''}: {self.state}"


def parse_status(text: str) -> list[Build]:
    """Read `dkms status` of dkms 2.8 (module, version, ...) to 3.2 (module/version, ...); other modules than NVIDIA's
    are left out.
    """
    builds = []
    for line in text.splitlines():
        match = _NEW.match(line.strip()) or _OLD.match(line.strip())
        if match and match["module"].startswith("nvidia"):
            builds.append(Build(match["module"], match["version"], match["kernel"], match["state"]))
    return builds


def missing_builds(builds: Iterable[Build], kernels: Iterable[str]) -> list[str]:
    """Return the kernels for which no NVIDIA module is installed, in the given order."""
    done = {build.kernel for build in builds if build.state == "installed"}
    return [kernel for kernel in kernels if kernel not in done]


def log_excerpt(text: str, lines: int = 12) -> str:
    """Return the lines of a make.log that say what failed, first error first; its end when nothing looks like an
    error.
    """
    errors = [line.strip() for line in text.splitlines() if _ERROR.search(line) and not _NOISE.search(line.strip())]
    chosen = errors[:lines] or [line.strip() for line in text.splitlines() if line.strip()][-lines:]
    return "\n".join(chosen)


def build_logs(root: Path = Path("/var/lib/dkms")) -> list[Path]:
    """Return the make.log files of NVIDIA's trees, newest first: of a failed build first, of a finished one then."""
    found = [path for tree in root.glob("nvidia*") for path in tree.rglob("make.log")]
    return sorted(found, key=lambda path: path.stat().st_mtime, reverse=True)


def failed_log(kernel: str, root: Path = Path("/var/lib/dkms")) -> str:
    """Return the excerpt of the newest log for a kernel, with its path, or a sentence that there is none."""
    for path in build_logs(root):
        text = path.read_text(errors="replace")
        if kernel in path.as_posix() or kernel in text[:4000]:
            return f"{path}:\n{log_excerpt(text)}"
    return f"no make.log for {kernel} under {root}"
