"""TensorFlow and PyTorch train through their Jupyter kernels, as a user without rights on the environments."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).resolve().parent
TRAIN = HERE.parents[1] / "jupyter" / "tests" / "train.py"


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ("pytorch", "environment pytorch learned True gpu False"),
        ("tensorflow", "environment tensorflow learned True gpus 0 growth true"),
    ],
)
def test_a_framework_trains_through_its_jupyter_kernel(host: Any, environment: str, expected: str) -> None:
    cell = f"cell_{environment}.py"
    for file in (TRAIN, HERE / cell):
        host.backend.run_local(f"docker cp {file} {host.backend.host}:/srv/{file.name}")
    told = host.check_output(
        f"cd /home/ada && runuser -u ada -- /opt/conda/envs/jupyter/bin/python /srv/train.py {environment} /srv/{cell}"
    )
    assert expected in told
