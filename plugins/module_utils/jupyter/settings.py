"""The settings of one user's JupyterLab server, and which of them the owner may not change.

Verified against jupyter_server 2.21 and jupyterlab 4.6: the file jupyter_server_config.json in a folder named by
JUPYTER_CONFIG_PATH wins over everything in ~/.jupyter.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

# What makes the server private. An extra setting that names one of these is refused.
PROTECTED = {
    "IdentityProvider": {"token", "identity_provider_class", "secure_cookie"},
    "PasswordIdentityProvider": {"hashed_password", "password_required", "allow_password_change"},
    "ServerApp": {
        "ip", "port", "port_retries", "token", "password", "password_required", "allow_remote_access",
        "allow_unauthenticated_access", "certfile", "keyfile", "identity_provider_class", "disable_check_xsrf", "sock",
        "sock_mode", "cookie_secret", "cookie_secret_file", "trust_xheaders",
    },
}  # fmt: skip


# Asks everybody at the first start whether JupyterLab may fetch news from its makers.
NEWS = "@jupyterlab/apputils-extension:announcements"


# The service's RuntimeDirectory, which only its account can enter.
RUN = "/run/jupyterlab"


class Server(NamedTuple):
    """One user's server as the owner wants it. It listens on a socket; `behind_tls` is one reached from elsewhere."""

    user: str
    start_folder: str
    behind_tls: bool = False
    terminals: bool = True
    default_kernel: str = ""
    extensions: tuple[Mapping[str, Any], ...] = ()
    extra: Mapping[str, Any] = {}


def refused(extra: Mapping[str, Any]) -> list[str]:
    """The names in extra settings that would undo what keeps the server private."""
    return sorted(
        f"{group}.{key}"
        for group, keys in extra.items()
        for key in (keys if isinstance(keys, Mapping) else ())
        if key in PROTECTED.get(group, ())
    )


def server_settings(server: Server, hashed: str) -> dict[str, Any]:
    """The content of jupyter_server_config.json. `hashed` is the password's hash."""
    settings: dict[str, dict[str, Any]] = {
        # An empty token switches token login off: nothing secret in a URL or a process list.
        "IdentityProvider": {"token": ""},
        "PasswordIdentityProvider": {
            "hashed_password": hashed,
            "password_required": True,
            "allow_password_change": False,
        },
        # The server's manager and a single kernel's each have the switch.
        "MappingKernelManager": {"transport_encryption": "auto"},
        "KernelManager": {"transport_encryption": "auto"},
        # The environment is root's: installing into it from the browser cannot work. No calls home either.
        "LabApp": {
            "extension_manager": "readonly",
            "news_url": None,
            "check_for_updates_class": "jupyterlab.NeverCheckForUpdate",
        },
        "ServerApp": {
            # systemd holds the port and passes it on: one that is free for a moment, any account could take.
            "sock": f"{RUN}/{server.user}/server.sock",
            "sock_mode": "0600",
            # With another one (of old settings in ~/.jupyter) beside a socket the server would not start.
            "port": 8888,
            "ip": "127.0.0.1",
            # It goes with the service: no cookie of a login is good for longer.
            "cookie_secret_file": f"{RUN}/{server.user}/cookie-secret",
            "open_browser": False,
            # Off: the Host header has to be a loopback name, which stops DNS rebinding.
            "allow_remote_access": server.behind_tls,
            "root_dir": server.start_folder,
            "terminals_enabled": server.terminals,
            "jpserver_extensions": {
                str(extension["server"]): bool(extension.get("enabled", True))
                for extension in server.extensions
                if extension.get("server")
            },
        },
    }
    if server.behind_tls:
        # The server itself sees no TLS and would leave the mark out.
        settings["IdentityProvider"]["secure_cookie"] = True
    if server.default_kernel:
        settings["MappingKernelManager"]["default_kernel_name"] = server.default_kernel
    for group, keys in server.extra.items():
        settings.setdefault(group, {}).update(keys)
    return settings


def page_settings(server: Server) -> dict[str, Any]:
    """The content of labconfig/page_config.json: browser extensions that are installed but not wanted."""
    unwanted = [
        str(extension["lab"])
        for extension in server.extensions
        if extension.get("lab") and not extension.get("enabled", True)
    ]
    return {"disabledExtensions": dict.fromkeys([NEWS, *unwanted], True)}


def tls_endpoint(user: str, port: int, certificate: str, key: str) -> str:
    """The content of tls.conf: stunnel(8), on the port that systemd gives it, in front of a server's proxy.

    stunnel reads certificate and key as root, and then becomes the account that its Debian package brings: no account
    of a person can read the key.
    """
    return f"""; managed by dlbox
foreground = yes
syslog = no
setuid = stunnel4
setgid = stunnel4
[jupyterlab]
accept = {port}
connect = /run/jupyterlab-proxy/{user}.sock
cert = {certificate}
key = {key}
sslVersionMin = TLSv1.2
"""


def masked(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings as a diff may show them: without the hash."""
    shown = {group: dict(keys) if isinstance(keys, Mapping) else keys for group, keys in settings.items()}
    provider = shown.get("PasswordIdentityProvider")
    if isinstance(provider, dict) and provider.get("hashed_password"):
        provider["hashed_password"] = "(a hash)"
    return shown
