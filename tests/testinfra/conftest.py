"""Fixtures of the suite that asks real machines: molecule's verify step and ./dlbox doctor run the same checks."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.dlbox.workstation.plugins.plugin_utils.doctor import evaluate, runner
from ansible_collections.dlbox.workstation.plugins.plugin_utils.doctor.model import Context


@pytest.fixture(scope="module")
def doctor_context(host: Any) -> Context:
    """Everything the checks look at, asked once per host and module."""
    try:
        variables = dict(host.ansible.get_variables())
    except RuntimeError:  # a host that is not from an inventory, such as --hosts=local://
        variables = {"ansible_connection": "local", "inventory_hostname": "localhost"}
    return runner.context(host, variables["inventory_hostname"], variables, evaluate.selected())
