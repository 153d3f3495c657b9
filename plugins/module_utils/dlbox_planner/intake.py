"""Check facts and wishes and turn them into a `Problem`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from .driver import DriverPin
from .facts import validate_facts
from .gpus import from_id, from_name
from .model import CONTAINERS, PINS, POLICIES, ROLES, Gpu, Problem, UsageError, find_system
from .versions import numbers

_CHOICES = {
    "modules": ("open", "proprietary"),
    "driver_source": ("ubuntu", "debian", "nvidia"),
    "cuda_source": ("ubuntu", "debian", "nvidia"),
}
WISHES = (
    "policy",
    "pins",
    "headless",
    "unattended",
    "today",
    "gpu_roles",
    "pypi_only",
    "psu_watts",
    "price_per_kwh",
    "duty_hours",
    "explain",
)


def check_pins(pins: Mapping[str, Any]) -> dict[str, str]:
    """Return the pins as text; raises UsageError that names pin, value and what was expected."""
    result: dict[str, str] = {}
    for name, value in pins.items():
        text = "" if value is None else str(value).strip()
        if name not in PINS:
            raise UsageError(f"pin {name!r} is not known: expected one of {', '.join(PINS)}")
        if not text:
            continue
        if name in _CHOICES and text not in _CHOICES[name]:
            raise UsageError(f"pin {name}={text}: expected one of {', '.join(_CHOICES[name])}")
        if name == "driver" and not DriverPin.parse(text).branch:
            raise UsageError(f"pin driver={text}: expected a branch such as 580, 580-open, 580-server or a version")
        if name == "python" and not re.fullmatch(r"3\.\d{1,2}", text):
            raise UsageError(f"pin python={text}: expected a version such as 3.12")
        if name in ("cuda", "cudnn") and not re.fullmatch(r"\d+(\.\d+)*", text):
            example = "12.9" if name == "cuda" else "9.10.2.21"
            raise UsageError(f"pin {name}={text}: expected a version such as {example}")
        result[name] = text
    return result


def _flag(value: Any) -> bool | None:
    return None if value is None else bool(value)


def _role(roles: Mapping[str, str], gpu: Mapping[str, Any], resolved: Gpu) -> str:
    for key, role in roles.items():
        if role not in ROLES:
            raise UsageError(f"gpu_roles {key}={role}: expected one of {', '.join(ROLES)}")
        if key in (gpu.get("slot"), gpu.get("pci_id"), resolved.pci_id, resolved.name):
            return role
        if not re.match(r"^[0-9a-f]{4}:", key.lower()):
            try:
                if from_name(key).pci_id == resolved.pci_id:
                    return role
            except UsageError:
                continue
    return "compute"


def gpu_from_facts(gpu: Mapping[str, Any], roles: Mapping[str, str], container: bool, driver_loaded: bool) -> Gpu:
    """Return the planner's GPU for one entry of the machine's facts."""
    pci_id = str(gpu.get("pci_id") or "")
    usable, note = bool(gpu.get("usable", True)), str(gpu.get("note") or "")
    if gpu.get("kernel_driver") == "vfio-pci" and usable:
        usable, note = False, "bound to vfio-pci for a virtual machine: left alone"
    elif container and usable and not driver_loaded:
        usable, note = False, "belongs to the container's host, which has passed no NVIDIA device into it"
    resolved = from_id(
        pci_id,
        slot=str(gpu.get("slot") or ""),
        chip_hint=str(gpu.get("chip_hint") or ""),
        name_hint=str(gpu.get("name_hint") or ""),
        usable=usable,
        note=note,
        memory_mib=gpu.get("memory_mib"),
    )
    role = _role(roles, gpu, resolved)
    return replace(resolved, role=role)


def problem_from(facts: Mapping[str, Any], wishes: Mapping[str, Any]) -> Problem:
    """Return the problem for a machine's facts and an owner's wishes; raises UsageError on bad input."""
    validate_facts(facts, "the facts of the machine are not valid")
    unknown = sorted(set(wishes) - set(WISHES))
    if unknown:
        raise UsageError(f"wish {unknown[0]!r} is not known: expected one of {', '.join(WISHES)}")
    policy = str(wishes.get("policy") or "stable")
    if policy not in POLICIES:
        raise UsageError(f"policy {policy!r}: expected one of {', '.join(POLICIES)}")
    today = wishes.get("today")
    if today is not None and not re.fullmatch(r"\d{4}-\d{2}-\d{2}", str(today)):
        raise UsageError(f"today {today!r}: expected a date such as 2026-11-20")
    os_facts = facts.get("os") or {}
    system = find_system(f"{os_facts.get('id', '')}-{os_facts.get('version', '')}")
    kernel = str(os_facts.get("kernel") or system.default_kernel)
    if not numbers(kernel):
        raise UsageError(f"kernel {kernel!r}: expected a version such as 6.8 or 6.8.0-149-generic")
    virtualization = str(os_facts.get("virtualization") or "none")
    wsl = bool(os_facts.get("wsl"))
    container = virtualization in CONTAINERS and not wsl
    loaded = (facts.get("driver") or {}).get("loaded")
    gpus: Sequence[Mapping[str, Any]] = facts.get("gpus") or ()
    flags = (facts.get("cpu") or {}).get("flags")
    roles = wishes.get("gpu_roles") or {}
    avx: bool | None = None
    avx2: bool | None = None
    if flags is not None and os_facts.get("arch", "x86_64") == "x86_64":
        avx, avx2 = "avx" in flags, "avx2" in flags
    resolved = [gpu_from_facts(gpu, roles, container, bool(loaded)) for gpu in gpus]
    # what a GPU is decides, not where it sits
    resolved.sort(key=lambda gpu: (gpu.pci_id, gpu.name, gpu.slot))
    return Problem(
        host=str(facts.get("host") or "this machine"),
        system=system,
        kernel=kernel,
        arch=str(os_facts.get("arch") or "x86_64"),
        secure_boot=_flag(os_facts.get("secure_boot")),
        virtualization=virtualization,
        wsl=wsl,
        avx=avx,
        avx2=avx2,
        gpus=tuple(resolved),
        memory_mib=facts.get("memory_mib"),
        loaded=str(loaded) if loaded else None,
        policy=policy,
        pins=check_pins(wishes.get("pins") or {}),
        headless=bool(wishes.get("headless")),
        unattended=bool(wishes.get("unattended")),
        pypi_only=bool(wishes.get("pypi_only")),
        today=str(today) if today else None,
    )
