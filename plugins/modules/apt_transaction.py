#!/usr/bin/python
"""Install packages in one apt transaction that may not bring or take anything forbidden.

Not ansible.builtin.apt, which takes whatever apt resolves: a toolkit would bring a second driver, or take the first.
"""

from __future__ import annotations

DOCUMENTATION = r"""
module: apt_transaction
short_description: Install packages in one apt transaction that is simulated and evaluated first
description:
  - Resolves exact versions, simulates, refuses when a package would be removed or a forbidden one installed,
    downloads, executes and
    holds what was asked for.
options:
  packages: {description: Packages by name., type: list, elements: str, required: true}
  exact: {description: Name to upstream version., type: dict, default: {}}
  suffix:
    description: Name to the toolkit that the version has to be built for, such as +cuda12.9, or for one before it.
    type: dict
    default: {}
  forbid: {description: Regular expressions of names that must not come newly., type: list, elements: str, default: []}
extends_documentation_fragment: [dlbox.workstation.apt_transaction]
"""
EXAMPLES = r"""
- name: Install a toolkit without a driver
  dlbox.workstation.apt_transaction:
    packages: [cuda-toolkit-12-9]
    forbid: ["^cuda-drivers"]
"""
RETURN = r"""
changes: {description: "What apt did or would do, a line per package.", type: list, elements: str, returned: success}
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.nvidia import aptsim
from ..module_utils.nvidia.apt import SHARED, Apt, Failed, Refused, Request


def resolve(apt: Apt, names: list[str], exact: dict[str, str], suffix: dict[str, str]) -> list[str]:
    """Return NAME or NAME=VERSION for apt; raise Refused with what the repository has when the version is not there."""
    if not exact and not suffix:
        return list(names)
    offered = apt.policy(names)
    out = []
    for name in names:
        versions = [one.version for one in offered[name].versions] if name in offered else []
        if name in exact:
            picked = aptsim.pick_version(versions, str(exact[name]))
            wanted = str(exact[name])
        elif name in suffix:
            picked = aptsim.pick_built_for(versions, suffix[name])
            wanted = f"a version for {suffix[name].lstrip('+')}"
        else:
            out.append(name)
            continue
        if picked is None:
            raise Refused(f"the repository has no {name} {wanted}; it has {', '.join(versions) or 'none'}")
        out.append(f"{name}={picked}")
    return out


def main() -> None:
    """Resolve, simulate, validate, execute, hold."""
    module = AnsibleModule(
        argument_spec={
            "packages": {"type": "list", "elements": "str", "required": True},
            "exact": {"type": "dict", "default": {}},
            "suffix": {"type": "dict", "default": {}},
            "forbid": {"type": "list", "elements": "str", "default": []},
            **SHARED,
        },
        supports_check_mode=True,
    )
    given, apt = module.params, Apt()
    changes: list[str] = []
    try:
        try:
            request = Request(
                install=resolve(apt, given["packages"], given["exact"], given["suffix"]),
                forbid_install=given["forbid"],
            )
            change = apt.simulate(request)
        except Refused:
            if module.check_mode and given["sources_pending"]:
                module.exit_json(changed=True, changes=["not simulated, because the sources are not set up yet"])
            raise
        apt.validate(request, change)
        changes = change.lines()
        if changes and not module.check_mode:
            apt.execute(request)
        held = apt.held()
        wrong = [name for name in given["packages"] if (name in held) != given["hold"]]
        if wrong:
            changes.append(f"{'hold' if given['hold'] else 'release'} {', '.join(wrong)}")
            if not module.check_mode:
                apt.select(wrong, "hold" if given["hold"] else "install")
    except (Refused, Failed) as error:
        module.fail_json(msg=f"{error}")
    answer: dict[str, object] = {"changed": bool(changes), "changes": changes}
    if module._diff and changes:
        answer["diff"] = {"prepared": "".join(line + "\n" for line in changes)}
    module.exit_json(**answer)


if __name__ == "__main__":
    main()
