"""Framework builds: PyTorch, TensorFlow, JAX, Keras.

Sources: PYPI and WHEEL for what is on PyPI; PTREL for the variants of PyTorch's own index;
JAXDOC. Linux x86_64. As of 2026-11-20.

``cc`` lists compiled architectures (10 * major + minor); ``ptx`` the virtual one that newer GPUs
may compile at load time, 0 when there is none.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Build:
    """One installable build of a framework.

    build: "cu126", "cpu", ...: what the plan calls it. cuda: toolkit series it carries, None for
    CPU builds. pythons: supported (first, last) minor versions of Python 3. min_cc: lower bound the
    project documents, as (major, minor). requirements: PEP 508, in order. pre_turing: requirements
    added when a GPU below 7.5 is in use. by_pin: chosen only when the owner asks for it.
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


PYTORCH_INDEX = "https://download.pytorch.org/whl/"
_OLD = (50, 60, 70, 75, 80, 86, 90)
_CU128 = (70, 75, 80, 86, 90, 100, 120)
_CU13 = (75, 80, 86, 90, 100, 120)
_BRANCH = {11: 450, 12: 525, 13: 580}

#: version: (cuda, cuDNN, architectures, first and last Python, torchvision). WHEEL + PYPI.
_TORCH_PYPI: tuple[tuple[str, str, str, tuple[int, ...], tuple[int, int], str], ...] = (
    ("2.15.0", "13.2", "9.26.0.51", _CU13, (11, 15), "0.29.2"),
    ("2.14.1", "13.0", "9.24.0.43", _CU13, (10, 14), "0.29.2"),
    ("2.13.0", "13.0", "9.20.0.48", _CU13, (10, 14), ""),
    ("2.12.1", "13.0", "9.20.0.48", _CU13, (10, 14), ""),
    ("2.11.0", "13.0", "9.19.0.56", _CU13, (10, 14), ""),
    ("2.10.0", "12.8", "9.10.2.21", _CU128, (10, 14), "0.25.0"),
    ("2.9.1", "12.8", "9.10.2.21", _CU128, (10, 14), ""),
    ("2.8.0", "12.8", "9.10.2.21", _CU128, (9, 13), ""),
    ("2.7.1", "12.6", "9.5.1.17", _OLD, (9, 13), "0.22.1"),
    ("2.6.0", "12.4", "9.1.0.70", _OLD, (9, 13), ""),
    ("2.5.1", "12.4", "9.1.0.70", _OLD, (9, 13), ""),
    ("2.4.1", "12.1", "9.1.0.70", _OLD, (8, 12), ""),
    ("2.3.1", "12.1", "8.9.2.26", _OLD, (8, 12), ""),
    ("2.2.2", "12.1", "8.9.2.26", _OLD, (8, 12), ""),
    ("2.1.2", "12.1", "8.9.2.26", _OLD, (8, 11), ""),
    ("2.0.1", "11.7", "8.5.0.96", (37, 50, 60, 70, 75, 80, 86), (8, 11), ""),
)
#: Variants of PyTorch's own index that PyPI does not have. PTREL (contents of the index [S]).
#: (version, variant, cuda, cuDNN, architectures, Pythons)
_TORCH_INDEX: tuple[tuple[str, str, str, str, tuple[int, ...], tuple[int, int]], ...] = (
    ("2.14.1", "cu126", "12.6", "9.10.2.21", _OLD, (10, 14)),
    ("2.13.0", "cu126", "12.6", "9.10.2.21", _OLD, (10, 14)),
    ("2.12.1", "cu126", "12.6", "9.10.2.21", _OLD, (10, 14)),
    ("2.11.0", "cu128", "12.8", "9.17.1.4", _CU13, (10, 14)),
    ("2.11.0", "cu126", "12.6", "9.10.2.21", _OLD, (10, 14)),
    ("2.10.0", "cu126", "12.6", "9.10.2.21", _OLD, (10, 14)),
    ("2.9.1", "cu126", "12.6", "9.10.2.21", _OLD, (10, 14)),
    ("2.8.0", "cu126", "12.6", "9.10.2.21", _OLD, (9, 13)),
)


