#!/usr/bin/python
"""Install, change or upgrade NVIDIA's driver as one apt transaction."""

from __future__ import annotations

DOCUMENTATION = r"""
module: nvidia_packages
short_description: Bring the driver packages to a branch in one simulated, then executed, apt transaction
description:
  - Finds the packages for the host's kernels, the distribution's signed modules first, else DKMS with the header
    metapackages.
  - Simulates the transaction and refuses it when it would remove anything that is not the driver, or leave two
    branches mixed.
  - Downloads, executes, checks that DKMS built the module for every installed kernel, and holds the whole set.
  - When a package fails to configure, undoes the transaction and fails with the compiler's line.
options:
  branch: {description: "Driver branch, three digits.", type: str, required: true}
  modules: {description: Kernel module flavour., type: str, required: true, choices: [open, proprietary]}
  source: {description: Origin of the packages., type: str, required: true, choices: [ubuntu, debian, nvidia]}
  distribution: {description: The host's distribution., type: str, required: true, choices: [ubuntu, debian]}
  provider:
    description: Where modules come from; empty takes signed ones where the repository has them.
    type: str
    default: ""
    choices: ["", prebuilt, dkms]
  version: {description: "Exact upstream version, which the preferences pin already.", type: str, default: ""}
  server: {description: Ubuntu's server build., type: bool, default: false}
  headless: {description: Without X and OpenGL., type: bool, default: false}
  kernel_modules: {description: Install kernel modules., type: bool, default: true}
  packages: {description: Packages instead of those that follow from the above., type: list, elements: str, default: []}
  extra_packages: {description: Packages besides them., type: list, elements: str, default: []}
  running_kernel: {description: Release of the running kernel., type: str, default: ""}
  upgrade: {description: Move to the newest version of the branch., type: bool, default: true}
  may_remove: {description: Patterns of other packages that may go., type: list, elements: str, default: []}
  own_files:
    description: Files under /etc/apt that dlbox wrote, which are no leftovers in the returned state.
    type: list
    elements: path
    default: []
extends_documentation_fragment: [apt_transaction]
"""
EXAMPLES = r"""
- name: Install branch 580 with open modules from Ubuntu's archive
  nvidia_packages:
    branch: "580"
    modules: open
    source: ubuntu
    distribution: ubuntu
"""
RETURN = r"""
provider: {description: "prebuilt, dkms, or null without modules.", type: str, returned: success}
state: {description: The state of the driver afterwards, as M(nvidia_state) returns it., type: dict, returned: success}
changes: {description: "What apt did or would do, a line per package.", type: list, elements: str, returned: success}
notes: {description: Sentences for the owner., type: list, elements: str, returned: success}
install: {description: Packages asked of apt., type: list, elements: str, returned: success}
remove: {description: Packages of other branches and flavours that go., type: list, elements: str, returned: success}
"""

import os

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.dlbox_nvidia.apt import SHARED, Apt, Failed, Refused
from ansible.module_utils.dlbox_nvidia.driver import Driver, Order
from ansible.module_utils.dlbox_nvidia.names import Wish
from ansible.module_utils.dlbox_nvidia.state import read_state


def main() -> None:
    """Resolve, simulate, execute."""
    strings = {"type": "list", "elements": "str", "default": []}
    module = AnsibleModule(
        argument_spec={
            "branch": {"type": "str", "required": True},
            "modules": {"type": "str", "required": True, "choices": ["open", "proprietary"]},
            "source": {"type": "str", "required": True, "choices": ["ubuntu", "debian", "nvidia"]},
            "distribution": {"type": "str", "required": True, "choices": ["ubuntu", "debian"]},
            "provider": {"type": "str", "default": "", "choices": ["", "prebuilt", "dkms"]},
            "version": {"type": "str", "default": ""},
            "server": {"type": "bool", "default": False},
            "headless": {"type": "bool", "default": False},
            "kernel_modules": {"type": "bool", "default": True},
            "packages": strings,
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
    wish = Wish(
        branch=given["branch"],
        modules=given["modules"],
        source=given["source"],
        distribution=given["distribution"],
        server=given["server"],
        headless=given["headless"],
        kernel_modules=given["kernel_modules"],
    )
    order = Order(
        wish=wish,
        provider=given["provider"],
        version=given["version"],
        packages=given["packages"],
        extra_packages=given["extra_packages"],
        running_kernel=given["running_kernel"] or os.uname().release,
        upgrade=given["upgrade"],
        hold=given["hold"],
        may_remove=given["may_remove"],
        sources_pending=given["sources_pending"],
    )
    try:
        result = Driver(Apt(), order).apply(check=module.check_mode)
    except (Refused, Failed) as error:
        module.fail_json(msg=str(error))
    state = read_state(running_kernel=order.running_kernel, own_files=tuple(given["own_files"]))
    answer = {**result.__dict__, "state": state}
    if module._diff and result.changes:
        answer["diff"] = {"prepared": "".join(line + "\n" for line in result.changes)}
    module.exit_json(**answer)


if __name__ == "__main__":
    main()
