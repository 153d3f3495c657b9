"""Gather what a host is, and plan its driver, CUDA, cuDNN and frameworks on the controller.

The host only says what it is, and is not believed beyond the schema of the facts: its plan is also what `./dlbox lock`
chooses the packages of other hosts by. Documentation: plugins/modules/machine_plan.py.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from ansible.plugins.action import ActionBase
from ansible.utils.vars import load_extra_vars

from ..plugin_utils.planner.facts import validate_facts, validate_usual
from ..plugin_utils.planner.merge import merge
from ..plugin_utils.planner.model import UsageError
from ..plugin_utils.planner.planner import plan

ARGUMENTS = {
    "policy": {"type": "str", "choices": ["stable", "newest"], "default": "stable"},
    "pins": {"type": "dict", "default": {}},
    "headless": {"type": "bool", "default": False},
    "unattended": {"type": "bool", "default": False},
    "gpu_roles": {"type": "dict", "default": {}},
    "pypi_only": {"type": "bool", "default": False},
    "nvidia_repository": {"type": "dict", "default": {}},
    "toolkits": {"type": "list", "elements": "str", "default": []},
    "default_toolkit": {"type": "str", "default": ""},
    "libraries": {"type": "list", "elements": "str", "choices": ["cudnn", "cudnn_dev", "nccl"], "default": []},
    "psu_watts": {"type": "float"},
    "price_per_kwh": {"type": "float"},
    "duty_hours": {"type": "float"},
    "today": {"type": "str"},
    "facts": {"type": "dict", "default": {}},
    "root": {"type": "path", "default": "/"},
    "explain": {"type": "bool", "default": False},
    "fail_on_refusal": {"type": "bool", "default": False},
}


class ActionModule(ActionBase):  # type: ignore[misc]
    """Plan one host."""

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return the plan as facts of the host, or a failure that says what is wrong."""
        super().run(tmp, task_vars)
        variables = task_vars or {}
        _, options = self.validate_argument_spec(argument_spec=ARGUMENTS)
        if "ansible_facts" in load_extra_vars(self._loader):
            msg = "machine_plan: --extra-vars sets ansible_facts, which hides the plan and all facts: leave it out"
            return {"failed": True, "msg": msg}
        gather = self._task.action.removesuffix("machine_plan") + "machine_facts"
        said = self._execute_module(gather, module_args={"root": options.pop("root")}, task_vars=variables)
        if said.get("failed") or "machine" not in said:
            said.pop("ansible_facts", None)
            failure: dict[str, Any] = {"msg": "machine_plan: the host returned no facts", **said, "failed": True}
            return failure
        fail = options.pop("fail_on_refusal")
        overrides = options.pop("facts")
        options["today"] = options["today"] or date.today().isoformat()
        try:
            origin = f"{variables.get('inventory_hostname', 'the host')}: the facts that it returned are not valid"
            validate_facts(said["machine"], origin)
            validate_usual(said.get("usual"), origin)
            facts = merge(said["machine"], overrides)
            result = plan(facts, options)
        except UsageError as error:
            return {"failed": True, "msg": f"machine_plan: {error}"}
        if fail and not result["ok"]:
            reasons = "; ".join(f"{item['message']} ({item['remedy']})" for item in result["refusals"] if item["fatal"])
            return {"failed": True, "msg": f"no plan fits {facts['host']}: {reasons}", "plan": result}
        found = {"dlbox_machine": facts, "dlbox_plan": result, **said["usual"]}
        return {"changed": False, "ansible_facts": found}
