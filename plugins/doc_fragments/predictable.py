"""What most modules have in common, in their documentation."""

from __future__ import annotations


class ModuleDocFragment:
    """A module that can say and show beforehand what it would change."""

    DOCUMENTATION = r"""
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
author: [dlbox]
"""
