"""Conda environments and their Jupyter kernels: what they hold, and whether it works there."""

# os.path and glob throughout: in the evidence, which becomes JSON, paths are texts.
# ruff: noqa: PTH110, PTH112, PTH119, PTH120, PTH207
from __future__ import annotations

import concurrent.futures
import glob
import json
import os
from typing import Any

from .. import run_as
from .common import Settings, read

JUPYTER_FOLDERS = ("/usr/local/share/dlbox/jupyter", "/usr/local/share/jupyter", "/usr/share/jupyter")
FRAMEWORKS = ("torch", "tensorflow", "jax", "keras")
LIBRARIES = ("numpy", "pandas", "sklearn")
DISTRIBUTIONS = {"sklearn": ("scikit_learn",), "tensorflow": ("tensorflow", "tensorflow_cpu")}


def has_distribution(site: str, name: str) -> bool:
    """True when site-packages holds the distribution, read from names alone (no interpreter start)."""
    stems = DISTRIBUTIONS.get(name, (name,))
    return any(glob.glob(f"{site}/{stem}-*.dist-info") for stem in stems)


def kernelspecs(_: Settings) -> dict[str, dict[str, Any]]:
    """Jupyter kernels that every account sees: argv, env and display name by kernel name."""
    found: dict[str, dict[str, Any]] = {}
    for path in [path for folder in JUPYTER_FOLDERS for path in sorted(glob.glob(folder + "/kernels/*/kernel.json"))]:
        try:
            spec = json.loads(read(path) or "")
        except ValueError:
            spec = {}
        found.setdefault(
            os.path.basename(os.path.dirname(path)),
            {"argv": spec.get("argv", []), "env": spec.get("env", {}), "path": path},
        )
    return found


def environment_list(settings: Settings) -> list[dict[str, Any]]:
    """Every conda environment: its Python, what of interest it holds, whether it is frozen, its Jupyter kernels."""
    found = []
    specs = kernelspecs(settings)
    for prefix in sorted(glob.glob(settings.get("conda_root", "/opt/conda") + "/envs/*")):
        python = prefix + "/bin/python"
        if not os.path.isdir(prefix):
            continue
        sites = glob.glob(prefix + "/lib/python3.*/site-packages")
        site = sites[0] if sites else ""
        found.append(
            {
                "name": os.path.basename(prefix),
                "prefix": prefix,
                "python": os.access(python, os.X_OK),
                "frozen": os.path.exists(prefix + "/conda-meta/frozen"),
                "holds": [name for name in (*FRAMEWORKS, *LIBRARIES) if site and has_distribution(site, name)],
                "ipykernel": bool(site) and has_distribution(site, "ipykernel"),
                "kernels": sorted(
                    name for name, spec in specs.items() if spec["argv"] and spec["argv"][0].startswith(prefix + "/")
                ),
            }
        )
    return found


def quiet_env(home: str) -> dict[str, str]:
    """Variables under which a framework writes only below `home` and takes no more GPU memory than it needs."""
    return {
        # For the Jupyter kernel, a Python of its own that -B does not reach.
        "PYTHONDONTWRITEBYTECODE": "1",
        "IPYTHONDIR": home + "/ipython",
        "JUPYTER_RUNTIME_DIR": home + "/runtime",
        "JUPYTER_PATH": JUPYTER_FOLDERS[0],
        "TF_FORCE_GPU_ALLOW_GROWTH": "true",
        "TF_CPP_MIN_LOG_LEVEL": "1",
        "XLA_PYTHON_CLIENT_PREALLOCATE": "false",
        "OMP_NUM_THREADS": "2",
    }


def of_this_shape(value: Any, shape: Any) -> bool:
    """Whether a value is of a type, of one of several, or a mapping or list of these; missing keys count as None."""
    if isinstance(shape, dict):
        return isinstance(value, dict) and all(of_this_shape(value.get(key), inner) for key, inner in shape.items())
    if isinstance(shape, list):
        return isinstance(value, list) and all(of_this_shape(item, shape[0]) for item in value)
    if isinstance(shape, tuple):
        return any(of_this_shape(value, inner) for inner in shape)
    return isinstance(value, shape)


