"""Lookup ``stage_hook``: the owner's own tasks before or after a stage."""

from __future__ import annotations

DOCUMENTATION = """
name: stage_hook
short_description: The owner's own tasks before or after a stage
description:
  - Looks in the folder C(hooks) of each inventory for C(before-STAGE.yml) and C(after-STAGE.yml). Of several
    inventories the last one that has the file counts, as with variables.
  - Fails on any other YAML file in such a folder, because it would never run.
author: [dlbox (!UNKNOWN)]
version_added: 0.1.0
options:
  _terms:
    description: Name of the hook, such as C(before-secure).
    required: true
"""

EXAMPLES = """
- name: Run the owner's tasks before this stage
  ansible.builtin.import_tasks: "{{ lookup('dlbox.workstation.stage_hook', 'before-base') or 'no_hook.yml' }}"
"""

RETURN = """
_list:
  description: Path of the task file; nothing where there is no such hook.
  type: list
  elements: path
"""

from pathlib import Path
from typing import Any

from ansible.errors import AnsibleError
from ansible.plugins.lookup import LookupBase

STAGES = ("preflight", "base", "secure", "gpu", "environments", "verify")
HOOKS = tuple(f"{moment}-{stage}" for stage in STAGES for moment in ("before", "after"))


def hook_folders(sources: list[str]) -> list[Path]:
    """Return the folder ``hooks`` of each of Ansible's inventory sources that has one; a list of hosts has none."""
    places = [Path(source) for source in sources if "," not in source]
    folders = [(place if place.is_dir() else place.parent) / "hooks" for place in places]
    return [folder for folder in folders if folder.is_dir()]


def misnamed(folder: Path) -> list[str]:
    """Return the YAML files directly in ``folder`` whose name is no hook's, sorted."""
    files = sorted(path for path in folder.iterdir() if path.suffix in {".yml", ".yaml"} and not path.is_dir())
    return [path.name for path in files if path.suffix != ".yml" or path.stem not in HOOKS]


def find_hook(name: str, folders: list[Path]) -> Path | None:
    """Return the task file of the hook; raise AnsibleError for a file that is none."""
    for folder in folders:
        if names := misnamed(folder):
            raise AnsibleError(
                f"{', '.join(names)} in {folder}: no stage runs a file of this name. Expected before-STAGE.yml or "
                f"after-STAGE.yml, where STAGE is one of {', '.join(STAGES)}. Rename it, or move it to a folder below"
            )
    found = [folder / f"{name}.yml" for folder in folders if (folder / f"{name}.yml").is_file()]
    return found[-1] if found else None


class LookupModule(LookupBase):  # type: ignore[misc]  # ansible-core ships no types
    """What Ansible loads."""

    def run(self, terms: list[str], variables: dict[str, Any] | None = None, **kwargs: Any) -> list[str]:
        """Return the task files of the hooks that are there."""
        folders = hook_folders((variables or {}).get("ansible_inventory_sources") or [])
        return [str(hook) for term in terms if (hook := find_hook(term, folders))]
