"""Watch what any account can see of the processes, until a file appears. Runs as an ordinary account.

    watch_processes.py TEXT PREFIX STOP

Prints one line of JSON: {"rounds", "told": [argument lists with TEXT in them], "environ": [root's processes whose
environment could be read and holds TEXT], "root": [root's processes whose program lies below PREFIX]}.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

text, prefix, stop = sys.argv[1:]
told, environ, root, rounds = set(), set(), set(), 0
while not Path(stop).exists():
    rounds += 1
    for entry in os.scandir("/proc"):
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            words = Path(entry.path, "cmdline").read_bytes().split(b"\0")
            owner = entry.stat().st_uid
        except OSError:
            continue
        line = b" ".join(words).decode(errors="replace")
        if text in line:
            told.add(line)
        if owner == 0 and words[0].decode(errors="replace").startswith(f"{prefix}/"):
            root.add(line)
        try:
            if owner == 0 and text.encode() in Path(entry.path, "environ").read_bytes():
                environ.add(line)
        except OSError:
            continue
print(json.dumps({"rounds": rounds, "told": sorted(told), "environ": sorted(environ), "root": sorted(root)}))
