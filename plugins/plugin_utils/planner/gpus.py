"""Know a GPU by PCI id, marketing name or chip."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import lru_cache

from .data.architectures import ARCHITECTURES, OPEN_REQUIRED_IDS, classify_chip
from .data.boards import BOARDS
from .data.gpu_ids import GpuName, find, lines, parse_line
from .model import Gpu, UsageError

#: Longest name that is looked up.
MAX_NAME = 100
#: Words that may be left out of a name, or added, without meaning another card.
_FAMILY = frozenset({"nvidia", "geforce", "gtx", "rtx", "gt", "gts", "quadro", "tesla", "graphics", "card", "gpu"})
_NOISE = re.compile(
    r"^(\d+(gb|g)|oem|lhr|lite|hash|rate|rev|gddr\d\w?|ddr\d|hbm\d?\w?|pcie|sxm\d?|nvl|ac|generation|"
    r"laptop|refresh|hgx|cec\d*|edition|workstation)$"
)
#: Names of virtual GPUs: GRID T4-8Q, NVIDIA A16-4C, A100-1-5CME; the letter is the vGPU type.
_VGPU_NAME = re.compile(r"-\d+(Q|B|A|C|AC|CME)$")
#: Names of GPUs on SXM modules: those of Hopper and Blackwell do not say SXM, their PCIe cards say PCIe or NVL.
_SXM = re.compile(r"SXM|\bH[18]00 \d+GB HBM\w+|\bH200( SXM.*)?$|\bB[23]00\b")
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
    known = find(device)
    return (known.chip, known.name) if known else None


def board(name: str) -> tuple[int | None, int | None]:
    """Return (memory in MiB, board power in W) of a card, None for what is not known."""
    known = BOARDS.get(_board_key(name))
    return (known[0] * 1024, known[1]) if known else (None, None)


def _board_key(name: str) -> str:
    return " ".join(word for word in _words(name) if word not in ("nvidia", "geforce", "tesla", "quadro"))


def from_id(
    pci_id: str,
    *,
    subsystem: str = "",
    slot: str = "",
    chip_hint: str = "",
    name_hint: str = "",
    role: str = "compute",
    usable: bool = True,
    note: str = "",
    memory_mib: int | None = None,
    power_w: int | None = None,
    vgpu: bool | None = False,
) -> Gpu:
    """Return the GPU of a PCI id ``10de:1b06``.

    An id that is not in the table is placed by the prefix of its chip, where the caller knows the chip
    (a newer pci.ids on the host), or by its name; the note says so. Else the architecture stays None.
    subsystem: vendor and device id of the board, for which the vendor's list may have another name.
    """
    device = pci_id.lower().rpartition(":")[2]
    known = find(device, subsystem.lower().rpartition(":")[2])
    chip, name = (known.chip, known.name) if known else (chip_hint, name_hint)
    placed = classify_chip(chip) if chip else _by_last_branch(known)
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
    memory, power = _board_of(device, name)
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
        last_driver=known.last_driver if known else None,
        vgpu=True if _VGPU_NAME.search(name_hint) else vgpu,
    )


def _by_last_branch(known: GpuName | None) -> tuple[str, tuple[int, int]] | None:
    """Return the architecture of a GPU whose chip nobody names, by the last branch that the vendor's list gives it."""
    if known is None or known.last_driver is None:
        return None
    oldest = next(iter(ARCHITECTURES.values()))
    same = [arch for arch in ARCHITECTURES.values() if arch.last_driver == known.last_driver]
    if known.last_driver < (oldest.last_driver or 0):
        same = [oldest]
    return (same[0].key, same[0].cc) if len(same) == 1 else None


def _board_of(device: str, name: str) -> tuple[int | None, int | None]:
    """Return memory and power of a GPU by pci.ids' name, which tells variants apart, else by the vendor's."""
    other = find(device, origin="alias")
    for one in (other.name if other else "", name):
        found = board(one)
        if found[0]:
            return found
    return None, None


def has_nvswitch(gpus: Sequence[Gpu]) -> bool:
    """Tell whether GPUs can only be those of an HGX or DGX board with NVSwitch: eight of a kind on SXM modules.

    Boards with four of them join them directly.
    """
    counts = Counter(gpu.pci_id for gpu in gpus if _SXM.search(gpu.name))
    return any(count >= 8 for count in counts.values())


def _words(text: str) -> list[str]:
    text = text.lower().replace("(r)", " ").replace("(tm)", " ").replace("+", " plus ")
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


#: Words that a name may have or lack and still be the same name.
_VENDOR = frozenset({"nvidia", "geforce", "gpu", "graphics", "card"})
Entry = tuple[frozenset[str], GpuName]
#: Names that are taken apart for one name that is looked up.
_FEW = 100


@lru_cache(maxsize=64)
def _index(word: str) -> dict[str, list[Entry]]:
    """Return the names that have a word, by whose they are: to take all of them apart takes longer than a plan.

    Where many have it, all of them, which are taken apart only once.
    """
    found = lines(word)
    if word and len(found) > _FEW:
        return _index("")
    index: dict[str, list[Entry]] = {}
    for row in map(parse_line, found):
        for words in _variants(row.name) if row.name else ():
            index.setdefault(row.origin, []).append((words, row))
    return index


