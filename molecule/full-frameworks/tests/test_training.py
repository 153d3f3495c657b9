"""TensorFlow and PyTorch train through their Jupyter kernels, as a user without rights on the environments."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).resolve().parent
TRAIN = HERE.parents[1] / "jupyter" / "tests" / "train.py"


# A toolkit of the system, found by the loader before anything else, whose libraries are good for nothing.
TOOLKIT = """
mkdir -p /usr/local/cuda/lib64 && cd /usr/local/cuda/lib64
for name in libcudart.so.12 libcudart.so.13 libcudnn.so.9 libcublas.so.12 libcublas.so.13 libcublasLt.so.12; do
  cp "$(find /usr/lib/python3*/lib-dynload -name '_json*.so' | head -1)" $name
done
echo /usr/local/cuda/lib64 > /etc/ld.so.conf.d/000-cuda.conf && ldconfig
"""


@pytest.fixture
def toolkit(host: Any) -> None:
    """The system's toolkit beside the environments."""
    host.check_output(TOOLKIT)
    assert "libcudnn.so.9 (libc6,x86-64) => /usr/local/cuda/lib64" in host.check_output("ldconfig -p")


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ("pytorch", "environment pytorch learned True gpu False"),
        ("tensorflow", "environment tensorflow learned True gpus 0 growth true"),
    ],
)
def test_a_framework_trains_through_its_jupyter_kernel(
    host: Any, toolkit: None, environment: str, expected: str
) -> None:
    cell = f"cell_{environment}.py"
    for file in (TRAIN, HERE / cell):
        host.backend.run_local(f"docker cp {file} {host.backend.host}:/srv/{file.name}")
    told = host.check_output(
        f"cd /home/ada && runuser -u ada -- /opt/conda/envs/jupyter/bin/python /srv/train.py {environment} /srv/{cell}"
    )
    assert expected in told
    assert "system toolkit used False LD_LIBRARY_PATH None" in told
    assert environment != "tensorflow" or "own CUDA runtime True" in told
