"""Render data/*.toml as the Python module that the planner imports.

The module spares a plan the parser, and serves machines whose Python has none. A test holds the two equal.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from . import schema
from .strict import DataError, load

TOP = Path(__file__).resolve().parents[2]
SOURCES = TOP / "data"
TARGET = TOP / "plugins/plugin_utils/planner/data/tables.py"
FRAMEWORKS = ("pytorch", "tensorflow", "jax")
FILES: dict[str, type] = {
    "architectures": schema.Architectures,
    "drivers": schema.Drivers,
    "cuda": schema.Cuda,
    "boards": schema.Boards,
    "nvidia": schema.Nvidia,
    **dict.fromkeys(FRAMEWORKS, schema.Framework),
    "keras": schema.KerasRow,
    "environments": schema.Environments,
}
HEADER = '''"""The planner's tables. Generated from data/*.toml: change those, then run scripts/update-data --render."""

from __future__ import annotations

from typing import Any
'''


def read(sources: Path = SOURCES) -> tuple[dict[str, Any], dict[str, schema.SystemRow]]:
    """Return (file -> its tables, release -> its tables); raises DataError with the problems of every file."""
    problems: list[str] = []
    tables: dict[str, Any] = {}
    systems: dict[str, schema.SystemRow] = {}
    for name, kind in FILES.items():
        try:
            tables[name] = load(kind, sources / f"{name}.toml", f"{name}.toml")
        except (DataError, OSError) as error:
            problems.append(str(error))
    for path in sorted((sources / "systems").glob("*.toml"), key=_release_order):
        try:
            systems[path.stem] = load(schema.SystemRow, path, f"systems/{path.name}")
        except (DataError, OSError) as error:
            problems.append(str(error))
    known = {*(f"{name}.toml" for name in FILES)}
    problems += [f"{path.name}: not a file of the data" for path in sources.glob("*.toml") if path.name not in known]
    if not problems:
        problems = list(_disagreements(tables, systems))
    if problems:
        raise DataError("\n".join(problems))
    return tables, systems


def _release_order(path: Path) -> tuple[bool, str, list[int]]:
    name = path.stem
    return not name.startswith("ubuntu"), name.split("-")[0], [int(part) for part in re.findall(r"\d+", name)]


def _disagreements(tables: dict[str, Any], systems: dict[str, schema.SystemRow]) -> Iterable[str]:
    """Yield names in one table that another does not have."""
    architectures, branches, toolkits = (
        tables["architectures"].architecture,
        tables["drivers"].branch,
        tables["cuda"].toolkit,
    )
    keys = tables["nvidia"].key
    for chip in tables["architectures"].chip:
        if chip.architecture not in architectures:
            yield f"architectures.toml: [[chip]] {chip.pattern}: no architecture {chip.architecture}"
        try:
            re.compile(chip.pattern)
        except re.error as error:
            yield f"architectures.toml: [[chip]] key pattern: {chip.pattern!r} is no regular expression: {error}"
    for name in (*branches, *tables["cuda"].major):
        if not name.isdigit():
            yield f"drivers.toml or cuda.toml: {name!r} is no number"
    yield from (
        f"nvidia.toml: [[driver]] branch {offer.branch}: drivers.toml has none"
        for offer in tables["nvidia"].driver
        if str(offer.branch) not in branches
    )
    for key, system in {**systems, "nvidia": None}.items():
        where, directory = (
            (f"systems/{key}.toml", system.nvidia) if system is not None else ("nvidia.toml", tables["nvidia"].wsl)
        )
        if directory.key not in keys:
            yield f"{where}: key = {directory.key!r}: nvidia.toml has {', '.join(keys)}"
        series = [*(directory.toolkits or ()), *((offer.series for offer in system.cuda.toolkit) if system else ())]
        yield from (f"{where}: CUDA {one}: cuda.toml has no such toolkit" for one in series if one not in toolkits)
    for key, system in systems.items():
        where = f"systems/{key}.toml"
        if key != f"{system.release.id}-{system.release.version}":
            yield f"{where}: [release] is {system.release.id}-{system.release.version}, and the file has another name"
        flavours = system.kernels.flavour
        for flavour in system.kernels.general:
            if flavour not in flavours:
                yield f"{where}: [kernels] key general: no flavour {flavour}"
            elif flavours[flavour].linux is None:
                yield f"{where}: [kernels.flavour.{flavour}] key linux: unknown, and the flavour is general"
        for offer in system.drivers.offer:
            if str(offer.branch) not in branches:
                yield f"{where}: [[drivers.offer]] branch {offer.branch}: drivers.toml has none"
            yield from (
                f"{where}: [[drivers.offer]] {offer.branch} signed_for {flavour}: no such flavour"
                for flavour in offer.signed_for
                if flavour not in flavours
            )


def _pair(text: str) -> tuple[int, int]:
    first, _, second = text.partition(".")
    return int(first), int(second or 0)


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(map(int, text.split(".")))


def _architecture(key: str, row: schema.ArchitectureRow) -> dict[str, Any]:
    return {
        "key": key,
        "label": row.label,
        "cc": _pair(row.compute_capability),
        "first_driver": row.first_driver,
        "last_driver": row.last_driver,
        "modules": row.modules,
        "first_cuda": row.first_cuda,
        "last_cuda": row.last_cuda,
        "last_cudnn": row.last_cudnn,
        "verdict": row.verdict,
        "source": row.source,
    }


def _branch(number: int, row: schema.BranchRow) -> dict[str, Any]:
    gap = row.kernel_gap
    return {
        "number": number,
        "kind": row.kind,
        "eol": row.end_of_life,
        "cuda_native": row.native_cuda,
        "open_only": row.open_only,
        "dead": row.dead,
        "confirmed": row.confirmed,
        "kernel_min": _numbers(row.kernel_min),
        "kernel_until": _pair(row.kernel_until) if row.kernel_until else None,
        "kernel_gap": (_numbers(gap.first_bad), _pair(gap.fixed_series)) if gap else None,
        "gap_modules": tuple(gap.modules) if gap else (),
        "source": row.source,
    }


def _system(key: str, row: schema.SystemRow) -> dict[str, Any]:
    release, kernels = row.release, row.kernels
    return {
        "key": key,
        "id": release.id,
        "version": release.version,
        "codename": release.codename,
        "label": release.label,
        "kernels": {name: _pair(kernels.flavour[name].linux or "") for name in kernels.general},
        "default_kernel": kernels.default,
        "python": release.python,
        "nvidia_repo": row.nvidia.directory,
        "mok": release.signing_key_directory,
        "glibc": release.glibc,
        "sudo": release.sudo,
        "initramfs": release.initramfs,
        "apt": release.apt.version,
        "apt_verifier": release.apt.verifier,
        "ssh": release.ssh.version,
        "ssh_socket": release.ssh.socket_activated,
        "driver_components": tuple(release.driver_components),
        "flavours": {
            name: {
                "linux": _pair(flavour.linux) if flavour.linux else None,
                "signed_modules": flavour.signed_modules,
                "architectures": tuple(flavour.architectures),
            }
            for name, flavour in kernels.flavour.items()
        },
        "end_of_life": release.end_of_life.standard,
        "extended_end_of_life": release.end_of_life.extended,
    }


def _offers(key: str, row: schema.SystemRow) -> Iterable[dict[str, Any]]:
    signed = {name: one.abi or "current" for name, one in row.kernels.flavour.items() if one.signed_modules}
    for offer in row.drivers.offer:
        for modules in offer.modules:
            yield {
                "system": key,
                "source": row.release.id,
                "branch": offer.branch,
                "modules": modules,
                "version": offer.version,
                "server": offer.server,
                "component": offer.component,
                "prebuilt": {**(signed if offer.current else {}), **offer.signed_for},
                "packages": tuple(offer.packages),
                "broken": offer.broken,
                "origin": offer.source or row.drivers.source,
                "tested_linux": _pair(offer.tested_linux) if offer.tested_linux else None,
            }


def _build(framework: str, row: schema.BuildRow) -> dict[str, Any]:
    minors = sorted(_pair(text)[1] for text in row.pythons)
    return {
        "framework": framework,
        "version": row.version,
        "build": row.build,
        "cuda": row.cuda,
        "cc": tuple(row.code),
        "ptx": row.ptx,
        "pythons": (minors[0], minors[-1]),
        "requirements": tuple(row.requirements),
        "architectures": tuple(row.architectures),
        "cudnn": row.cudnn,
        "index_url": row.index_url,
        "pre_turing": tuple(row.pre_turing),
        "drifts": row.cudnn_drifts,
        "by_pin": row.by_pin,
        "needs_avx": row.needs_avx,
        "min_cc": _pair(row.min_compute_capability or "0.0"),
        "min_branch": row.min_branch,
        "companions": tuple(row.companions),
        "conda": tuple(row.conda),
        "note": row.note,
        "source": row.source,
    }


def constants(tables: dict[str, Any], systems: dict[str, schema.SystemRow]) -> dict[str, Any]:
    """Return the module's constants: rows as keyword arguments of the planner's dataclasses."""
    architectures, drivers, cuda, nvidia = (tables[name] for name in ("architectures", "drivers", "cuda", "nvidia"))
    checked = {f"{name}.toml": table.checked for name, table in tables.items()}
    for key, system in systems.items():
        parts = (system.release, system.kernels, system.drivers, system.cuda, system.nvidia)
        checked[f"systems/{key}.toml"] = min(part.checked for part in parts)
    directories = [*(system.nvidia for system in systems.values()), nvidia.wsl]
    return {
        "CHECKED": checked,
        "ARCHITECTURES": [_architecture(key, row) for key, row in architectures.architecture.items()],
        "OPEN_REQUIRED_IDS": architectures.open_modules_only.device_ids,
        "CHIPS": [
            (chip.pattern, chip.architecture, _pair(chip.compute_capability) if chip.compute_capability else None)
            for chip in architectures.chip
        ],
        "BRANCHES": [_branch(int(number), row) for number, row in drivers.branch.items()],
        "OPEN_FROM": drivers.modules.open_from,
        "OPEN_RECOMMENDED_FROM": drivers.modules.open_recommended_from,
        "OPEN_ONLY_FROM": drivers.modules.open_only_from,
        "TARGETS": {name: tuple(row.targets) for name, row in cuda.toolkit.items() if row.targets is not None},
        "NATIVE_BRANCH": {name: row.native_branch for name, row in cuda.toolkit.items()},
        "MINOR_COMPAT_BRANCH": {int(name): row.min_branch for name, row in cuda.major.items()},
        "MINOR_COMPAT_VERSION": {int(name): row.min_version for name, row in cuda.major.items()},
        "CUDNN": {name: getattr(cuda.cudnn, name) for name in _CUDNN},
        "BOARDS": {name: (row.memory_gib, row.power_w) for name, row in tables["boards"].board.items()},
        "SYSTEMS": [_system(key, row) for key, row in systems.items()],
        "ARCHIVE_OFFERS": [offer for key, row in systems.items() for offer in _offers(key, row)],
        "HEADLESS": {
            offer.packages[0]: tuple(offer.headless_packages)
            for row in systems.values()
            for offer in row.drivers.offer
            if offer.headless_packages
        },
        "TRANSITIONAL": {
            key: {int(name): branch for name, branch in row.drivers.transitional.items()}
            for key, row in systems.items()
            if row.drivers.transitional
        },
        "NVIDIA_BRANCHES": [(offer.branch, tuple(offer.modules)) for offer in nvidia.driver],
        "NVIDIA_REPO_URL": nvidia.url,
        "NVIDIA_REPO_ARCH": nvidia.architecture,
        "NVIDIA_KEYRING": nvidia.keyring_package,
        "NVIDIA_KEYS": {
            one.directory: {"file": nvidia.key[one.key].file, "fingerprint": nvidia.key[one.key].fingerprint}
            for one in directories
        },
        "NVIDIA_KEYS_CONFIRMED": sorted({one.directory for one in directories if one.key_confirmed}),
        "NVIDIA_TOOLKITS": {one.directory: tuple(one.toolkits or ()) for one in directories},
        "NVIDIA_ARCHITECTURES": {one.directory: tuple(one.architectures) for one in directories},
        "NVIDIA_TOOLKITS_UNKNOWN": sorted({one.directory for one in directories if one.toolkits is None}),
        "DISTRO_TOOLKITS": {
            key: tuple((one.series, one.version, tuple(one.packages)) for one in row.cuda.toolkit)
            for key, row in systems.items()
        },
        "DISTRO_CUDNN": {
            (key, one.cuda_major): (one.version, tuple(one.packages))
            for key, row in systems.items()
            for one in row.cuda.cudnn
        },
        "BUILDS": {name: [_build(name, row) for row in tables[name].build] for name in FRAMEWORKS},
        "KERAS_VERSION": tables["keras"].version,
        "KERAS_FOR_TENSORFLOW": tables["keras"].tensorflow_needs,
        "KERAS_OLDER": [(one.version, tuple(_pair(text)[1] for text in one.pythons)) for one in tables["keras"].older],
        "KERAS_PYTHONS": _span(tables["keras"].pythons),
        "KERAS_FIRST_TENSORFLOW": tables["keras"].first_tensorflow,
        "KERAS_RANGE": (_pair(tables["keras"].first_series), _pair(tables["keras"].last_series)),
        "PYTHONS": tuple(_pair(text)[1] for text in tables["environments"].pythons),
        "SIZES": {(one.environment, one.runs_on): (one.download, one.disk) for one in tables["environments"].size},
    }


_CUDNN = (
    "newest",
    "last_pre_turing",
    "first_without_pre_turing",
    "first_cuda13",
    "last_cuda11",
    "first_blackwell",
    "first_9",
)


def _span(pythons: list[Any]) -> tuple[int, int]:
    minors = sorted(_pair(text)[1] for text in pythons)
    return minors[0], minors[-1]


def _literal(item: object) -> str:
    """Return a constant, one row of a collection per line so that a difference shows the row."""
    if isinstance(item, Mapping) and item:
        return "{\n" + "".join(f"    {key!r}: {_nested(one)},\n" for key, one in item.items()) + "}"
    if isinstance(item, list) and item:
        return "[\n" + "".join(f"    {one!r},\n" for one in item) + "]"
    return repr(item)


def _nested(item: object) -> str:
    return _literal(item).replace("\n", "\n    ") if isinstance(item, list) else repr(item)


def render(sources: Path = SOURCES) -> str:
    """Return the module's source; raises DataError."""
    values = constants(*read(sources))
    return HEADER + "".join(f"\n{name}: Any = {_literal(value)}\n" for name, value in values.items())
