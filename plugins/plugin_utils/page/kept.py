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

from ..bench.answer import usable_records

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


def empty(host: str) -> dict[str, Any]:
    """The data of a host that was never asked."""
    return {
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


def load(output: Path, host: str) -> dict[str, Any]:
    """A host's data; an empty frame when there is none or it is damaged (it can always be asked again)."""
    frame = empty(host)
    try:
        data = json.loads(path_of(output, host).read_text())
    except (OSError, ValueError, RecursionError):
        return frame
    return {**frame, **data} if isinstance(data, dict) else frame


def last_change(output: Path, host: str) -> float:
    """When a host's data was saved, in seconds of Unix time; 0 where there is none."""
    path = path_of(output, host)
    return path.stat().st_mtime if path.exists() else 0.0


def save(output: Path, data: dict[str, Any]) -> None:
    """Write a host's data, whole or not at all. The file names accounts and open ports: its owner alone reads it."""
    path = path_of(output, data["host"])
    output.parent.mkdir(parents=True, exist_ok=True)
    for folder in (output, path.parent):
        folder.mkdir(mode=0o700, exist_ok=True)
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
    """The data with a doctor's report: its checks replace those of the same name, others stay with their date.

    The evidence is the host's word: where it cannot be read, the host counts as one that could not be asked.
    """
    date = now()
    if "error" in report:
        return {**data, "unreachable": report["error"], "date": date}
    try:
        told = of_evidence(evidence)
    except Exception as error:
        return {**data, "unreachable": f"its answer cannot be used: {type(error).__name__}", "date": date}
    asked = {entry["name"].split("[", 1)[0] for entry in report["checks"]}
    older = [entry for entry in data["checks"] if entry["name"].split("[", 1)[0] not in asked]
    return {
        **data,
        "date": date,
        "unreachable": "",
        "facts": {**data["facts"], **told["facts"]},
        "plan": told["plan"] or data["plan"],
        "checks": [*({**entry, "date": date} for entry in report["checks"]), *older],
        "outside": {
            **data["outside"],
            **{key: outside[key] for key in ("open", "from", "audit", "address") if key in outside},
        },
        "bench": told["runs"][-1] if told["runs"] else data["bench"],
        "bench_before": told["runs"][-2] if len(told["runs"]) > 1 else data["bench_before"],
    }


def of_evidence(evidence: dict[str, Any]) -> dict[str, Any]:
    """What is kept of a probe's answer: {"facts", "plan", "runs"}. Another shape may raise any exception."""
    return {
        "facts": facts(evidence),
        "plan": dict(evidence.get("plan") or {}),
        "runs": usable_records(evidence.get("bench_runs")),
    }


def measured(data: dict[str, Any], record: dict[str, Any], before: dict[str, Any] | None) -> dict[str, Any]:
    """The data with a benchmark's record."""
    return {**data, "date": now(), "bench": record, "bench_before": before}
