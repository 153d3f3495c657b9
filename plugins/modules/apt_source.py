#!/usr/bin/python
"""Have a repository among apt's sources, with its package lists read."""

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
- name: Have a repository
  dlbox.workstation.apt_source:
    path: /etc/apt/sources.list.d/example.sources
    content: |
      Types: deb
      URIs: https://packages.example/
      Suites: /
      Signed-By: /etc/apt/keyrings/example.gpg
"""
RETURN = r""" # """

import os
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.nvidia import sourcefile
from ..module_utils.nvidia.apt import Apt, Failed


def main() -> None:
    """Compare, write, read."""
    os.umask(0o022)  # others read what it makes, whatever umask root has on this host
    module = AnsibleModule(
        argument_spec={
            "path": {"type": "path", "required": True},
            "content": {"type": "str", "required": True},
            "read_again": {"type": "bool", "default": False},
        },
        supports_check_mode=True,
    )
    given = module.params
    path = Path(given["path"])
    have = path.read_text() if path.exists() else ""
    changed = have != given["content"]
    if (changed or given["read_again"]) and not module.check_mode:
        try:
            sourcefile.put(path, given["content"], Apt())
        except Failed as failure:
            module.fail_json(
                msg=f"{failure}\nIs the URL right, is the key the repository's own, and is its mirror up to date?"
            )
    diff = {"before": have, "after": given["content"], "before_header": str(path), "after_header": str(path)}
    module.exit_json(changed=changed, diff=diff)


if __name__ == "__main__":
    main()
