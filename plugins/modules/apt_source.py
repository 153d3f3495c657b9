#!/usr/bin/python
"""Manage a file of apt's sources, and read its package lists.

Not ansible.builtin.deb822_repository (2.19 tried, 2.21 read): without python3-debian, which no minimal install has, it
fails in check mode too; it has no diff; and it reads no lists, so that undoing what apt refuses would take four more
tasks and as many round trips on every run. distribution_components, which it cannot do, needs the same undoing.
"""

from __future__ import annotations

DOCUMENTATION = r"""
module: apt_source
short_description: Manage a file of apt's sources, and roll it back when apt refuses the repository
description:
  - Reads the lists of this file alone, and takes any complaint of apt for a failure, so that a wrong signature is no
    warning.
  - When apt refuses the repository, what was there before is put back and the module fails with apt's message.
options:
  path: {description: "The file, ending in .sources.", type: path, required: true}
  content: {description: "What is in it, deb822.", type: str, required: true}
  read_again:
    description: Read the lists although the file is as it was; for a key that changed.
    type: bool
    default: false
extends_documentation_fragment: [dlbox.workstation.predictable]
"""
EXAMPLES = r"""
- name: Add a repository
  dlbox.workstation.apt_source:
    path: /etc/apt/sources.list.d/example.sources
    content: |
      Types: deb
      URIs: https://packages.example/
      Suites: /
      Signed-By: /etc/apt/keyrings/example.gpg
"""
RETURN = r""" # """

from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.nvidia import sourcefile
from ..module_utils.nvidia.apt import Apt, Failed
from ..module_utils.umask import with_umask


@with_umask(0o022)  # others read what it makes
def main() -> None:
    """Compare, write, read."""
    module = AnsibleModule(
        argument_spec={
            "path": {"type": "path", "required": True},
            "content": {"type": "str", "required": True},
            "read_again": {"type": "bool", "default": False},
        },
        supports_check_mode=True,
    )
    given = module.params
    try:
        outcome = sourcefile.ensure(
            Path(given["path"]), given["content"], Apt(), check=module.check_mode, read_again=given["read_again"]
        )
    except Failed as failure:
        module.fail_json(
            msg=f"{failure}\nIs the URL right, is the key the repository's own, and is its mirror up to date?"
        )
    module.exit_json(**outcome)


if __name__ == "__main__":
    main()
