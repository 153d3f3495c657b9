#!/usr/bin/python
"""Install, change or upgrade NVIDIA's driver as one apt transaction."""

from __future__ import annotations

DOCUMENTATION = r"""
module: nvidia_packages
short_description: Install the driver that the plan names in one simulated, then executed, apt transaction
description:
  - Asks apt for the plan's packages as they stand; what is installed of another branch or flavour goes in the same
    transaction, and what else is installed of this one moves along.
  - Simulates the transaction and refuses it when it would remove anything that is not the driver, or leave two
    branches mixed.
  - Downloads, stops the daemons that watch the GPUs, executes, starts them again, checks that DKMS built the module for
    every installed kernel, and holds the whole set.
  - When a package fails to configure, undoes the transaction and fails with the compiler's line.
options:
  driver:
    description:
      - The C(driver) of the plan. Read are C(branch), C(modules), C(source), C(server), C(provider), C(packages),
        C(before) and C(kernel_headers); docs/planner.md describes them.
    type: dict
    required: true
  extra_packages: {description: The owner's packages besides them., type: list, elements: str, default: []}
  running_kernel: {description: Release of the running kernel., type: str, default: ""}
  upgrade: {description: Move to the newest version of the branch., type: bool, default: true}
  may_remove: {description: Patterns of other packages that may go., type: list, elements: str, default: []}
  own_files:
    description: Files under /etc/apt that dlbox wrote, which are no leftovers in the returned state.
    type: list
    elements: path
    default: []
extends_documentation_fragment: [dlbox.workstation.apt_transaction]
"""
EXAMPLES = r"""
- name: Install the driver of the plan
  dlbox.workstation.nvidia_packages:
    driver: "{{ ansible_facts['dlbox_plan'].driver }}"
"""
RETURN = r"""
provider: {description: "prebuilt, dkms, or null without modules.", type: str, returned: success}
state: {description: "The driver now, as M(dlbox.workstation.nvidia_state) returns it.", type: dict, returned: success}
changes: {description: "What apt did or would do, a line per package.", type: list, elements: str, returned: success}
notes: {description: Sentences for the owner., type: list, elements: str, returned: success}
install: {description: Packages asked of apt., type: list, elements: str, returned: success}
remove: {description: Packages of other branches and flavours that go., type: list, elements: str, returned: success}
"""

import os

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.nvidia.apt import SHARED, Apt, Failed, Refused
from ..module_utils.nvidia.driver import Driver, Order
from ..module_utils.nvidia.state import read_state


def main() -> None:
    """Simulate, execute, hold."""
    strings = {"type": "list", "elements": "str", "default": []}
    module = AnsibleModule(
        argument_spec={
            "driver": {"type": "dict", "required": True},
            "extra_packages": strings,
            "running_kernel": {"type": "str", "default": ""},
            "upgrade": {"type": "bool", "default": True},
            **SHARED,
            "may_remove": strings,
            "own_files": {"type": "list", "elements": "path", "default": []},
        },
        supports_check_mode=True,
    )
    given = module.params
    try:
        order = Order.from_plan(
            given["driver"],
            extra_packages=given["extra_packages"],
            running_kernel=given["running_kernel"] or os.uname().release,
            upgrade=given["upgrade"],
            hold=given["hold"],
            may_remove=given["may_remove"],
            sources_pending=given["sources_pending"],
        )
        result = Driver(Apt(), order).apply(check=module.check_mode)
    except (Refused, Failed, ValueError) as error:
        module.fail_json(msg=str(error))
    state = read_state(running_kernel=order.running_kernel, own_files=tuple(given["own_files"]))
    answer = {**result.__dict__, "state": state}
    if module._diff and result.changes:
        answer["diff"] = {"prepared": "".join(line + "\n" for line in result.changes)}
    module.exit_json(**answer)


if __name__ == "__main__":
    main()
