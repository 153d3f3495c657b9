#!/usr/bin/python
# Copyright: dlbox contributors
# MIT License (see LICENSE)
"""Gather the evidence that the doctor's checks evaluate."""

from __future__ import annotations

DOCUMENTATION = r"""
module: host_evidence
short_description: Gather the evidence that the doctor's checks evaluate
description:
  - Runs the doctor's collectors on the host, side by side, and returns what they read.
  - Changes nothing. The filter P(dlbox.workstation.doctor_report#filter) evaluates the evidence on the controller.
options:
  settings:
    description:
      - C(collect) lists the collectors to run (default all); C(conda_root), C(state_dir) and C(admins) say where to
        look and for whom; C(programs) and C(environments) are used by the collector C(smoke_tests).
    type: dict
    default: {}
author: [dlbox (!UNKNOWN)]
version_added: 0.1.0
attributes:
  check_mode:
    support: full
    description: Reads only; check mode is the same.
"""

EXAMPLES = r"""
- name: Gather the evidence of the quick checks
  dlbox.workstation.host_evidence:
    settings: {collect: [units, reboot, kernels]}
  register: asked
"""

RETURN = r"""
evidence:
  description: One key per collector; C(errors) maps one that failed to the reason; C(root) tells whether root asked.
  type: dict
  returned: always
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.probe.collect import COLLECTORS, collect


def main() -> None:
    """Collect and return; unknown collectors are named before anything runs."""
    module = AnsibleModule(argument_spec={"settings": {"type": "dict", "default": {}}}, supports_check_mode=True)
    settings = module.params["settings"]
    unknown = sorted(set(settings.get("collect") or []) - set(COLLECTORS))
    if unknown:
        module.fail_json(
            msg="settings.collect names {}: expected some of {}".format(
                ", ".join(unknown), ", ".join(sorted(COLLECTORS))
            )
        )
    module.exit_json(changed=False, evidence=collect(settings))


if __name__ == "__main__":
    main()
