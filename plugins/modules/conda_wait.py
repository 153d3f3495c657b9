#!/usr/bin/python
"""Read how far the environments of a host are. The action plugin of this name calls it while it waits."""

from __future__ import annotations

DOCUMENTATION = r"""
module: conda_wait
short_description: Wait for environments that are being made in the background
description:
  - Waits for a M(dlbox.workstation.conda_env) that was started with C(async) and C(poll=0); returns what that returns,
    and fails as that fails.
  - Says meanwhile how far each environment is, also while the job itself waits for one of an earlier run, whose
    controller is gone.
  - The job does not depend on the connection. One that is lost is made anew for five minutes.
options:
  root:
    description: Folder of the base environment.
    type: path
    required: true
  job:
    description: What the task that started the job has registered as C(ansible_job_id).
    type: str
    required: true
  every:
    description: Seconds between two looks at the job.
    type: int
    default: 10
attributes:
  check_mode:
    support: full
    description: Waits; in check mode nothing is started that it could wait for.
author: [dlbox (!UNKNOWN)]
version_added: 0.1.0
"""

EXAMPLES = r"""
- name: Wait for the environments
  dlbox.workstation.conda_wait:
    root: /opt/conda
    job: "{{ started.ansible_job_id }}"
"""

RETURN = r"""
environments:
  description: As M(dlbox.workstation.conda_env) returns them, as all the rest.
  type: list
  elements: dict
  returned: always
"""

from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.conda import progress


def main() -> None:
    """Run the module: how far each environment is, and whether anybody is at work."""
    module = AnsibleModule(
        argument_spec={
            "root": {"type": "path", "required": True},
            "job": {"type": "str", "required": True},
            "every": {"type": "int", "default": 10},
        },
        supports_check_mode=True,
    )
    cache = str(Path(module.params["root"], ".cache"))
    module.exit_json(changed=False, progress=progress.read(cache), at_work=progress.at_work(cache))


if __name__ == "__main__":
    main()
