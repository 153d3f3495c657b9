"""Know a GPU by PCI id, marketing name or chip."""

from __future__ import annotations

import re
from collections.abc import Iterable

from .data.architectures import ARCHITECTURES, OPEN_REQUIRED_IDS, classify_chip
from .data.boards import BOARDS
from .data.gpu_ids import TABLE
from .model import Gpu, UsageError

#: Words that may be left out of a name, or added, without meaning another card.
_FAMILY = frozenset({"nvidia", "geforce", "gtx", "rtx", "gt", "gts", "quadro", "tesla", "graphics", "card", "gpu"})
_NOISE = re.compile(
    r"^(\d+(gb|g)|oem|lhr|lite|hash|rate|rev|gddr\d\w?|ddr\d|hbm\d?\w?|pcie|sxm\d?|nvl|ac|generation|"
    r"laptop|refresh|hgx|cec\d*|edition|workstation)$"
)
_MOBILE = frozenset({"mobile", "laptop", "max", "q", "notebook", "embedded"})
_ARCHES = {
    "tesla": "Tesla",
    "fermi": "Fermi",
    "kepler": "Kepler",
    "maxwell": "Maxwell",
    "pascal": "Pascal",
    "volta": "Volta",
    "turing": "Turing",
    "ampere": "Ampere",
    "ada": "Ada Lovelace",
    "hopper": "Hopper",
    "blackwell": "Blackwell",
}


def lookup(device: str) -> tuple[str, str] | None:
    """Return (chip, name) for a four-digit PCI device id in lower case, None when it is not in the table."""
    start = TABLE.find(f"\n{device} ")
    if start < 0:
        return None
    line = TABLE[start + 6 : TABLE.index("\n", start + 1)]
    chip, _, name = line.partition(" ")
    return chip, name


def board(name: str) -> tuple[int | None, int | None]:
    """Return (memory in MiB, board power in W) of a card, None for what is not known."""
    known = BOARDS.get(_board_key(name))
    return (known[0] * 1024, known[1]) if known else (None, None)


def _board_key(name: str) -> str:
    return " ".join(word for word in _words(name) if word not in ("nvidia", "geforce", "tesla", "quadro"))


def from_id(
    pci_id: str,
    *,
    slot: str = "",
    chip_hint: str = "",
    name_hint: str = "",
    role: str = "compute",
    usable: bool = True,
    note: str = "",
    memory_mib: int | None = None,
    power_w: int | None = None,
) -> Gpu:
    """Return the GPU of a PCI id ``10de:1b06``.

    An id that is not in the table is placed by the prefix of its chip, where the caller knows the chip
    (a newer pci.ids on the host), or by its name; the note says so. Else the architecture stays None.
    """
    device = pci_id.lower().rpartition(":")[2]
    known = lookup(device)
    chip, name = known or (chip_hint, name_hint)
    placed = classify_chip(chip) if chip else None
    notes = [note] if note else []
    if known is None and placed is not None:
        notes.append(f"PCI id {pci_id} is newer than the table; placed by its chip {chip}: update dlbox")
    elif known is None and name_hint:
        try:
            twin = from_name(name_hint)
        except UsageError:
            pass
        else:
            chip, placed = twin.chip, (twin.architecture or "", twin.cc)
            notes.append(f"PCI id {pci_id or 'not visible'}; placed by its name {name_hint}")
    memory, power = board(name) if name else (None, None)
    arch, cc = placed if placed else (None, (0, 0))
    return Gpu(
        pci_id=pci_id.lower(),
        slot=slot,
        name=name,
        chip=chip,
        architecture=arch,
        cc=cc,
        role=role,
        usable=usable,
        note="; ".join(notes),
        memory_mib=memory_mib or memory,
        power_w=power_w or power,
        open_required=device in OPEN_REQUIRED_IDS,
    )


def _words(text: str) -> list[str]:
    text = text.lower().replace("(r)", " ").replace("(tm)", " ")
    text = re.sub(r"(\d+)\s*gi?b\b", r"\1gb", text)
    text = re.sub(r"\b(geforce|gtx|rtx|gts|gt|titan|quadro|tesla)(?=\d)|\btitan(?=(xp?|v|rtx)\b)", r"\g<0> ", text)
    text = re.sub(r"\b([a-z]?\d{3,4})(ti|super|d)(super)?\b", r"\1 \2 \3", text)
    text = re.sub(r"\bti\s*super\b", "ti super", text)
    return [word for word in re.split(r"[^a-z0-9]+", text) if word]


