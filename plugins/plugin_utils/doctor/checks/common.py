"""Small readings of the evidence that checks of several areas share."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from ....module_utils.host.kernels import release_key
from ..model import Context


def joined(items: Iterable[Any], most: int = 6) -> str:
    """A readable list that does not fill the screen."""
    texts = [str(item) for item in items]
    return ", ".join(texts[:most]) + (f" and {len(texts) - most} more" if len(texts) > most else "")


def size(count: float) -> str:
    """Bytes as people read them, in binary units."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if abs(count) < 1024:
            return f"{count:.0f} {unit}"
        count /= 1024
    return f"{count:.1f} TiB"


def not_installed(answer: dict[str, Any]) -> bool:
    """Whether the probe did not find a program; one that did not end has no return code either."""
    return answer["rc"] is None and str(answer["err"]).endswith(" is not installed")


def packages(context: Context, pattern: str) -> dict[str, str]:
    """Installed packages of interest whose name matches, with their versions."""
    known = (context.evidence.get("packages") or {}).get("known", [])
    return {item["name"]: item["version"] for item in known if re.search(pattern, item["name"])}


def driver_packages(context: Context) -> dict[str, str]:
    """The packages whose version is the driver's: libraries and tools, suffixed (Ubuntu) or not (Debian, NVIDIA)."""
    return packages(
        context,
        r"^(nvidia-utils(-\d+.*)?|libnvidia-compute(-\d+.*)?|nvidia-smi|libcuda1|nvidia-driver(-\d+.*)?|nvidia-driver-libs|libnvidia-ml1)$",
    )


def newest_kernel(context: Context) -> dict[str, Any] | None:
    """The installed kernel that the next boot takes; None when no kernel is installed (a container)."""
    installed = (context.evidence.get("kernels") or {}).get("installed", [])
    return max(installed, key=lambda item: release_key(item["release"])) if installed else None


def plan_wants_driver(context: Context) -> bool:
    """True when the plan, or the packages on the host, say that this machine runs NVIDIA's driver."""
    return bool(context.plan.get("driver")) or bool(driver_packages(context))
