"""Power limit, clocks and compute mode per GPU: matched, clamped to what it allows, as nvidia-smi commands."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..host import nvidia_smi

QUERY = (
    "index",
    "uuid",
    "pci.bus_id",
    "name",
    "persistence_mode",
    "power.limit",
    "power.min_limit",
    "power.max_limit",
    "clocks.applications.memory",
    "clocks.applications.graphics",
    "clocks.max.memory",
    "clocks.max.graphics",
    "compute_mode",
)
COMPUTE_MODES = {"default": "Default", "exclusive_process": "Exclusive_Process", "prohibited": "Prohibited"}


@dataclass(frozen=True)
class GpuState:
    """A GPU as nvidia-smi reports it; watts and MHz are None where the GPU does not support the property."""

    index: int
    uuid: str
    slot: str
    name: str
    persistence: bool
    power: float | None
    power_min: float | None
    power_max: float | None
    memory_clock: int | None
    graphics_clock: int | None
    memory_clock_max: int | None
    graphics_clock_max: int | None
    compute_mode: str


@dataclass(frozen=True)
class GpuSetting:
    """One setting to apply: nvidia-smi's arguments, what is expected to be read back, and a note when the setting was
    clamped.
    """

    gpu: int
    what: str
    arguments: tuple[str, ...]
    expected: str
    note: str = ""


def parse_query(text: str) -> list[GpuState]:
    """Read what nvidia-smi printed for QUERY."""
    gpus = []
    for row in nvidia_smi.rows(text, QUERY):
        index, uuid, slot, name, persistence, *numbers, compute_mode = row.values()
        power, low, high, memory, graphics, memory_top, graphics_top = map(_number, numbers)
        gpus.append(
            GpuState(
                index=int(index),
                uuid=uuid,
                slot=slot.lower(),
                name=name,
                persistence=persistence == "Enabled",
                power=power,
                power_min=low,
                power_max=high,
                memory_clock=_whole(memory),
                graphics_clock=_whole(graphics),
                memory_clock_max=_whole(memory_top),
                graphics_clock_max=_whole(graphics_top),
                compute_mode=compute_mode,
            )
        )
    return gpus


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None  # [N/A], [Not Supported], [Unknown Error]


def _whole(number: float | None) -> int | None:
    return None if number is None else int(number)


def matches(gpu: GpuState, match: str) -> bool:
    """Whether an entry is meant for a GPU: "all", index, UUID, PCI slot with or without domain, part of the name."""
    wanted = match.strip().lower()
    if wanted.isdigit():
        return gpu.index == int(wanted)
    return wanted == "all" or wanted == gpu.uuid.lower() or gpu.slot.endswith(wanted) or wanted in gpu.name.lower()


def merged(gpu: GpuState, settings: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the settings for a GPU; later entries win, key by key."""
    out: dict[str, Any] = {}
    for setting in settings:
        if matches(gpu, str(setting.get("match") or "all")):
            out.update({key: value for key, value in setting.items() if key != "match" and value is not None})
    return out


