#!/usr/bin/python
"""Make components of the host's own distribution available to apt."""

from __future__ import annotations

DOCUMENTATION = r"""
module: distribution_components
short_description: Enable components (restricted, non-free, ...) of the distribution that the host's sources lack
description:
  - The package lists of that file are read at once; when apt refuses it, what was there before is put back.
  - Reads all of apt's sources, finds the distribution's entries by the release's code name, and writes one deb822
    file with the
    components that they lack, at the same URL, suites and keyring. Nothing is written when nothing is missing.
options:
  components: {description: Components to have., type: list, elements: str, required: true}
  codename: {description: The release's code name., type: str, required: true}
  dest: {description: The file to write., type: path, required: true}
  uri: {description: Mirror to take them from instead., type: str, default: ""}
  keyring: {description: Keyring of that mirror., type: str, default: ""}
extends_documentation_fragment: [dlbox.workstation.predictable]
"""
EXAMPLES = r"""
- name: Have non-free
  dlbox.workstation.distribution_components:
    components: [contrib, non-free, non-free-firmware]
    codename: trixie
    dest: /etc/apt/sources.list.d/dlbox-components.sources
"""
RETURN = r"""
added: {description: "Components per suite that the file adds.", type: dict, returned: success}
"""

from dataclasses import replace
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.host.apt_sources import read_sources
from ..module_utils.nvidia import sourcefile, sources
from ..module_utils.nvidia.apt import Apt, Failed
from ..module_utils.umask import with_umask

HEADER = "Written by dlbox: components of the distribution that the other sources lack. Changes here are lost."


@with_umask(0o022)  # others read what it makes
def main() -> None:
    """Compare and write."""
    module = AnsibleModule(
        argument_spec={
            "components": {"type": "list", "elements": "str", "required": True},
            "codename": {"type": "str", "required": True},
            "dest": {"type": "path", "required": True},
            "uri": {"type": "str", "default": ""},
            "keyring": {"type": "str", "default": "", "no_log": False},
        },
        supports_check_mode=True,
    )
    given = module.params
    path = Path(given["dest"])
    entries = read_sources()
    if not sources.distribution_entries(entries, given["codename"]):
        module.fail_json(
            msg=f"no enabled entry for {given['codename']} with component main under /etc/apt: dlbox takes URL and key"
            f" of {', '.join(given['components'])} from it. Restore the distribution's sources first."
        )
    lacking = sources.missing(entries, given["codename"], given["components"], str(path))
    if given["uri"]:
        lacking = [replace(entry, uri=given["uri"], signed_by=given["keyring"] or entry.signed_by) for entry in lacking]
    wanted = sources.render(lacking, HEADER)
    added = {suite: list(entry.components) for entry in lacking for suite in entry.suites}
    try:
        outcome = sourcefile.ensure(path, wanted, Apt(), check=module.check_mode)
    except Failed as failure:
        module.fail_json(
            msg=f"{failure}\nDoes the host's mirror have {', '.join(given['components'])} of {given['codename']}?"
            " Another one can be named (uri)."
        )
    module.exit_json(added=added, **outcome)


if __name__ == "__main__":
    main()
