"""Power limit, clocks and compute mode per GPU: wishes matched to cards, clamped to what they allow, as nvidia-smi
commands.
"""

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
class Card:
    """A GPU as nvidia-smi reports it; watts and MHz are None where the card does not support the property."""

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
class Step:
    """One setting to apply: nvidia-smi's arguments, what is expected to be read back, and a note when the wish was
    clamped.
    """

    card: int
    what: str
    arguments: tuple[str, ...]
    expected: str
    note: str = ""


def parse_query(text: str) -> list[Card]:
    """Read what nvidia-smi printed for QUERY."""
    cards = []
    for row in nvidia_smi.rows(text, QUERY):
        index, uuid, slot, name, persistence, *numbers, compute_mode = row.values()
        power, low, high, memory, graphics, memory_top, graphics_top = map(_number, numbers)
        cards.append(
            Card(
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
    return cards


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None  # [N/A], [Not Supported], [Unknown Error]


def _whole(number: float | None) -> int | None:
    return None if number is None else int(number)


def matches(card: Card, match: str) -> bool:
    """Whether a wish is meant for a card: "all", index, UUID, PCI slot with or without domain, part of the name."""
    wanted = match.strip().lower()
    if wanted.isdigit():
        return card.index == int(wanted)
    return wanted == "all" or wanted == card.uuid.lower() or card.slot.endswith(wanted) or wanted in card.name.lower()


def merged(card: Card, wishes: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the settings for a card; later wishes win, key by key."""
    out: dict[str, Any] = {}
    for wish in wishes:
        if matches(card, str(wish.get("match") or "all")):
            out.update({key: value for key, value in wish.items() if key != "match" and value is not None})
    return out


def unmatched(cards: Sequence[Card], wishes: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return the `match` values that fit no card."""
    return [
        str(wish.get("match"))
        for wish in wishes
        if not any(matches(card, str(wish.get("match") or "all")) for card in cards)
    ]


def steps(cards: Sequence[Card], wishes: Sequence[Mapping[str, Any]]) -> list[Step]:
    """Return what is to be applied, clamped to the limits that the cards report. A property a card lacks gives a note
    only.
    """
    out: list[Step] = []
    for card in cards:
        wish = merged(card, wishes)
        if "power_limit" in wish:
            out.append(_power(card, float(wish["power_limit"])))
        if "application_clocks" in wish:
            out.append(_application_clocks(card, wish["application_clocks"]))
        if "graphics_clock_range" in wish:
            out.append(_clock_range(card, wish["graphics_clock_range"]))
        if "compute_mode" in wish:
            mode = COMPUTE_MODES[wish["compute_mode"]]
            out.append(Step(card.index, "compute_mode", ("-c", mode.upper()), mode))
    return out


def _power(card: Card, watts: float) -> Step:
    if card.power_min is None or card.power_max is None:
        return Step(card.index, "power_limit", (), "", f"GPU {card.index} ({card.name}) has no power limit to set")
    limit = min(max(watts, card.power_min), card.power_max)
    bounds = f"{card.power_min:g} to {card.power_max:g} W"
    note = "" if limit == watts else f"GPU {card.index} ({card.name}) allows {bounds}: {watts:g} W became {limit:g} W"
    return Step(card.index, "power_limit", ("-pl", f"{limit:g}"), f"{limit:.2f}", note)


def _application_clocks(card: Card, clocks: Sequence[int]) -> Step:
    if card.memory_clock is None or card.memory_clock_max is None or card.graphics_clock_max is None:
        return Step(
            card.index, "application_clocks", (), "", f"GPU {card.index} ({card.name}) has no application clocks to set"
        )
    memory, graphics = min(clocks[0], card.memory_clock_max), min(clocks[1], card.graphics_clock_max)
    note = ""
    if [memory, graphics] != list(clocks):
        top = f"{card.memory_clock_max},{card.graphics_clock_max} MHz"
        note = f"GPU {card.index} ({card.name}) allows up to {top}: clamped"
    return Step(card.index, "application_clocks", ("-ac", f"{memory},{graphics}"), f"{memory},{graphics}", note)


def _clock_range(card: Card, clocks: Sequence[int]) -> Step:
    low, high = clocks
    top = card.graphics_clock_max
    note = ""
    if top is not None and high > top:
        note = f"GPU {card.index} ({card.name}) allows up to {top} MHz: {high} became {top}"
        low, high = min(low, top), top
    # nvidia-smi has no query for a locked range: the command's own exit status is the proof.
    return Step(card.index, "graphics_clock_range", ("-lgc", f"{low},{high}"), "", note)


def read_back(card: Card, step: Step) -> str:
    """Return the card's value of a step's setting in the form of `expected`."""
    if step.what == "power_limit":
        return "" if card.power is None else f"{card.power:.2f}"
    if step.what == "application_clocks":
        return f"{card.memory_clock},{card.graphics_clock}"
    return card.compute_mode if step.what == "compute_mode" else ""


def differences(cards: Sequence[Card], wanted: Sequence[Step]) -> list[str]:
    """Return a sentence per setting that the card does not have."""
    by_index = {card.index: card for card in cards}
    out = []
    for step in wanted:
        found = read_back(by_index[step.card], step) if step.card in by_index else "no such card"
        if step.expected and found != step.expected:
            out.append(f"GPU {step.card}: {step.what} is {found}, wanted {step.expected}")
    return out


def problems(wishes: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return what is wrong with the owner's data, before anything is applied."""
    out = []
    for number, wish in enumerate(wishes):
        where = f"nvidia_driver_gpu_settings[{number}]"
        for key in ("application_clocks", "graphics_clock_range"):
            value = wish.get(key)
            if value is not None and (len(value) != 2 or any(int(part) <= 0 for part in value)):
                out.append(f"{where}.{key} is {value}, expected two numbers of MHz")
        if wish.get("power_limit") is not None and int(wish["power_limit"]) <= 0:
            out.append(f"{where}.power_limit is {wish['power_limit']}, expected watts above 0")
        if wish.get("compute_mode") is not None and wish["compute_mode"] not in COMPUTE_MODES:
            out.append(f"{where}.compute_mode is {wish['compute_mode']!r}, expected one of {', '.join(COMPUTE_MODES)}")
        if wish.get("graphics_clock_range") and wish["graphics_clock_range"][0] > wish["graphics_clock_range"][1]:
            out.append(
                f"{where}.graphics_clock_range is {wish['graphics_clock_range']}, expected the lower clock first"
            )
    return out
