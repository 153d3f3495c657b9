"""Jupyter kernel specifications: what an environment offers, what Jupyter is to be told, and how the two differ.

A specification is a folder NAME/kernel.json below a `kernels` folder. Ours carry `metadata.dlbox.environment`, so that
they can be told from those that a user or another tool put there, which are never touched.

Format: https://jupyter-client.readthedocs.io/en/stable/kernels.html
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from .. import run_as

MARK = "dlbox"
LARGEST = 1 << 20  # bytes of a specification or a list of variables
# The starting point for an environment that does not exist yet (check mode): what ipykernel 7 itself installs.
IPYKERNEL: dict[str, Any] = {
    "argv": ["python", "-Xfrozen_modules=off", "-m", "ipykernel_launcher", "-f", "{connection_file}"],
    "language": "python",
    "kernel_protocol_version": "5.5",
    "metadata": {"debugger": True, "supported_encryption": ["curve"]},
}


class Environment(NamedTuple):
    """One environment as the owner declared it."""

    name: str
    """Name of its specification."""
    prefix: Path
    display_name: str
    description: str = ""
    variables: Mapping[str, str] = {}
    environment: str = ""
    """Its own name where the specification has another; "" where they are the same."""


def offered(prefix: Path) -> dict[str, dict[str, Any]]:
    """The specifications that the environment's own packages brought: ipykernel's `python3`, another language's.

    They know best which features (debugger, encrypted transport) the installed release supports.
    """
    found = {}
    for file in sorted((prefix / "share" / "jupyter" / "kernels").glob("*/kernel.json")):
        spec = read(file)
        if isinstance(spec, dict) and spec.get("argv"):
            found[file.parent.name] = spec
    return found


def read(file: Path) -> Any:
    """The JSON in a file; None where there is no readable JSON."""
    try:
        return json.loads(run_as.read_regular(file, LARGEST))
    except (OSError, ValueError, RecursionError):
        return None


def loose(prefix: Path) -> str:
    """Who else than root can change what a Jupyter kernel of this environment is; "" for nobody, and without root.

    Every account is offered it: what root writes into a specification must be root's in the environment as well.
    """
    if os.geteuid() != 0:
        return ""
    read_here = [*(prefix / "share" / "jupyter" / "kernels").glob("*/kernel.json")]
    read_here += [file for file in (prefix / "conda-meta" / "state", prefix / "bin" / "python") if file.exists()]
    read_here += (prefix / "etc" / "conda" / "env_vars.d").glob("*.json")
    return next((problem for problem in map(run_as.root_only, [prefix / "bin", *read_here]) if problem), "")


def variables(prefix: Path) -> dict[str, str]:
    """The variables that `conda activate` sets for this environment.

    Sources as in conda: etc/conda/env_vars.d/*.json of packages, then `env_vars` in conda-meta/state, where
    `conda env config vars set` writes and where a value that conda unsets says so.
    """
    merged: dict[str, Any] = {}
    for file in sorted((prefix / "etc" / "conda" / "env_vars.d").glob("*.json")):
        content = read(file)
        merged.update(content if isinstance(content, dict) else {})
    state = read(prefix / "conda-meta" / "state")
    merged.update((state or {}).get("env_vars", {}) if isinstance(state, dict) else {})
    return {str(name): str(value) for name, value in merged.items() if value != "***unset***"}


def specification(env: Environment, base: Mapping[str, Any], kernel: str = "python3") -> dict[str, Any]:
    """The kernel.json with which Jupyter starts this environment's interpreter as if the environment were activated.

    `base` is what the environment offers under the name `kernel`. Jupyter replaces ${PATH} by the server's own PATH.
    """
    argv = list(base["argv"])
    if "/" not in argv[0]:
        # Never by PATH: that would be the server's own interpreter.
        argv[0] = str(env.prefix / "bin" / argv[0])
    display = env.display_name if kernel == "python3" else f"{env.display_name} ({base.get('display_name', kernel)})"
    spec = {key: value for key, value in base.items() if key not in ("env", "metadata", "display_name", "argv")}
    return {
        "argv": argv,
        "display_name": display,
        **spec,
        "metadata": {
            **base.get("metadata", {}),
            MARK: {"environment": env.environment or env.name, "description": env.description},
        },
        "env": {
            **base.get("env", {}),
            "CONDA_PREFIX": str(env.prefix),
            "CONDA_DEFAULT_ENV": env.environment or env.name,
            "PATH": f"{env.prefix}/bin:${{PATH}}",
            **variables(env.prefix),
            **env.variables,
        },
    }


def text(spec: Mapping[str, Any]) -> str:
    """The specification as it is written."""
    return json.dumps(spec, indent=1, ensure_ascii=False) + "\n"


def owner(spec: Any) -> str | None:
    """The environment of which a specification of ours speaks; None for a foreign one."""
    mark = spec.get("metadata", {}).get(MARK) if isinstance(spec, dict) else None
    return str(mark["environment"]) if isinstance(mark, dict) and "environment" in mark else None


class State(NamedTuple):
    """The specifications in a kernels folder: text by name, and which of them are ours."""

    texts: dict[str, str]
    ours: set[str]
    folders: set[str]


def present(folder: Path) -> State:
    """What lies in a kernels folder now."""
    texts, ours, folders = {}, set(), set()
    for place in sorted(folder.iterdir()) if folder.is_dir() else []:
        if not place.is_dir():
            continue
        folders.add(place.name)
        file = place / "kernel.json"
        if file.is_file():
            texts[place.name] = file.read_text(encoding="utf-8", errors="replace")
            if owner(read(file)):
                ours.add(place.name)
    return State(texts, ours, folders)


def wanted(environments: list[Environment], announced: bool) -> tuple[dict[str, str], dict[str, str]]:
    """What is to be there, and why some environments have no Jupyter kernel.

    Returns (text by specification name, reason by environment name). With `announced` (check mode) an environment that
    does not exist yet counts as one that will.
    """
    texts: dict[str, str] = {}
    skipped: dict[str, str] = {}
    for env in environments:
        if not (env.prefix / "bin").is_dir():
            if announced:
                texts[env.name] = text(specification(env, IPYKERNEL))
            else:
                skipped[env.name] = f"{env.prefix} does not exist"
            continue
        problem = loose(env.prefix)
        if problem:
            skipped[env.name] = f"{problem}, and whoever starts its Jupyter kernel would run what is put there"
            continue
        specs = offered(env.prefix)
        if not specs:
            skipped[env.name] = f"{env.prefix} has no Jupyter kernel: add ipykernel to the environment's packages"
        for kernel, base in specs.items():
            name = env.name if kernel == "python3" else f"{env.name}-{kernel}"
            texts[name] = text(specification(env, base, kernel))
    return texts, skipped
