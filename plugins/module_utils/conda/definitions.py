"""From what the owner declares, what dlbox ships and what the plan chose to one request per environment. Pure."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

# Each brings CUDA libraries of its own, which overwrite each other's files in one environment without a warning
# (nvidia-cudnn-cu12 and -cu13 own the same 29 paths; the result is a mixture of two cuDNNs).
FRAMEWORKS = {
    "pytorch": ("torch", "torchvision", "torchaudio"),
    "tensorflow": ("tensorflow", "tensorflow-cpu", "tf-nightly"),
    "jax": ("jax", "jaxlib"),
}
# The only indexes that a plan may name: PyTorch's own.
FRAMEWORK_INDEXES = ("https://download.pytorch.org/whl/",)
# Distributions that ended, and what to take instead.
ENDED = dict.fromkeys(
    ("theano", "theano-pymc", "aesara"),
    "Theano ended in 2017 and does not run on today's Python; PyTensor continues it. Take the shipped environment "
    "pytensor, or theano-legacy, which is the same under the old name",
)
# PEP 508: a name, extras, versions or an address, a marker. uv reads it in full; here nothing else may hide in it.
REQUIREMENT = re.compile(
    r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?\s*(?:\[[A-Za-z0-9._, -]*\])?\s*"
    r"(?:\(?[<>=!~][A-Za-z0-9.*+!<>=~, _-]*\)?|@\s*[^\s;]+)?\s*(?:;[ -~]+)?\Z"
)
# A conda match spec: a channel, a name, versions, a build, keys in brackets.
MATCH_SPEC = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:/*+!<>=~|,()\[\]'\" -]*\Z")
LONGEST = 300
# Keras's own words for its backends.
KERAS_NAMES = {"pytorch": "torch", "tensorflow": "tensorflow", "jax": "jax"}
KEYS = {
    "name": str,
    "definition": str,
    "state": str,
    "description": str,
    "python": str,
    "conda": list,
    "optional": list,
    "wheels": list,
    "extra_conda": list,
    "extra_wheels": list,
    "framework": str,
    "kernel": bool,
    "frozen": bool,
    "variables": dict,
}
# CPUs, by `uname -m`, that packages are chosen for (engine.py).
CHOSEN_FOR = ("x86_64",)
# Anaconda's own channels, by name or address: their terms ask companies to pay.
DEFAULTS = re.compile(
    r"^(defaults|main|r|msys2|(https?://)?(repo\.anaconda\.com|conda\.anaconda\.org/(main|anaconda)\b).*)$"
)


@dataclass
class EnvironmentSpec:
    """One environment as it shall be.

    python: "3.12" or "" for the newest that the other packages allow; conda: match specs; optional: names taken only
    where a channel has them; wheels: PEP 508 requirements; index_url: the framework's own wheel index or "";
    build: the framework's build ("cu130", "cpu"; "" without a framework); architectures: of the host's usable GPUs.
    """

    name: str
    prefix: str
    description: str = ""
    python: str = ""
    conda: list[str] = field(default_factory=list)
    optional: list[str] = field(default_factory=list)
    wheels: list[str] = field(default_factory=list)
    framework: str = ""
    build: str = ""
    gpu: bool = False
    index_url: str = ""
    note: str = ""
    refused: str = ""
    kernel: bool = True
    frozen: bool = True
    variables: dict[str, str] = field(default_factory=dict)
    channels: list[str] = field(default_factory=list)
    cuda: str = ""
    architectures: list[str] = field(default_factory=list)
    declared: dict[str, Any] = field(default_factory=dict)

    def specs(self) -> list[str]:
        """The conda match specs without the optional ones. pip comes along, as people expect of an environment."""
        return [f"python {self.python}.*" if self.python else "python >=3.10", *merged(["pip"], self.conda)]

    def digest(self) -> str:
        """Of everything that decides what is solved for."""
        parts = {
            k: v
            for k, v in asdict(self).items()
            if k in {"conda", "optional", "wheels", "python", "channels", "cuda", "index_url"}
        }
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()

    def generation(self) -> list[str]:
        """The GPU generations a lock of this request is for; ["none"] without a usable GPU."""
        return self.architectures or ["none"]


def normal(name: str) -> str:
    """A distribution's name as PEP 503 compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def requirement_name(text: str) -> str:
    """The normal name in a PEP 508 requirement: `Torch[opt]==2.1 ; x` -> `torch`."""
    match = re.match(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)", text)
    return normal(match[1].rstrip("._-")) if match else ""


def merged(base: Sequence[str], more: Sequence[str]) -> list[str]:
    """Both lists; a requirement of `more` replaces the one of the same distribution in `base`."""
    names = {requirement_name(text) for text in more}
    return [text for text in base if requirement_name(text) not in names] + list(more)


def frameworks_in(wheels: Sequence[str]) -> list[str]:
    """Which frameworks a list of requirements names itself."""
    names = {requirement_name(text) for text in wheels}
    return [framework for framework, own in FRAMEWORKS.items() if names & set(own)]


