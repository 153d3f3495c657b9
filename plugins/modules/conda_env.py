#!/usr/bin/python
"""Declared conda environments in, difference out."""

from __future__ import annotations

DOCUMENTATION = r"""
module: conda_env
short_description: Create, update and remove conda environments as declared
description:
  - Creates, changes, repairs and removes a list of conda environments in one call. Conda packages come by py-rattler,
    wheels by uv; both have to be installed beside the Python interpreter that runs the module.
  - What was not asked anew is neither solved for nor looked up in the network. An environment that was damaged, changed
    by hand or left incomplete by an interrupted run is brought back to its lock.
  - Environments that fail do not keep the others from being made; the module fails at the end with all their reasons.
options:
  locks:
    description: Locks by environment's name; each maps C(lock.json), C(conda.lock) and C(wheels.txt) to their text.
    type: dict
    default: {}
  renew:
    description: Names of environments to choose the newest packages for, instead of what was chosen before.
    type: list
    elements: str
    default: []
  offline:
    description: Use what is in caches and folders, and no network.
    type: bool
    default: false
  verify:
    description:
      - How installed files are checked. V(quick) compares size and time of each, V(full) also the content (2.2 s for
        33,000 files).
    type: str
    choices: [quick, full]
    default: quick
  inspect:
    description: Only say in RV(pending) what would have to be done, without a solve and without the network.
    type: bool
    default: false
  stamp:
    description: With O(inspect), a file on the host to read into RV(stamp), which saves a call.
    type: path
    default: ""
extends_documentation_fragment: [dlbox.workstation.conda, dlbox.workstation.conda.declared, dlbox.workstation.proxy]
attributes:
  check_mode:
    support: full
    description: Without the engines on the host it says what would be created, but not which versions.
  diff_mode:
    support: full
    description: Shows what it changes, before and after.
author: [dlbox (!UNKNOWN)]
version_added: 0.1.0
"""

EXAMPLES = r"""
- name: Make one environment
  dlbox.workstation.conda_env:
    root: /opt/conda
    environments:
      - {name: tools, python: "3.12", conda: [ffmpeg], wheels: [polars]}
  vars:
    ansible_python_interpreter: /opt/dlbox/engine/bin/python

- name: Remove it
  dlbox.workstation.conda_env:
    root: /opt/conda
    environments:
      - {name: tools, state: absent}
"""

RETURN = r"""
environments:
  description: One entry per environment, with C(name), C(status) (ok, created, changed, repaired, completed, removed,
    planned, failed, refused), C(why), C(source) (lock, own lock, solve), C(seconds) per step, C(error).
  type: list
  elements: dict
  returned: always
elapsed:
  description: Seconds of work on the host, without Ansible's own.
  type: float
  returned: always
pending:
  description: With O(inspect), the environments that are not as declared; C(name), C(action), C(why).
  type: list
  elements: dict
  returned: with inspect
stamp:
  description: The content of O(stamp), without blanks around it; empty where there is no such file.
  type: str
  returned: with inspect
ansible_facts:
  description: C(dlbox_environments), the present ones as the Jupyter role and the doctor need them.
  type: dict
  returned: always
"""

import os
import time
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils import proxy
from ..module_utils.conda import (
    child,
    definitions,
    engine,
    environment,
    guards,
    lockfile,
    progress,
)
from ..module_utils.conda.credentials import CREDENTIALS, Credential, redact
from ..module_utils.conda.definitions import EnvironmentSpec
from ..module_utils.conda.environment import EnvironmentResult, Inspection, Solution
from ..module_utils.conda.sources import Sources, source_problems
from ..module_utils.umask import with_umask

# One fetches while another one's byte code is compiled.
AT_ONCE = 2
DONE = {"create": "created", "complete": "completed", "change": "changed", "repair": "repaired", "guard": "changed"}


