"""Compatibility data, each fact with its source and date beside it.

The modules here hold data only. Keys of sources:

====== =======================================================================
UA     Ubuntu archive package indices, 22.04/24.04/26.04, November 2026
DA     Debian package indices: bookworm, trixie, backports, security, Nov. 2026
SG     NVIDIA's supported-gpus.json of branches 580, 595 and 615
RD     NVIDIA driver README of branches 580 and 595
PTXAS  ``ptxas --help`` of the nvidia-cuda-nvcc wheels 11.8 to 13.5, executed
WHEEL  torch, tensorflow, jax and nvidia-cudnn wheels, opened and inspected
PYPI   PyPI metadata (requires-dist, requires-python)
NVDOC  NVIDIA documentation pages (driver 615 edition, cuDNN support matrices)
CRN    CUDA 13.4 Update 1 release notes
PTREL  PyTorch RELEASE.md
JAXDOC JAX documentation and changelog
EXT    Debian package extrepo-offline-data (third-party repositories and keys)
MEAS   measured in containers in November 2026
====== =======================================================================

A mark after a key says how sure a fact is: nothing = read in the primary source,
``[S]`` = secondary (a quoted copy, an issue thread), ``[M]`` = general knowledge.
"""

from __future__ import annotations

#: Day on which the facts were last checked (ISO 8601). Older than AGE_DAYS: the plan warns.
AS_OF = "2026-11-20"
AGE_DAYS = 180
