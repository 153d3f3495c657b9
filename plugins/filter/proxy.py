"""Filter: the files by which apt learns of a proxy."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Sequence
from typing import Any


def apt_proxy_files(proxy: str, no_proxy: Sequence[str]) -> list[dict[str, Any]]:
    """The files, as host_files takes them; to be removed where there is no proxy, or one that takes everybody."""
    from ..module_utils.proxy import apt_credentials, apt_settings

    settings, credentials = apt_settings(proxy, no_proxy), apt_credentials(proxy)
    return [
        {"path": "/etc/apt/apt.conf.d/52dlbox-proxy", "content": settings, "present": bool(settings)},
        {
            "path": "/etc/apt/auth.conf.d/dlbox-proxy.conf",
            "secret": b64encode(credentials.encode()).decode(),
            "mode": "0600",
            "present": bool(credentials),
        },
    ]


class FilterModule:
    """What Ansible asks for."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Name to filter."""
        return {"apt_proxy_files": apt_proxy_files}
