"""The shipped environments resolve with hashes against the wheel index, for every kind of GPU."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from ansible_collections.dlbox.workstation.plugins.module_utils.conda import definitions, engine, environment, lockfile
from ansible_collections.dlbox.workstation.plugins.plugin_utils.planner.gpus import from_name
from ansible_collections.dlbox.workstation.plugins.plugin_utils.planner.planner import plan

ROLE = Path(__file__).resolve().parents[3] / "roles/conda"
NAMES = ["datascience", "pytorch", "tensorflow", "keras", "jax", "pytensor", "theano-legacy", "jupyter"]
GPUS = {"none": None, "pascal": "GTX 1080 Ti", "ampere": "RTX 3090", "ada": "RTX 4090", "blackwell": "RTX 5090"}


def shipped():
    """The role's definitions, without the templates in them (other roles' packages, the owner's variables)."""
    data = yaml.safe_load((ROLE / "vars/main.yml").read_text())["__conda_definitions"]
    out = {}
    for name, entry in data.items():
        out[name] = {key: value for key, value in entry.items() if not (isinstance(value, str) and "{{" in value)}
    out["jupyter"]["wheels"] = ["jupyterlab>=4.4,<5", "ipykernel>=7"]
    return out


def facts(gpu):
    """A machine with the GPU called `gpu`, or none."""
    devices = []
    if gpu:
        found = from_name(gpu)
        devices = [{"pci_id": found.pci_id, "slot": "gpu0", "name_hint": found.name, "chip_hint": found.chip}]
    system = {"id": "ubuntu", "version": "24.04", "codename": "noble", "kernel": "6.8.0-50-generic", "arch": "x86_64"}
    return {
        "host": "box",
        "os": {**system, "secure_boot": False, "virtualization": "none", "wsl": False},
        "cpu": {"model": "", "count": 8, "flags": ["avx", "avx2", "fma"]},
        "memory_mib": 65536,
        "gpus": devices,
        "driver": {"loaded": None, "modules": None, "devices": []},
    }


def requests(gpu):
    """The requests of all shipped environments on such a machine, from PyPI only where that is possible."""
    chosen = plan(facts(gpu), {"pypi_only": True, "today": "2026-11-20"})
    entries = [{"name": name} for name in NAMES]
    found, _, problems = definitions.resolve(entries, shipped(), chosen, "/opt/conda", ["conda-forge"], "3.12")
    assert not problems
    return {request.name: request for request in found}


@pytest.mark.parametrize("gpu", GPUS)
def test_every_shipped_environment_is_one_frameworks_for_every_gpu(gpu):
    for request in requests(GPUS[gpu]).values():
        assert request.refused or request.wheels, request
        if request.refused:
            # Refused with words that say why, never silently.
            assert request.framework and len(request.refused) > 20
    assert "ipykernel" in " ".join(requests(GPUS[gpu])["datascience"].wheels)


# Two quick ones by default, all of them (a minute and a half) with --full.
QUICK = {("jax", "none"), ("pytensor", "none")}
CASES = [
    pytest.param(name, gpu, id=f"{name}-{gpu}", marks=[] if (name, gpu) in QUICK else [pytest.mark.full])
    for name in NAMES
    for gpu in GPUS
]


def test_all_that_the_role_ships_is_resolved_here():
    assert {*NAMES, "base"} == shipped().keys()


def test_theano_is_said_to_have_ended():
    legacy = requests(None)["theano-legacy"]
    assert "Theano itself ended" in legacy.note and "pytensor" in legacy.wheels
    problems = definitions.resolve([{"name": "x", "wheels": ["Theano"]}], shipped(), {}, "/opt/conda", [], "3.12")[2]
    assert "PyTensor continues it" in problems[0]


@pytest.mark.parametrize(("name", "gpu"), CASES)
def test_it_resolves_with_hashes(name, gpu, tmp_path):
    request = requests(GPUS[gpu])[name]
    if request.refused:
        pytest.skip(request.refused)
    if not request.framework and gpu != "none":
        pytest.skip("the same without a GPU")
    sources = engine.Sources(cache=str(tmp_path), ca_bundle="/etc/ssl/certs/ca-certificates.crt")
    try:
        wheels = engine.compile_wheels(request, sources, f"{request.python}.0", {}, "")
    except RuntimeError as error:
        if request.index_url and "client error" in str(error):
            pytest.skip(f"{request.index_url} does not answer here")
        raise
    pins = lockfile.pins(wheels)
    assert wheels.count("--hash=sha256:") >= len(pins) > 0
    environment.refuse_two_cudas(request, lockfile.make(request, "", wheels))
