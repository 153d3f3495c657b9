#!/usr/bin/python
"""Read the state of NVIDIA's driver on a host in one round trip."""

from __future__ import annotations

DOCUMENTATION = r"""
module: nvidia_state
short_description: Gather packages, kernels, modules and leftovers of NVIDIA's driver
description:
  - Reads files and asks dpkg, dkms and mokutil. Changes nothing and loads nothing.
options:
  running_kernel:
    description: Kernel release to treat as the running one; empty asks the kernel.
    type: str
    default: ""
  own_files:
    description: Files under /etc/apt that dlbox wrote, which are no leftovers.
    type: list
    elements: path
    default: []
attributes:
  check_mode:
    support: full
    description: Reads only; check mode is the same.
author: [dlbox (!UNKNOWN)]
version_added: 0.1.0
"""
EXAMPLES = r"""
- name: Read the state of the driver
  dlbox.workstation.nvidia_state:
  register: __driver_state
"""
RETURN = r"""
state:
  description: >-
    running_kernel (str), kernels (oldest first, each with release, bootable, headers, module_version, module_path,
    provider),
    packages (name to version), held, half_configured, branches, dkms (builds),
    loaded_version, library_version, nouveau_loaded, waits_for_start, secure_boot (true, false, or null without EFI),
    built_modules (under Secure Boot: release, tree, signer and key of each module built here), initramfs, grub,
    boot_guarded, persistence_command, units (unit to enabled and active),
    leftovers (each with kind, where, says, commands, remedy), reboot_reasons and waiting_kernels.
  type: dict
  returned: always
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.nvidia.state import read_state


def main() -> None:
    """Read and return."""
    module = AnsibleModule(
        argument_spec={
            "running_kernel": {"type": "str", "default": ""},
            "own_files": {"type": "list", "elements": "path", "default": []},
        },
        supports_check_mode=True,
    )
    state = read_state(
        running_kernel=module.params["running_kernel"],
        own_files=tuple(module.params["own_files"]),
    )
    module.exit_json(changed=False, state=state)


if __name__ == "__main__":
    main()
