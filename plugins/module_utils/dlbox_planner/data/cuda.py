"""CUDA toolkits and cuDNN: targets, driver minima, device code.

Sources: PTXAS (targets), CRN (native drivers, minor-version compatibility), WHEEL and NVDOC
(cuDNN). As of 2026-11-20.
"""

from __future__ import annotations

_PRE_13 = (50, 52, 53, 60, 61, 62, 70, 72, 75, 80, 86, 87, 89, 90)
_13 = (75, 80, 86, 87, 88, 89, 90, 100, 103, 110, 120, 121)

#: toolkit -> real architectures (10 * major + minor) that ptxas accepts. PTXAS.
#: 11.5 and 13.1 were not executed: 11.5 is [M], 13.1 lies between two equal neighbours.
TARGETS: dict[str, tuple[int, ...]] = {
    "11.5": (35, 37, 50, 52, 53, 60, 61, 62, 70, 72, 75, 80, 86, 87),
    "11.8": (35, 37, 50, 52, 53, 60, 61, 62, 70, 72, 75, 80, 86, 87, 89, 90),
    "12.0": _PRE_13,
    "12.4": _PRE_13,
    "12.6": _PRE_13,
    "12.8": (*_PRE_13, 100, 101, 120),
    "12.9": (*_PRE_13, 100, 101, 103, 120, 121),
    "13.0": _13,
    "13.1": _13,
    "13.2": _13,
    "13.3": _13,
    "13.4": (*_13, 107),
    "13.5": (*_13, 107),
}

#: toolkit -> branch (major version) of the driver it was released with. CRN; 13.5 inferred.
NATIVE_BRANCH: dict[str, int] = {
    "11.5": 495,
    "11.7": 515,
    "11.8": 520,
    "12.0": 525,
    "12.1": 530,
    "12.2": 535,
    "12.3": 545,
    "12.4": 550,
    "12.5": 555,
    "12.6": 560,
    "12.8": 570,
    "12.9": 575,
    "13.0": 580,
    "13.1": 590,
    "13.2": 595,
    "13.3": 610,
    "13.4": 615,
    "13.5": 620,
}

#: CUDA major -> lowest driver branch under minor-version compatibility. CRN.
MINOR_COMPAT_BRANCH: dict[int, int] = {11: 450, 12: 525, 13: 580}

#: CUDA major -> lowest full driver version, for `min_version` in the plan. CRN.
MINOR_COMPAT_VERSION: dict[int, str] = {11: "450.80.02", 12: "525.60.13", 13: "580.65.06"}

#: cuDNN: newest with device code below compute capability 7.5 (WHEEL cuobjdump), and newest.
CUDNN_PRE_TURING = "9.10.2.21"
CUDNN_NEWEST = "9.27.0.42"
#: First release of cuDNN whose libcudnn_ops has no code below sm_75 (WHEEL 9.11.0.98).
CUDNN_DROPS_PRE_TURING = "9.11.0"
#: First release with a CUDA 13 build (PYPI) and last with a CUDA 11 one.
CUDNN_FIRST_CUDA13 = "9.12.0"
CUDNN_LAST_CUDA11 = "9.10.2.21"
#: First cuDNN with Blackwell code, and the range known to the plan.
CUDNN_FIRST_BLACKWELL = "9.7.0"
CUDNN_FIRST_9 = "9.0.0"
