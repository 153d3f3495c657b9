"""The small files that keep a managed environment as it is: constraints, refusals, variables."""

from __future__ import annotations

import json
from pathlib import Path

from ..run_as import replace_file
from . import lockfile
from .definitions import EnvironmentSpec

MESSAGE = (
    "The environment {name} is managed by dlbox: change conda_environments in the inventory and run ./dlbox up. "
    "For experiments make your own: conda create --name mine"
)


def constraints_file(request: EnvironmentSpec) -> str:
    """Where the pins that must not be undone are written."""
    return f"{request.prefix}/conda-meta/dlbox/constraints.txt"


def variables(request: EnvironmentSpec) -> dict[str, str]:
    """What `conda activate` and the Jupyter kernel set. uv and pip obey the constraints through them."""
    own = {"UV_CONSTRAINT": constraints_file(request), "PIP_CONSTRAINT": constraints_file(request)}
    return {**(own if request.wheels else {}), **request.variables}


def texts(request: EnvironmentSpec, wheels: str, pythons: list[str]) -> dict[str, str]:
    """Path from the prefix -> content of every guard. pythons: folders such as lib/python3.12."""
    message = MESSAGE.format(name=request.name)
    found = {
        "conda-meta/dlbox/constraints.txt": lockfile.constraints(request, wheels),
        "conda-meta/dlbox/environment.json": json.dumps(
            {
                "name": request.name,
                "description": request.description,
                "framework": request.framework,
                "build": request.build,
            },
            sort_keys=True,
        )
        + "\n",
        # conda's own place for an environment's variables: set by conda activate and mamba activate.
        "conda-meta/state": json.dumps({"version": 1, "env_vars": variables(request)}, sort_keys=True) + "\n",
    }
    if request.wheels:
        # pip reads this of the environment whose Python runs it, activated or not.
        lines = "".join(
            f"[{command}]\nconstraint = {constraints_file(request)}\n" for command in ("install", "download", "wheel")
        )
        found["pip.conf"] = f"# Written by dlbox.\n{lines}"
    if request.frozen:
        found["conda-meta/frozen"] = json.dumps({"message": message}) + "\n"  # CEP 22: conda refuses to change it
        for folder in pythons:
            found[f"{folder}/EXTERNALLY-MANAGED"] = (
                f"[externally-managed]\nError={message}\n"  # PEP 668: so do pip and uv
            )
    return found


def wrong(request: EnvironmentSpec, wheels: str) -> list[str]:
    """The guards that are not as they should be, as paths from the prefix."""
    prefix = Path(request.prefix)
    wanted = texts(request, wheels, pythons(prefix))
    out = [path for path, text in wanted.items() if read(prefix / path) != text]
    gone = {"conda-meta/frozen", "pip.conf", *(f"{p}/EXTERNALLY-MANAGED" for p in pythons(prefix))} - wanted.keys()
    return out + [path for path in sorted(gone) if (prefix / path).exists()]


def write(request: EnvironmentSpec, wheels: str) -> None:
    """Write what `wrong` names."""
    prefix = Path(request.prefix)
    wanted = texts(request, wheels, pythons(prefix))
    for path in wrong(request, wheels):
        if path in wanted:
            (prefix / path).parent.mkdir(parents=True, exist_ok=True)
            replace_file(prefix / path, wanted[path], 0o644)
        else:
            (prefix / path).unlink(missing_ok=True)


def read(file: Path) -> str | None:
    """A file's text, None where there is none."""
    try:
        return file.read_text()
    except OSError:
        return None


def pythons(prefix: Path) -> list[str]:
    """The standard libraries in the environment, as paths from the prefix."""
    return [
        f"lib/{p.name}" for p in sorted(prefix.glob("lib/python3.*")) if not p.is_symlink() and (p / "os.py").exists()
    ]
