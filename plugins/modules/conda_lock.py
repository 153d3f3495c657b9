#!/usr/bin/python
"""Write locks of declared environments."""

from __future__ import annotations

DOCUMENTATION = r"""
module: conda_lock
short_description: Solve declared environments and write their locks
description:
  - Solves for every environment anew and writes C(FOLDER/NAME/lock.json), C(conda.lock) and C(wheels.txt), which
    M(dlbox.workstation.conda_env) follows. Installs nothing, so it runs on the controller for a host it knows by its
    plan.
options:
  folder:
    description: Folder of the locks on the machine where the module runs.
    type: path
    required: true
  names:
    description: Environments to lock; all declared ones when empty.
    type: list
    elements: str
    default: []
  inspect:
    description: Only say in RV(requests) what each environment asks for; needs no engine and writes nothing.
    type: bool
    default: false
  cache:
    description: Folder for channel indexes and wheel metadata.
    type: path
    required: true
  glibc:
    description: The oldest glibc that the lock has to run on; the default is that of the oldest supported release.
    type: str
    default: "2.35"
  exclude_newer:
    description: Leave out what was published after this ISO date.
    type: str
    default: ""
extends_documentation_fragment:
  - dlbox.workstation.conda
  - dlbox.workstation.conda.declared
  - dlbox.workstation.predictable
"""

EXAMPLES = r"""
- name: Lock all environments
  dlbox.workstation.conda_lock:
    folder: "{{ inventory_dir }}/locks"
    cache: /tmp/lock-cache
    root: /opt/conda
    environments: "{{ conda_environments }}"
    plan: "{{ ansible_facts['dlbox_plan'] }}"
  delegate_to: localhost
"""

RETURN = r"""
locks:
  description: Per environment C(name), C(packages) (how many), C(added), C(removed), C(changed) (names).
  type: list
  elements: dict
  returned: always
requests:
  description: Per environment C(name), C(place) (where its lock is written), C(kind), which differs between requests
    that one lock cannot serve, and C(same), false when the lock that is there was made for the same declaration and
    another request.
  type: list
  elements: dict
  returned: with inspect
"""

import hashlib
import json
import os
from functools import partial
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.conda import child, definitions, engine, environment, lockfile
from ..module_utils.conda.credentials import CREDENTIALS, Credential, redact
from ..module_utils.conda.definitions import EnvironmentSpec
from ..module_utils.conda.sources import Sources, source_problems
from ..module_utils.run_as import replace_file


def contents(lock: lockfile.Lock) -> dict[str, str]:
    """Package -> version, build and hash for conda; "name (wheel)" -> version for wheels."""
    out = {record.name: record.ident for record in engine.describe(lock.conda)}
    return out | {f"{name} (wheel)": version for name, version in lockfile.pins(lock.wheels).items()}


def earlier(folder: Path, name: str) -> dict[str, str]:
    """What the lock that is there says; empty without one that can be read."""
    try:
        return contents(lockfile.parse(name, {file: (folder / name / file).read_text() for file in lockfile.FILES}))
    except (OSError, ValueError):
        return {}


def make(
    request: EnvironmentSpec, folder: Path, sources: Sources, glibc: str
) -> tuple[dict[str, str], dict[str, str], dict[str, str]]:
    """The texts of a new lock of `request`, and its contents before and after."""
    if request.refused:
        raise ValueError(request.refused)
    lock, _ = environment.lock_anew(request, sources, glibc=glibc)
    return lock.texts(), earlier(folder, request.name), contents(lock)


def kind(request: EnvironmentSpec) -> str:
    """Equal for requests that one lock serves: GPUs matter only where a framework is built for them."""
    asked = [request.declared, request.python, request.conda, request.optional, request.wheels, request.index_url]
    gpus = [request.build, request.generation()] if request.framework else []
    return hashlib.sha256(json.dumps([asked, gpus, request.refused], sort_keys=True).encode()).hexdigest()


def lock_is_for(request: EnvironmentSpec, folder: Path) -> bool:
    """Whether the lock that is there was made for the same request; also when there is none that can be read.

    What the owner declares anew is the owner's; it is about what the host makes of the same declaration.
    """
    try:
        meta = json.loads((folder / request.name / "lock.json").read_text())
    except (OSError, ValueError):
        return True
    if not isinstance(meta, dict) or meta.get("declared") != request.declared:
        return True
    return bool(meta.get("request") == request.digest())


