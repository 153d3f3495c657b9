#!/usr/bin/python
# MIT licensed, see LICENSE
"""Plan a host's driver, CUDA, cuDNN and frameworks: documentation of the action plugin of this name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: machine_plan
short_description: Plan which driver, CUDA, cuDNN and frameworks fit the machine
description:
  - Gathers what the machine is with M(dlbox.workstation.machine_facts), validates that on the controller, and decides
    there on the one set of versions that works together, or says why none does. Changes nothing.
  - Facts that are not what docs/schemas/machine.json says are an error, with the host, the key and the value's shape.
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
  nvidia_repository:
    description:
      - The owner's mirror of NVIDIA's repository; what of C(url), C(suite), C(components), C(key_url) and
        C(key_fingerprints) differs from NVIDIA's own. The plan names it with this applied.
    type: dict
    default: {}
  toolkits:
    description: CUDA toolkits to install side by side, such as V(12.9); V(auto) stands for the plan's own choice.
    type: list
    elements: str
    default: []
  default_toolkit:
    description: The toolkit of them that is used; empty takes the first.
    type: str
    default: ""
  libraries:
    description: CUDA libraries to install for the toolkit that is used.
    type: list
    elements: str
    choices: [cudnn, cudnn_dev, nccl]
    default: []
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
    description: Day for end-of-life warnings, as YYYY-MM-DD; the controller's date when not given.
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
author: [dlbox (!UNKNOWN)]
version_added: 0.1.0
"""

EXAMPLES = r"""
- name: Plan the machine
  dlbox.workstation.machine_plan:
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
    all_ipv4_addresses:
      description: As M(ansible.builtin.setup) gives it, without link-local addresses.
      returned: always
      type: list
      elements: str
    all_ipv6_addresses:
      description: As M(ansible.builtin.setup) gives it, without link-local addresses.
      returned: always
      type: list
      elements: str
    hostname:
      description: As M(ansible.builtin.setup) gives it.
      returned: always
      type: str
    python:
      description: As M(ansible.builtin.setup) gives it; the executable only.
      returned: always
      type: dict
    python_version:
      description: As M(ansible.builtin.setup) gives it.
      returned: always
      type: str
    virtualization_tech_guest:
      description: As M(ansible.builtin.setup) gives it.
      returned: always
      type: list
      elements: str
    dlbox_plan:
      description: The plan, the same structure as C(./dlbox plan --format json); see docs/planner.md.
      returned: always
      type: dict
"""
