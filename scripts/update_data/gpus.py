"""The GPUs: NVIDIA's own lists, and pci.ids for chips and for what those lists lack.

data/gpus/supported-gpus.tsv is NVIDIA's supported-gpus.json, open-modules.tsv the table in the README of its open
kernel modules, pci-ids.tsv the NVIDIA part of pci.ids. Names are the vendor's, pci.ids' where it has none.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from .strict import DataError

NVIDIA = "10de"
#: Names of a GPU's chip: everything since the first Tesla, and the older ones.
CHIP = re.compile(
    r"^(G[A-Z]?\d{1,3}\w*|GK\d\w+|G[A-Z]\d\w+|TU\d\w+|AD\d\w+|NV[0-9][\w-]*|NV\dx?|C[5-7]\d\w*|MCP\d\w*"
    r"|T\d{3}|ION)\b"
)
#: Functions of a board that are not the GPU itself, and bridges.
NOT_A_GPU = re.compile(
    r"audio|usb|ucsi|bridge|switch|ethernet|network|sata|ide\b|smbus|memory controller|memory control"
    r"|pcie|pci express|host|lpc|isa|ac'?97|modem|co-processor|coprocessor|system management|power"
    r"|firewire|parallel ata|serial ata|raid|storage|i2c|high definition|management unit|ram controller"
    r"|southbridge",
    re.IGNORECASE,
)
#: Placeholders of the database, never seen on a bus.
RESERVED = "Reserved Dev"
HEADER = '''"""NVIDIA GPUs by PCI device id. Generated from data/gpus/*.tsv, with the licences: change those."""

from __future__ import annotations

#: One line per name: device id[.subsystem id], chip ("-" is not known), last driver branch in the vendor's list ("-" is
#: none there), "o" where the open modules drive it ("p" they do not, "?" the vendor does not list it), whose name it is
#: ("v" the vendor's, "a" pci.ids' own for a GPU that the vendor lists, "p" pci.ids', of a GPU that the vendor does not
#: list), name (may be empty). The first line of an id is that of the GPU without regard to its subsystem.
TABLE = """
'''


@dataclass(frozen=True)
class VendorGpu:
    """A line of the vendor's lists. legacy: "" when the release of the list still drives it."""

    device: str
    subsystem: str
    name: str
    legacy: str
    open_modules: bool


def _lines(path: Path, columns: int) -> Iterable[list[str]]:
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if line.startswith("#"):
            continue
        cells = line.split("\t")
        if len(cells) != columns or not re.fullmatch(r"[0-9a-f]{4}", cells[0]):
            raise DataError(f"gpus/{path.name}: line {number}: expected {columns} columns, the first a PCI device id")
        yield cells


def vendor_gpus(folder: Path) -> list[VendorGpu]:
    """Return the vendor's lists joined; of a device and subsystem in both, the line of supported-gpus counts."""
    known = [
        VendorGpu(device, subsystem, name, legacy, flag == "open")
        for device, subsystem, name, legacy, flag in _lines(folder / "supported-gpus.tsv", 5)
    ]
    there = {(gpu.device, gpu.subsystem) for gpu in known}
    newer = [
        VendorGpu(device, subsystem, name, "", True)
        for device, subsystem, name in _lines(folder / "open-modules.tsv", 3)
        if (device, subsystem) not in there
    ]
    return sorted([*known, *newer], key=lambda gpu: (gpu.device, gpu.subsystem))


def render(folder: Path) -> str:
    """Return the source of data/gpu_table.py; raises DataError."""
    pci = {device: (chip, name) for device, chip, name in _lines(folder / "pci-ids.tsv", 3)}
    vendor: dict[str, list[VendorGpu]] = {}
    for gpu in vendor_gpus(folder):
        vendor.setdefault(gpu.device, []).append(gpu)
    lines = []
    for device in sorted({*pci, *vendor}):
        chip, other = pci.get(device, ("-", ""))
        if device not in vendor:
            lines.append(f"{device} {chip} - ? p {other}".rstrip())
            continue
        names: set[str] = set()
        for gpu in vendor[device]:
            identity = device if not names else f"{device}.{gpu.subsystem}"
            flag = "o" if gpu.open_modules else "p"
            if gpu.name not in names or gpu.subsystem:
                lines.append(f"{identity} {chip} {gpu.legacy or '-'} {flag} v {gpu.name}")
            names.add(gpu.name)
        if other and other.lower() not in {name.lower().removeprefix("nvidia ") for name in names}:
            flag = "o" if vendor[device][0].open_modules else "p"
            lines.append(f"{device} {chip} {vendor[device][0].legacy or '-'} {flag} a {other}")
    table = "\n".join(lines)
    if '"""' in table or "\\" in table:
        raise DataError("gpus: a name would end the table's string")
    return f'{HEADER}{table}\n"""\n'


def parse_pci_ids(text: str) -> tuple[str, list[tuple[str, str, str]]]:
    """Return (version, [(device id, chip, name)]) of the NVIDIA GPUs in a pci.ids text; raises ValueError."""
    version = re.search(r"^#\s+Version:\s+(\S+)", text, re.MULTILINE)
    if version is None:
        raise ValueError("not a pci.ids file: no line '# Version:'")
    gpus: list[tuple[str, str, str]] = []
    inside = False
    for line in text.splitlines():
        if line[:1] not in ("", "#", "\t"):
            inside = line.startswith(NVIDIA + "  ")
        elif inside and line.startswith("\t") and not line.startswith("\t\t"):
            device, _, rest = line.strip().partition("  ")
            outside = re.sub(r"\[.*\]", "", rest)
            if not CHIP.match(rest) or NOT_A_GPU.search(outside) or RESERVED in rest:
                continue
            chip = re.split(r"[\s/\[]", rest, maxsplit=1)[0]
            name = re.search(r"\[(.*)\]", rest)
            gpus.append((device.lower(), chip, name.group(1).strip() if name else ""))
    if not gpus:
        raise ValueError("no NVIDIA GPU found in pci.ids")
    return version.group(1), sorted(gpus)


def parse_supported_gpus(text: str) -> list[VendorGpu]:
    """Return the lines of a supported-gpus.json of a driver package; raises ValueError.

    Features are trusted for GPUs without a legacy branch only: since branch 590 the list marks Maxwell to Volta as
    driven by the open modules.
    """
    try:
        chips = json.loads(text)["chips"]
        result = []
        for chip in chips:
            device = int(chip["devid"], 16)
            subsystem = f"{int(chip['subdevid'], 16):04x}" if chip.get("subdevid") else ""
            legacy = re.sub(r"\.xx$", "", chip.get("legacybranch") or "")
            opened = not legacy and "kernelopen" in chip["features"]
            result.append(VendorGpu(f"{device:04x}", subsystem, chip["name"], legacy, opened))
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"not a supported-gpus.json: {error!r}") from error
    if not result:
        raise ValueError("not a supported-gpus.json: it lists no chips")
    return sorted(result, key=lambda gpu: (gpu.device, gpu.subsystem))


def parse_open_readme(text: str) -> list[tuple[str, str, str]]:
    """Return [(device id, subsystem id, name)] of the README of the open kernel modules; raises ValueError."""
    pattern = r"^\| (.+?)\s+\| ([0-9A-F]{4})(?: [0-9A-F]{4} ([0-9A-F]{4}))?\s+\|$"
    found = [
        (device.lower(), (sub or "").lower(), name) for name, device, sub in re.findall(pattern, text, re.MULTILINE)
    ]
    if not found:
        raise ValueError("not the README of the open kernel modules: it has no table of GPUs")
    return found


def tabular(text: str, rows: Iterable[Iterable[str]]) -> str:
    """Return a file of data/gpus with its head of comments kept and its rows replaced."""
    head = "".join(line for line in text.splitlines(keepends=True) if line.startswith("#"))
    return head + "".join("\t".join(row) + "\n" for row in rows)
