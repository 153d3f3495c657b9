"""The firewall as data: rules, ufw's files, the kernel's answer. Pure functions; nothing here runs a process."""

from __future__ import annotations
