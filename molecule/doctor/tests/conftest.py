"""Put the doctor's library where the tests can import it."""

from __future__ import annotations

import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(PROJECT / "plugins" / "module_utils"))
sys.path.insert(0, str(Path(__file__).resolve().parent))
