#!/usr/bin/python
"""Which packages are installed, whether dpkg was cut off, and which units run.

Not ansible.builtin.apt, package_facts and service_facts: to find nothing to install, apt's cache is opened,
0.3 s of CPU where dpkg's database is read in 0.02 s, and one call answers all three questions.
"""

from __future__ import annotations

DOCUMENTATION = r"""
module: system_state
short_description: Report which packages are installed, whether dpkg was interrupted, and which units run
description:
  - Reads dpkg's database, which takes a fraction of the time that apt needs to find that there is nothing to do.
  - Changes nothing.
options:
  packages: {description: Names of packages., type: list, elements: str, required: true}
  units: {description: Names of systemd's units., type: list, elements: str, default: []}
  database: {description: Folder of dpkg's database., type: path, default: /var/lib/dpkg}
attributes:
  check_mode:
    support: full
    description: Reads only; check mode is the same.
author: [dlbox (!UNKNOWN)]
version_added: 0.1.0
"""

EXAMPLES = r"""
- name: See whether git is there
  dlbox.workstation.system_state:
    packages: [git]
  register: system
"""

RETURN = r"""
installed: {description: Those of the names that are installed., type: list, elements: str, returned: success}
unfinished:
  description: Packages that C(dpkg --configure -a) finishes where it can; V(dpkg) when its own journal is not applied.
  type: list
  elements: str
  returned: success
units:
  description: Whether each unit starts at boot (enabled) and runs (active). One that is not known does neither.
  type: dict
  returned: success
  sample: {ssh.service: {enabled: true, active: true}}
"""

import contextlib
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.host import dpkg, units


def main() -> None:
    """Read and report."""
    module = AnsibleModule(
        argument_spec={
            "packages": {"type": "list", "elements": "str", "required": True},
            "units": {"type": "list", "elements": "str", "default": []},
            "database": {"type": "path", "default": "/var/lib/dpkg"},
        },
        supports_check_mode=True,
    )
    database = Path(module.params["database"])
    try:
        known, journal = dpkg.read_entries(database), dpkg.journal(database)
    except OSError as error:
        module.fail_json(msg=f"dpkg's database cannot be read, so this is no Debian or Ubuntu: {error}")
    asked = module.params["units"]
    shown = ""
    if asked:
        with contextlib.suppress(FileNotFoundError):  # a host without systemd
            command = units.show_command(asked, "UnitFileState", "ActiveState")
            shown = module.run_command(command, handle_exceptions=False)[1]
    there = {package.name for package in known if package.configured}
    module.exit_json(
        changed=False,
        installed=[name for name in module.params["packages"] if name in there],
        unfinished=sorted({package.name for package in known if package.unfinished}) + (["dpkg"] if journal else []),
        units={name: units.enabled_and_active({}) for name in asked}
        | {name: units.enabled_and_active(properties) for name, properties in units.parse_show(shown).items()},
    )


if __name__ == "__main__":
    main()