def listing(packages: dict[str, str]) -> str:
    """A lock's contents as the diff shows them."""
    return "".join(f"{name} {ident}\n" for name, ident in sorted(packages.items()))


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "folder": {"type": "path", "required": True},
            "names": {"type": "list", "elements": "str", "default": []},
            "inspect": {"type": "bool", "default": False},
            "cache": {"type": "path", "required": True},
            "glibc": {"type": "str", "default": "2.35"},
            "exclude_newer": {"type": "str", "default": ""},
            "root": {"type": "path", "required": True},
            "environments": {"type": "list", "elements": "dict", "required": True},
            "definitions": {"type": "dict", "default": {}},
            "plan": {"type": "dict", "default": {}},
            "python": {"type": "str", "default": "3.12"},
            "channels": {"type": "list", "elements": "str", "default": ["conda-forge"]},
            "mirrors": {"type": "dict", "default": {}},
            "wheel_index_url": {"type": "str", "default": ""},
            "wheel_indexes": {"type": "list", "elements": "dict", "default": []},
            "wheel_mirrors": {"type": "dict", "default": {}},
            "find_links": {"type": "list", "elements": "str", "default": []},
            "credentials": CREDENTIALS,
            "ca_bundle": {"type": "str", "default": ""},
        },
        supports_check_mode=True,
    )
    given: dict[str, Any] = module.params
    missing = "" if given["inspect"] else engine.available()
    if missing:
        module.fail_json(
            msg=f"The engine is not installed beside this Python: {missing}. Run ./dlbox lock, which installs it"
        )
    requests, _, problems = definitions.resolve(
        given["environments"], given["definitions"], given["plan"], given["root"], given["channels"], given["python"]
    )
    declared = [request.name for request in requests]
    problems += [
        f"{n} is not declared; `environments` has {', '.join(declared)}" for n in given["names"] if n not in declared
    ]
    keys = (
        "mirrors",
        "wheel_index_url",
        "wheel_indexes",
        "wheel_mirrors",
        "find_links",
        "ca_bundle",
        "exclude_newer",
    )
    credentials = [Credential(**one) for one in given["credentials"]]
    sources = Sources(cache=given["cache"], credentials=credentials, **{key: given[key] for key in keys})
    problems += source_problems(sources, given["channels"])
    if problems:
        module.fail_json(msg="The environments cannot be locked:\n" + "\n".join(f"- {problem}" for problem in problems))
    folder = Path(given["folder"])
    wanted = [request for request in requests if request.name in (given["names"] or declared)]
    if given["inspect"]:
        asked = [
            {
                "name": r.name,
                "place": os.path.realpath(folder / r.name),
                "kind": kind(r),
                "same": lock_is_for(r, folder),
            }
            for r in wanted
        ]
        module.exit_json(changed=False, requests=asked)
    works = [partial(make, request, folder, sources, given["glibc"]) for request in wanted]
    locks, diffs, errors = [], [], []
    for request, outcome in zip(wanted, child.run(works, 4), strict=True):
        if outcome.error:
            errors.append(f"{request.name}: {redact(outcome.error, credentials)}")
            continue
        texts, before, after = outcome.value
        changed = (
            any((folder / request.name / name).read_text() != text for name, text in texts.items()) if before else True
        )
        locks.append(
            {"name": request.name, "packages": len(after), "written": changed, **lockfile.difference(before, after)}
        )
        if not changed:
            continue
        diffs.append(
            {
                "before_header": request.name,
                "after_header": request.name,
                "before": listing(before),
                "after": listing(after),
            }
        )
        if not module.check_mode:
            (folder / request.name).mkdir(parents=True, exist_ok=True)
            for name, text in texts.items():
                replace_file(folder / request.name / name, text, 0o644)
    answer = {"changed": bool(diffs), "locks": locks, "diff": diffs}
    if errors:
        module.fail_json(
            msg=f"{len(errors)} of {len(wanted)} environments cannot be locked.\n\n" + "\n\n".join(errors), **answer
        )
    module.exit_json(**answer)


if __name__ == "__main__":
    main()
