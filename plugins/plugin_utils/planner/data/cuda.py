"""CUDA toolkits and cuDNN: targets, driver minima, device code (data/cuda.toml)."""

from __future__ import annotations

from . import tables

#: toolkit -> real architectures (10 * major + minor) that ptxas accepts; toolkits whose targets are not known lack.
TARGETS: dict[str, tuple[int, ...]] = tables.TARGETS
#: toolkit -> branch (major version) of the driver it was released with.
NATIVE_BRANCH: dict[str, int] = tables.NATIVE_BRANCH
#: CUDA major -> lowest driver branch, and lowest full version, under minor-version compatibility.
MINOR_COMPAT_BRANCH: dict[int, int] = tables.MINOR_COMPAT_BRANCH
MINOR_COMPAT_VERSION: dict[int, str] = tables.MINOR_COMPAT_VERSION

#: cuDNN: newest with device code below compute capability 7.5, and newest.
CUDNN_PRE_TURING: str = tables.CUDNN["last_pre_turing"]
CUDNN_NEWEST: str = tables.CUDNN["newest"]
#: First release of cuDNN whose libcudnn_ops has no code below sm_75.
CUDNN_DROPS_PRE_TURING: str = tables.CUDNN["first_without_pre_turing"]
#: First release with a CUDA 13 build and last with a CUDA 11 one.
CUDNN_FIRST_CUDA13: str = tables.CUDNN["first_cuda13"]
CUDNN_LAST_CUDA11: str = tables.CUDNN["last_cuda11"]
#: First cuDNN with Blackwell code, and the range known to the plan.
CUDNN_FIRST_BLACKWELL: str = tables.CUDNN["first_blackwell"]
CUDNN_FIRST_9: str = tables.CUDNN["first_9"]
