#!/usr/bin/python
"""Install packages, also where Python's bindings of apt are missing.

Not ansible.builtin.apt: where python3-apt is missing, as on a minimal Debian, it fails in check mode, and installs that
package without waiting for another apt; while it waits it says nothing; and to find nothing to do it opens apt's cache.
"""

from __future__ import annotations

DOCUMENTATION = r"""
module: apt_packages
short_description: Install packages that are missing
description:
  - Reads dpkg's database, so that finding nothing to do takes no time and needs no python3-apt.
  - Finishes what a run that was cut off left, reads old package lists anew, and repairs broken dependencies.
  - Waits for another apt or dpkg that is at work, and says so.
  - Installs no recommended packages, and upgrades nothing that is there.
options:
  names: {description: "Packages, as apt-get takes them.", type: list, elements: str, required: true}
  refresh: {description: Read the package lists where they are old., type: bool, default: true}
  max_age: {description: Seconds after which the package lists are old., type: int, default: 86400}
  wait: {description: Seconds to wait for another apt or dpkg., type: int, default: 600}
extends_documentation_fragment: [dlbox.workstation.predictable]
"""
EXAMPLES = r"""
- name: Install the firewall
  dlbox.workstation.apt_packages:
    names: [ufw]
"""
RETURN = r"""
changes: {description: "What apt did or would do, a line per package.", type: list, elements: str, returned: success}
locked:
  description: Which program has the lock; the action plugin then calls the module again.
  type: str
  returned: when another apt or dpkg is at work
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils import packages
from ..module_utils.nvidia.apt import Apt, Failed, Refused
from ..module_utils.umask import with_umask


@with_umask(0o022)  # others read apt's lists
def main() -> None:
    """Compare and install."""
    module = AnsibleModule(
        argument_spec={
            "names": {"type": "list", "elements": "str", "required": True},
            "refresh": {"type": "bool", "default": True},
            "max_age": {"type": "int", "default": 86400},
            "wait": {"type": "int", "default": 600},
        },
        supports_check_mode=True,
    )
    given = module.params
    wanted = packages.Wanted(given["names"], given["max_age"] if given["refresh"] else None)
    try:
        outcome = packages.ensure(Apt(), wanted, module.check_mode)
    except packages.Locked as locked:
        module.exit_json(changed=False, locked=str(locked))
    except (OSError, Refused, Failed) as error:
        module.fail_json(msg=f"could not install {', '.join(given['names'])}: {error}")
    for warning in outcome.warnings:
        module.warn(warning)
    answer: dict[str, object] = {"changed": bool(outcome.changes), "changes": outcome.changes}
    if module._diff and outcome.changes:
        answer["diff"] = {"prepared": "".join(line + "\n" for line in outcome.changes)}
    module.exit_json(**answer)


if __name__ == "__main__":
    main()
