"""The firewall as data: rule specs, ufw's files, the kernel. Only ``state`` and ``transaction`` run programs."""

from __future__ import annotations