def _pytorch() -> tuple[Build, ...]:
    builds: list[Build] = []
    for version, cuda, cudnn, cc, pythons, vision in _TORCH_PYPI:
        major = int(cuda.split(".")[0])
        builds.append(
            Build(
                "pytorch",
                version,
                "cu" + cuda.replace(".", ""),
                cuda,
                cc,
                0,
                pythons,
                (f"torch=={version}",),
                cudnn=cudnn,
                min_branch=_BRANCH[major],
                by_pin=major < 12,
                companions=(f"torchvision=={vision}",) if vision else (),
                source="PYPI, WHEEL",
            )
        )
    for version, variant, cuda, cudnn, cc, pythons in _TORCH_INDEX:
        builds.append(
            Build(
                "pytorch",
                version,
                variant,
                cuda,
                cc,
                0,
                pythons,
                (f"torch=={version}+{variant}",),
                cudnn=cudnn,
                index_url=PYTORCH_INDEX + variant,
                min_branch=_BRANCH[12],
                source="PTREL; 2.14.1 is the last release with cu126 [S]",
            )
        )
    for version, pythons in (("2.15.0", (11, 15)), ("2.14.1", (10, 14)), ("2.7.1", (9, 13))):
        builds.append(
            Build(
                "pytorch",
                version,
                "cpu",
                None,
                (),
                0,
                pythons,
                (f"torch=={version}+cpu",),
                index_url=PYTORCH_INDEX + "cpu",
                source="PTREL [S]",
            )
        )
    for version, pythons in (("2.15.0", (11, 15)), ("2.14.1", (10, 14)), ("2.7.1", (9, 13))):
        builds.append(
            Build(
                "pytorch",
                version,
                "cpu",
                None,
                (),
                0,
                pythons,
                (f"torch=={version}",),
                note="PyPI has no CPU-only wheel for x86_64: the CUDA build is installed and computes on the CPU",
                source="PYPI",
            )
        )
    return tuple(builds)


_TF_OLD = (35, 50, 60, 70, 75)
_TF_NEW = (60, 70, 80, 89)
#: version: (cuda, architectures, ptx, Pythons, extra, drifts, by pin). WHEEL build_info + PYPI.
_TF: tuple[tuple[str, str, tuple[int, ...], int, tuple[int, int], bool, bool], ...] = (
    ("2.21.0", "12.5", _TF_NEW, 90, (10, 13), True, False),
    ("2.20.0", "12.5", _TF_NEW, 90, (9, 13), True, False),
    ("2.19.1", "12.5", _TF_NEW, 90, (9, 12), False, False),
    ("2.18.1", "12.5", _TF_NEW, 90, (9, 12), False, False),
    ("2.17.1", "12.3", _TF_NEW, 90, (9, 12), False, False),
    ("2.16.2", "12.3", (50, 60, 70, 80), 90, (9, 12), False, False),
    ("2.15.1", "12.2", (50, 60, 70, 75), 80, (9, 11), False, True),
    ("2.14.1", "11.8", _TF_OLD, 80, (9, 11), False, True),
)


#: What 2.14.1's extra and-cuda asks for, less tensorrt 8.5.3.1, which has no wheel for Python 3.11 (PYPI).
_TF_2141 = (
    "tensorflow==2.14.1",
    "nvidia-cublas-cu11==11.11.3.6",
    "nvidia-cuda-cupti-cu11==11.8.87",
    "nvidia-cuda-nvcc-cu11==11.8.89",
    "nvidia-cuda-runtime-cu11==11.8.89",
    "nvidia-cudnn-cu11==8.7.0.84",
    "nvidia-cufft-cu11==10.9.0.58",
    "nvidia-curand-cu11==10.3.0.86",
    "nvidia-cusolver-cu11==11.4.1.48",
    "nvidia-cusparse-cu11==11.7.5.86",
    "nvidia-nccl-cu11==2.16.5",
)


