"""Every registered check, one test each: no check may fail, and each must end in one of the four results.

Run by molecule (`testinfra` verifier with `directory: ../../tests/testinfra`) or by hand:
`pytest tests/testinfra --hosts=ansible://all --ansible-inventory=inventory/home`.
"""

from __future__ import annotations

import pytest
from ansible_collections.dlbox.workstation.plugins.plugin_utils.doctor import evaluate
from ansible_collections.dlbox.workstation.plugins.plugin_utils.doctor.model import FAIL, NA, REGISTRY, Context


@pytest.mark.parametrize("name", [item.name for item in evaluate.selected()])
def test_check(doctor_context: Context, name: str) -> None:
    """A failing check fails the test with what was observed and the remedy; one that does not apply is skipped."""
    outcomes = REGISTRY[name].run(doctor_context)
    failed = [f"{item.subject} {item.observed} -- {item.remedy}".strip() for item in outcomes if item.result == FAIL]
    assert not failed, "; ".join(failed)
    if all(item.result == NA for item in outcomes):
        pytest.skip(outcomes[0].observed)
