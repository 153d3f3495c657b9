#!/usr/bin/env python3
"""Write the planner's GPU table from the PCI ID database.

The table is plugins/module_utils/dlbox_planner/data/gpu_ids.py. Its source is the file ``pci.ids`` as
Debian packages it (package ``pci.ids``), given as the file, as the .deb, or fetched:

    scripts/update_gpu_table.py                          # Debian unstable, from this machine's Debian mirror
    scripts/update_gpu_table.py --mirror http://my.mirror/debian
    scripts/update_gpu_table.py --from /usr/share/misc/pci.ids
    scripts/update_gpu_table.py --from pci.ids_0.0~2026.10.24-1_all.deb
    scripts/update_gpu_table.py --check                  # exit 1 when the table would change

pci.ids is licensed GPL-2+ or BSD-3-Clause; the table keeps the BSD-3-Clause notice.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import lzma
import re
import subprocess
import sys
import tarfile
import urllib.request
from pathlib import Path

TARGET = Path(__file__).resolve().parent.parent / "plugins/module_utils/dlbox_planner/data/gpu_ids.py"
NVIDIA = "10de"

#: Names of a GPU's chip: everything since the first Tesla, and the older ones.
CHIP = re.compile(
    r"^(G[A-Z]?\d{1,3}\w*|GK\d\w+|G[A-Z]\d\w+|TU\d\w+|AD\d\w+|NV[0-9][\w-]*|NV\dx?|C[5-7]\d\w*|MCP\d\w*"
    r"|T\d{3}|ION)\b"
)
#: Functions of a card that are not the GPU itself, and bridges.
NOT_A_GPU = re.compile(
    r"audio|usb|ucsi|bridge|switch|ethernet|network|sata|ide\b|smbus|memory controller|memory control"
    r"|pcie|pci express|host|lpc|isa|ac'?97|modem|co-processor|coprocessor|system management|power"
    r"|firewire|parallel ata|serial ata|raid|storage|i2c|high definition|management unit|ram controller"
    r"|southbridge",
    re.IGNORECASE,
)
#: Placeholders of the database, never seen on a bus.
RESERVED = "Reserved Dev"

HEADER = '''"""NVIDIA GPUs by PCI device id. Generated: change scripts/update_gpu_table.py instead.

Source: the PCI ID database, file pci.ids, version {version}, sha256 of the file
{sha256}.
The database is available under GPL-2+ or BSD-3-Clause; used here under BSD-3-Clause:

Copyright (c) 1997-2026 Martin Mares, Copyright (c) 2015-2026 Albert Pool. All rights reserved.
Redistribution and use in source and binary forms, with or without modification, are permitted provided
that the following conditions are met: 1. Redistributions of source code must retain the above copyright
notice, this list of conditions and the following disclaimer. 2. Redistributions in binary form must
reproduce the above copyright notice, this list of conditions and the following disclaimer in the
documentation and/or other materials provided with the distribution. 3. Neither the name of the copyright
holder nor the names of its contributors may be used to endorse or promote products derived from this
software without specific prior written permission. THIS SOFTWARE IS PROVIDED BY THE COPYRIGHT HOLDERS AND
CONTRIBUTORS "AS IS" AND ANY EXPRESS OR IMPLIED WARRANTIES, INCLUDING, BUT NOT LIMITED TO, THE IMPLIED
WARRANTIES OF MERCHANTABILITY AND FITNESS FOR A PARTICULAR PURPOSE ARE DISCLAIMED. IN NO EVENT SHALL THE
COPYRIGHT HOLDER OR CONTRIBUTORS BE LIABLE FOR ANY DIRECT, INDIRECT, INCIDENTAL, SPECIAL, EXEMPLARY, OR
CONSEQUENTIAL DAMAGES (INCLUDING, BUT NOT LIMITED TO, PROCUREMENT OF SUBSTITUTE GOODS OR SERVICES; LOSS OF
USE, DATA, OR PROFITS; OR BUSINESS INTERRUPTION) HOWEVER CAUSED AND ON ANY THEORY OF LIABILITY, WHETHER IN
CONTRACT, STRICT LIABILITY, OR TORT (INCLUDING NEGLIGENCE OR OTHERWISE) ARISING IN ANY WAY OUT OF THE USE OF
THIS SOFTWARE, EVEN IF ADVISED OF THE POSSIBILITY OF SUCH DAMAGE.
"""

from __future__ import annotations

#: Version of pci.ids the table was made from.
VERSION = "{version}"

#: One line per device: id, chip, marketing name (may be empty).
TABLE = """
{table}
"""
'''


def parse(text: str) -> tuple[str, list[tuple[str, str, str]]]:
    """Return (version, [(device id, chip, name)]) of the NVIDIA GPUs in a pci.ids text.

    Raises ValueError when the text is not a pci.ids file.
    """
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


def render(text: str) -> str:
    """Return the source of data/gpu_ids.py for a pci.ids text."""
    version, gpus = parse(text)
    table = "\n".join(" ".join(filter(None, gpu)) for gpu in gpus)
    if '"""' in table or "\\" in table:
        raise ValueError("a name in pci.ids would end the table's string")
    return HEADER.format(version=version, sha256=hashlib.sha256(text.encode()).hexdigest(), table=table)


