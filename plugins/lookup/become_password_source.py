"""Lookup ``become_password_source``: where ansible-playbook has its sudo password from."""

from __future__ import annotations

DOCUMENTATION = """
name: become_password_source
short_description: Where ansible-playbook has its sudo password from
description:
  - Tells whether the command line or the configuration gave a become password. A variable does not count.
author: [dlbox (!UNKNOWN)]
version_added: 0.1.0
options: {}
"""

EXAMPLES = """
- name: Ask for the sudo password
  ansible.builtin.pause:
    prompt: sudo password
    echo: false
  when: not lookup('dlbox.workstation.become_password_source')
"""

RETURN = """
_list:
  description: The option, C(become_ask_pass) or C(become_password_file); nothing where none was given.
  type: list
  elements: str
"""

from typing import Any

from ansible import context
from ansible.plugins.lookup import LookupBase

OPTIONS = ("become_ask_pass", "become_password_file")


class LookupModule(LookupBase):  # type: ignore[misc]  # ansible-core ships no types
    """The lookup."""

    def run(self, terms: list[str], variables: dict[str, Any] | None = None, **kwargs: Any) -> list[str]:
        """Return the options that were given: the command line's values, whose defaults are the configuration's."""
        return [name for name in OPTIONS if context.CLIARGS.get(name)]
