#!/usr/bin/python
"""Sync a host's Jupyter kernels with its environments."""

from __future__ import annotations

DOCUMENTATION = r"""
module: jupyter_kernels
short_description: Sync a host's Jupyter kernels with its environments
description:
  - Writes one kernel specification per environment, so that every Jupyter on the host offers it, with the environment's
    interpreter, C(PATH), C(CONDA_PREFIX) and the variables that C(conda activate) would set.
  - Starts from the specification that the environment's own ipykernel (or another kernel package) installed, so that
    features such as the debugger and the encrypted transport are announced only where the installed release has them.
  - Specifications written by this module are marked in their metadata. Marked ones whose environment is not listed or
    is gone are removed. All others are left alone.
options:
  environments:
    description:
      - The environments to offer, as mappings with C(name) and C(prefix) (absolute path).
      - Optional keys are C(display_name) (what Jupyter shows, the name by default), C(description) (one line, kept in
        the metadata), C(variables) (more environment variables), C(kernel) (false for none),
        C(state) (C(absent) for none) and C(environment) (the environment's own name, where C(name) is another).
      - Other keys are ignored, so that the list which the role conda publishes can be given as it is.
    type: list
    elements: dict
    required: true
  variables:
    description: Environment variables of all these Jupyter kernels; an environment's own win.
    type: dict
    default: {}
  path:
    description: The C(kernels) folder.
    type: path
    default: /usr/local/share/jupyter/kernels
  default_path:
    description:
      - Another C(kernels) folder, that gets one specification C(python3) of the default environment, so that notebooks
        from elsewhere, which ask for that name, run there. Empty for none.
    type: path
    default: ""
  default:
    description: Name of the default environment; the first one that has a Jupyter kernel when empty.
    type: str
    default: ""
attributes:
  check_mode:
    support: full
    description: Environments that do not exist yet count as existing, since the run would make them first.
  diff_mode:
    support: full
    description: Shows what it changes, before and after.
author: [dlbox (!UNKNOWN)]
version_added: 0.1.0
"""

EXAMPLES = r"""
- name: Offer the environments as Jupyter kernels
  dlbox.workstation.jupyter_kernels:
    environments:
      - name: pytorch
        prefix: /opt/conda/envs/pytorch
        display_name: PyTorch
"""

RETURN = r"""
kernels:
  description: The specifications of ours that are there after the run.
  type: list
  elements: str
  returned: success
default:
  description: The default environment; empty if none has a Jupyter kernel.
  type: str
  returned: success
without_kernel:
  description: Reason by name, for environments that have no Jupyter kernel.
  type: dict
  returned: success
todo:
  description: The same as sentences for the owner.
  type: list
  elements: str
  returned: success
"""

import os
import re
import shutil
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.jupyter import kernelspec
from ..module_utils.run_as import replace_file, root_only
from ..module_utils.umask import with_umask

# A kernel name's characters, by Jupyter's own rule.
NAME = re.compile(r"[A-Za-z0-9._-]+")


def declared(entries: list[dict[str, Any]], common: dict[str, Any]) -> list[kernelspec.Environment]:
    """The option as environments. Raises ValueError naming the entry that is not one."""
    found = []
    for entry in entries:
        name, prefix = entry.get("name"), entry.get("prefix")
        if not (isinstance(name, str) and NAME.fullmatch(name) and isinstance(prefix, str) and prefix.startswith("/")):
            raise ValueError(
                f"{entry!r} is no environment: expected a name of letters, digits, . _ - and an absolute path as prefix"
            )
        if entry.get("kernel", True) and entry.get("state", "present") == "present":
            merged = {**common, **(entry.get("variables") or {})}
            found.append(
                kernelspec.Environment(
                    name,
                    Path(prefix),
                    entry.get("display_name") or name,
                    entry.get("description") or "",
                    {str(key): str(value) for key, value in merged.items()},
                    entry.get("environment") or "",
                )
            )
    return found


def diff(before: dict[str, str], after: dict[str, str], folder: Path) -> list[dict[str, str]]:
    """One diff per specification that changes."""
    return [
        {
            "before_header": str(folder / name / "kernel.json"),
            "after_header": str(folder / name / "kernel.json"),
            "before": before.get(name, ""),
            "after": after.get(name, ""),
        }
        for name in sorted(before.keys() | after.keys())
        if before.get(name) != after.get(name)
    ]


def alias(environments: list[kernelspec.Environment], name: str) -> list[kernelspec.Environment]:
    """The environment called `name` under the name python3; nothing where there is none."""
    return [
        env._replace(name="python3", display_name=f"Python 3 ({env.name})", environment=env.environment or env.name)
        for env in environments
        if env.name == name
    ]


def settle(module: AnsibleModule, folder: Path, wanted: dict[str, str]) -> list[dict[str, str]]:
    """Make the specifications of ours in a folder the wanted ones; the diffs, empty when nothing changed."""
    problem = root_only(folder) if os.geteuid() == 0 and folder.exists() else ""
    if problem:
        module.fail_json(msg=f"{folder} is every account's Jupyter kernels, and {problem}: make it root's alone")
    now = kernelspec.present(folder)
    foreign = sorted(wanted.keys() & (now.folders - now.ours))
    if foreign:
        module.fail_json(
            msg=f"{', '.join(str(folder / name) for name in foreign)}: a Jupyter kernel of this name is already there "
            "and was not made by dlbox. Rename the environment, or remove the old one: "
            f"sudo rm -r {' '.join(str(folder / name) for name in foreign)}"
        )
    before = {name: now.texts[name] for name in now.ours}
    if before != wanted and not module.check_mode:
        folder.mkdir(parents=True, exist_ok=True)
        for name in sorted(before.keys() - wanted.keys()):
            shutil.rmtree(folder / name)
        for name in sorted(name for name in wanted if before.get(name) != wanted[name]):
            (folder / name).mkdir(exist_ok=True)
            (folder / name).chmod(0o755)
            replace_file(folder / name / "kernel.json", wanted[name], 0o644)
    return diff(before, wanted, folder)


@with_umask(0o022)  # others read what it makes
def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "environments": {"type": "list", "elements": "dict", "required": True},
            "variables": {"type": "dict", "default": {}},
            "path": {"type": "path", "default": "/usr/local/share/jupyter/kernels"},
            "default_path": {"type": "path", "default": ""},
            "default": {"type": "str", "default": ""},
        },
        supports_check_mode=True,
    )
    try:
        environments = declared(module.params["environments"], module.params["variables"])
    except ValueError as error:
        module.fail_json(msg=str(error))
    wanted, skipped = kernelspec.wanted(environments, announced=module.check_mode)
    default = module.params["default"] or next((env.name for env in environments if env.name in wanted), "")
    diffs = settle(module, Path(module.params["path"]), wanted)
    if module.params["default_path"]:
        aliased, _ = kernelspec.wanted(alias(environments, default), announced=module.check_mode)
        # Not in the folder above, because other Jupyter servers on the host have a `python3` of their own.
        diffs += settle(module, Path(module.params["default_path"]), aliased)
    module.exit_json(
        changed=bool(diffs),
        kernels=sorted(wanted),
        default=default,
        without_kernel=skipped,
        todo=[f"The environment {name} has no Jupyter kernel: {reason}." for name, reason in sorted(skipped.items())],
        diff=diffs,
    )


if __name__ == "__main__":
    main()
