"""Lookup ``supported_systems``: the releases that dlbox is made and tested for, from the planner's table of them."""

from __future__ import annotations

DOCUMENTATION = """
name: supported_systems
short_description: Releases that dlbox is made and tested for
description:
  - Returns one mapping of ID to VERSION_IDs as in os-release(5), from the tables below C(data/systems).
author: [dlbox (!UNKNOWN)]
version_added: 0.1.0
"""

EXAMPLES = """
- ansible.builtin.debug:
    msg: "{{ lookup('dlbox.workstation.supported_systems') }}"
"""

RETURN = """
_list:
  description: One mapping of ID to a list of VERSION_IDs.
  type: list
  elements: dict
"""

from typing import Any

from ansible.plugins.lookup import LookupBase


class LookupModule(LookupBase):  # type: ignore[misc]
    """The lookup."""

    def run(self, terms: list[Any], variables: Any = None, **kwargs: Any) -> list[dict[str, list[str]]]:
        """Return the mapping."""
        from ..plugin_utils.planner.data.systems import SUPPORTED

        return [{name: list(versions) for name, versions in sorted(SUPPORTED.items())}]