def check_entry(entry: Any, definitions: Mapping[str, Any]) -> list[str]:
    """What is wrong with one entry of `environments`, as sentences."""
    if not isinstance(entry, Mapping) or not isinstance(entry.get("name"), str):
        return [f"environments: {entry!r} is not an environment; expected a mapping with at least `name`"]
    name = entry["name"]
    problems = []
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", name):
        problems.append(
            f"environments: the name {name!r} cannot be a folder's name; use letters, digits, `-`, `_` and `.`"
        )
    for key, value in entry.items():
        if key not in KEYS:
            problems.append(f"{name}: {key!r} is not a key of an environment; known are {', '.join(KEYS)}")
        elif not isinstance(value, KEYS[key]):
            expected = {str: "a text (in quotes)", list: "a list", bool: "true or false", dict: "a mapping"}[KEYS[key]]
            problems.append(f"{name}: {key} is {value!r}; expected {expected}")
    if problems:
        return problems
    if entry.get("state", "present") not in ("present", "absent"):
        problems.append(f"{name}: state is {entry['state']!r}; expected present or absent")
    if "definition" in entry and entry["definition"] not in definitions:
        problems.append(f"{name}: definition is {entry['definition']!r}; shipped are {', '.join(sorted(definitions))}")
    if entry.get("python") and not re.fullmatch(r"3\.\d+", entry["python"]):
        problems.append(f'{name}: python is {entry["python"]!r}; expected a version such as "3.12"')
    if entry.get("framework", "") not in ("", "keras", *FRAMEWORKS):
        problems.append(f"{name}: framework is {entry['framework']!r}; expected one of {', '.join(FRAMEWORKS)}, keras")
    return problems


def check_packages(name: str, wheels: Sequence[Any], conda: Sequence[Any]) -> list[str]:
    """What cannot be the name of a package, as sentences: nothing may pass as an option, a line or an address more."""
    problems = []
    for pattern, texts, example in (
        (REQUIREMENT, wheels, 'a requirement such as "polars" or "numpy>=2"'),
        (MATCH_SPEC, conda, 'a match spec such as "ffmpeg" or "graphviz >=12"'),
    ):
        for text in texts:
            if not isinstance(text, str) or len(text) > LONGEST or not text.isascii() or not pattern.match(text):
                problems.append(f"{name}: {str(text)[:LONGEST]!r} is not {example}")
            elif re.search(r"://[^/\s]*@", text):
                where = re.sub(r"://[^/\s]*@", "://********@", text)
                problems.append(
                    f"{name}: {where!r} has credentials in it, which would end in locks; name the package, and its "
                    "index in wheel_indexes"
                )
    return problems


def check_mixture(name: str, framework: str, wheels: Sequence[str]) -> list[str]:
    """Refuse a second framework in one environment. `wheels` are the owner's, without the framework's own."""
    named = frameworks_in(wheels)
    if framework == "keras" and named:
        return [f"{name}: keras runs on the backend that the plan chose; take {', '.join(named)} out of its wheels"]
    both = sorted({framework, *named} - {""})
    if len(both) < 2:
        return []
    return [
        f"{name}: {' and '.join(both)} in one environment. Their CUDA libraries own the same files and overwrite each "
        "other without a warning; give each framework its own environment"
    ]


def from_plan(framework: str, plan: Mapping[str, Any], fallback: Sequence[str]) -> dict[str, Any]:
    """What the plan says of a framework: wheels, build, python, index_url, gpu, note, refused."""
    if not framework:
        return {"wheels": []}
    frameworks = plan.get("frameworks") or {}
    if not frameworks:
        return {"wheels": list(fallback), "note": "no plan of this machine: the index's default build"}
    chosen = frameworks.get(framework) or {}
    if not chosen.get("requirements") and not chosen.get("conda"):
        told = [r for r in plan.get("refusals") or [] if r.get("component") == framework]
        reason = " ".join(f"{r.get('message', '')} {r.get('remedy', '')}".strip() for r in told)
        return {
            "wheels": [],
            "refused": reason or f"the plan has no {framework} for this machine. {chosen.get('note') or ''}".strip(),
        }
    return {
        "wheels": [*(chosen.get("requirements") or []), *(chosen.get("companions") or [])],
        "conda": list(chosen.get("conda") or []),
        "variables": {"KERAS_BACKEND": KERAS_NAMES[chosen["backend"]]} if chosen.get("backend") in KERAS_NAMES else {},
        "build": str(chosen.get("build") or ""),
        "python": str(chosen.get("python") or ""),
        "index_url": chosen.get("index_url") or "",
        "gpu": bool(chosen.get("gpu")),
        "note": str(chosen.get("note") or ""),
    }


