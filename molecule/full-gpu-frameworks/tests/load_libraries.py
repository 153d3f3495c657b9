"""Load every CUDA library that the wheels of this environment brought, each in a process of its own.

Prints one line of JSON: {"loaded": [...], "missing": {library: the library that the loader could not find}}.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

LOAD = "import ctypes, sys; ctypes.CDLL(sys.argv[1])"
loaded, missing = [], {}
packages = Path(sys.prefix, "lib", f"python3.{sys.version_info[1]}", "site-packages")
for place in sorted(packages.glob("nvidia/**/lib*.so*")):
    done = subprocess.run([sys.executable, "-I", "-c", LOAD, place], text=True, capture_output=True, check=False)
    if done.returncode == 0:
        loaded.append(place.name)
        continue
    told = done.stderr.strip().splitlines()[-1]
    found = re.search(r"OSError: (\S+): cannot open shared object file", told)
    missing[place.name] = found[1] if found else told
print(json.dumps({"loaded": loaded, "missing": missing}))
