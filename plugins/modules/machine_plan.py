#!/usr/bin/python
# MIT licensed, see LICENSE
"""Detect a machine and plan its driver, CUDA, cuDNN and frameworks."""

from __future__ import annotations

DOCUMENTATION = r"""
module: machine_plan
short_description: Plan which driver, CUDA, cuDNN and frameworks fit the machine
description:
  - Reads what the machine is (PCI devices, OS, kernel, Secure Boot, CPU flags, installed driver) and decides
    the one set of versions that works together, or says why none does. Changes nothing.
  - What cannot be satisfied is in C(dlbox_plan.refusals); the module itself succeeds, unless
    O(fail_on_refusal) is set.
options:
  policy:
    description: V(stable) takes the long-lived driver branch, V(newest) the highest one.
    type: str
    choices: [stable, newest]
    default: stable
  pins:
    description:
      - Versions the owner wants, by component. Keys are C(driver), C(modules), C(driver_source), C(cuda),
        C(cuda_source), C(cudnn), C(pytorch), C(tensorflow), C(jax), C(keras), C(python).
    type: dict
    default: {}
  headless:
    description: Whether the machine has no display; takes the compute-only packages.
    type: bool
    default: false
  unattended:
    description: Whether nobody is at the console, so that a Secure Boot key cannot be enrolled.
    type: bool
    default: false
  gpu_roles:
    description:
      - What each GPU is for, by PCI slot, PCI id or name. V(compute) is the default, V(display) gets a driver but
        no framework has to run on it, V(ignored) is left alone.
    type: dict
    default: {}
  pypi_only:
    description: Whether wheels may come from PyPI only, not from PyTorch's own index.
    type: bool
    default: false
  psu_watts:
    description: The power supply's rating in watts, for advice.
    type: float
  price_per_kwh:
    description: Price of a kilowatt hour, in any currency, for advice.
    type: float
  duty_hours:
    description: Hours a day under load, for advice; 8 when not given.
    type: float
  today:
    description: Day for end-of-life warnings, as YYYY-MM-DD; the host's own date when not given.
    type: str
  facts:
    description: Facts laid over the detected ones, mapping by mapping; lists are replaced. For tests and dry runs.
    type: dict
    default: {}
  root:
    description: Directory to read the machine's files from.
    type: path
    default: /
  explain:
    description: Whether to return every excluded candidate with its reason.
    type: bool
    default: false
  fail_on_refusal:
    description: Whether to fail when there is no plan.
    type: bool
    default: false
attributes:
  check_mode:
    description: Reads only; check mode is the same.
    support: full
author: dlbox
"""

EXAMPLES = r"""
- name: Plan the machine
  machine_plan:
    policy: stable
    pins:
      cuda: "12.9"

- name: Show the driver branch
  ansible.builtin.debug:
    msg: "{{ ansible_facts['dlbox_plan'].driver.branch | default('none') }}"
"""

RETURN = r"""
ansible_facts:
  description: Facts set for later tasks.
  returned: always
  type: dict
  contains:
    dlbox_machine:
      description: What the machine is; see docs/planner.md.
      returned: always
      type: dict
    hostname, python, python_version, virtualization_tech_guest:
      description: As M(ansible.builtin.setup) gives them; of C(python) the executable only.
      returned: always
      type: raw
    dlbox_plan:
      description: The plan, the same structure as C(./dlbox plan --format json); see docs/planner.md.
      returned: always
      type: dict
"""

import os
import platform
import sys
from datetime import date
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.dlbox_machine.detect import detect, is_container, merge
from ansible.module_utils.dlbox_planner.gpus import lookup
from ansible.module_utils.dlbox_planner.model import UsageError
from ansible.module_utils.dlbox_planner.planner import plan

ARGUMENTS = {
    "policy": {"type": "str", "choices": ["stable", "newest"], "default": "stable"},
    "pins": {"type": "dict", "default": {}},
    "headless": {"type": "bool", "default": False},
    "unattended": {"type": "bool", "default": False},
    "gpu_roles": {"type": "dict", "default": {}},
    "pypi_only": {"type": "bool", "default": False},
    "psu_watts": {"type": "float"},
    "price_per_kwh": {"type": "float"},
    "duty_hours": {"type": "float"},
    "today": {"type": "str"},
    "facts": {"type": "dict", "default": {}},
    "root": {"type": "path", "default": "/"},
    "explain": {"type": "bool", "default": False},
    "fail_on_refusal": {"type": "bool", "default": False},
}


def usual_facts(virtualization: str | None) -> dict[str, Any]:
    """Return the facts of ansible's own that dlbox's roles read, by the names and in the shapes that setup gives them.

    Gathering them with setup takes longer than planning the machine, and most of what it brings would not be read.
    """
    container = is_container(Path("/"))
    guest = ["container", container] if container else [virtualization] if virtualization else []
    return {
        "hostname": os.uname().nodename.split(".")[0],
        "python": {"executable": sys.executable},
        "python_version": platform.python_version(),
        "virtualization_tech_guest": guest,
    }


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    options = dict(module.params)
    facts = merge(detect(options.pop("root"), lambda device: lookup(device) is not None), options.pop("facts") or {})
    fail = options.pop("fail_on_refusal")
    options["today"] = options["today"] or date.today().isoformat()
    try:
        result = plan(facts, options)
    except UsageError as error:
        module.fail_json(msg=f"machine_plan: {error}")
    if fail and not result["ok"]:
        reasons = "; ".join(f"{item['message']} ({item['remedy']})" for item in result["refusals"] if item["fatal"])
        module.fail_json(msg=f"no plan fits {facts['host']}: {reasons}", plan=result)
    found = {"dlbox_machine": facts, "dlbox_plan": result, **usual_facts(facts["os"]["virtualization"])}
    module.exit_json(changed=False, ansible_facts=found)


if __name__ == "__main__":
    main()
