"""Settings of the GPUs: matched, merged, clamped, read back, and validated before anything is applied."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.dlbox.workstation.plugins.module_utils.nvidia import gpusettings
from hypothesis import given
from hypothesis import strategies as st

ROW = (
    "0, GPU-aa, 00000000:01:00.0, NVIDIA GeForce RTX 3090, Disabled, 350.00, 100.00, 400.00, 9751, 1395, 9751, 2100,"
    " Default"
)
BARE = (
    "1, GPU-bb, 00000000:02:00.0, NVIDIA GeForce GTX 960, Enabled, [N/A], [N/A], [Unknown Error], [Not Supported],"
    " [N/A], [N/A], [N/A], Default"
)
GPUS = gpusettings.parse_query(f"{ROW}\n{BARE}\n\nnoise\n")


def step(setting: dict[str, Any]) -> gpusettings.GpuSetting:
    (found,) = gpusettings.steps(GPUS[:1], [setting])
    return found


def test_the_query_is_read_with_what_a_card_does_not_support() -> None:
    assert [gpu.index for gpu in GPUS] == [0, 1]
    assert GPUS[0].power_max == 400.0 and GPUS[0].graphics_clock_max == 2100 and not GPUS[0].persistence
    assert GPUS[1].power is None and GPUS[1].memory_clock is None and GPUS[1].persistence


@pytest.mark.parametrize(
    ("match", "indexes"),
    [("all", [0, 1]), ("1", [1]), ("gpu-AA", [0]), ("02:00.0", [1]), ("rtx 3090", [0]), ("geforce", [0, 1]), ("7", [])],
)
def test_a_wish_finds_its_cards(match: str, indexes: list[int]) -> None:
    assert [gpu.index for gpu in GPUS if gpusettings.matches(gpu, match)] == indexes
    assert gpusettings.unmatched(GPUS, [{"match": match}]) == ([] if indexes else [match])


def test_later_wishes_win_key_by_key_and_empty_ones_do_not() -> None:
    settings = [
        {"power_limit": 300, "compute_mode": "prohibited"},
        {"match": "RTX 3090", "power_limit": 280, "compute_mode": None},
        {"match": "GTX", "power_limit": 90},
    ]
    assert gpusettings.merged(GPUS[0], settings) == {"power_limit": 280, "compute_mode": "prohibited"}


@pytest.mark.parametrize(("watts", "limit"), [(50, "100"), (280, "280"), (900, "400")])
def test_a_power_limit_is_clamped_and_says_so(watts: int, limit: str) -> None:
    found = step({"power_limit": watts})
    assert found.arguments == ("-pl", limit) and found.expected == f"{float(limit):.2f}"
    assert found.note == (
        "" if str(watts) == limit
        else f"GPU 0 (NVIDIA GeForce RTX 3090) allows 100 to 400 W: {watts} W became {limit} W"
    )  # fmt: skip


@given(st.integers(1, 5000))
def test_no_wish_leaves_what_the_card_allows(watts: int) -> None:
    assert 100 <= float(step({"power_limit": watts}).arguments[1]) <= 400


def test_application_clocks_are_clamped() -> None:
    found = step({"application_clocks": [99999, 1300]})
    assert found.arguments == ("-ac", "9751,1300") and found.expected == "9751,1300" and "clamped" in found.note
    assert step({"application_clocks": [9751, 1300]}).note == ""


def test_a_locked_range_is_clamped_and_cannot_be_read_back() -> None:
    found = step({"graphics_clock_range": [210, 9000]})
    assert found.arguments == ("-lgc", "210,2100") and found.expected == "" and "9000 became 2100" in found.note
    assert step({"graphics_clock_range": [5000, 9000]}).arguments == ("-lgc", "2100,2100")
    assert step({"graphics_clock_range": [210, 1700]}).note == ""


@pytest.mark.parametrize("mode", gpusettings.COMPUTE_MODES)
def test_compute_modes_are_nvidia_smis_words(mode: str) -> None:
    found = step({"compute_mode": mode})
    assert found.arguments == ("-c", mode.upper()) and found.expected.lower() == mode


def test_a_card_that_lacks_a_setting_gives_a_note_and_no_command() -> None:
    setting = {"match": "1", "power_limit": 100, "application_clocks": [1, 1], "graphics_clock_range": [1, 2]}
    power, clocks, range_ = gpusettings.steps(GPUS, [setting])
    assert power.arguments == clocks.arguments == ()
    assert "no power limit" in power.note and "no application clocks" in clocks.note
    assert range_.arguments == ("-lgc", "1,2"), "its limit is not known, so nvidia-smi is asked"


def test_what_the_card_does_not_have_is_told() -> None:
    wanted = gpusettings.steps(
        GPUS, [{"match": "0", "power_limit": 280, "compute_mode": "default", "application_clocks": [9751, 1395]}]
    )
    assert gpusettings.differences(GPUS, wanted) == ["GPU 0: power_limit is 350.00, wanted 280.00"]
    assert gpusettings.differences([], wanted)[0] == "GPU 0: power_limit is no such GPU, wanted 280.00"
    assert gpusettings.differences(GPUS, gpusettings.steps(GPUS, [{"match": "1", "power_limit": 5}])) == []


@pytest.mark.parametrize(
    ("setting", "says"),
    [
        ({"power_limit": 0}, "power_limit is 0, expected watts above 0"),
        ({"application_clocks": [5001]}, "application_clocks is [5001], expected two numbers of MHz"),
        ({"graphics_clock_range": [0, 1]}, "graphics_clock_range is [0, 1], expected two numbers of MHz"),
        ({"graphics_clock_range": [2, 1]}, "graphics_clock_range is [2, 1], expected the lower clock first"),
        (
            {"compute_mode": "shared"},
            "compute_mode is 'shared', expected one of default, exclusive_process, prohibited",
        ),
    ],
)
def test_wrong_data_is_named_with_its_place(setting: dict[str, Any], says: str) -> None:
    assert gpusettings.problems([{"power_limit": 200}, setting]) == [f"nvidia_driver_gpu_settings[1].{says}"]


def test_right_data_has_no_problems() -> None:
    setting = {
        "match": "all",
        "power_limit": 280,
        "application_clocks": [5001, 1395],
        "graphics_clock_range": [210, 1700],
    }
    assert gpusettings.problems([{**setting, "compute_mode": "default"}, {}]) == []
