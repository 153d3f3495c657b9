"""What the page is made of: one JSON file per host, kept up to date by the doctor, the benchmark and each run.

{"host", "date", "facts": {...}, "plan": {...}, "checks": [{name, area, result, observed, remedy, date}],
 "outside": {...}, "bench": record | None, "bench_before": record | None, "unreachable": text}
"""

from __future__ import annotations

import datetime
import json
import os
import re
from pathlib import Path
from typing import Any

# What is told of the installed packages, by the names that Ubuntu, Debian and NVIDIA give them.
PACKAGE_FAMILIES = (
    (
        "NVIDIA driver",
        r"^(nvidia-driver|libnvidia-|nvidia-(utils|compute-utils|smi|kernel|dkms|persistenced)|libcuda1$)",
    ),
    ("CUDA toolkit", r"^(cuda-toolkit-\d+-\d+|nvidia-cuda-toolkit)$"),
    ("cuDNN", r"^(lib)?cudnn"),
    ("NCCL", r"^libnccl"),
    ("ssh server", r"^openssh-server$"),
    ("Firewall", r"^ufw$"),
)


def now() -> str:
    """The time in UTC, as the page shows it."""
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC")


def path_of(output: Path, host: str) -> Path:
    """Where a host's data lies; a name with a slash cannot leave the folder."""
    return output / "data" / (host.replace(os.sep, "_") + ".json")


def load(output: Path, host: str) -> dict[str, Any]:
    """A host's data; an empty frame when there is none or it is damaged (it can always be asked again)."""
    frame: dict[str, Any] = {
        "host": host,
        "date": "",
        "facts": {},
        "plan": {},
        "checks": [],
        "outside": {},
        "bench": None,
        "bench_before": None,
        "unreachable": "",
    }
    try:
        data = json.loads(path_of(output, host).read_text())
    except (OSError, ValueError):
        return frame
    return {**frame, **data} if isinstance(data, dict) else frame


def last_change(output: Path, host: str) -> float:
    """When a host's data was saved, in seconds of Unix time; 0 where there is none."""
    path = path_of(output, host)
    return path.stat().st_mtime if path.exists() else 0.0


def save(output: Path, data: dict[str, Any]) -> None:
    """Write a host's data, whole or not at all. The file names accounts and open ports: its owner alone reads it."""
    path = path_of(output, data["host"])
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    part.touch(mode=0o600)
    part.write_text(json.dumps(data, indent=1, sort_keys=True))
    part.replace(path)


def facts(evidence: dict[str, Any]) -> dict[str, Any]:
    """Identity and hardware, from the probe's answer; what was not asked or could not be read is left out."""
    system = evidence.get("os_release") or {}
    cards = (evidence.get("nvidia_smi") or {}).get("gpus") or []
    memory = (evidence.get("memory") or {}).get("MemTotal")
    found = {
        "system": system.get("PRETTY_NAME"),
        "kernel": (evidence.get("kernels") or {}).get("running"),
        "virtualization": evidence.get("virtualization"),
        "addresses": evidence.get("addresses"),
        "driver": (evidence.get("nvidia_module") or {}).get("version"),
        "gpus": [
            f"{card['name']}, {int(card['memory.total']) // 1024} GiB"
            if card["memory.total"].isdigit()
            else card["name"]
            for card in cards
        ]
        or [
            f"NVIDIA device {item['device']} at {item['slot']} (no driver answers)"
            for item in evidence.get("gpus") or []
        ],
        "memory": memory,
        "packages": installed((evidence.get("packages") or {}).get("known") or []),
        "environments": [item["name"] for item in evidence.get("environment_list") or []],
    }
    return {name: value for name, value in found.items() if value}


def installed(packages: list[dict[str, Any]]) -> dict[str, str]:
    """Family -> the versions of its installed packages, and of how many where there are several.

    Args:
        packages: ``[{"name", "version", "hold"}, ...]`` from the probe.
    """
    found = {}
    for family, pattern in PACKAGE_FAMILIES:
        versions: dict[str, int] = {}
        for item in packages:
            if re.search(pattern, item["name"]):
                versions[item["version"]] = versions.get(item["version"], 0) + 1
        if versions:
            told = (f"{version} ({count} packages)" if count > 1 else version for version, count in versions.items())
            found[family] = ", ".join(told)
    return found


def checked(
    data: dict[str, Any], report: dict[str, Any], evidence: dict[str, Any], outside: dict[str, Any]
) -> dict[str, Any]:
    """The data with a doctor's report: its checks replace those of the same name, others stay with their date."""
    date = now()
    if "error" in report:
        return {**data, "unreachable": report["error"], "date": date}
    asked = {entry["name"].split("[", 1)[0] for entry in report["checks"]}
    older = [entry for entry in data["checks"] if entry["name"].split("[", 1)[0] not in asked]
    runs = [run for run in evidence.get("bench_runs") or [] if run]
    return {
        **data,
        "date": date,
        "unreachable": "",
        "facts": {**data["facts"], **facts(evidence)},
        "plan": evidence.get("plan") or data["plan"],
        "checks": [*({**entry, "date": date} for entry in report["checks"]), *older],
        "outside": {
            **data["outside"],
            **{key: outside[key] for key in ("open", "from", "audit", "address") if key in outside},
        },
        "bench": runs[-1] if runs else data["bench"],
        "bench_before": runs[-2] if len(runs) > 1 else data["bench_before"],
    }


def measured(data: dict[str, Any], record: dict[str, Any], before: dict[str, Any] | None) -> dict[str, Any]:
    """The data with a benchmark's record."""
    return {**data, "date": now(), "bench": record, "bench_before": before}
