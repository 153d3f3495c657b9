"""nvidia-smi's rows are read by the fields that were asked for."""

from __future__ import annotations

from ansible_collections.dlbox.workstation.plugins.module_utils.host import nvidia_smi

FIELDS = ("index", "name", "power.limit")


def test_the_fields_are_asked_for_without_header_and_units() -> None:
    assert nvidia_smi.arguments(FIELDS) == ["--query-gpu=index,name,power.limit", "--format=csv,noheader,nounits"]


def test_each_gpu_is_a_row_and_noise_is_none() -> None:
    printed = "0, NVIDIA GeForce RTX 3090, 350.00\n1, NVIDIA GeForce GTX 960, [N/A]\n\nnoise, of a driver\n"
    assert nvidia_smi.rows(printed, FIELDS) == [
        {"index": "0", "name": "NVIDIA GeForce RTX 3090", "power.limit": "350.00"},
        {"index": "1", "name": "NVIDIA GeForce GTX 960", "power.limit": "[N/A]"},
    ]
