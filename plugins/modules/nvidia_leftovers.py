#!/usr/bin/python
"""Remove leftovers of another installation method of NVIDIA's driver."""

from __future__ import annotations

DOCUMENTATION = r"""
module: nvidia_leftovers
short_description: Remove leftovers of another driver installation with the remedies of nvidia_state
description:
  - Runs the commands of each leftover, which M(dlbox.workstation.nvidia_state) found. Sources are set aside under
    another name, not deleted.
options:
  leftovers: {description: The leftovers as nvidia_state returned them., type: list, elements: dict, required: true}
attributes:
  check_mode:
    support: full
    description: Says what it would change, and changes nothing.
author: [dlbox (!UNKNOWN)]
version_added: 0.1.0
"""
EXAMPLES = r"""
- name: Remove what a .run installer left
  dlbox.workstation.nvidia_leftovers:
    leftovers: "{{ __driver_state.state.leftovers }}"
"""
RETURN = r"""
removed: {description: Where the leftovers were., type: list, elements: str, returned: success}
"""

from ansible.module_utils.basic import AnsibleModule


def main() -> None:
    """Run each leftover's commands in order."""
    module = AnsibleModule(
        argument_spec={"leftovers": {"type": "list", "elements": "dict", "required": True}},
        supports_check_mode=True,
    )
    removed = []
    for leftover in module.params["leftovers"]:
        for command in leftover["commands"]:
            if module.check_mode:
                continue
            rc, out, err = module.run_command(command)
            if rc != 0:
                module.fail_json(
                    msg=f"{' '.join(command)} failed with {rc}: {(out + err).strip()[-800:]}."
                    f" It was to remove {leftover['where']} ({leftover['says']}); remove it by hand and run again."
                )
        removed.append(leftover["where"])
    module.exit_json(changed=bool(removed), removed=removed)


if __name__ == "__main__":
    main()