def resolve_entry(
    entry: Mapping[str, Any],
    definitions: Mapping[str, Any],
    plan: Mapping[str, Any],
    root: str,
    channels: Sequence[str],
    python: str,
) -> tuple[EnvironmentSpec, list[str]]:
    """One checked entry -> its request and what is wrong with it."""
    name = entry["name"]
    shipped = definitions.get(entry.get("definition", name), {})
    have = {**shipped, **entry}
    framework = have.get("framework", "")
    planned = from_plan(framework, plan, shipped.get("requirements", [framework]))
    own_conda = [*have.get("conda", []), *have.get("extra_conda", [])]
    problems = check_packages(
        name,
        [*planned["wheels"], *have.get("wheels", []), *have.get("extra_wheels", [])],
        [*planned.get("conda", []), *own_conda, *have.get("optional", [])],
    )
    if problems:
        return EnvironmentSpec(name, root), problems
    own_wheels = merged(have.get("wheels", []), have.get("extra_wheels", []))
    problems = check_mixture(name, framework, own_wheels)
    asked = {requirement_name(text) for text in [*own_wheels, *own_conda]}
    problems += [f"{name}: {reason}" for reason in sorted({ENDED[each] for each in asked & ENDED.keys()})]
    gpus = [gpu for gpu in plan.get("gpus") or [] if gpu.get("usable")]
    # A shipped definition may say "" for "any Python"; the plan decides for a framework; the owner before both.
    version = entry.get("python") or planned.get("python") or have.get("python", python)
    note = planned.get("note", "") or shipped.get("note", "")
    if framework and not planned.get("gpu") and not note and plan:
        note = "no usable GPU: the CPU build"
    index_url = planned.get("index_url", "")
    if index_url and not (index_url.startswith(FRAMEWORK_INDEXES) and re.fullmatch(r"[!-?A-~]+", index_url)):
        problems.append(f"{name}: the plan's index {index_url!r} is none of {', '.join(FRAMEWORK_INDEXES)}")
    request = EnvironmentSpec(
        name=name,
        prefix=root if name == "base" else f"{root}/envs/{name}",
        description=have.get("description", ""),
        python=version,
        conda=[*planned.get("conda", []), *own_conda],
        optional=list(have.get("optional", [])),
        wheels=merged(planned["wheels"], own_wheels),
        framework=framework,
        build=planned.get("build", ""),
        gpu=planned.get("gpu", False),
        index_url=index_url,
        note=note,
        refused=planned.get("refused", ""),
        kernel=have.get("kernel", True),
        frozen=have.get("frozen", True),
        variables={
            key: str(value)
            for source in (planned.get("variables", {}), shipped.get("variables", {}), entry.get("variables", {}))
            for key, value in source.items()
        },
        channels=list(channels),
        cuda=str((plan.get("cuda") or {}).get("version") or "") if gpus else "",
        architectures=sorted({str(gpu.get("architecture")) for gpu in gpus}) if framework else [],
    )
    if request.kernel and not any(requirement_name(w) == "ipykernel" for w in [*request.wheels, *request.conda]):
        request.wheels.append("ipykernel")
    # What the owner asked for, without what the plan chose: a lock stays good while this is the same.
    request.declared = {
        "python": entry.get("python", ""),
        "conda": sorted(own_conda),
        "wheels": sorted(own_wheels),
        "framework": framework,
    }
    return request, problems


def resolve(
    entries: Sequence[Any],
    definitions: Mapping[str, Any],
    plan: Mapping[str, Any],
    root: str,
    channels: Sequence[str],
    python: str,
    machine: str = "",
) -> tuple[list[EnvironmentSpec], list[str], list[str]]:
    """All entries -> requests of the present ones, names of the absent ones, problems (sentences, all at once).

    machine: the host's CPU as `uname -m` names it, "" where only the plan knows it.
    """
    cpus = {machine, str((plan.get("os") or {}).get("arch") or "")} - {"", *CHOSEN_FOR}
    if cpus and any(isinstance(entry, Mapping) and entry.get("state") != "absent" for entry in entries):
        told = f"this host's CPU is {', '.join(sorted(cpus))}, and packages are chosen for {', '.join(CHOSEN_FOR)} only"
        return [], [], [f"conda_environments: {told}; set it to [] and conda_base to false"]
    problems = [
        f"channels: {channel!r} is Anaconda's `defaults`, whose terms differ; use conda-forge or a mirror of it"
        for channel in channels
        if DEFAULTS.match(channel)
    ]
    requests, absent, seen = [], [], set()
    for entry in entries:
        wrong = check_entry(entry, definitions)
        if wrong:
            problems += wrong
            continue
        if entry["name"] in seen:
            problems.append(f"environments: {entry['name']} is there twice")
        seen.add(entry["name"])
        if entry.get("state") == "absent":
            if entry["name"] == "base":
                problems.append("environments: base holds all others and cannot be absent")
            absent.append(entry["name"])
            continue
        request, wrong = resolve_entry(entry, definitions, plan, root, channels, python)
        requests.append(request)
        problems += wrong
    return requests, absent, problems
