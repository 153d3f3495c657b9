"""Credentials of channels and indexes: never in a URL, so that none ends in what holds URLs. Pure.

They are split off on the controller (filter conda_sources), travel as a module option that is not logged, and reach uv
in its environment and rattler as a header of a request: no argument list, lock, record, log or file holds one.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote, urlsplit, urlunsplit

HIDDEN = "********"
# The modules' option `credentials`.
CREDENTIALS = {
    "type": "list",
    "elements": "dict",
    "default": [],
    "options": {
        "url": {"type": "str", "required": True},
        "username": {"type": "str", "default": ""},
        "password": {"type": "str", "default": "", "no_log": True},
        "token": {"type": "str", "default": "", "no_log": True},
    },
}


@dataclass(frozen=True)
class Credential:
    """Who reads what lies below `url` (without credentials in it). token: the user name that stands alone, a secret."""

    url: str
    username: str = ""
    password: str = ""
    token: str = ""

    def pair(self) -> tuple[str, str]:
        """User name and password, as a request carries them."""
        return (self.token, "") if self.token else (self.username, self.password)

    def header(self) -> str:
        """The value of the header Authorization (RFC 7617)."""
        return "Basic " + base64.b64encode(":".join(self.pair()).encode()).decode()

    def secrets(self) -> set[str]:
        """What nobody may read: as it is, as URLs write it and as HTTP sends it."""
        secret = self.token or self.password
        return {secret, quote(secret, safe=""), self.header().split()[1]} if secret else set()


def split_url(url: str) -> tuple[str, Credential | None]:
    """A URL without its credentials, and these; channels' names and folders as they are."""
    parts = urlsplit(url)
    if "@" not in parts.netloc:
        return url, None
    user, _, host = parts.netloc.rpartition("@")
    name, _, password = user.partition(":")
    clean = urlunsplit((parts.scheme, host, parts.path, parts.query, parts.fragment))
    if not password:
        return clean, Credential(clean, token=unquote(name))
    return clean, Credential(clean, unquote(name), unquote(password))


def split(given: Mapping[str, Any]) -> tuple[dict[str, Any], list[Credential]]:
    """The owner's variables of sources without credentials in them, and the credentials. Values may be nested."""
    found: dict[str, Credential] = {}

    def clean(value: Any) -> Any:
        if isinstance(value, str):
            url, credential = split_url(value)
            if credential:
                found[url] = credential
            return url
        if isinstance(value, Mapping):
            return {clean(key): clean(item) for key, item in value.items()}
        return [clean(item) for item in value] if isinstance(value, (list, tuple)) else value

    return {key: clean(value) for key, value in given.items()}, list(found.values())


def credential_for(url: str, credentials: Sequence[Credential]) -> Credential | None:
    """The credential of `url`: of the longest beginning that is the same, whole path by whole path."""
    fitting = [one for one in credentials if f"{url.rstrip('/')}/".startswith(f"{one.url.rstrip('/')}/")]
    return max(fitting, key=lambda one: len(one.url), default=None)


def with_credential(url: str, credentials: Sequence[Credential]) -> str:
    """`url` with its credential in it, for an environment variable."""
    found = credential_for(url, credentials)
    if not found:
        return url
    parts = urlsplit(url)
    user = ":".join(quote(part, safe="") for part in found.pair())
    return urlunsplit((parts.scheme, f"{user}@{parts.netloc}", parts.path, parts.query, parts.fragment))


def headers(host: str, path: str, credentials: Sequence[Credential]) -> dict[str, str] | None:
    """The headers of a request for `path` at `host`, as rattler asks for them: it does not tell the port."""
    for one in sorted(credentials, key=lambda each: -len(each.url)):
        parts = urlsplit(one.url)
        if parts.hostname == host and f"{path.rstrip('/')}/".startswith(f"{parts.path.rstrip('/')}/"):
            return {"Authorization": one.header()}
    return None


def redact(text: str, credentials: Sequence[Credential]) -> str:
    """`text` without the secrets in it."""
    for one in credentials:
        for secret in one.secrets():
            text = text.replace(secret, HIDDEN)
    return re.sub(r"(\w+://)[^/@\s]+@", rf"\1{HIDDEN}@", text)
