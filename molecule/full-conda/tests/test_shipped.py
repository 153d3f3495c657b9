"""The shipped environments do what they are for."""

from __future__ import annotations

import pytest

ENVS = "/opt/conda/envs"
PROGRAMS = {
    "datascience": (
        "import numpy, pandas, scipy, sklearn.linear_model, skimage, seaborn, matplotlib, PIL, cv2, jupyterlab;"
        "print(round(sklearn.linear_model.LinearRegression().fit([[0], [1]], [0, 2]).coef_[0], 3))"
    ),
    # PyTensor, Theano's successor: what a Theano user did, differentiated and compiled.
    "theano-legacy": (
        "import pytensor, pytensor.tensor as pt; x = pt.dscalar();"
        'print(float(pytensor.function([x], pytensor.grad(x**2, x), mode="NUMBA")(1.0)))'
    ),
    "jax": "import jax; print(float(jax.grad(lambda x: x * x)(1.0)))",
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_an_environment_computes(host, name):
    # As an ordinary user, who cannot write into the environment.
    command = f"cd /tmp && runuser -u nobody -- env HOME=/tmp/nobody {ENVS}/{name}/bin/python -c '{PROGRAMS[name]}'"
    host.check_output("install -d -o nobody /tmp/nobody")
    assert host.check_output(command).splitlines()[-1] == "2.0"


def test_jupyterlab_is_there(host):
    assert host.check_output(f"{ENVS}/jupyter/bin/jupyter-lab --version").startswith("4.")


def test_the_wheels_fit_each_other(host):
    uv = "/opt/dlbox/engine/venv/bin/uv"
    for name in (*PROGRAMS, "jupyter"):
        assert host.run(f"{uv} pip check --python {ENVS}/{name}/bin/python").rc == 0


def test_what_environments_share_is_stored_once(host):
    site = "lib/python3.11/site-packages/numpy/__init__.py"
    first, second = host.check_output(f"stat -c %i {ENVS}/datascience/{site} {ENVS}/jax/{site}").split()
    assert first == second