def fact(request: EnvironmentSpec, status: str) -> dict[str, Any]:
    """An environment as other roles need it."""
    return {
        "name": request.name,
        "prefix": request.prefix,
        "description": request.description,
        "python": request.python,
        "framework": request.framework,
        "build": request.build,
        "gpu": request.gpu,
        "note": request.refused or request.note,
        "kernel": request.kernel,
        "variables": guards.variables(request),
        "status": status,
    }


def text(packages: dict[str, str]) -> str:
    """A package list as the diff shows it."""
    return "".join(f"{name} {version}\n" for name, version in sorted(packages.items()))


def unsolved(request: EnvironmentSpec) -> dict[str, str]:
    """What a host without the engines can be told: the request."""
    return dict.fromkeys([*request.specs(), *request.optional, *request.wheels], "(as asked for)")


class Run:
    """One call of the module: its parameters and what came of every environment."""

    def __init__(self, parameters: dict[str, Any], check: bool) -> None:
        """Read the module's parameters; `check`: change nothing."""
        self.began = time.monotonic()
        self.parameters = parameters
        self.check = check
        self.root = str(parameters["root"]).rstrip("/")
        self.sources = Sources(
            cache=f"{self.root}/.cache",
            credentials=[Credential(**one) for one in parameters["credentials"]],
            **{
                key: parameters[key]
                for key in (
                    "mirrors",
                    "wheel_index_url",
                    "wheel_indexes",
                    "wheel_mirrors",
                    "find_links",
                    "offline",
                    "ca_bundle",
                )
            },
        )
        self.requests, self.absent, self.problems = definitions.resolve(
            parameters["environments"],
            parameters["definitions"],
            parameters["plan"],
            self.root,
            parameters["channels"],
            parameters["python"],
            os.uname().machine,
        )
        self.problems += source_problems(self.sources, parameters["channels"])
        self.results: dict[str, EnvironmentResult] = {}
        self.locks: dict[str, lockfile.Lock | None] = {}

    def read_locks(self) -> None:
        """Read the owner's locks; a bad one fails its environment."""
        for request in self.requests:
            texts = self.parameters["locks"].get(request.name)
            try:
                self.locks[request.name] = lockfile.parse(request.name, texts) if texts else None
            except lockfile.LockError as error:
                self.fail(request.name, str(error))

    def fail(self, name: str, error: str) -> None:
        """Note that an environment failed."""
        result = self.results.setdefault(name, EnvironmentResult(name))
        result.status, result.error = (
            "failed",
            environment.explain(redact(error, self.sources.credentials), self.root, name),
        )

    def open(self) -> list[EnvironmentSpec]:
        """The requests about which nothing is decided yet."""
        return [r for r in self.requests if r.name not in self.results]

    def inspect(self) -> dict[str, Inspection]:
        """Look at every environment; those that are as declared are done."""
        for request in self.requests:
            if request.refused:
                self.results[request.name] = EnvironmentResult(request.name, "refused", error=request.refused)
        requests = self.open()
        renew = set(self.parameters["renew"])
        works = [
            partial(environment.inspect, r, self.locks.get(r.name), self.parameters["verify"], r.name in renew)
            for r in requests
        ]
        verdicts = {}
        for request, outcome in zip(requests, child.run(works, os.cpu_count() or 1), strict=True):
            if outcome.error:
                self.fail(request.name, outcome.error)
            elif outcome.value.action:
                verdicts[request.name] = outcome.value
            else:
                self.results[request.name] = EnvironmentResult(request.name)
        return verdicts

    def choose(self, verdicts: dict[str, Inspection]) -> dict[str, Solution]:
        """Decide what the environments in `verdicts` shall consist of; at once, for they wait for the network."""
        requests = [r for r in self.requests if r.name in verdicts]
        renew = set(self.parameters["renew"])
        works = [
            partial(environment.choose, r, self.locks.get(r.name), self.sources, r.name in renew) for r in requests
        ]
        choices = {}
        for request, outcome in zip(requests, child.run(works, 4), strict=True):
            if outcome.error:
                self.fail(request.name, outcome.error)
            else:
                choices[request.name] = outcome.value
        return choices

    def make(self, verdicts: dict[str, Inspection], choices: dict[str, Solution]) -> None:
        """Bring the environments to their choices, or say in check mode what that would be."""
        requests = [request for request in self.requests if request.name in choices]
        for request in requests:
            self.results[request.name] = self.planned(request, verdicts[request.name], choices[request.name])
            if not self.check:
                progress.note(self.sources.cache, request.name, "waiting for its turn")
        if self.check:
            return
        works = [partial(environment.apply, r, verdicts[r.name], choices[r.name], self.sources) for r in requests]
        for request, outcome in zip(requests, child.run(works, AT_ONCE), strict=True):
            result, verdict = self.results[request.name], verdicts[request.name]
            if outcome.error:
                self.fail(request.name, outcome.error)
                continue
            result.status, result.seconds = DONE[verdict.action], outcome.value
            # Touched, and yet what it should be: the list of files was renewed, and nothing else happened.
            if verdict.action == "repair" and result.before == result.after and not self.harmed(verdict):
                result.status, result.changed = "ok", False

    def planned(self, request: EnvironmentSpec, verdict: Inspection, choice: Solution) -> EnvironmentResult:
        """What an environment is and shall become."""
        before = self.before(request, verdict)
        for name, problem in self.damaged(request, verdict).items():
            before[name] = f"{before.get(name, '')} (damaged: {problem})"
        return EnvironmentResult(
            request.name, "planned", True, verdict.why, choice.source, before, choice.packages, choice.absent
        )

    @staticmethod
    def before(request: EnvironmentSpec, verdict: Inspection) -> dict[str, str]:
        """What is installed now. Where nothing was, nothing that somebody may have put there since is read."""
        return {} if verdict.action == "create" else environment.before_of(Path(request.prefix))

    @staticmethod
    def harmed(verdict: Inspection) -> bool:
        """Whether a repair had anything to repair: files that are only touched may be whole."""
        return any(not why.startswith("touched: ") for why in verdict.why)

    @staticmethod
    def damaged(request: EnvironmentSpec, verdict: Inspection) -> dict[str, str]:
        """Package, as the diff names it -> its first damage."""
        if verdict.action not in ("repair", "complete"):
            return {}
        outcome = child.run([partial(find_damage, Path(request.prefix), frozenset(verdict.damaged))])[0]
        return outcome.value or {}

    def remove(self) -> None:
        """Remove what shall be absent."""
        for name in self.absent:
            prefix = Path(self.root, "envs", name)
            try:
                # Refused before anything of a member's own environment is read.
                there = environment.refuse_removal(prefix, Path(self.root))
                before = environment.before_of(prefix) if there else {}
                gone = environment.remove(prefix, Path(self.root), self.check)
            except (OSError, ValueError) as error:
                self.fail(name, str(error))
                continue
            self.results[name] = EnvironmentResult(
                name, "removed" if gone else "ok", gone, before=before if gone else {}
            )
        if not self.check:
            environment.clear_trash(Path(self.root))

    def everything(self) -> None:
        """Inspect, choose, make, remove."""
        verdicts = self.inspect()
        missing = engine.available() if verdicts else ""
        if missing and self.check:
            for request in [r for r in self.requests if r.name in verdicts]:
                before = self.before(request, verdicts[request.name])
                why = [*verdicts[request.name].why, f"versions are chosen once the engine is installed ({missing})"]
                self.results[request.name] = EnvironmentResult(
                    request.name, "planned", True, why, "", before, unsolved(request)
                )
        elif missing:
            for name in verdicts:
                self.fail(
                    name, f"the engine is not installed beside this Python: {missing}. The role conda installs it"
                )
        else:
            if not self.check:
                progress.begin(self.sources.cache, list(verdicts))
            self.make(verdicts, self.choose(verdicts))
        self.remove()

    def answer(self) -> dict[str, Any]:
        """The module's return values."""
        done = [self.results[n] for n in [*(r.name for r in self.requests), *self.absent] if n in self.results]
        facts = [fact(r, self.results[r.name].status) for r in self.requests if r.name in self.results]
        diffs = [
            {
                "before_header": r.name,
                "after_header": f"{r.name} ({'; '.join(r.why) or r.status})",
                "before": text(r.before),
                "after": text(r.after),
            }
            for r in done
            if r.changed
        ]
        brief = [{k: v for k, v in asdict(r).items() if k not in ("before", "after")} for r in done]
        return {
            "changed": any(r.changed for r in done),
            "environments": brief,
            "elapsed": round(time.monotonic() - self.began, 2),
            "diff": diffs,
            "ansible_facts": {"dlbox_environments": facts},
        }


