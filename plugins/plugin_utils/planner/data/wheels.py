"""Framework builds: PyTorch, TensorFlow, JAX, Keras (data/pytorch.toml and its neighbours).

``cc`` lists compiled architectures (10 * major + minor); ``ptx`` the virtual one that newer GPUs
may compile at load time, 0 when there is none.
"""

from __future__ import annotations

from typing import NamedTuple

from . import tables


class Build(NamedTuple):
    """One installable build of a framework.

    build: "cu126", "cpu", ...: what the plan calls it. cuda: toolkit series it carries, None for
    CPU builds. pythons: supported (first, last) minor versions of Python 3. architectures: of the CPU.
    min_cc: lower bound the project documents, as (major, minor). requirements: PEP 508, in order.
    pre_turing: requirements added when a GPU below 7.5 is in use. by_pin: chosen only when the owner asks for it.
    min_branch: lowest driver branch.
    """

    framework: str
    version: str
    build: str
    cuda: str | None
    cc: tuple[int, ...]
    ptx: int
    pythons: tuple[int, int]
    requirements: tuple[str, ...]
    architectures: tuple[str, ...] = ("x86_64",)
    cudnn: str | None = None
    index_url: str | None = None
    pre_turing: tuple[str, ...] = ()
    drifts: bool = False
    by_pin: bool = False
    needs_avx: bool = False
    min_cc: tuple[int, int] = (0, 0)
    min_branch: int = 0
    companions: tuple[str, ...] = ()
    conda: tuple[str, ...] = ()
    note: str = ""
    source: str = ""


#: framework -> builds, best first within one framework.
BUILDS: dict[str, tuple[Build, ...]] = {
    name: tuple(Build(**row) for row in rows) for name, rows in tables.BUILDS.items()
}

#: Keras has no CUDA of its own: the plan picks the backend.
KERAS_VERSION: str = tables.KERAS_VERSION
#: Series of TensorFlow -> oldest Keras that it asks for.
KERAS_FOR_TENSORFLOW: dict[str, str] = tables.KERAS_FOR_TENSORFLOW
#: Older releases with the Pythons (minor versions) that the newest one has left.
KERAS_OLDER: list[tuple[str, tuple[int, ...]]] = tables.KERAS_OLDER
#: First TensorFlow that takes Keras 3: older ones pin their own Keras 2.
KERAS_FIRST_TENSORFLOW: str = tables.KERAS_FIRST_TENSORFLOW
KERAS_PYTHONS: tuple[int, int] = tables.KERAS_PYTHONS
#: First of the multi-backend series, and the newest series known.
KERAS_RANGE: tuple[tuple[int, int], tuple[int, int]] = tables.KERAS_RANGE

#: Pythons offered for environments, in order of preference: 3.12 suits every framework.
PYTHONS: tuple[int, ...] = tables.PYTHONS
#: (shipped environment, "gpu", "cpu" or "any") -> (download, on the disk), in MB.
SIZES: dict[tuple[str, str], tuple[int, int]] = tables.SIZES
