"""Make the plugins importable as the code on a host sees them and as plain packages."""

from __future__ import annotations

import sys
from pathlib import Path

PLUGINS = Path(__file__).resolve().parents[2] / "plugins"
for folder in ("modules", "module_utils", "filter", "callback", "lookup"):
    sys.path.insert(0, str(PLUGINS / folder))

# `from ansible.module_utils.dlbox_x import y` works in tests as it does in a module on a host.
import ansible.module_utils  # noqa: E402  (needs the path above only for our packages)

ansible.module_utils.__path__.append(str(PLUGINS / "module_utils"))