def _variants(name: str) -> Iterable[frozenset[str]]:
    parts = [part for part in name.split(" / ") if part]
    if len(parts) > 1 and all(re.search(r"\d", part) for part in parts):
        for part in parts:
            yield frozenset(_words(part))
    yield frozenset(_words(name))


_INDEX: list[tuple[frozenset[str], str, str, str]] = []


def _index() -> list[tuple[frozenset[str], str, str, str]]:
    if not _INDEX:
        for line in TABLE.strip().splitlines():
            device, chip, name = [*line.split(" ", 2), ""][:3]
            for words in _variants(name) if name else ():
                _INDEX.append((words, device, chip, name))
    return _INDEX


def from_name(text: str) -> Gpu:
    """Return the GPU for a marketing name, a chip or a PCI id, in any sensible spelling.

    A name that fits cards of different architectures raises UsageError with the candidates; cards that
    differ only in memory or form factor count as one.
    """
    wanted = text.strip()
    match = re.fullmatch(r"(?:10de:|0x)([0-9a-f]{4})", wanted.lower())
    if match:
        gpu = from_id(f"10de:{match.group(1)}")
        if gpu.architecture is None:
            raise UsageError(
                f"GPU {text!r}: no such NVIDIA GPU in the table: give its name or chip instead, "
                "or update the table with scripts/update_gpu_table.py"
            )
        return gpu
    chip = _by_chip(wanted.upper())
    if chip is not None:
        return chip
    found = _match(wanted)
    if not found:
        if re.fullmatch(r"[0-9a-f]{4}", wanted.lower()) and lookup(wanted.lower()):
            return from_id(f"10de:{wanted.lower()}")
        raise UsageError(
            f"GPU {text!r} is not known{_suggest(wanted)}: give a name such as 'RTX 3090', "
            "a chip such as GA102, or a PCI id such as 10de:2204"
        )
    kinds = {(classify_chip(chip), device in OPEN_REQUIRED_IDS) for _, device, chip, _ in found}
    if len(kinds) > 1:
        listing = "; ".join(sorted({f"{name} = 10de:{device} ({chip})" for _, device, chip, name in found})[:12])
        raise UsageError(f"GPU {text!r} is ambiguous, say which one: {listing}")
    return from_id(f"10de:{found[0][1]}")


def _match(wanted: str) -> list[tuple[frozenset[str], str, str, str]]:
    words = _words(wanted)
    names = {word for word in words if word in _ARCHES and word != "tesla"}
    asked = frozenset(words) - names
    core = asked - _FAMILY
    if not core:
        return []
    best: list[tuple[frozenset[str], str, str, str]] = []
    best_rank = 99
    for entry in _index():
        have, _, chip, _ = entry
        if not core <= have or not (asked & {"gtx", "rtx", "gts", "quadro"}) <= have:
            continue
        if names:
            placed = classify_chip(chip)
            label = ARCHITECTURES[placed[0]].label if placed else ""
            if not all(word in have or label.startswith(_ARCHES[word]) for word in names):
                continue
        extra = have - asked - names - _FAMILY
        significant = {word for word in extra if not _NOISE.match(word) and word not in _ARCHES}
        mobile = bool(significant & _MOBILE)
        significant -= _MOBILE
        rank = (0 if not significant else 2) + (1 if mobile else 0)
        if significant and significant & {"ti", "super", "xp", "d", "x", "z", "black", "se", "le"}:
            rank += 4
        if rank < best_rank:
            best, best_rank = [entry], rank
        elif rank == best_rank:
            best.append(entry)
    return sorted(best, key=lambda entry: (len(entry[0]), entry[1])) if best_rank < 4 else []


def _by_chip(chip: str) -> Gpu | None:
    if not re.match(r"^(G[A-Z]{0,2}\d|TU\d|AD\d)", chip):
        return None
    same = [line.split(" ", 2) for line in re.findall(rf"^.{{4}} {re.escape(chip)}(?:GLM|GL|M)?(?: .*)?$", TABLE, re.M)]
    placed = classify_chip(chip)
    if not same or placed is None:
        return None
    named = [line for line in same if line[1] == chip and len(line) == 3 and "Mobile" not in line[2]]
    named.sort(key=lambda line: 0 if board(line[2])[0] else 1)
    return from_id(f"10de:{(named or same)[0][0]}")


def _suggest(wanted: str) -> str:
    core = frozenset(_words(wanted)) - _FAMILY
    core = frozenset(word for word in core if any(letter.isdigit() for letter in word))
    near = sorted({name for words, _, _, name in _index() if core & words})
    return f" (near: {', '.join(near[:6])})" if near else ""