def from_deb(content: bytes) -> str:
    """Return the text of /usr/share/misc/pci.ids inside a .deb (needs dpkg-deb)."""
    tar = subprocess.run(
        ["dpkg-deb", "--fsys-tarfile", "/dev/stdin"], input=content, check=True, capture_output=True
    ).stdout
    with tarfile.open(fileobj=io.BytesIO(tar)) as archive:
        member = archive.extractfile("./usr/share/misc/pci.ids")
        if member is None:
            raise ValueError("the package holds no /usr/share/misc/pci.ids")
        return member.read().decode("utf-8", "replace")


def own_mirror(apt: Path = Path("/etc/apt")) -> str:
    """Return the Debian mirror of this machine's apt sources; raises ValueError where there is none."""
    files = [apt / "sources.list", *sorted((apt / "sources.list.d").glob("*"))]
    for path in files:
        text = path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
        match = re.search(r"^(?:deb\s+(?:\[[^\]]*\]\s+)?|URIs:\s*)(https?://\S+/debian)/?(?:\s|$)", text, re.MULTILINE)
        if match:
            return match.group(1)
    raise ValueError("no Debian mirror in /etc/apt: give --mirror or --from")


def fetch(mirror: str, suite: str) -> str:
    """Download package pci.ids of a Debian suite, checked against the sha256 of the suite's index."""

    def get(path: str) -> bytes:
        if not mirror.startswith(("http://", "https://")):
            raise ValueError(f"--mirror {mirror}: expected an http or https address")
        with urllib.request.urlopen(f"{mirror}/{path}", timeout=120) as answer:
            content: bytes = answer.read()
            return content

    index = lzma.decompress(get(f"dists/{suite}/main/binary-all/Packages.xz")).decode()
    for stanza in index.split("\n\n"):
        if stanza.startswith("Package: pci.ids\n"):
            fields = dict(line.split(": ", 1) for line in stanza.splitlines() if ": " in line)
            content = get(fields["Filename"])
            if hashlib.sha256(content).hexdigest() != fields["SHA256"]:
                raise ValueError(f"{fields['Filename']}: sha256 differs from the index")
            return from_deb(content)
    raise ValueError(f"suite {suite} on {mirror} has no package pci.ids")


def main(argv: list[str] | None = None) -> int:
    """Run the command line; 0 when written or unchanged, 1 when --check finds a difference."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--from", dest="source", type=Path, help="a pci.ids file or the Debian package")
    parser.add_argument("--mirror", help="Debian mirror (default: that of /etc/apt)")
    parser.add_argument("--suite", default="sid", help="Debian suite (default: %(default)s)")
    parser.add_argument("--check", action="store_true", help="write nothing, exit 1 if the table would change")
    parser.add_argument("--output", type=Path, default=TARGET, help=argparse.SUPPRESS)
    args = parser.parse_args(argv)
    try:
        if args.source is None:
            text = fetch(args.mirror or own_mirror(), args.suite)
        elif args.source.suffix == ".deb":
            text = from_deb(args.source.read_bytes())
        else:
            text = args.source.read_text(encoding="utf-8", errors="replace")
        new = render(text)
    except (OSError, ValueError, subprocess.CalledProcessError) as error:
        print(f"update_gpu_table: {error}", file=sys.stderr)
        return 2
    old = args.output.read_text(encoding="utf-8") if args.output.exists() else ""
    if new == old:
        print(f"{args.output.name} is current")
        return 0
    if args.check:
        print(f"{args.output.name} differs from the source", file=sys.stderr)
        return 1
    args.output.write_text(new, encoding="utf-8")
    print(f"{args.output.name}: {new.count(chr(10), new.index('TABLE =')) - 2} GPUs")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