def unmatched(gpus: Sequence[GpuState], settings: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return the `match` values that fit no GPU."""
    return [
        str(setting.get("match"))
        for setting in settings
        if not any(matches(gpu, str(setting.get("match") or "all")) for gpu in gpus)
    ]


def steps(gpus: Sequence[GpuState], settings: Sequence[Mapping[str, Any]]) -> list[GpuSetting]:
    """Return what is to be applied, clamped to the limits that the GPUs report. A property a GPU lacks gives a note
    only.
    """
    out: list[GpuSetting] = []
    for gpu in gpus:
        setting = merged(gpu, settings)
        if "power_limit" in setting:
            out.append(_power(gpu, float(setting["power_limit"])))
        if "application_clocks" in setting:
            out.append(_application_clocks(gpu, setting["application_clocks"]))
        if "graphics_clock_range" in setting:
            out.append(_clock_range(gpu, setting["graphics_clock_range"]))
        if "compute_mode" in setting:
            mode = COMPUTE_MODES[setting["compute_mode"]]
            out.append(GpuSetting(gpu.index, "compute_mode", ("-c", mode.upper()), mode))
    return out


def _power(gpu: GpuState, watts: float) -> GpuSetting:
    if gpu.power_min is None or gpu.power_max is None:
        return GpuSetting(gpu.index, "power_limit", (), "", f"GPU {gpu.index} ({gpu.name}) has no power limit to set")
    limit = min(max(watts, gpu.power_min), gpu.power_max)
    bounds = f"{gpu.power_min:g} to {gpu.power_max:g} W"
    note = "" if limit == watts else f"GPU {gpu.index} ({gpu.name}) allows {bounds}: {watts:g} W became {limit:g} W"
    return GpuSetting(gpu.index, "power_limit", ("-pl", f"{limit:g}"), f"{limit:.2f}", note)


def _application_clocks(gpu: GpuState, clocks: Sequence[int]) -> GpuSetting:
    if gpu.memory_clock is None or gpu.memory_clock_max is None or gpu.graphics_clock_max is None:
        return GpuSetting(
            gpu.index, "application_clocks", (), "", f"GPU {gpu.index} ({gpu.name}) has no application clocks to set"
        )
    memory, graphics = min(clocks[0], gpu.memory_clock_max), min(clocks[1], gpu.graphics_clock_max)
    note = ""
    if [memory, graphics] != list(clocks):
        top = f"{gpu.memory_clock_max},{gpu.graphics_clock_max} MHz"
        note = f"GPU {gpu.index} ({gpu.name}) allows up to {top}: clamped"
    return GpuSetting(gpu.index, "application_clocks", ("-ac", f"{memory},{graphics}"), f"{memory},{graphics}", note)


def _clock_range(gpu: GpuState, clocks: Sequence[int]) -> GpuSetting:
    low, high = clocks
    top = gpu.graphics_clock_max
    note = ""
    if top is not None and high > top:
        note = f"GPU {gpu.index} ({gpu.name}) allows up to {top} MHz: {high} became {top}"
        low, high = min(low, top), top
    # nvidia-smi has no query for a locked range: the command's own exit status is the proof.
    return GpuSetting(gpu.index, "graphics_clock_range", ("-lgc", f"{low},{high}"), "", note)


def read_back(gpu: GpuState, step: GpuSetting) -> str:
    """Return the GPU's value of a step's setting in the form of `expected`."""
    if step.what == "power_limit":
        return "" if gpu.power is None else f"{gpu.power:.2f}"
    if step.what == "application_clocks":
        return f"{gpu.memory_clock},{gpu.graphics_clock}"
    return gpu.compute_mode if step.what == "compute_mode" else ""


def differences(gpus: Sequence[GpuState], wanted: Sequence[GpuSetting]) -> list[str]:
    """Return a sentence per setting that the GPU does not have."""
    by_index = {gpu.index: gpu for gpu in gpus}
    out = []
    for step in wanted:
        found = read_back(by_index[step.gpu], step) if step.gpu in by_index else "no such GPU"
        if step.expected and found != step.expected:
            out.append(f"GPU {step.gpu}: {step.what} is {found}, wanted {step.expected}")
    return out


def problems(settings: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return what is wrong with the owner's data, before anything is applied."""
    out = []
    for number, setting in enumerate(settings):
        where = f"nvidia_driver_gpu_settings[{number}]"
        for key in ("application_clocks", "graphics_clock_range"):
            value = setting.get(key)
            if value is not None and (len(value) != 2 or any(int(part) <= 0 for part in value)):
                out.append(f"{where}.{key} is {value}, expected two numbers of MHz")
        if setting.get("power_limit") is not None and int(setting["power_limit"]) <= 0:
            out.append(f"{where}.power_limit is {setting['power_limit']}, expected watts above 0")
        if setting.get("compute_mode") is not None and setting["compute_mode"] not in COMPUTE_MODES:
            out.append(
                f"{where}.compute_mode is {setting['compute_mode']!r}, expected one of {', '.join(COMPUTE_MODES)}"
            )
        if (
            setting.get("graphics_clock_range")
            and setting["graphics_clock_range"][0] > setting["graphics_clock_range"][1]
        ):
            out.append(
                f"{where}.graphics_clock_range is {setting['graphics_clock_range']}, expected the lower clock first"
            )
    return out
