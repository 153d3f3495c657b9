"""What the doctor says of the modules that were built on a host whose firmware verifies them."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.dlbox.workstation.plugins.plugin_utils.doctor import evaluate
from ansible_collections.dlbox.workstation.plugins.plugin_utils.doctor.model import REGISTRY, Context

LISTED = "[key 1]\nSHA1 Fingerprint: 76:a0\nCertificate:\n    Data:\n        Serial Number:\n            {}\n"
SIGNED = "filename:       /lib/modules/6.12/updates/dkms/nvidia.ko\nsigner:         box\nsig_key:        0A:B1:0C\n"
OURS, OTHER = LISTED.format("0a:b1:0c"), LISTED.format("12:34:56")


def told(built: str | None, enrolled: str = OURS, staged: str = "MokNew is empty\n") -> list[tuple[str, str]]:
    """Return (result, words and remedy) of the check for a host with Secure Boot and one module, or none."""
    modules = {} if built is None else {"6.12": built}
    evidence: dict[str, Any] = {
        "secure_boot": {"enabled": True, "enrolled": enrolled, "staged": staged, "built": modules},
        "kernel_log": {"lines": [], "readable": True, "why": ""},
        "nvidia_module": {"version": None, "open": False, "loaded": [], "params": ""},
        "dkms": {"rc": 0, "out": "", "err": ""},
        "errors": {},
    }
    found = evaluate.report("box", Context(evidence), [REGISTRY["gpu.secure-boot"]])["checks"]
    return [(item["result"], f"{item['observed']} {item['remedy']}") for item in found]


@pytest.mark.parametrize("built", [None, SIGNED])
def test_signed_modules_are_nothing_to_tell(built: str | None) -> None:
    assert [result for result, _text in told(built)] == ["ok"]


@pytest.mark.parametrize(
    ("built", "enrolled", "staged", "says"),
    [
        ("version:        580.178.04\n", OURS, "", "the module for kernel 6.12 is not signed"),
        (SIGNED, OTHER, "MokNew is empty\n", "signed by box (AB10C), which is not enrolled"),
        (SIGNED, OTHER, OURS, "which waits to be enrolled sudo systemctl reboot, and choose 'Enroll MOK'"),
    ],
    ids=["unsigned", "another key", "staged"],
)
def test_a_module_that_the_firmware_will_not_take_is_named(built: str, enrolled: str, staged: str, says: str) -> None:
    (_now, (result, text)) = told(built, enrolled, staged)
    assert result == "fail" and says in text
