"""What most modules have in common, in their documentation."""

from __future__ import annotations


class ModuleDocFragment:
    """A module that can say and show beforehand what it would change."""

    DOCUMENTATION = r"""
attributes:
  check_mode:
    support: full
    description: Says what it would change, and changes nothing.
  diff_mode:
    support: full
    description: Shows what it changes, before and after.
author: [dlbox (!UNKNOWN)]
version_added: 0.1.0
"""
