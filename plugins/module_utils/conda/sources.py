"""Where packages come from: channels, indexes of wheels, mirrors and folders. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from .credentials import Credential, redact
from .definitions import FRAMEWORKS, EnvironmentSpec, normal

# A channel's name, its address, or a folder.
CHANNEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]*\Z")
# conda's way to put a token into a channel's address; rattler would write it into every lock and record.
TOKEN_IN_PATH = re.compile(r"/t/[^/]+/")
# What an index of PyTorch's own also has to bring: its builds of Triton are on no other one.
WITH_FRAMEWORK = {"pytorch": ("pytorch-triton", "pytorch-triton-rocm", "pytorch-triton-xpu")}


@dataclass
class Sources:
    """Where packages come from. mirrors: canonical channel URL -> mirror URLs, wheel_mirrors: index URL -> mirror URL.

    A mirror may be a folder on the host ("file:///srv/channel"); the first one that is there goes before all others.
    wheel_indexes: {url, packages} each; find_links: folders or pages with wheels; ca_bundle: file with the certificates
    to trust, "" for the engines' own.
    """

    cache: str
    mirrors: dict[str, list[str]] = field(default_factory=dict)
    wheel_index_url: str = ""
    wheel_indexes: list[dict[str, Any]] = field(default_factory=list)
    wheel_mirrors: dict[str, str] = field(default_factory=dict)
    find_links: list[str] = field(default_factory=list)
    offline: bool = False
    ca_bundle: str = ""
    exclude_newer: str = ""
    credentials: list[Credential] = field(default_factory=list)

    def folders_only(self) -> bool:
        """Whether wheels come from `find_links` and the folders among the indexes alone."""
        return self.offline and bool(self.find_links)


@dataclass(frozen=True)
class WheelIndex:
    """An index of wheels. packages: the normal names that come from it and from nowhere else; none for all others."""

    name: str
    url: str
    packages: frozenset[str] = frozenset()

    def folder(self) -> str:
        """The folder of wheels that it is, "" for an index."""
        path = unquote(urlsplit(self.url).path) if self.url.startswith("file:") else self.url
        return path if path.startswith("/") and any(Path(path).glob("*.whl")) else ""


# ---- indexes ---------------------------------------------------------------------------------------------------------


def mirrored(url: str, mirrors: Mapping[str, str]) -> str:
    """`url` with the beginning that has a mirror replaced."""
    for start, mirror in mirrors.items():
        if url.startswith(start):
            return mirror.rstrip("/") + "/" + url[len(start) :].lstrip("/") if url[len(start) :].strip("/") else mirror
    return url


def indexes(request: EnvironmentSpec, sources: Sources) -> list[WheelIndex]:
    """The default index, a framework's own, and the owner's, which come before both for the packages they name."""
    owners = [
        WheelIndex(f"index{number}", entry["url"], frozenset(normal(name) for name in entry["packages"]))
        for number, entry in enumerate(sources.wheel_indexes, 1)
    ]
    named = frozenset(name for index in owners for name in index.packages)
    out = [WheelIndex("default", sources.wheel_index_url), *owners]
    if request.index_url:
        own = {*FRAMEWORKS.get(request.framework, ()), *WITH_FRAMEWORK.get(request.framework, ())}
        out.append(WheelIndex("framework", request.index_url, frozenset(own) - named))
    out = [WheelIndex(one.name, mirrored(one.url, sources.wheel_mirrors), one.packages) for one in out]
    # Without a network, the owner's folders stand for all indexes.
    return out[:1] if sources.folders_only() else out


def index_of(name: str, found: Sequence[WheelIndex]) -> WheelIndex:
    """The index that a distribution comes from."""
    return next((index for index in found if normal(name) in index.packages), found[0])


# ---- what is wrong with them -----------------------------------------------------------------------------------------


def url_problem(url: Any) -> str:
    """Why `url` cannot be the address of an index, a channel or a page; "" when it can."""
    if not isinstance(url, str) or not url or not url.isascii() or not url.isprintable() or " " in url:
        return "expected one address without blanks"
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https", "file"):
        return "expected an address with http, https or file"
    if parts.scheme != "file" and not parts.hostname:
        return "it names no host"
    if "@" in parts.netloc:
        return "credentials are given beside it (`credentials`), not in it"
    if TOKEN_IN_PATH.search(parts.path):
        return "a token in its path would end in locks and records; give it as https://user:token@host/..., or mirror"
    return ""


def source_problems(sources: Sources, channels: Sequence[str]) -> list[str]:
    """What is wrong with where packages shall come from, as sentences."""
    shown = {"channels": [one for one in channels if not CHANNEL.match(one)]}
    shown["mirrors"] = [url for pair in sources.mirrors.items() for url in (pair[0], *pair[1])]
    shown["wheel_index_url"] = [sources.wheel_index_url] if sources.wheel_index_url else []
    shown["wheel_mirrors"] = [url for pair in sources.wheel_mirrors.items() for url in pair]
    shown["wheel_indexes"] = [str(one.get("url", "")) for one in sources.wheel_indexes]
    folders = ("find_links", "wheel_indexes")
    shown["find_links"] = list(sources.find_links)
    out = [
        f"{variable}: {redact(str(url), sources.credentials)!r}: {problem}"
        for variable, urls in shown.items()
        for url in urls
        if (problem := url_problem(url)) and not (variable in folders and url.startswith("/") and url.isprintable())
    ]
    seen: set[str] = set()
    for entry in sources.wheel_indexes:
        names = entry.get("packages")
        if not isinstance(names, list) or not names or not all(isinstance(name, str) and name for name in names):
            out.append(
                f"wheel_indexes: {entry.get('url')!r} needs `packages`, the names that come from it and from "
                "nowhere else"
            )
            continue
        twice = sorted({normal(name) for name in names} & seen)
        out += [f"wheel_indexes: {name} is named for two indexes; name it once" for name in twice]
        seen |= {normal(name) for name in names}
    return out
