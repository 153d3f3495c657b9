"""Environments: each imports, sees the GPU, computes on it, loads cuDNN, and does so through its Jupyter kernel too."""

# What a check says is kept on one line, so that a message can be searched for.
# ruff: noqa: E501
from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..model import Context, Finding, check, fail, na, ok, warn
from .common import joined

NONE = "no environment below /opt/conda/envs"
_NEEDS = ("environment_list", "smoke_tests")
PLAN_NAMES = {"torch": "pytorch"}  # a framework's import name, where the plan calls it otherwise


def _answers(context: Context) -> Iterator[tuple[str, dict[str, Any]]]:
    """(subject, answer) of each framework in each environment; the subject names the framework where there are several."""
    for name, modules in context.evidence["smoke_tests"]["direct"].items():
        for module, answer in modules.items():
            yield (name if len(modules) == 1 else f"{name}/{module}"), answer


def _frameworks(context: Context) -> Iterator[tuple[str, dict[str, Any]]]:
    """The answers of deep-learning frameworks that could be imported."""
    for subject, answer in _answers(context):
        if answer.get("compute") and not answer.get("import_error") and not answer.get("delegates"):
            yield subject, answer


def _gpu_expected(context: Context, answer: dict[str, Any]) -> bool:
    """True when this framework is meant to use a GPU: there is one with a driver, and the plan does not say CPU."""
    planned = (context.plan.get("frameworks") or {}).get(PLAN_NAMES.get(answer["module"], answer["module"]), {})
    if planned.get("gpu") is False:
        return False
    return bool(context.evidence["nvidia_smi"]["gpus"])


@check("environments.python", ("environment_list",))
def python(context: Context) -> Iterator[Finding]:
    """Every environment has a Python that starts."""
    for item in context.evidence["environment_list"]:
        if item["python"]:
            yield ok("there", subject=item["name"])
        else:
            yield fail(
                f"{item['prefix']}/bin/python is missing",
                "./dlbox up: it repairs the environment",
                subject=item["name"],
            )
    if not context.evidence["environment_list"]:
        yield na(NONE)


@check("environments.imports", _NEEDS)
def imports(context: Context) -> Iterator[Finding]:
    """Every framework can be imported."""
    for subject, answer in _answers(context):
        if answer.get("import_error"):
            remedy = "./dlbox up repairs a changed environment"
            if "undefined symbol" in answer["import_error"] or "cannot open shared object" in answer["import_error"]:
                remedy = (
                    "Unset LD_LIBRARY_PATH and remove system CUDA libraries from the loader's path; then ./dlbox up"
                )
            yield fail(answer["import_error"], remedy, subject)
        else:
            text = f"{answer['module']} {answer.get('version', '')}".strip()
            yield ok("Python starts (no framework in it)" if text == "sys" else text, subject)
    if not context.evidence["smoke_tests"]["direct"]:
        yield na(NONE)


@check("environments.gpu", (*_NEEDS, "nvidia_smi", "plan"))
def sees_gpu(context: Context) -> Iterator[Finding]:
    """Every framework sees the GPU."""
    found = False
    for subject, answer in _frameworks(context):
        found = True
        if answer["gpus"]:
            yield ok(joined(answer["gpus"]), subject)
        elif not _gpu_expected(context, answer):
            yield na("runs on the CPU here: no GPU answers, or the plan gives this framework none", subject)
        elif answer.get("visible") is not None:
            yield fail(
                f"CUDA_VISIBLE_DEVICES={answer['visible']!r} hides the GPU",
                "Remove CUDA_VISIBLE_DEVICES from the system's environment files",
                subject,
            )
        elif answer["built_for"] == "cpu":
            yield fail(
                "the installed build is for the CPU only", "./dlbox up: it installs the build of the plan", subject
            )
        else:
            yield fail(
                f"sees no GPU although the driver does (built for {answer['built_for']})",
                "See the GPU lines of this report; the driver may be too old for this build",
                subject,
            )
    if not found:
        yield na("no deep-learning framework that could be imported")


@check("environments.compute", _NEEDS)
def computes(context: Context) -> Iterator[Finding]:
    """Every framework computes the right result."""
    found = False
    for subject, answer in _answers(context):
        if not answer.get("compute"):
            continue
        found = True
        if answer["compute"]["error"]:
            text = answer["compute"]["error"]
            remedy = (
                "./dlbox plan says which build fits this GPU; ./dlbox up installs it"
                if "no kernel image" in text
                else "./dlbox up repairs the environment; then run the doctor again"
            )
            yield fail(f"on {answer['compute']['device'] or 'no device'}: {text}", remedy, subject)
        else:
            yield ok(f"on {answer['compute']['device']}", subject)
    if not found:
        yield na("no deep-learning framework that could be imported")