def _telling(words: Iterable[str]) -> str:
    """Return the word that fewest names have, of those that stand in a name as they are: 80gb is also 80 GB, plus +."""
    usable = [word for word in words if word != "plus" and not word.endswith("gb")]
    return max(usable, key=lambda word: (not word.isalpha(), len(word)), default="")


def from_name(text: str) -> Gpu:
    """Return the GPU for a marketing name, a chip or a PCI id, in any sensible spelling.

    A name that fits cards of different architectures raises UsageError with the candidates; cards that
    differ only in memory or form factor count as one.
    """
    if len(text) > MAX_NAME:
        raise UsageError(f"GPU: a name of {len(text)} characters, expected at most {MAX_NAME}")
    wanted = text.strip()
    match = re.fullmatch(r"(?:10de:|0x)([0-9a-f]{4})", wanted.lower())
    if match:
        gpu = from_id(f"10de:{match.group(1)}")
        if gpu.architecture is None:
            raise UsageError(
                f"GPU {text!r}: no such NVIDIA GPU in the table: give its name or chip instead, "
                "or update the table with scripts/update-data"
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
    kinds: dict[object, set[str]] = {}
    for row in found:
        kind = (classify_chip(row.chip) or _by_last_branch(row), row.device in OPEN_REQUIRED_IDS)
        kinds.setdefault(kind, set()).add(f"{row.name} = 10de:{row.device} ({row.chip})")
    if len(kinds) > 1:
        # a few of each, so that every kind is seen
        listing = "; ".join(line for lines in kinds.values() for line in sorted(lines)[: 12 // len(kinds)])
        raise UsageError(f"GPU {text!r} is ambiguous, say which one: {listing}")
    return from_id(f"10de:{found[0].device}")


def answers_to(gpu: Gpu, text: str) -> bool:
    """Tell whether a GPU of a machine is one that a marketing name, a chip or a PCI id can stand for."""
    if len(text) > MAX_NAME:
        return False
    device = gpu.pci_id.rpartition(":")[2]
    chip = gpu.chip.upper()
    return any(row.device == device for row in _match(text)) or (
        bool(chip) and text.strip().upper() in (chip, re.sub(r"(GLM|GL|M)$", "", chip))
    )


def _match(wanted: str) -> list[GpuName]:
    """Return the GPUs that a name stands for.

    The vendor's names come first, one that is exactly the name before all that contain it; then what pci.ids calls
    the same GPUs; only then GPUs that the vendor does not list, such as engineering samples.
    """
    asked = frozenset(_words(wanted)) - _VENDOR
    index = _index(_telling(sorted(asked - _FAMILY - _ARCHES.keys())))
    for origin in ("vendor", "alias"):
        same = [row for words, row in index.get(origin, ()) if words - _VENDOR == asked]
        if asked and same:
            literal = wanted.lower().removeprefix("nvidia ")
            same = [row for row in same if row.name.lower().removeprefix("nvidia ") == literal] or same
            return sorted(same, key=lambda row: (row.subsystem != "", row.device))
    for origins in (("vendor", "alias"), ("pci.ids",)):
        found = _closest(wanted, [entry for origin in origins for entry in index.get(origin, ())])
        if found:
            return found
    return []


def _closest(wanted: str, entries: list[Entry]) -> list[GpuName]:
    words = _words(wanted)
    names = {word for word in words if word in _ARCHES and word != "tesla"}
    asked = frozenset(words) - names
    core = asked - _FAMILY
    if not core:
        return []
    best: list[Entry] = []
    best_rank = 99
    for entry in entries:
        have, row = entry
        if not core <= have or not (asked & {"gtx", "rtx", "gts", "quadro"}) <= have:
            continue
        if names:
            placed = classify_chip(row.chip)
            label = ARCHITECTURES[placed[0]].label if placed else ""
            if not all(word in have or label.startswith(_ARCHES[word]) for word in names):
                continue
        extra = have - asked - names - _FAMILY
        significant = {word for word in extra if not _NOISE.match(word) and word not in _ARCHES}
        mobile = bool(extra & _MOBILE)
        significant -= _MOBILE
        rank = (0 if not significant else 2) + (1 if mobile else 0)
        if significant and significant & {"ti", "super", "xp", "d", "x", "z", "black", "se", "le"}:
            rank += 4
        if rank < best_rank:
            best, best_rank = [entry], rank
        elif rank == best_rank:
            best.append(entry)
    best.sort(key=lambda entry: (len(entry[0]), entry[1].device))
    return [row for _, row in best] if best_rank < 4 else []


def _by_chip(chip: str) -> Gpu | None:
    if not re.match(r"^(G[A-Z]{0,2}\d|TU\d|AD\d)", chip):
        return None
    named = map(parse_line, lines(chip.lower()))
    same = [row for row in named if re.fullmatch(rf"{re.escape(chip)}(GLM|GL|M)?", row.chip)]
    if not same or classify_chip(chip) is None:
        return None
    # a named desktop GPU that is well known stands for its chip
    same.sort(key=lambda row: (row.chip != chip, not row.name, bool(_MOBILE & {*_words(row.name)}),
                               not _board_of(row.device, row.name)[0]))  # fmt: skip
    return from_id(f"10de:{same[0].device}")


def _suggest(wanted: str) -> str:
    core = frozenset(_words(wanted)) - _FAMILY
    core = frozenset(word for word in core if any(letter.isdigit() for letter in word))
    near = sorted({row.name for entries in _index("").values() for words, row in entries if core & words})
    return f" (near: {', '.join(near[:6])})" if near else ""
