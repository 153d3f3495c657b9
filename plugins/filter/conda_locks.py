"""Filters for the role conda: the locks beside the inventory, and where packages come from."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

FILES = ("lock.json", "conda.lock", "wheels.txt")


def conda_locks(folder: str) -> dict[str, dict[str, str]]:
    """Environment's name -> file name -> text, of every folder below `folder`; empty where there are no locks."""
    root = Path(folder)
    if not root.is_dir():
        return {}
    return {
        place.name: {name: (place / name).read_text() for name in FILES if (place / name).is_file()}
        for place in sorted(root.iterdir())
        if place.is_dir()
    }


def conda_sources(given: dict[str, Any]) -> dict[str, Any]:
    """The variables of sources without the credentials in their URLs, and these under `credentials`."""
    # Not above: Ansible loads every filter file anew in the process of each task.
    from ..module_utils.conda.credentials import split

    clean, credentials = split(given)
    return {**clean, "credentials": [asdict(one) for one in credentials]}


def conda_lock_conflicts(needed: dict[str, dict[str, Any]]) -> list[str]:
    """Which hosts need different locks in one place, as sentences. needed: host -> conda_lock's answer to inspect."""
    kinds: dict[tuple[str, str], dict[str, list[str]]] = {}
    for host, answer in needed.items():
        for one in answer["requests"]:
            kinds.setdefault((one["place"], one["name"]), {}).setdefault(one["kind"], []).append(host)
    return [
        f"{' and '.join(', '.join(hosts) for hosts in found.values())} need different locks of {name}, and all of them "
        f"would be {place}. Set conda_locks_dir per host or group. Where they should be the same, ./dlbox plan shows "
        "what each host says that it is"
        for (place, name), found in kinds.items()
        if len(found) > 1
    ]


def conda_lock_sharers(hosts: Iterable[str], variables: Mapping[str, Any], folder: str) -> list[str]:
    """Those of the hosts whose locks are in the same folder. variables: hostvars."""
    place = os.path.realpath(folder)
    return [
        host
        for host in hosts
        if os.path.realpath(
            variables[host].get("conda_locks_dir") or Path(variables[host].get("inventory_dir") or ".", "locks")
        )
        == place
    ]


class FilterModule:
    """What Ansible looks for in this file."""

    def filters(self) -> dict[str, Any]:
        """Name of the filter -> function."""
        return {
            "conda_locks": conda_locks,
            "conda_sources": conda_sources,
            "conda_lock_conflicts": conda_lock_conflicts,
            "conda_lock_sharers": conda_lock_sharers,
        }
