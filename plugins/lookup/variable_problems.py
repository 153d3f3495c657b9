"""Lookup ``variable_problems``: what is wrong with the owner's variables, all of it, before any host is touched."""

from __future__ import annotations

DOCUMENTATION = """
name: variable_problems
short_description: What is wrong with the owner's variables
description:
  - Holds every variable that is set for the host to the argument spec of the role that it belongs to, and to
    C(playbooks/vars/owner_argument_specs.yml) for the owner's own C(dlbox_*) variables.
  - A variable that has a role's prefix, is in no spec and resembles one that is, counts as misspelt.
author: [dlbox (!UNKNOWN)]
version_added: 0.1.0
options:
  _terms:
    description: Directory of the project, where C(roles/) and C(playbooks/) are.
    required: true
"""

EXAMPLES = """
- ansible.builtin.debug:
    msg: "{{ query('dlbox.workstation.variable_problems', playbook_dir ~ '/..') }}"
"""

RETURN = """
_list:
  description: One sentence per problem, each with the variable's name, its value and what was expected.
  type: list
  elements: str
"""

import contextlib
import difflib
import re
from pathlib import Path
from typing import Any

import yaml
from ansible.errors import AnsibleError
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.plugins.lookup import LookupBase

from ..filter.public_keys import admin_problems
from ..module_utils import proxy

Spec = dict[str, Any]
ACCOUNT_NAME = re.compile(r"[a-z_][a-z0-9_-]{0,31}")


def load_specs(project: Path) -> dict[str, Spec]:
    """Return the argument spec options of all variables by name: the owner's own and each role's."""
    owner = project / "playbooks" / "vars" / "owner_argument_specs.yml"
    specs: dict[str, Spec] = {}
    for file in [owner, *sorted(project.glob("roles/*/meta/argument_specs.yml"))]:
        document = yaml.safe_load(file.read_text(encoding="utf-8"))
        for entry_point in document["argument_specs"].values():
            specs.update(entry_point.get("options") or {})
    return specs


def _only_types(spec: Spec) -> Spec:
    """Return ``spec`` without defaults, which may be templates: absent suboptions are the role's business."""
    kept = {key: value for key, value in spec.items() if key != "default"}
    if "options" in kept:
        kept["options"] = {name: _only_types(option) for name, option in kept["options"].items()}
    return kept


def _shown(value: Any) -> str:
    """Return ``value`` short enough for a message."""
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


def type_problems(name: str, value: Any, spec: Spec) -> list[str]:
    """Return a sentence for each way in which ``value`` does not fit ``spec``."""
    expected = spec.get("type", "str") + (f" of {spec['elements']}" if "elements" in spec else "")
    if "choices" in spec:
        expected = "one of " + ", ".join(map(str, spec["choices"]))
    description = spec.get("description", "")
    first = (description if isinstance(description, str) else description[0]).split(". ")[0].rstrip(".")
    found = ArgumentSpecValidator({name: {**_only_types(spec), "required": False}}).validate({name: value})
    return [
        f"{name}: {message.rstrip('.')}. It is {_shown(value)}; expected {expected}: {first}"
        for message in found.error_messages
    ]


def misspelt(names: list[str], known: list[str]) -> list[str]:
    """Return a sentence for each of ``names`` that belongs to us, is not ``known`` and resembles one that is."""
    problems = []
    for name in names:
        close = difflib.get_close_matches(name, known, n=1, cutoff=0.85)
        if close:
            problems.append(f"{name}: no such variable, so it would have no effect. Did you mean {close[0]}?")
    return problems


def name_problems(names: list[str]) -> list[str]:
    """Return a sentence for each of the admins' ``names`` that cannot be the account of somebody who logs in."""
    problems = []
    for index, name in enumerate(names):
        if name == "root":
            problems.append(f"dlbox_admins[{index}].name is root, which ssh does not let in. Name an ordinary account")
        elif not ACCOUNT_NAME.fullmatch(name):
            problems.append(
                f"dlbox_admins[{index}].name is {name!r}, which is no account name: expected lower-case letters, "
                f"digits, _ and -, such as ada. As shipped it is whoever runs dlbox; write your own with "
                f"./dlbox init, or into inventory/home/group_vars/all/owner.yml"
            )
    return problems


class LookupModule(LookupBase):  # type: ignore[misc]  # ansible-core ships no types
    """What Ansible loads."""

    def run(self, terms: list[str], variables: dict[str, Any] | None = None, **kwargs: Any) -> list[str]:
        """Return the problems of the current host's variables."""
        specs = load_specs(Path(terms[0]))
        given = variables or {}
        problems = []
        values: dict[str, Any] = {}
        for name in sorted(set(specs) & set(given)):
            try:
                values[name] = self._templar.template(given[name])
            except AnsibleError as error:
                reason = " ".join(str(error).split())
                problems.append(f"{name}: cannot be evaluated: {reason}")
                continue
            problems += type_problems(name, values[name], specs[name])
        prefixes = tuple({f"{file.name}_" for file in Path(terms[0]).glob("roles/*")} | {"dlbox_"})
        ours = [name for name in given if name.startswith(prefixes) and name not in specs]
        problems += misspelt(sorted(ours), list(specs))
        with contextlib.suppress(TypeError, AttributeError):  # what has another type is told above
            problems += proxy.problems(values.get("dlbox_proxy") or "", values.get("dlbox_no_proxy") or [])
        admins = values.get("dlbox_admins")
        if isinstance(admins, list) and all(isinstance(admin, dict) for admin in admins):
            problems += admin_problems(admins)
            problems += name_problems([str(admin.get("name", "")) for admin in admins])
        return problems
