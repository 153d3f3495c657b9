"""Planner, environments, doctor and benchmark know the same frameworks."""

from __future__ import annotations

from ansible_collections.dlbox.workstation.plugins.module_utils.conda import definitions
from ansible_collections.dlbox.workstation.plugins.module_utils.probe import environments
from ansible_collections.dlbox.workstation.plugins.plugin_utils.bench import history
from ansible_collections.dlbox.workstation.plugins.plugin_utils.bench.program import measure
from ansible_collections.dlbox.workstation.plugins.plugin_utils.doctor.programs import smoke
from ansible_collections.dlbox.workstation.plugins.plugin_utils.planner import frameworks, model, text
from update_data import render

# Keras has no builds of its own: it runs over one of the others.
KERAS = {"keras"}


def test_what_has_builds_is_the_same_for_tables_planner_and_environments() -> None:
    assert set(render.FRAMEWORKS) == set(model.FRAMEWORKS) == set(definitions.FRAMEWORKS)
    named = {*model.FRAMEWORKS, *KERAS}
    assert named <= set(model.PINS) and named <= set(frameworks.LABELS)
    assert named == {name for name, _label in text._LABELS} == set(history.ENVIRONMENT_FRAMEWORKS)


def test_what_is_imported_is_the_same_for_doctor_and_benchmark() -> None:
    modules = set(history.ENVIRONMENT_FRAMEWORKS.values())
    assert modules == set(environments.FRAMEWORKS) == set(smoke.ANSWERS) == set(measure.FRAMEWORKS)
