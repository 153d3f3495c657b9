"""Advice, never a refusal: memory, link, power supply, energy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .model import Problem

#: Power of everything but the GPUs at full load, W; and share of the supply to stay under [M].
REST_WATTS = 200
SUPPLY_SHARE = 0.8


def _item(code: str, message: str) -> dict[str, str]:
    return {"code": code, "message": message}


def advise(problem: Problem, facts: Mapping[str, Any], preferences: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return advice where the data is known: [{code, message}]."""
    found: list[dict[str, str]] = []
    gpus = [gpu for gpu in problem.gpus if gpu.usable and gpu.role == "compute"]
    memory = [gpu.memory_mib for gpu in gpus if gpu.memory_mib]
    if memory and problem.memory_mib and problem.memory_mib < 2 * sum(memory):
        found.append(
            _item(
                "ram_below_twice_gpu_memory",
                f"{problem.memory_mib / 1024:.0f} GiB of RAM for {sum(memory) / 1024:.0f} GiB of GPU "
                "memory: at least twice as much RAM keeps loading data from being the limit",
            )
        )
    elif memory and not problem.memory_mib:
        found.append(
            _item(
                "ram_for_gpu_memory",
                f"{sum(memory) / 1024:.0f} GiB of GPU memory ask for at least {2 * sum(memory) / 1024:.0f} GiB of RAM",
            )
        )
    if memory and max(memory) < 4096:
        found.append(
            _item("gpu_memory_small", f"{max(memory) / 1024:.0f} GiB of GPU memory is little for current models")
        )
    if len(gpus) > 1 and not any(gpu.get("link") for gpu in facts.get("gpus") or ()):
        found.append(
            _item(
                "pcie_lanes",
                f"{len(gpus)} GPUs: take a board and a CPU that give each slot at least 8 "
                "PCIe lanes electrically, and room for the cards' width",
            )
        )
    found.extend(_links(facts))
    found.extend(_power(problem, preferences))
    return found


def _links(facts: Mapping[str, Any]) -> list[dict[str, str]]:
    found = []
    for gpu in facts.get("gpus") or ():
        link = gpu.get("link") or {}
        width, most = link.get("width"), link.get("max_width")
        if width and most and width < most:
            found.append(
                _item(
                    "pcie_width",
                    f"the GPU at {gpu.get('slot')} runs at x{width} of x{most}: check the "
                    "slot, the riser, and the board's lane sharing",
                )
            )
    return found


def _number(preferences: Mapping[str, Any], name: str) -> float | None:
    value = preferences.get(name)
    return None if value is None else float(value)


def _power(problem: Problem, preferences: Mapping[str, Any]) -> list[dict[str, str]]:
    gpus = [gpu for gpu in problem.gpus if gpu.usable and gpu.role != "ignored"]
    if not gpus:
        return []
    known = [gpu.power_w for gpu in gpus if gpu.power_w]
    if len(known) < len(gpus):
        return (
            [
                _item(
                    "power_unknown",
                    "the power limit of a GPU is not in the data: no figure for power supply and energy",
                )
            ]
            if preferences.get("psu_watts") or preferences.get("price_per_kwh")
            else []
        )
    total = sum(known)
    found = []
    supply = _number(preferences, "psu_watts")
    need = (total + REST_WATTS) / SUPPLY_SHARE
    if supply is not None and supply < need:
        found.append(
            _item(
                "power_supply_small",
                f"the GPUs' limits add up to {total} W, about {need:.0f} W of supply "
                f"with the rest of the machine and a reserve; {supply:.0f} W are "
                "stated. Set a power limit or take a larger supply",
            )
        )
    elif supply is None:
        found.append(_item("power_supply", f"the GPUs' limits add up to {total} W: a supply of about {need:.0f} W"))
    price = _number(preferences, "price_per_kwh")
    if price is not None:
        hours = _number(preferences, "duty_hours")
        hours = 8.0 if hours is None else hours
        energy = (total + REST_WATTS) / 1000 * hours * 365
        found.append(
            _item(
                "energy",
                f"{hours:g} h a day at full power are about {energy:.0f} kWh a year, "
                f"{energy * price:.0f} at {price:g} per kWh",
            )
        )
    return found