def _tensorflow() -> tuple[Build, ...]:
    builds: list[Build] = []
    for version, cuda, cc, ptx, pythons, drifts, by_pin in _TF:
        major = int(cuda.split(".")[0])
        requirements = _TF_2141 if version == "2.14.1" else (f"tensorflow[and-cuda]=={version}",)
        builds.append(
            Build(
                "tensorflow",
                version,
                "cu" + cuda.replace(".", ""),
                cuda,
                cc,
                ptx,
                pythons,
                requirements,
                drifts=drifts,
                by_pin=by_pin,
                needs_avx=True,
                pre_turing=("nvidia-cudnn-cu12==9.10.2.21",) if drifts else (),
                min_branch=_BRANCH[major],
                source="WHEEL build_info, PYPI",
            )
        )
    # compiled for Blackwell by conda-forge; the feedstock's build script was read, the channel not
    builds.append(
        Build(
            "tensorflow",
            "2.19.1",
            "conda-forge",
            "12.8",
            (60, 70, 75, 80, 86, 89, 90, 100, 120),
            120,
            (10, 12),
            (),
            by_pin=True,
            min_branch=525,
            conda=("tensorflow-gpu=2.19.1", "cuda-version>=12.8,<13"),
            note="conda-forge build for CUDA 12.8; also built for CPUs without AVX (microarch level 1)",
            source="tensorflow-feedstock recipe, 2026-01-30",
        )
    )
    for version, pythons in (("2.21.0", (10, 13)), ("2.20.0", (9, 13)), ("2.19.1", (9, 12)), ("2.16.2", (9, 12))):
        builds.append(
            Build(
                "tensorflow",
                version,
                "cpu",
                None,
                (),
                0,
                pythons,
                (f"tensorflow-cpu=={version}",),
                needs_avx=True,
                source="PYPI",
            )
        )
    return tuple(builds)


_JAX12 = (50, 60, 70, 80, 90, 100, 101, 120)
_JAX13 = (75, 80, 90, 100, 110, 120)


def _jax() -> tuple[Build, ...]:
    builds: list[Build] = [
        Build(
            "jax",
            "0.12.0.1",
            "cuda13",
            "13.0",
            _JAX13,
            120,
            (12, 14),
            ("jax[cuda13]==0.12.0.1",),
            min_cc=(7, 5),
            min_branch=580,
            needs_avx=True,
            source="JAXDOC, WHEEL, PYPI",
        ),
    ]
    for version, pythons in (("0.12.0.1", (12, 14)), ("0.10.2", (11, 14)), ("0.6.2", (10, 13))):
        builds.append(
            Build(
                "jax",
                version,
                "cuda12",
                "12.8",
                _JAX12,
                120,
                pythons,
                (f"jax[cuda12]=={version}",),
                min_cc=(5, 2),
                min_branch=525,
                needs_avx=True,
                drifts=True,
                pre_turing=("nvidia-cudnn-cu12==9.10.2.21",),
                source="JAXDOC (cc >= 5.2, driver >= 525); WHEEL of 0.12.0.1",
            )
        )
    for version, pythons in (("0.12.0.1", (12, 14)), ("0.10.2", (11, 14)), ("0.6.2", (10, 13))):
        builds.append(
            Build(
                "jax", version, "cpu", None, (), 0, pythons, (f"jax=={version}",), needs_avx=True, source="PYPI, JAXDOC"
            )
        )
    return tuple(builds)


#: framework -> builds, best first within one framework.
BUILDS: dict[str, tuple[Build, ...]] = {
    "pytorch": _pytorch(),
    "tensorflow": _tensorflow(),
    "jax": _jax(),
}

#: Keras has no CUDA of its own: the plan picks the backend (PYPI).
KERAS_VERSION = "3.15.1"
#: First TensorFlow that takes Keras 3: older ones pin their own Keras 2.
KERAS_FIRST_TENSORFLOW = "2.16"
KERAS_PYTHONS = (11, 14)
#: First of the multi-backend series, and the newest series known.
KERAS_RANGE = ((3, 0), (3, 15))

#: Pythons offered for environments, in order of preference: 3.12 suits every framework.
PYTHONS = (12, 13, 11, 14, 10)
