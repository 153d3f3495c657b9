"""The doctor watches the power limits that the driver role applies: one variable, two readers."""

from __future__ import annotations

import pytest
from ansible_collections.dlbox.workstation.plugins.plugin_utils.doctor.checks.gpu import wanted_power

CARD = {"index": "1", "uuid": "GPU-5a", "name": "NVIDIA GeForce RTX 3090", "pci.bus_id": "00000000:01:00.0"}


@pytest.mark.parametrize(
    ("settings", "watts"),
    [
        ([], None),
        ([{"power_limit": 250}], 250),
        ([{"match": "1", "power_limit": 250}], 250),
        ([{"match": "0", "power_limit": 250}], None),
        ([{"match": "GPU-5a", "power_limit": 250}], 250),
        ([{"match": "01:00.0", "power_limit": 250}], 250),
        ([{"match": "rtx 3090", "power_limit": 250}], 250),
        ([{"match": "GTX 960", "power_limit": 100}], None),
        ([{"power_limit": 300}, {"match": "RTX 3090", "power_limit": 250}], 250),
        ([{"match": "all", "compute_mode": "default"}], None),
    ],
)
def test_the_last_setting_that_matches_the_card_counts(settings: list[dict[str, object]], watts: float | None) -> None:
    assert wanted_power(settings, CARD) == watts