NOTHING = type(None)
#: What a smoke program prints (programs/smoke.py): of an import that failed, of a plain module, of a framework.
SMOKE_FAILED = {"import_error": str, "module": (str, NOTHING)}
SMOKE_MODULE = {
    "import_error": str, "module": str, "python": str, "visible": (str, NOTHING), "version": (str, NOTHING),
    "compute": NOTHING, "cudnn": NOTHING,
}  # fmt: skip
SMOKE_FRAMEWORK = {
    **SMOKE_MODULE, "built_for": str, "gpus": [str], "delegates": (str, NOTHING),
    "compute": {"device": str, "error": str},
    "cudnn": (NOTHING, {"version": (str, NOTHING), "error": str}),
}  # fmt: skip


def smoke_answer(answer: dict[str, Any]) -> dict[str, Any]:
    """The JSON object that a smoke program printed last, or one that says why there is none.

    It ran in an environment that may be anybody's: what is not of the program's shape would end the checks of all.
    """
    for line in reversed(answer["out"].splitlines()):
        if line.startswith("{"):
            try:
                found = json.loads(line)
            except (ValueError, RecursionError):
                break
            failed = isinstance(found, dict) and bool(found.get("import_error"))
            if of_this_shape(found, SMOKE_FAILED if failed else (SMOKE_MODULE, SMOKE_FRAMEWORK)):
                return dict(found)
            return {"import_error": "its Python did not run the test: the answer is not the test's"}
    return {
        "import_error": (
            answer["err"].strip().splitlines() or ["ended with code {} and no answer".format(answer["rc"])]
        )[-1]
    }


def smoke_tests(settings: Settings) -> dict[str, Any]:
    """For each environment and framework: what happened in its Python, and through its Jupyter kernel."""
    programs = settings.get("programs", {})
    wanted = settings.get("environments")
    jupyter_prefix = settings.get("conda_root", "/opt/conda") + "/envs/jupyter"
    launcher = jupyter_prefix + "/bin/python"
    seconds = float(settings.get("smoke_timeout", 180))
    found = [item for item in environment_list(settings) if wanted is None or item["name"] in wanted]

    def tried(who: run_as.Account, python: str, words: list[str], limit: float, text: str = "") -> dict[str, Any]:
        with run_as.private_home(who) as home:
            words = [*run_as.isolated_python(python), *words]
            done = run_as.run(words, who, environment=quiet_env(home), text=text, timeout=limit, home=home)
        return smoke_answer({"rc": done.rc, "out": done.out, "err": done.err})

    def one(name: str, prefix: str, module: str) -> Any:
        who = run_as.account_for(prefix)
        return name, module, tried(who, prefix + "/bin/python", ["-c", programs["smoke"], module], seconds)

    def through_kernel(name: str, prefix: str, kernel: str, modules: list[str]) -> Any:
        job = json.dumps({"kernel": kernel, "smoke": programs["smoke"], "modules": modules, "timeout": seconds})
        # The code of two environments in one account: its owner's only where both are his.
        who = run_as.account_for(prefix)
        who = who if who == run_as.account_for(jupyter_prefix) else run_as.fresh_account()
        return name, kernel, tried(who, launcher, ["-c", programs["kernel"]], seconds + 30, job)

    result: dict[str, Any] = {"direct": {}, "kernel": {}, "launcher": os.access(launcher, os.X_OK)}
    with concurrent.futures.ThreadPoolExecutor(max_workers=2) as pool:
        direct, kernel = [], []
        for item in found:
            if not item["python"]:
                continue
            frameworks = [name for name in item["holds"] if name in FRAMEWORKS]
            modules = frameworks or [name for name in item["holds"] if name in LIBRARIES] or ["sys"]
            direct += [pool.submit(one, item["name"], item["prefix"], module) for module in modules]
            if result["launcher"]:
                kernel += [
                    pool.submit(through_kernel, item["name"], item["prefix"], spec, frameworks[:1] or modules[:1])
                    for spec in item["kernels"]
                ]
        for future in direct:
            name, module, answer = future.result()
            result["direct"].setdefault(name, {})[module] = answer
        for future in kernel:
            name, spec, answer = future.result()
            result["kernel"].setdefault(name, {})[spec] = answer
    return result
