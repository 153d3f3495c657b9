"""The GPU builds of the plan are installed, whole and consistent; what only a GPU can show is said to be open."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
PROJECT = HERE.parents[2]
ENVIRONMENTS = "/opt/conda/envs"
UV = "/opt/dlbox/engine/venv/bin/uv"
# Of the driver, and of networks between machines: on no fresh workstation, and no wheel's to bring.
OF_THE_DRIVER = {"libcuda.so.1", "libnvidia-ml.so.1"}
OF_NETWORKS = ("libibverbs", "libmlx5", "libfabric", "librdmacm", "libmpi", "liboshmem", "libpmix", "libucp", "libucs")

# What each framework says about itself: JSON of the build's CUDA, its cuDNN where it tells, and what it computes on.
QUESTIONS = {
    "pytorch": """
import json, torch
x = torch.arange(4.0) @ torch.arange(4.0)
print(json.dumps({"cuda": torch.version.cuda, "cudnn": torch.backends.cudnn.version(), "sum": float(x),
                  "gpu": torch.cuda.is_available(), "version": torch.__version__.split("+")[0]}))""",
    "tensorflow": """
import json, tensorflow as tf
build = tf.sysconfig.get_build_info()
x = tf.tensordot(tf.range(4.0), tf.range(4.0), 1)
print(json.dumps({"cuda": build["cuda_version"], "cudnn": build["cudnn_version"], "sum": float(x),
                  "gpu": bool(tf.config.list_physical_devices("GPU")), "version": tf.__version__}))""",
    "jax": """
import importlib.metadata, json, jax, jax.numpy as jnp
import jax_cuda13_plugin
print(json.dumps({"cuda": importlib.metadata.version("nvidia-cuda-runtime"), "cudnn": 0,
                  "sum": float(jnp.arange(4.0) @ jnp.arange(4.0)),
                  "gpu": jax.default_backend() == "gpu", "version": importlib.metadata.version("jax")}))""",
    "keras": """
import json, keras
print(json.dumps({"cuda": "", "cudnn": 0, "sum": float(keras.ops.matmul(keras.ops.arange(4.0), keras.ops.arange(4.0))),
                  "gpu": False, "version": keras.__version__, "backend": keras.backend.backend()}))""",
}


@pytest.fixture(scope="module")
def plan(host):
    return json.loads(host.file("/srv/plan.json").content_string)


def as_somebody(host, environment, *words):
    """Run the environment's Python as an ordinary account."""
    python = f"{ENVIRONMENTS}/{environment}/bin/python"
    command = "cd / && runuser -u nobody -- env HOME=/nonexistent %s -I " + " ".join(["%s"] * len(words))
    done = host.run(command, python, *words)
    assert done.rc == 0, done.stderr[-3000:]
    return json.loads(done.stdout.strip().splitlines()[-1])


@pytest.mark.parametrize("name", QUESTIONS)
def test_the_build_of_the_plan_is_imported_and_computes(host, plan, name):
    said = as_somebody(host, name, "-c", QUESTIONS[name])
    planned = plan["frameworks"][name]
    print(name, said)
    assert said["sum"] == 14.0 and said["version"] == planned["version"]
    assert not said["gpu"]
    if said["cuda"]:
        assert said["cuda"].split(".")[0] == planned["cuda"].split(".")[0], said
    if name == "pytorch":
        assert said["cudnn"], "cuDNN is loaded without a GPU too"
    if name == "keras":
        assert said["backend"] == {"pytorch": "torch"}.get(planned["backend"], planned["backend"])


@pytest.mark.parametrize("name", ["pytorch", "tensorflow", "jax"])
def test_every_cuda_library_that_it_brought_loads(host, name):
    program = HERE / "load_libraries.py"
    host.backend.run_local(f"docker cp {program} {host.backend.host}:/srv/load_libraries.py")
    said = as_somebody(host, name, "/srv/load_libraries.py")
    print(name, len(said["loaded"]), "loaded;", said["missing"])
    for family in ("libcudart", "libcublas", "libcudnn", "libcufft", "libcusolver", "libcusparse", "libnvrtc"):
        assert any(library.startswith(family) for library in said["loaded"]), family
    others = {
        library: what
        for library, what in said["missing"].items()
        if what not in OF_THE_DRIVER and not what.startswith(OF_NETWORKS)
    }
    assert not others


@pytest.mark.parametrize("name", QUESTIONS)
def test_nothing_contradicts_its_metadata(host, name):
    told = host.run(f"{UV} pip check --python {ENVIRONMENTS}/{name}/bin/python")
    print(name, told.stderr.strip())
    assert told.rc == 0 and "All installed packages are compatible" in told.stderr


def test_the_doctor_says_what_only_a_gpu_could_show(host):
    command = [sys.executable, str(PROJECT / "scripts/doctor.py"), "--host", host.backend.host, "--format", "json"]
    command += ["--all", "--no-page", "--only", "environments"]
    for place in (PROJECT / "molecule/shared/inventory", HERE.parent / "inventory"):
        command += ["-i", str(place)]
    environment = {**os.environ, "MOLECULE_PROJECT_DIRECTORY": str(PROJECT)}
    done = subprocess.run(command, text=True, capture_output=True, check=False, env=environment)
    checks = {entry["name"]: entry for entry in json.loads(done.stdout)["checks"]}
    print(json.dumps(checks, indent=1))
    assert not [name for name, entry in checks.items() if entry["result"] == "fail"], checks
    for name in QUESTIONS:
        seen = {key: entry for key, entry in checks.items() if f"[{name}" in key}
        assert any(key.startswith("environments.imports") and entry["result"] == "ok" for key, entry in seen.items())
        gpu = [entry for key, entry in seen.items() if key.startswith("environments.gpu")]
        # Keras computes through its backend, which is asked itself.
        assert name == "keras" or any("no GPU answers" in entry["observed"] for entry in gpu), seen
