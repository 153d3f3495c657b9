"""Records, their figures, and what is told as a change."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from ansible_collections.dlbox.workstation.plugins.plugin_utils.bench import answer, history
from page_sample import DATA, record, spread

SCHEMA = json.loads((Path(__file__).resolve().parents[3] / "docs/schemas/bench.json").read_text())
NOW = record("2026-11-20T11:50:00Z", "580.178.04", 350000.0)


def test_figures_have_units_and_names_of_their_own() -> None:
    found = history.figures(NOW)
    assert len({figure.name for figure in found}) == len(found)
    assert {figure.unit for figure in found} == {"samples/s", "J per 1,000 samples", "TFLOP/s", "GB/s"}
    energy = next(figure for figure in found if figure.name == "energy: pytorch, GPU 0")
    assert energy.median == pytest.approx(44.0 / 59904 * 1000)


def test_a_change_is_told_only_where_the_runs_lie_apart() -> None:
    before = copy.deepcopy(NOW)
    lenet = before["results"][0]["devices"][1]["lenet"]
    lenet["samples_per_second"] = spread(310000.0)
    matmul = before["results"][0]["devices"][1]["matmul"]["tflops"]
    matmul["bf16"] = spread(760.0)  # 1.4 % less: noise
    matmul["fp16"] = spread(600.0, 0.3)  # 24 % less, and the runs overlap
    told = {change.figure.name: round(change.ratio, 2) for change in history.compare(NOW, before) if change.certain}
    assert told == {"LeNet: pytorch, GPU 0": 1.13}


def test_a_quick_run_is_not_compared_with_a_full_one() -> None:
    assert history.compare({**NOW, "quick": True}, NOW) == []
    assert history.compare(NOW, None) == []


def test_what_else_changed_is_named() -> None:
    before = copy.deepcopy(NOW)
    before.update(driver="575.64", kernel="6.8.0-100-generic", gpus=["NVIDIA A100", "NVIDIA A100"])
    before["results"][0]["version"] = "2.14.1"
    before["results"][1]["data"]["name"] = "scikit-learn digits"
    assert history.differences(NOW, before) == [
        "driver: 575.64 before, 580.178.04 now",
        "kernel: 6.8.0-100-generic before, 6.8.0-149-generic now",
        "GPUs: NVIDIA A100, NVIDIA A100 before, NVIDIA H200 now",
        "torch in pytorch: 2.14.1 before, 2.15.0 now",
        "data of jax: scikit-learn digits before, MNIST now",
    ]


@pytest.mark.parametrize(
    ("name", "holds", "measured"),
    [
        ("pytorch", ["torch", "numpy"], ["torch"]),
        ("tensorflow", ["tensorflow", "keras"], ["tensorflow"]),
        ("keras", ["torch", "tensorflow", "keras"], ["keras"]),
        ("mine", ["torch", "jax", "keras"], ["torch", "jax"]),
        ("datascience", ["numpy", "pandas"], []),
        ("jupyter", [], []),
    ],
)
def test_each_environment_is_measured_by_what_it_is_for(name: str, holds: list[str], measured: list[str]) -> None:
    assert history.frameworks_of({"name": name, "holds": holds}) == measured


def test_the_schema_refuses_what_the_page_could_not_show() -> None:
    jsonschema.validate(DATA["bench"], SCHEMA)
    pieces: list[dict[str, Any]] = [{"schema": 2}, {"date": "yesterday"}, {"results": [{}]}]
    for broken in pieces:
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({**DATA["bench"], **broken}, SCHEMA)


RESULT = json.loads(json.dumps(NOW["results"][0]))
MISSHAPEN: list[tuple[str, Any]] = [
    ("framework", None), ("framework", "jax"), ("version", 2), ("devices", {}), ("devices", ["CPU"]), ("devices", [{}]),
    ("notes", "text"), ("nccl", {"median": "fast"}), ("seconds", float("nan")), ("data", {"name": "MNIST"}),
    ("more", 1), ("quick", 0), ("cpu_threads", True),
    ("seconds", 10**400), ("seconds", float("inf")), ("cpu_threads", 10**400), ("cpu_threads", -(10**400)),
]  # fmt: skip


def test_the_answers_of_the_program_are_of_the_shape() -> None:
    for result in NOW["results"]:
        assert answer.problem(result, result["framework"]) == ""


@pytest.mark.parametrize(("key", "value"), MISSHAPEN)
def test_what_an_environment_prints_instead_is_refused(key: str, value: Any) -> None:
    """Observed: one member's environment that printed {} ended the benchmark of all, and was kept for the next one."""
    assert answer.problem({**RESULT, key: value}, RESULT["framework"])
    assert answer.problem({name: item for name, item in RESULT.items() if name != key}, "torch") or key == "more"


RECORDS: list[Any] = [
    3, [], {}, {**NOW, "schema": None}, {**NOW, "date": "2026-11-20"}, {**NOW, "date": "2026-11-20T11:50:00Z\n"},
    {**NOW, "gpus": [{}]}, {**NOW, "gpus": ["H200"] * 1001}, {**NOW, "quick": None}, {**NOW, "results": [{}]},
    {**NOW, "results": [{**RESULT, "devices": [{"device": "CPU"}]}]}, {**NOW, "more": 1}, {**NOW, "failures": {}},
    {key: value for key, value in NOW.items() if key != "driver"},
]  # fmt: skip


def test_a_record_is_of_the_shape() -> None:
    assert answer.record_problem(NOW) == answer.record_problem(DATA["bench"]) == ""


@pytest.mark.parametrize("given", RECORDS)
def test_what_a_host_has_kept_instead_of_a_record_is_left_out(given: Any) -> None:
    assert answer.usable_records([given, NOW]) == [NOW]
    assert answer.usable_records(given) == []


def test_the_shapes_are_the_schemas() -> None:
    def names(shape: dict[str, Any], optional: bool) -> set[str]:
        return {name.rstrip("?") for name in shape if name.endswith("?") == optional}

    for kind, shape in (("result", answer.ANSWER), ("device", answer.DEVICE), ("spread", answer.SPREAD)):
        rule = SCHEMA["$defs"][kind]
        assert names(shape, False) == set(rule["required"])
        assert names(shape, True) == set(rule["properties"]) - set(rule["required"])
    assert set(answer.RECORD) == set(SCHEMA["$defs"]["record"]["properties"])
    rule = SCHEMA["$defs"]["device"]["properties"]["lenet"]["oneOf"][1]
    assert {name.rstrip("?") for name in answer.LENET} == set(rule["properties"])
