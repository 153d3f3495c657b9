"""Check facts and preferences and turn them into a `Problem`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from .facts import shape, validate_facts
from .gpus import answers_to, from_id, has_nvswitch
from .model import (
    ARCHITECTURE_NAMES,
    CONTAINERS,
    LIBRARIES,
    PINS,
    POLICIES,
    ROLES,
    Gpu,
    Problem,
    UnknownArchitecture,
    UsageError,
    find_system,
)

_CHOICES = {
    "modules": ("open", "proprietary"),
    "driver_source": ("ubuntu", "debian", "nvidia"),
    "cuda_source": ("ubuntu", "debian", "nvidia"),
}
_FRAMEWORK_PIN = (
    r"[0-9]+([.][0-9]+)*([+][a-z0-9]+)?|[a-z][a-z0-9-]*",
    "a version such as 2.14.1, with or without a build such as 2.14.1+cu126, or a build such as cpu",
)
#: Pin -> (form, what to say of it).
_PIN_FORMS = {
    "driver": (
        r"[0-9]{2,4}([.][0-9]+)*(-(open|server|proprietary)){0,2}",
        "a branch such as 580, 580-open, 580-server or a version",
    ),
    "python": (r"3[.][0-9]{1,2}", "a version such as 3.12"),
    "cuda": (r"[0-9]+([.][0-9]+)*", "a version such as 12.9"),
    "cudnn": (r"[0-9]+([.][0-9]+)*", "a version such as 9.10.2.21"),
    "keras": (r"[0-9]+([.][0-9]+)*", "a version such as 3.15.1"),
}
#: Option -> (largest value, unit).
_AMOUNTS = {
    "psu_watts": (1_000_000, "watts"),
    "price_per_kwh": (1_000_000, "a price"),
    "duty_hours": (24, "hours a day"),
}
PREFERENCES = (
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
    "nvidia_repository",
    "toolkits",
    "default_toolkit",
    "libraries",
)
_REPOSITORY_TEXTS = ("url", "suite", "key_url")
_REPOSITORY_LISTS = ("components", "key_fingerprints")


def check_pins(pins: object) -> dict[str, str]:
    """Return the pins as text; raises UsageError that names pin, value and what was expected."""
    if not isinstance(pins, Mapping):
        raise UsageError(f"pins is {shape(pins)}, expected a mapping of component to version")
    result: dict[str, str] = {}
    for name, value in pins.items():
        if name not in PINS:
            raise UsageError(f"pin {shape(name)} is not known: expected one of {', '.join(PINS)}")
        if value is None or value == "":
            continue
        if isinstance(value, float) and name == "python":
            raise UsageError(f"pin python={value!r} is a number, in which 3.1 and 3.10 are the same: put it in quotes")
        if isinstance(value, bool) or not isinstance(value, (str, int, float)):
            raise UsageError(f"pin {name} is {shape(value)}, expected a version")
        text = str(value).strip()
        if not text:
            continue
        if name in _CHOICES:
            if text not in _CHOICES[name]:
                raise UsageError(f"pin {name}={shape(text)}: expected one of {', '.join(_CHOICES[name])}")
        elif len(text) > 40 or not re.fullmatch(_PIN_FORMS.get(name, _FRAMEWORK_PIN)[0], text):
            raise UsageError(f"pin {name}={shape(text)}: expected {_PIN_FORMS.get(name, _FRAMEWORK_PIN)[1]}")
        result[name] = text
    return result


def check_repository(given: object) -> dict[str, Any]:
    """Return the owner's mirror of NVIDIA's repository; raises UsageError on what is none."""
    if not isinstance(given, Mapping):
        raise UsageError(f"nvidia_repository is {shape(given)}, expected a mapping")
    result: dict[str, Any] = {}
    for key, value in given.items():
        if key in _REPOSITORY_TEXTS:
            expected = "an absolute path or /" if key == "suite" else "a URL"
            if not isinstance(value, str) or (
                key != "suite" and value and not re.match(r"(?:https?|file|copy):/", value)
            ):
                raise UsageError(f"nvidia_repository.{key} is {shape(value)}, expected {expected}")
            if key != "suite" and re.match(r"\w+://[^/]*@", value):
                raise UsageError(
                    f"nvidia_repository.{key} holds credentials, and everybody can read where packages come from: leave"
                    " them out and put them into a file below /etc/apt/auth.conf.d of the host, see apt_auth.conf(5)"
                )
        elif key in _REPOSITORY_LISTS:
            if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
                raise UsageError(f"nvidia_repository.{key} is {shape(value)}, expected a list of texts")
        else:
            known = ", ".join((*_REPOSITORY_TEXTS, *_REPOSITORY_LISTS))
            raise UsageError(f"nvidia_repository has the key {shape(key)}, expected only {known}")
        if value:
            result[key] = value
    prints = [re.sub(r"\s", "", text).upper() for text in result.get("key_fingerprints", [])]
    for text in prints:
        if not re.fullmatch(r"[0-9A-F]{40}", text):
            raise UsageError(f"nvidia_repository.key_fingerprints has {shape(text)}, expected 40 hexadecimal digits")
    return {**result, "key_fingerprints": prints} if prints else result


def check_libraries(given: object) -> tuple[str, ...]:
    """Return the CUDA libraries to install; raises UsageError on one that is not known."""
    if not isinstance(given, (list, tuple)) or not all(name in LIBRARIES for name in given if isinstance(name, str)):
        raise UsageError(f"libraries is {shape(given)}, expected a list of {', '.join(LIBRARIES)}")
    return tuple(name for name in LIBRARIES if name in given)


def check_toolkits(given: object, name: str) -> tuple[str, ...]:
    """Return the toolkits to install, as ``12.9`` or ``auto``; raises UsageError on what is neither."""
    if not isinstance(given, (list, tuple)) or len(given) > 32:
        raise UsageError(f"{name} is {shape(given)}, expected a list of versions")
    result = []
    for value in given:
        match = re.fullmatch(r"(auto|[0-9]{1,3}\.[0-9]{1,3})(?:\.[0-9]{1,3})?", value if isinstance(value, str) else "")
        if not match:
            raise UsageError(f"{name} has {shape(value)}, expected a version such as '12.9', or 'auto'")
        result.append(match[1])
    return tuple(dict.fromkeys(result))


def _flag(options: Mapping[str, Any], name: str) -> bool:
    value = options.get(name)
    if value is not None and not isinstance(value, bool):
        raise UsageError(f"{name} is {shape(value)}, expected true or false")
    return bool(value)


def _check_amounts(options: Mapping[str, Any]) -> None:
    for name, (most, unit) in _AMOUNTS.items():
        value = options.get(name)
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= most:
            raise UsageError(f"{name} is {shape(value)}, expected {unit} from 0 to {most}")


def _check_day(value: object) -> str | None:
    if value is None:
        return None
    try:
        if isinstance(value, str) and re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
            return date.fromisoformat(value).isoformat()
    except ValueError:
        pass
    raise UsageError(f"today is {shape(value)}, expected a date such as 2026-11-20")


def _check_roles(roles: object) -> dict[str, str]:
    if not isinstance(roles, Mapping):
        raise UsageError(f"gpu_roles is {shape(roles)}, expected a mapping of a GPU's slot, PCI id or name to its role")
    for key, role in roles.items():
        if role not in ROLES:
            raise UsageError(f"gpu_roles {shape(key)} is {shape(role)}, expected one of {', '.join(ROLES)}")
        if not isinstance(key, str) or not key.strip():
            raise UsageError(f"gpu_roles has the key {shape(key)}, expected a GPU's slot, PCI id or name")
    return dict(roles)


def _assign_roles(gpus: Sequence[Gpu], roles: Mapping[str, str]) -> list[Gpu]:
    """Return the GPUs with their roles; raises UsageError for a role of a GPU that is not there.

    A slot says more than a PCI id or a name, so it is looked at first.
    """
    assigned = list(gpus)
    for by_slot in (False, True):
        for key, role in roles.items():
            found = [number for number, gpu in enumerate(gpus) if key.lower() == gpu.slot.lower()]
            if bool(found) is not by_slot:
                continue
            if not found:
                found = list(range(len(gpus))) if key == "all" else _named(gpus, key)
            if not found and key != "all":
                have = ", ".join(f"{gpu.name or gpu.chip or 'unknown'} ({gpu.pci_id or gpu.slot})" for gpu in gpus[:8])
                raise UsageError(
                    f"gpu_roles: {shape(key)} is none of this machine's GPUs, which are {have or 'not there at all'}"
                )
            for number in found:
                assigned[number] = replace(assigned[number], role=role)
    return assigned


def _named(gpus: Sequence[Gpu], key: str) -> list[int]:
    """Return the positions of the GPUs that a PCI id or a name stands for."""
    same = [number for number, gpu in enumerate(gpus) if key.lower() in (gpu.pci_id, gpu.name.lower())]
    if same or re.match(r"[0-9a-f]{4}:", key.lower()):
        return same
    return [number for number, gpu in enumerate(gpus) if answers_to(gpu, key)]


def gpu_from_facts(gpu: Mapping[str, Any], container: bool, driver_loaded: bool) -> Gpu:
    """Return the planner's GPU for one entry of the machine's facts."""
    pci_id = str(gpu.get("pci_id") or "")
    usable, note = bool(gpu.get("usable", True)), str(gpu.get("note") or "")
    if gpu.get("kernel_driver") == "vfio-pci" and usable:
        usable, note = False, "bound to vfio-pci for a virtual machine: left alone"
    elif container and usable and not driver_loaded:
        usable, note = False, "belongs to the container's host, which has passed no NVIDIA device into it"
    return from_id(
        pci_id,
        subsystem=str(gpu.get("subsystem") or ""),
        slot=str(gpu.get("slot") or ""),
        chip_hint=str(gpu.get("chip_hint") or ""),
        name_hint=str(gpu.get("name_hint") or ""),
        usable=usable,
        note=note,
        memory_mib=gpu.get("memory_mib"),
        vgpu=gpu.get("vgpu"),
    )


def problem_from(facts: Mapping[str, Any], preferences: Mapping[str, Any]) -> Problem:
    """Return the problem for a machine's facts and an owner's preferences; raises UsageError on bad input."""
    validate_facts(facts, "the facts of the machine are not valid")
    unknown = sorted(str(name) for name in set(preferences) - set(PREFERENCES))
    if unknown:
        raise UsageError(f"option {shape(unknown[0])} is not known: expected one of {', '.join(PREFERENCES)}")
    policy = preferences.get("policy") or "stable"
    if policy not in POLICIES:
        raise UsageError(f"policy is {shape(policy)}, expected one of {', '.join(POLICIES)}")
    today = _check_day(preferences.get("today"))
    roles = _check_roles(preferences.get("gpu_roles") or {})
    pins = check_pins(preferences.get("pins") or {})
    _check_amounts(preferences)
    _flag(preferences, "explain")
    os_facts = facts["os"]
    system = find_system(f"{os_facts['id']}-{os_facts['version']}")
    named = str(os_facts.get("arch") or "x86_64")
    arch = ARCHITECTURE_NAMES.get(named)
    if arch is None:
        raise UnknownArchitecture(f"nothing is known for CPUs of the architecture {named}: expected x86_64 or aarch64")
    virtualization = str(os_facts.get("virtualization") or "none")
    wsl = bool(os_facts.get("wsl"))
    container = virtualization in CONTAINERS and not wsl
    loaded = (facts.get("driver") or {}).get("loaded")
    flags = (facts.get("cpu") or {}).get("flags")
    avx: bool | None = None
    avx2: bool | None = None
    if flags is not None and arch == "x86_64":
        avx, avx2 = "avx" in flags, "avx2" in flags
    resolved = _assign_roles([gpu_from_facts(gpu, container, bool(loaded)) for gpu in facts["gpus"]], roles)
    # what a GPU is decides, not where it sits
    resolved.sort(key=lambda gpu: (gpu.pci_id, gpu.name, gpu.slot))
    return Problem(
        host=str(facts.get("host") or "this machine"),
        system=system,
        kernel=str(os_facts.get("kernel") or system.default_kernel),
        kernel_flavours=tuple(os_facts.get("kernel_flavours") or ()),
        arch=arch,
        secure_boot=os_facts.get("secure_boot"),
        virtualization=virtualization,
        wsl=wsl,
        avx=avx,
        avx2=avx2,
        gpus=tuple(resolved),
        memory_mib=facts.get("memory_mib"),
        loaded=str(loaded) if loaded else None,
        policy=policy,
        pins=pins,
        headless=_flag(preferences, "headless"),
        unattended=_flag(preferences, "unattended"),
        pypi_only=_flag(preferences, "pypi_only"),
        today=today,
        nvswitch=bool(facts.get("nvswitches")) or has_nvswitch(resolved),
        toolkits=check_toolkits(preferences.get("toolkits") or (), "cuda_toolkits"),
        default_toolkit="".join(check_toolkits([preferences.get("default_toolkit")], "cuda_default_toolkit"))
        if preferences.get("default_toolkit")
        else "",
        libraries=check_libraries(preferences.get("libraries") or ()),
        nvidia_repository=check_repository(preferences.get("nvidia_repository") or {}),
    )
