#!/usr/bin/python
# MIT licensed, see LICENSE
"""Gather what a machine is: OS, kernel, Secure Boot, CPU, memory, GPUs, driver."""

from __future__ import annotations

DOCUMENTATION = r"""
module: machine_facts
short_description: Gather the facts that the planner reads
description:
  - Reads what the machine is from its files. Changes nothing. M(dlbox.workstation.machine_plan) runs it on the host,
    validates what it returns, and plans on the controller.
options:
  root:
    description: Directory to read the machine's files from.
    type: path
    default: /
attributes:
  check_mode:
    description: Reads only; check mode is the same.
    support: full
author: [dlbox (!UNKNOWN)]
version_added: 0.1.0
"""

EXAMPLES = r"""
- name: Gather what this machine is
  dlbox.workstation.machine_facts:
  register: found
"""

RETURN = r"""
machine:
  description: What the machine is; docs/schemas/machine.json describes it.
  returned: always
  type: dict
usual:
  description: The few facts of M(ansible.builtin.setup) that roles read, by its names and in its shapes.
  returned: always
  type: dict
"""

import ipaddress
import os
import platform
import sys
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.guard.sessions import host_addresses
from ..module_utils.host.virtualization import container
from ..module_utils.machine.detect import detect


def usual_facts(virtualization: str) -> dict[str, Any]:
    """Return the facts of ansible's own that dlbox's roles read, by the names and in the shapes that setup gives them.

    Gathering them with setup takes longer than planning the machine, and most of what it brings would not be read.
    """
    kind = container()
    guest = ["container", kind] if kind else [virtualization] if virtualization else []
    addresses = [ipaddress.ip_address(address) for address in sorted(host_addresses())]
    # Others than setup's: without link-local ones, which every container's link has.
    others = [one for one in addresses if not (one.is_loopback or one.is_link_local)]
    return {
        "all_ipv4_addresses": [str(one) for one in others if one.version == 4],
        "all_ipv6_addresses": [str(one) for one in others if one.version == 6],
        "hostname": os.uname().nodename.split(".")[0],
        "python": {"executable": sys.executable},
        "python_version": platform.python_version(),
        "virtualization_tech_guest": guest,
    }


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec={"root": {"type": "path", "default": "/"}}, supports_check_mode=True)
    machine = detect(module.params["root"])
    module.exit_json(changed=False, machine=machine, usual=usual_facts(machine["os"]["virtualization"]))


if __name__ == "__main__":
    main()
