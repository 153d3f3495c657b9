"""Print every driver that the planner plans on a release, as JSON: profiles.py ID VERSION SOURCE FLAVOURS REPOSITORY.

Each kind of GPU from Kepler to Blackwell, at a desktop and in a server, with the stable and the newest policy and every
branch that the owner may pin; plans that come to the same driver are one profile, titled with the GPUs it stands for.
FLAVOURS are the installed kernel flavours, with commas; REPOSITORY is the mirror of NVIDIA's repository, as JSON.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from ansible_collections.dlbox.workstation.plugins.plugin_utils.planner.model import find_system
from ansible_collections.dlbox.workstation.plugins.plugin_utils.planner.planner import plan

GPUS = {
    "GTX 780 Ti": "Kepler",
    "GTX 960": "Maxwell",
    "GTX 1080": "Pascal",
    "TITAN V": "Volta",
    "RTX 2080 Ti": "Turing",
    "RTX 3090": "Ampere",
    "RTX 4090": "Ada",
    "H100 PCIe": "Hopper",
    "B200": "Blackwell B200",
    "RTX 5090": "Blackwell",
}
PREFERENCES: list[dict[str, Any]] = [
    {},
    {"policy": "newest"},
    {"pins": {"driver": "595"}},
    {"pins": {"driver": "620"}},
]


def profiles(system_id: str, version: str, source: str, flavours: str, repository: str) -> list[dict[str, Any]]:
    """Return the drivers of one source ("ubuntu" or "nvidia"), each with the plan of a machine that it is for."""
    system = find_system(f"{system_id}-{version}")
    found: dict[str, dict[str, Any]] = {}
    for gpu, architecture in GPUS.items():
        for headless in (False, True):
            for preference in PREFERENCES:
                pins = {**preference.get("pins", {}), **({"driver_source": "nvidia"} if source == "nvidia" else {})}
                machine = {
                    "host": "box",
                    "os": {
                        "id": system.id,
                        "version": system.version,
                        "codename": system.codename,
                        "kernel": system.default_kernel,
                        "kernel_flavours": flavours.split(","),
                        "arch": "x86_64",
                        "secure_boot": False,
                        "virtualization": "none",
                        "wsl": False,
                    },
                    "gpus": [{"name_hint": gpu}],
                    "cpu": {"flags": ["avx", "avx2", "fma"]},
                }
                mirror = {"nvidia_repository": json.loads(repository)}
                options = {"today": "2026-11-20", **preference, **mirror, "pins": pins, "headless": headless}
                planned = plan(machine, options)
                driver = planned["driver"]
                if driver is None or driver["source"] != source:
                    continue
                key = json.dumps([driver["branch"], driver["modules"], driver["provider"], driver["packages"]])
                kinds = found.setdefault(key, {"plan": planned, "gpus": []})["gpus"]
                kinds += [architecture] if architecture not in kinds else []
    return [
        {
            "name": item["plan"]["driver"]["packages"][0],
            "title": f"{item['plan']['driver']['packages'][0]} ({', '.join(item['gpus'])})",
            "gpus": item["gpus"],
            "plan": {
                key: item["plan"][key] for key in ("os", "gpus", "driver", "refusals", "pins") if key in item["plan"]
            },
        }
        for _key, item in sorted(found.items())
    ]


if __name__ == "__main__":
    json.dump(profiles(*sys.argv[1:6]), sys.stdout)
