"""Lookup ``roles_with_file``: which of some roles have a certain file."""

from __future__ import annotations

DOCUMENTATION = """
name: roles_with_file
short_description: Which roles have a certain file
description:
  - Returns those of the named roles that have a file, in their order. A role is found where C(include_role) would find
    it, by its name in a collection or below a folder.
author: [dlbox (!UNKNOWN)]
version_added: 0.1.0
options:
  _terms:
    description: Names of roles, with or without their collection's.
    required: true
  file:
    description: The file, relative to the role.
    type: str
    required: true
  folders:
    description: Where roles without a collection's name are looked for.
    type: list
    elements: str
    required: true
"""

EXAMPLES = """
- ansible.builtin.debug:
    msg: "{{ query('dlbox.workstation.roles_with_file', *roles, file='tasks/predict.yml', folders=folders) }}"
"""

RETURN = """
_list:
  description: The roles that have the file.
  type: list
  elements: str
"""

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ansible.plugins.lookup import LookupBase


def candidates(role: str, folders: list[str]) -> Iterator[Path]:
    """The folders in which a role may be: those of its collection, or one below each of `folders`."""
    collection, _, name = role.rpartition(".")
    if not collection:
        yield from (Path(folder, role) for folder in folders)
        return
    try:
        found = importlib.util.find_spec(f"ansible_collections.{collection}.roles.{name}")
    except ImportError:
        return
    yield from (Path(place) for place in (found.submodule_search_locations if found else None) or [])


class LookupModule(LookupBase):  # type: ignore[misc]
    """The lookup."""

    def run(self, terms: list[str], variables: Any = None, **kwargs: Any) -> list[str]:
        """Return the names of the roles that have the file."""
        self.set_options(var_options=variables, direct=kwargs)
        file, folders = self.get_option("file"), self.get_option("folders")
        return [role for role in terms if any((folder / file).is_file() for folder in candidates(role, folders))]
