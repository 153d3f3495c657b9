"""Packages: what dpkg has, where apt gets it from and with which keys, what waits; the loader's libraries."""

# os.path and glob throughout: in the evidence, which becomes JSON, paths are texts.
# ruff: noqa: PTH113, PTH207
from __future__ import annotations

import glob
import os
import re
import tempfile
import time
from typing import Any

from ..host import apt_lists, apt_policy, dpkg, gpg_keys
from ..host import apt_sources as sources
from .common import Settings, read, run

PACKAGES_OF_INTEREST = re.compile(
    r"nvidia|^cuda|cudnn|^libcuda|^libnccl|^linux-(image|headers|modules-nvidia)|^dkms"
    r"|^ufw$|^openssh-server$|^unattended-upgrades$"
)
OF_A_VENDOR = re.compile(r"nvidia|^cuda|^libcuda|^libcudnn")
SHELL_FILES = ("/etc/environment", "/etc/profile", "/etc/bash.bashrc", "/etc/zsh/zshenv", "/etc/security/pam_env.conf")


def packages(_: Settings) -> dict[str, Any]:
    """Installed packages of interest, every package that is not properly installed, and holds."""
    try:
        entries = dpkg.read_entries()
    except OSError:
        return {"rc": 1, "known": [], "broken": []}
    known = [
        {"name": one.name, "version": one.version, "hold": one.want == "hold"}
        for one in entries
        if one.configured and PACKAGES_OF_INTEREST.search(one.name)
    ]
    return {"rc": 0, "known": known, "broken": [f"{one.name} ({one.status})" for one in entries if one.unfinished]}


def package_origins(_: Settings) -> dict[str, list[str]]:
    """For each installed driver or CUDA package, the repositories that offer the installed version."""
    installed = dpkg.read_packages()
    names = sorted(name for name, one in installed.items() if one.configured and OF_A_VENDOR.search(name))
    if not names:
        return {}
    offered = apt_policy.parse(run(["apt-cache", "policy", *names], timeout=60)["out"])
    return {
        name: [" ".join(source.split()[:2]) for one in policy.versions if one.installed for source in one.sources]
        for name, policy in offered.items()
    }


def apt_sources(_: Settings) -> dict[str, str]:
    """Text of every source list, by path."""
    paths = [
        "/etc/apt/sources.list",
        *sorted(glob.glob("/etc/apt/sources.list.d/*.list") + glob.glob("/etc/apt/sources.list.d/*.sources")),
    ]
    return {path: text for path in paths for text in [read(path)] if text is not None}


def apt_keys(_: Settings) -> dict[str, Any]:
    """gpg's colon listing of every key file that apt may trust, by path."""
    paths = set(glob.glob("/etc/apt/trusted.gpg.d/*") + glob.glob("/etc/apt/keyrings/*"))
    for path, text in apt_sources({}).items():
        paths.update(keyring for entry in sources.parse(text, path) for keyring in entry.keyrings)
    listed = {}
    with tempfile.TemporaryDirectory(prefix="dlbox-gpg-", dir="/tmp", ignore_cleanup_errors=True) as home:
        for path in sorted(paths):
            if os.path.isfile(path):
                listed[path] = run(["gpg", "--homedir", home, *gpg_keys.ARGUMENTS, path])
    return listed


def apt_config(_: Settings) -> dict[str, Any]:
    """apt's settings about unattended upgrades, and the age of its package lists in seconds."""
    answer = run(["apt-config", "dump"])
    wanted = [line for line in answer["out"].splitlines() if line.startswith(("Unattended-Upgrade", "APT::Periodic"))]
    return {"lines": wanted, "lists": len(apt_lists.release_files()), "age": time.time() - apt_lists.last_read()}


def updates(_: Settings) -> dict[str, Any]:
    """What `apt-get upgrade` would install, from the package lists as they are: name, security or not."""
    answer = run(
        ["apt-get", "-s", "-o", "Debug::NoLocking=true", "-o", "APT::Get::Show-User-Simulation-Note=false", "upgrade"],
        timeout=60,
    )
    lines = re.findall(r"^Inst (\S+) .*?\((\S+) (.*?)\)", answer["out"], re.MULTILINE)
    return {
        "rc": answer["rc"],
        "err": answer["err"],
        "all": [name for name, _version, _origin in lines],
        "security": [name for name, _version, origin in lines if "ecurity" in origin],
    }


def loader(_: Settings) -> dict[str, Any]:
    """Global LD_LIBRARY_PATH settings, and the CUDA libraries that the system's loader would find first."""
    hits = []
    for path in [
        *SHELL_FILES,
        *sorted(glob.glob("/etc/profile.d/*")),
        *sorted(glob.glob("/etc/environment.d/*")),
        *sorted(glob.glob("/etc/systemd/system.conf.d/*")),
    ]:
        for line in (read(path) or "").splitlines():
            if "LD_LIBRARY_PATH" in line and not line.lstrip().startswith("#"):
                hits.append(f"{path}: {line.strip()}")
    listed = run(["ldconfig", "-p"])["out"]
    libraries = re.findall(r"^\s+(lib(?:cudnn|cublas|cudart|nccl)\S*) .*=> (\S+)", listed, re.MULTILINE)
    return {"ld_library_path": hits, "libraries": [list(pair) for pair in libraries]}
