"""All checks, by area. Importing this package fills the register."""

from __future__ import annotations

from . import apt, environments, firewall, gpu, jupyter, ssh, system

__all__ = ["apt", "environments", "firewall", "gpu", "jupyter", "ssh", "system"]
