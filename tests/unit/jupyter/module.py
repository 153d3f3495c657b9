"""Run a module of ours in this process, with its arguments as Ansible gives them, and take what it reports."""

from __future__ import annotations

import contextlib
import importlib
import json
from typing import Any
from unittest import mock

from ansible.module_utils import basic


class Ended(Exception):
    """The module has reported and wants to exit."""


def run(name: str, arguments: dict[str, Any], check: bool = False) -> dict[str, Any]:
    """The module's report as a dict; `failed` is true when it refused."""
    report: dict[str, Any] = {}

    def end(self: Any, **values: Any) -> None:
        report.update({"failed": False, **values})
        raise Ended

    def fail(self: Any, msg: str, **values: Any) -> None:
        report.update({"failed": True, "msg": msg, **values})
        raise Ended

    given = {"ANSIBLE_MODULE_ARGS": {**arguments, "_ansible_check_mode": check, "_ansible_diff": True}}
    with (
        mock.patch.object(basic, "_ANSIBLE_ARGS", json.dumps(given).encode()),
        mock.patch.object(basic, "_ANSIBLE_PROFILE", "legacy", create=True),
        mock.patch.object(basic.AnsibleModule, "exit_json", end),
        mock.patch.object(basic.AnsibleModule, "fail_json", fail),
        contextlib.suppress(Ended),
    ):
        importlib.import_module(f"ansible_collections.dlbox.workstation.plugins.modules.{name}").main()
    return report
