#!/usr/bin/python
"""Remove all environments, their engine and their caches, by name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: conda_uninstall
short_description: Remove every environment that dlbox created, the engine and the caches
description:
  - Removes nothing unless O(names) names every environment that dlbox made below O(root), so that nobody loses one that
    they did not think of.
  - What dlbox did not make is left alone and listed in RV(stays); environments in users' homes are not inspected.
  - Needs no engine.
options:
  root:
    description: Folder of the base environment; the others are in C(envs/NAME) below it.
    type: path
    required: true
  engine:
    description: Folder of the engine.
    type: path
    required: true
  names:
    description: All environments that are to go; V(base) is the one in O(root) itself.
    type: list
    elements: str
    required: true
extends_documentation_fragment: [dlbox.workstation.predictable]
"""

EXAMPLES = r"""
- name: Remove everything
  dlbox.workstation.conda_uninstall:
    root: /opt/conda
    engine: /opt/dlbox/engine
    names: [base, datascience, jupyter]
"""

RETURN = r"""
goes:
  description: The paths that were removed.
  type: list
  elements: str
  returned: success
stays:
  description: What was left, and why.
  type: list
  elements: str
  returned: success
ansible_facts:
  description: C(dlbox_environments), which is empty now.
  type: dict
  returned: success
"""

from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.conda import environment, uninstall


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "root": {"type": "path", "required": True},
            "engine": {"type": "path", "required": True},
            "names": {"type": "list", "elements": "str", "required": True},
        },
        supports_check_mode=True,
    )
    root, engine = Path(module.params["root"]), Path(module.params["engine"])
    problems = uninstall.objections(root, module.params["names"])
    if problems:
        module.fail_json(msg="\n".join(problems))
    removal = uninstall.plan(root, engine)
    if removal.goes and not module.check_mode:
        if root.is_dir():
            with environment.alone(root):
                # Another run may have made one while this one waited for it.
                problems = uninstall.objections(root, module.params["names"])
                if not problems:
                    removal = uninstall.plan(root, engine)
                    uninstall.carry_out(removal, root)
        else:
            uninstall.carry_out(removal, root)
    if problems:
        module.fail_json(msg="\n".join(problems))
    goes = [str(path) for path in removal.goes]
    module.exit_json(
        changed=bool(goes),
        goes=goes,
        stays=removal.stays,
        ansible_facts={"dlbox_environments": []},
        diff={"before": "".join(f"{path}\n" for path in goes), "after": ""},
    )


if __name__ == "__main__":
    main()