@check("environments.cudnn", _NEEDS)
def cudnn(context: Context) -> Iterator[Finding]:
    """cuDNN loads and computes."""
    found = False
    for subject, answer in _frameworks(context):
        if not answer.get("cudnn"):
            continue
        found = True
        if answer["cudnn"]["error"]:
            yield fail(
                answer["cudnn"]["error"],
                "Remove a system cuDNN and LD_LIBRARY_PATH from the loader's way, then ./dlbox up",
                subject,
            )
        else:
            yield ok(f"version {answer['cudnn']['version'] or 'of the framework'}", subject)
    if not found:
        yield na("no framework here is built for a GPU")


@check("environments.kernel", _NEEDS)
def kernel(context: Context) -> Iterator[Finding]:
    """Every environment works through its Jupyter kernel too."""
    smoke = context.evidence["smoke_tests"]
    listed = context.evidence["environment_list"]
    if not any(item["name"] == "jupyter" for item in listed):
        yield na("no environment named jupyter")
        return
    if not smoke["launcher"]:
        yield fail("the jupyter environment has no Python", "./dlbox up")
        return
    for item in listed:
        if item["name"] == "jupyter":
            continue
        answers = smoke["kernel"].get(item["name"], {})
        if not item["kernels"]:
            yield warn(
                "no Jupyter kernel is registered" + ("" if item["ipykernel"] else " and ipykernel is not installed"),
                "./dlbox up registers one for each environment",
                subject=item["name"],
            )
        for name, answer in answers.items():
            problem = answer.get("import_error") or (answer.get("compute") or {}).get("error")
            direct = context.evidence["smoke_tests"]["direct"].get(item["name"], {}).get(answer.get("module"), {})
            if problem:
                yield fail(
                    problem,
                    f"./dlbox up writes {name}/kernel.json anew; compare with the environment's own line above",
                    subject=item["name"],
                )
            elif direct.get("gpus") and not answer.get("gpus"):
                yield fail(
                    "sees no GPU, although the environment's Python in a shell does",
                    f"Compare the env section of {name}/kernel.json and the service's environment",
                    subject=item["name"],
                )
            elif not str(answer.get("python", "")).startswith(item["prefix"]):
                yield fail(
                    f"runs {answer.get('python')}, not the environment's Python",
                    f"./dlbox up writes {name}/kernel.json anew",
                    subject=item["name"],
                )
            else:
                yield ok(f"kernel {name}: {answer['module']} {answer.get('version', '')}".strip(), subject=item["name"])


@check("environments.frozen", ("environment_list",))
def frozen(context: Context) -> Iterator[Finding]:
    """Environments are protected against changes by hand."""
    for item in context.evidence["environment_list"]:
        if item["frozen"]:
            yield ok("frozen", subject=item["name"])
        else:
            yield warn(
                "conda-meta/frozen is missing: conda and pip may change it under running notebooks",
                "./dlbox up puts it back; make your own environment for experiments",
                subject=item["name"],
            )
    if not context.evidence["environment_list"]:
        yield na(NONE)


@check("environments.ld-library-path", ("loader",))
def ld_library_path(context: Context) -> Finding:
    """No global LD_LIBRARY_PATH."""
    hits = context.evidence["loader"]["ld_library_path"]
    if hits:
        return fail(
            f"set for everybody: {joined(hits, 3)}",
            "Remove the line: it makes PyTorch, TensorFlow and JAX load the wrong CUDA libraries",
        )
    return ok("not set in any system-wide file")


@check("environments.system-cudnn", ("loader", "plan"))
def system_cudnn(context: Context) -> Finding:
    """No system cuDNN in the loader's way."""
    libraries = [path for name, path in context.evidence["loader"]["libraries"] if name.startswith("libcudnn")]
    if not libraries:
        return ok("no cuDNN among the system's libraries")
    folders = sorted({path.rsplit("/", 1)[0] for path in libraries})
    planned = (context.plan.get("cudnn") or {}).get("packages")
    if planned:
        return ok(f"{joined(folders)}, as planned; the environments carry their own")
    return warn(
        f"cuDNN in {joined(folders)}: a framework may mix it with its own",
        "sudo apt purge the libcudnn packages, or remove the path from /etc/ld.so.conf.d and run ldconfig",
    )
