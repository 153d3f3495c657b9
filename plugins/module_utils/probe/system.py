"""The system: releases, kernels, disks, units, clock, drives, the kernel's log."""

# os.path and glob throughout: in the evidence, which becomes JSON, paths are texts.
# ruff: noqa: PTH110, PTH116
from __future__ import annotations

import json
import os
import re
import time
from typing import Any

from ..host.kernels import read_kernels
from ..host.units import parse_show, properties_of, show_command
from .common import Settings, read, run

KERNEL_LINES = re.compile(
    r"NVRM|\bXid\b|nvidia|nouveau|Key was rejected|module verification failed|Loading of (unsigned|module)|Lockdown:"
    r"|I/O error|EXT4-fs error|XFS.*(error|corruption)|Out of memory|oom-kill|hardware error|mce:",
    re.IGNORECASE,
)


def kernels(_: Settings) -> dict[str, Any]:
    """The running kernel, and every installed one with its headers and the file of its NVIDIA module."""
    found = [
        {
            "release": one.release,
            "headers": one.headers,
            "nvidia": os.path.relpath(one.module_path, "/lib/modules/" + one.release) if one.module_path else "",
        }
        for one in read_kernels(versions=False)
        if one.bootable
    ]
    return {"running": os.uname().release, "installed": found}


def reboot(_: Settings) -> dict[str, Any]:
    """The distribution's own note that a reboot is needed, and for which packages."""
    packages = read("/run/reboot-required.pkgs") or ""
    return {"required": os.path.exists("/run/reboot-required"), "packages": sorted(set(packages.split()))}


def disks(_: Settings) -> list[dict[str, Any]]:
    """Bytes and inodes of the file systems that a workstation fills up."""
    seen, result = set(), []
    for path in ("/", "/boot", "/boot/efi", "/home", "/opt", "/var", "/tmp", "/srv", "/data"):
        try:
            device, fs = os.stat(path).st_dev, os.statvfs(path)
        except OSError:
            continue
        if device in seen or not fs.f_blocks:
            continue
        seen.add(device)
        result.append(
            {
                "path": path,
                "total": fs.f_blocks * fs.f_frsize,
                "free": fs.f_bavail * fs.f_frsize,
                "inodes": fs.f_files,
                "inodes_free": fs.f_favail,
                "read_only": bool(fs.f_flag & os.ST_RDONLY),
            }
        )
    return result


def units(_: Settings) -> dict[str, Any]:
    """systemd's state, its failed units, and the units that the checks name."""
    names = [
        "ssh.service",
        "ssh.socket",
        "ufw.service",
        "nvidia-persistenced.service",
        "nvidia-fabricmanager.service",
        "unattended-upgrades.service",
        "apt-daily-upgrade.timer",
    ]
    shown = run(show_command(names, "LoadState", "ActiveState", "UnitFileState"))
    failed = run(["systemctl", "list-units", "--failed", "--plain", "--no-legend", "--full"])
    return {
        "system": run(["systemctl", "is-system-running"])["out"].strip(),
        "failed": [line.split()[0] for line in failed["out"].splitlines() if line.split()]
        if failed["rc"] == 0
        else None,
        "states": parse_show(shown["out"]),
    }


def clock(_: Settings) -> dict[str, Any]:
    """Whether time is synchronised, as timedatectl says it, and the host's own time in seconds since 1970."""
    shown = run(["timedatectl", "show"])
    return {"rc": shown["rc"], "err": shown["err"], "fields": properties_of(shown["out"]), "now": time.time()}


def smart(_: Settings) -> dict[str, Any]:
    """Health of each drive that smartctl finds; `missing` when smartmontools is not installed."""
    scan = run(["smartctl", "--scan", "--json"])
    if scan["rc"] is None:
        return {"missing": scan["err"], "drives": []}
    try:
        devices = json.loads(scan["out"]).get("devices", [])
    except ValueError:
        return {"missing": "smartctl --scan --json gave no JSON", "drives": []}
    drives = []
    for device in devices:
        answer = run(["smartctl", "--json", "-H", "-A", "-d", device.get("type", "auto"), device["name"]])
        try:
            drives.append({"name": device["name"], "data": json.loads(answer["out"])})
        except ValueError:
            drives.append({"name": device["name"], "data": {}})
    return {"missing": "", "drives": drives}


def kernel_log(_: Settings) -> dict[str, Any]:
    """Lines of this boot's kernel log about GPUs, drives, memory and module signatures (the last 400)."""
    answer = run(["dmesg"])
    if answer["rc"] != 0:
        answer = run(["journalctl", "-k", "-b", "--no-pager", "-o", "short-monotonic", "-n", "20000"])
    lines = [line for line in answer["out"].splitlines() if KERNEL_LINES.search(line)]
    return {"readable": answer["rc"] == 0, "why": answer["err"].strip(), "lines": lines[-400:]}
