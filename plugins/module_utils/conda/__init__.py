"""What `conda_env` and `conda_lock` are made of: declared environments, locks, what is installed, and the engine."""

from __future__ import annotations
