"""The proxy that a host's downloads go through: for Python, pip, uv and rattler by the environment, for apt by files.

A password in it is in no argument list and in no file that others read: a process's environment is its account's alone,
and apt has a file of root's for credentials.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit, urlunsplit

#: Options of every module that downloads; plugins/doc_fragments/proxy.py documents them.
OPTIONS: dict[str, dict[str, Any]] = {
    "proxy": {"type": "str", "default": "", "no_log": True},
    "no_proxy": {"type": "list", "elements": "str", "default": []},
}
HERE = ("localhost", "127.0.0.1", "::1")
# apt compares whole names, so that domains and networks would not mean the same to all.
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?|[0-9a-fA-F:]+")
_WITHOUT_PASSWORD = re.compile(r"([^\s:/?#]*|\[[0-9A-Fa-f:.]*\])(:[0-9]*)?/?")


def _split(proxy: str) -> tuple[SplitResult, str, str]:
    """The parts of a proxy's URL, its user name and its password. Raises ValueError for an impossible port."""
    parts = urlsplit(proxy)
    _ = parts.port
    return parts, unquote(parts.username or ""), unquote(parts.password or "")


def _address(parts: SplitResult) -> str:
    """The URL without credentials."""
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], "/", "", ""))


def _shown(proxy: str) -> str:
    """The URL for a message. What may be credentials is left out, also where they are written in a wrong way."""
    scheme, credentials, rest = re.findall(r"\A([A-Za-z0-9]+://)?(.*@)?(.*)", proxy, re.DOTALL)[0]
    return repr(scheme + "********@" * bool(credentials) + (rest if _WITHOUT_PASSWORD.fullmatch(rest) else "********"))


def problems(proxy: str, no_proxy: Iterable[str]) -> list[str]:
    """What is wrong with dlbox_proxy and dlbox_no_proxy, a sentence each, without a password."""
    expected = "expected http://HOST:PORT or http://USER:PASSWORD@HOST:PORT, with %40 for @, %3A for : and so on"
    out = []
    good = False
    if proxy:
        shown = _shown(proxy)
        # What urllib says of a URL that is wrong quotes from it, also the password.
        with contextlib.suppress(ValueError):
            parts, user, password = _split(proxy)
            plain = parts.path in ("", "/") and not parts.query and not parts.fragment
            host = parts.scheme in ("http", "https") and re.fullmatch(r"[a-z0-9._-]+|[0-9a-f:.]+", parts.hostname or "")
            good = bool(host and plain and (user or not password) and re.fullmatch(r"[!#-\[\]-~]+", proxy))
        if not good:
            out.append(f"dlbox_proxy is {shown}, {expected}")
        elif re.search(r"[\s\x00-\x1f\x7f]", user + password):
            out.append(f"dlbox_proxy is {shown}, with a blank in the user or the password, which apt cannot be given")
    out += [
        f"dlbox_no_proxy has {name!r}, expected the whole name or the address of a host, such as mirror.home"
        for name in no_proxy
        if not _HOST.fullmatch(str(name))
    ]
    return out


def variables(given: Mapping[str, Any]) -> dict[str, str]:
    """The environment variables of a module's options; none without a proxy."""
    if not given["proxy"]:
        return {}
    direct = ",".join([*HERE, *given["no_proxy"]])
    pairs = {"http_proxy": given["proxy"], "https_proxy": given["proxy"], "no_proxy": direct}
    return pairs | {name.upper(): value for name, value in pairs.items()}


@contextlib.contextmanager
def used(given: Mapping[str, Any]) -> Iterator[None]:
    """Have this process, and what it starts, download through the proxy of a module's options meanwhile."""
    before = dict(os.environ)
    os.environ.update(variables(given))
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def apt_settings(proxy: str, no_proxy: Iterable[str]) -> str:
    """What apt.conf.d says of the proxy, without credentials; "" without a proxy."""
    if not proxy:
        return ""
    address = _address(_split(proxy)[0])
    lines = [f'Acquire::{method}::Proxy "{address}";' for method in ("http", "https")]
    lines += [f'Acquire::{method}::Proxy::{name} "DIRECT";' for name in no_proxy for method in ("http", "https")]
    return "".join(f"{line}\n" for line in ["// dlbox_proxy, written by dlbox: changes here are lost.", *lines])


def apt_credentials(proxy: str) -> str:
    """What auth.conf.d says of the proxy, "" where it takes everybody. apt_auth.conf(5)"""
    if not proxy:
        return ""
    parts, user, password = _split(proxy)
    # Here apt knows addresses of IPv6 without their brackets only (2.6 and 3.0 tried).
    machine = _address(parts).replace("[", "").replace("]", "")
    return f"machine {machine} login {user} password {password}\n" if user else ""