def find_damage(prefix: Path, suspects: frozenset[str]) -> dict[str, str]:
    """Package, as the diff names it -> its first damage."""
    from ..module_utils.conda import installed

    conda = installed.conda_packages(prefix)
    wheels = installed.wheel_packages(prefix, conda)
    out = {n: what[0] for n, what in installed.damage(prefix, conda.values(), suspects).items()}
    return out | {f"{n} (wheel)": what[0] for n, what in installed.damage(prefix, wheels.values(), suspects).items()}


@with_umask(0o022)  # others read what it makes
def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "root": {"type": "path", "required": True},
            "environments": {"type": "list", "elements": "dict", "required": True},
            "definitions": {"type": "dict", "default": {}},
            "plan": {"type": "dict", "default": {}},
            "python": {"type": "str", "default": "3.12"},
            "locks": {"type": "dict", "default": {}},
            "renew": {"type": "list", "elements": "str", "default": []},
            "channels": {"type": "list", "elements": "str", "default": ["conda-forge"]},
            "mirrors": {"type": "dict", "default": {}},
            "wheel_index_url": {"type": "str", "default": ""},
            "wheel_indexes": {"type": "list", "elements": "dict", "default": []},
            "wheel_mirrors": {"type": "dict", "default": {}},
            "find_links": {"type": "list", "elements": "str", "default": []},
            "credentials": CREDENTIALS,
            "offline": {"type": "bool", "default": False},
            "ca_bundle": {"type": "str", "default": ""},
            "verify": {"type": "str", "choices": ["quick", "full"], "default": "quick"},
            "inspect": {"type": "bool", "default": False},
            "stamp": {"type": "path", "default": ""},
            **proxy.OPTIONS,
        },
        supports_check_mode=True,
    )
    # Of this process too, in which rattler downloads; it ends with the module.
    os.environ.update(proxy.variables(module.params))
    run = Run(module.params, module.check_mode)
    if run.problems:
        module.fail_json(
            msg="The environments cannot be made as declared:\n" + "\n".join(f"- {p}" for p in run.problems)
        )
    run.read_locks()
    if module.params["inspect"]:
        verdicts = run.inspect()
        pending = [{"name": n, "action": v.action, "why": v.why} for n, v in verdicts.items()]
        # Those that failed their inspection are pending too: the run itself says why.
        pending += [
            {"name": n, "action": "fail", "why": [r.error]} for n, r in run.results.items() if r.status == "failed"
        ]
        there = [n for n in run.absent if Path(run.root, "envs", n).exists()]
        pending += [{"name": n, "action": "remove", "why": ["it is declared absent"]} for n in there]
        stamp = (guards.read(Path(module.params["stamp"])) or "").strip() if module.params["stamp"] else ""
        module.exit_json(**{**run.answer(), "changed": False, "pending": pending, "stamp": stamp})
    if module.check_mode:
        run.everything()
    else:
        try:
            # Perhaps for one that went on when its controller was gone: as long as this run may take itself.
            with environment.alone(Path(run.root), patience=float("inf")):
                run.everything()
        except OSError as error:
            module.fail_json(msg=str(error))
    answer = run.answer()
    failed = [r for r in answer["environments"] if r["status"] == "failed"]
    if failed:
        told = "\n\n".join(f"{r['name']}: {r['error']}" for r in failed)
        module.fail_json(
            msg=f"{len(failed)} of {len(answer['environments'])} environments are not as declared.\n\n{told}", **answer
        )
    module.exit_json(**answer)


if __name__ == "__main__":
    main()
