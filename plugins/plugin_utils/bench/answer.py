"""Validate what comes from elsewhere: what the program that ran in an environment printed, for whoever owns the
environment may have written it, and the records that a host has kept.

The shapes are those of docs/schemas/bench.json; a test holds them to it. jsonschema is not installed where dlbox runs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

NUMBER = float
LARGEST = 2**53  # what every program that reads the record takes for a number (RFC 8259, section 6)
MOST = 1000  # of items in one list or mapping, far more than there are devices, environments or kinds of a figure
DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")
SPREAD = {"median": NUMBER, "low": NUMBER, "high": NUMBER, "runs": int}
# A key that ends in ? may be missing; a tuple lists alternatives, None among them; a list has one shape for its items;
# the key * stands for any name.
LENET = {
    "samples_per_second": SPREAD, "accuracy": NUMBER, "epochs": int, "batch": int, "samples": int,
    "first_epoch_s": NUMBER, "power_w?": NUMBER, "power_w_max?": NUMBER, "energy_j_per_epoch?": NUMBER,
    "temperature_c?": (None, int), "throttled?": [str],
}  # fmt: skip
DEVICE = {
    "device": str, "name": str, "lenet": (None, LENET), "matmul?": {"size?": int, "tflops?": {"*": SPREAD}},
    "bandwidth_gb_s?": (None, {"*": SPREAD}), "times_cpu?": NUMBER,
}  # fmt: skip
ANSWER = {
    "schema": int, "framework": str, "version": str, "build": str, "python": str, "environment": str, "quick": bool,
    "data": {"name": str, "train": int, "test": int}, "devices": [DEVICE], "nccl": (None, SPREAD), "notes": [str],
    "driver": str, "cpu_threads": int, "seconds": NUMBER,
}  # fmt: skip
RECORD = {
    "schema": int, "date": DATE, "host": str, "driver": str, "kernel": str, "gpus": [str], "quick": bool, "mnist": str,
    "results": [ANSWER], "failures": [str],
}  # fmt: skip


def problem(answer: object, framework: str) -> str:
    """What is wrong with an answer, as a sentence; "" for nothing."""
    found = next(_problems(answer, ANSWER, "answer"), "")
    if not found and isinstance(answer, Mapping) and answer["framework"] != framework:
        found = "answer.framework is another than was asked for"
    return found


def record_problem(record: object) -> str:
    """What is wrong with a record, as a sentence; "" for nothing."""
    return next(_problems(record, RECORD, "record"), "")


def usable_records(given: object) -> list[dict[str, Any]]:
    """Of what a host says that it has kept, what is a record; the rest was not written by dlbox."""
    return [dict(item) for item in given if not record_problem(item)] if isinstance(given, list) else []


def _problems(value: object, shape: Any, where: str) -> Iterator[str]:
    if isinstance(shape, tuple):
        if value is not None:
            yield from _problems(value, shape[1], where)
    elif isinstance(shape, list):
        if not isinstance(value, list):
            yield f"{where} is no list"
            return
        if len(value) > MOST:
            yield f"{where} has more than {MOST} items"
            return
        for number, item in enumerate(value):
            yield from _problems(item, shape[0], f"{where}.{number}")
    elif isinstance(shape, dict):
        if not isinstance(value, Mapping):
            yield f"{where} is no mapping"
            return
        if len(value) > MOST:
            yield f"{where} has more than {MOST} items"
            return
        names = {name.rstrip("?"): inner for name, inner in shape.items()}
        missing = [name for name in shape if not name.endswith("?") and name != "*" and name not in value]
        yield from (f"{where}.{name} is missing" for name in missing)
        for key, item in value.items():
            if key in names or "*" in names:
                yield from _problems(item, names.get(key, names.get("*")), f"{where}.{key}")
            else:
                yield f"{where} has an unknown key"
    elif shape in (NUMBER, int):
        kinds = (int, float) if shape is NUMBER else int
        # A comparison holds for numbers of any size, and for nan never.
        if isinstance(value, bool) or not isinstance(value, kinds) or not abs(value) <= LARGEST:
            yield f"{where} is no {'number' if shape is NUMBER else 'whole number'}, or too large"
    elif isinstance(shape, re.Pattern):
        if not isinstance(value, str) or not shape.fullmatch(value):
            yield f"{where} is not of the form {shape.pattern}"
    elif not isinstance(value, shape):
        yield f"{where} is no {shape.__name__}"
