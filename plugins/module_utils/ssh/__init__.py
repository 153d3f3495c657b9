"""What an OpenSSH server offers, how it is configured, and who can log in to it."""

from __future__ import annotations
