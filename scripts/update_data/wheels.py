"""What a package index says of the frameworks' wheels: Pythons, architectures, CUDA, cuDNN, compiled code."""

from __future__ import annotations

import ast
import email
import html
import json
import re
import urllib.parse
import zipfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename
from packaging.version import Version

from .edit import set_values
from .web import RemoteFile, SourceUnreachable, get

SIMPLE = "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1"
PLATFORMS = {"x86_64": re.compile(r"manylinux.*x86_64$"), "aarch64": re.compile(r"manylinux.*aarch64$")}
#: The members of a wheel that say what a framework was built with.
TORCH_VERSION, TORCH_LIBRARY = "torch/version.py", "torch/lib/libtorch_python.so"
TENSORFLOW_INFO = "tensorflow/python/platform/build_info.py"
BUILD_INFO = {"torch": (TORCH_VERSION, TORCH_LIBRARY), "tensorflow": (TENSORFLOW_INFO,)}


@dataclass(frozen=True)
class Wheel:
    """One wheel: minor versions of Python 3 (0: any), architectures of the CPU ("any" for pure Python)."""

    name: str
    version: Version
    pythons: frozenset[int]
    architectures: frozenset[str]
    url: str
    requires_python: str
    yanked: bool


def parse_index(content: str, base: str) -> list[Wheel]:
    """Return the wheels of a project's page of the simple API, JSON or HTML. Free-threaded builds are left out."""
    if content.lstrip().startswith("{"):
        entries = [
            (one["filename"], one["url"], one.get("requires-python") or "", bool(one.get("yanked")))
            for one in json.loads(content)["files"]
        ]
    else:
        entries = []
        for attributes, text in re.findall(r"<a\s([^>]*)>([^<]*)</a>", content):
            values = {name: html.unescape(value) for name, value in re.findall(r'([\w-]+)="([^"]*)"', attributes)}
            yanked = "data-yanked" in attributes
            entries.append((text.strip(), values.get("href", ""), values.get("data-requires-python", ""), yanked))
    wheels = []
    for filename, url, requires, yanked in entries:
        try:
            name, version, _, tags = parse_wheel_filename(filename)
        except InvalidWheelFilename:
            continue
        pythons, machines = set(), set()
        for tag in tags:
            match = re.fullmatch(r"cp3(\d+)", tag.interpreter)
            if match and tag.abi in (tag.interpreter, "none"):
                pythons.add(int(match.group(1)))
            elif tag.interpreter in ("py3", "py2.py3") or (match and tag.abi == "abi3"):
                pythons.add(0)
            machines |= {name for name, pattern in PLATFORMS.items() if pattern.match(tag.platform)}
            machines |= {"any"} if tag.platform == "any" else set()
        if pythons and machines:
            address = urllib.parse.urljoin(base, url.partition("#")[0])
            wheels.append(Wheel(name, version, frozenset(pythons), frozenset(machines), address, requires, yanked))
    return wheels


def pythons(wheels: Iterable[Wheel], version: str, machine: str) -> list[str]:
    """Return the Pythons ("3.12") for which a release has wheels on an architecture."""
    found: set[int] = set()
    for wheel in wheels:
        if wheel.version == Version(version) and wheel.architectures & {machine, "any"} and not wheel.yanked:
            allowed = SpecifierSet(wheel.requires_python)
            minors = wheel.pythons if 0 not in wheel.pythons else range(8, 20)
            found |= {minor for minor in minors if allowed.contains(f"3.{minor}.99")}
    return [f"3.{minor}" for minor in sorted(found)]


def parse_metadata(text: str) -> tuple[str | None, str | None]:
    """Return (CUDA series, cuDNN) that a wheel's metadata asks for exactly, None for what it does not pin."""
    cuda = cudnn = None
    for line in email.message_from_string(text).get_all("Requires-Dist") or ():
        need = Requirement(line)
        exact = next((one.version for one in need.specifier if one.operator == "=="), None)
        if exact is None:
            continue
        name = canonicalize_name(need.name)
        if re.fullmatch(r"cuda-toolkit|nvidia-cuda-runtime(-cu\d+)?", name):
            cuda = ".".join(exact.split(".")[:2])
        elif re.fullmatch(r"nvidia-cudnn-cu\d+", name):
            cudnn = exact
    return cuda, cudnn


def parse_torch_version(text: str) -> str | None:
    """Return the CUDA series in torch/version.py, None for a CPU build."""
    match = re.search(r"^cuda(?::[^=]*)? = '([\d.]+)'", text, re.MULTILINE)
    return match.group(1) if match else None


def parse_torch_library(content: bytes) -> tuple[list[int], int]:
    """Return (compiled architectures, virtual one or 0) of PyTorch's libtorch_python.so, ([], 0) of a CPU build.

    The library holds what torch.cuda.get_arch_list() answers as one string, such as "sm_75 sm_80 compute_90".
    Architectures that run on one GPU alone (sm_90a) are left out: what goes with them is listed beside them.
    """
    match = re.search(rb"\0((?:sm|compute)_\d+[af]?(?: (?:sm|compute)_\d+[af]?)*) ?\0", content)
    words = match.group(1).decode().split() if match else []
    found = [re.fullmatch(r"(sm|compute)_(\d+)f?", word) for word in words]
    code = sorted({int(one.group(2)) for one in found if one and one.group(1) == "sm"})
    return code, max((int(one.group(2)) for one in found if one and one.group(1) == "compute"), default=0)


def parse_tensorflow_info(text: str) -> tuple[str | None, list[int], int]:
    """Return (CUDA series, compiled architectures, virtual one or 0) of TensorFlow's build_info.py."""
    match = re.search(r"build_info = collections\.OrderedDict\((.*)\)\s*$", text, re.DOTALL | re.MULTILINE)
    if match is None:
        raise ValueError("build_info.py has no build_info")
    values = dict(ast.literal_eval(match.group(1)))
    if not values.get("is_cuda_build"):
        return None, [], 0
    capabilities = [str(one) for one in values["cuda_compute_capabilities"]]
    code = sorted(int(one.removeprefix("sm_")) for one in capabilities if one.startswith("sm_"))
    ptx = max((int(one.removeprefix("compute_")) for one in capabilities if one.startswith("compute_")), default=0)
    return ".".join(str(values["cuda_version"]).split(".")[:2]), code, ptx


def members(url: str, names: Callable[[str], bool]) -> dict[str, bytes]:
    """Return some members of a remote wheel, read by range; raises SourceUnreachable."""
    try:
        with zipfile.ZipFile(cast(Any, RemoteFile(url))) as archive:
            return {name: archive.read(name) for name in archive.namelist() if names(name)}
    except zipfile.BadZipFile as error:
        raise SourceUnreachable(f"{url}: {error}") from error


def inspect(wheel: Wheel) -> dict[str, object]:
    """Return what a framework's wheel says of itself, by the keys of a build."""
    wanted = BUILD_INFO.get(wheel.name, ())
    found = members(wheel.url, lambda name: name in wanted or name.endswith(".dist-info/METADATA"))
    metadata = next((content for name, content in found.items() if name.endswith("METADATA")), b"")
    cuda, cudnn = parse_metadata(metadata.decode("utf-8", "replace"))
    result: dict[str, object] = {}
    if wheel.name == "torch":
        cuda = parse_torch_version(found.get(TORCH_VERSION, b"").decode("utf-8", "replace")) or cuda
        code, ptx = parse_torch_library(found.get(TORCH_LIBRARY, b""))
        result |= {"code": code} if code else {}
        result |= {"ptx": ptx} if ptx else {}
    elif wheel.name == "tensorflow" and TENSORFLOW_INFO in found:
        cuda, result["code"], result["ptx"] = parse_tensorflow_info(found[TENSORFLOW_INFO].decode("utf-8", "replace"))
        cudnn = None
    if cuda:
        result["cuda"] = cuda
    if cudnn:
        result["cudnn"] = cudnn
    return result


class PackageIndex:
    """Project pages of one index, each read once."""

    def __init__(self, url: str) -> None:
        """Start without pages."""
        self.url = url
        self.pages: dict[str, list[Wheel]] = {}

    def wheels(self, name: str) -> list[Wheel]:
        """Return the wheels of a project; raises SourceUnreachable."""
        if name not in self.pages:
            address = f"{self.url}/{name}/"
            self.pages[name] = parse_index(get(address, {"Accept": SIMPLE}).decode("utf-8", "replace"), address)
        return self.pages[name]

    def newest(self, name: str) -> Version | None:
        """Return a project's newest release that is neither a pre-release nor yanked."""
        found = [one.version for one in self.wheels(name) if not one.version.is_prerelease and not one.yanked]
        return max(found, default=None)


def _pinned(requirements: Iterable[str]) -> tuple[str, str, set[str]]:
    """Return (name, version, extras) of a build's first requirement; raises ValueError when it pins none."""
    need = Requirement(next(iter(requirements)))
    exact = [one.version for one in need.specifier if one.operator == "=="]
    if len(exact) != 1:
        raise ValueError(f"{need} pins no version")
    return canonicalize_name(need.name), exact[0], need.extras


def renew(text: str, rows: Iterable[Mapping[str, Any]], index: PackageIndex, deep: bool) -> tuple[str, list[str]]:
    """Return (a framework's file with what the index says, remarks for a person).

    Builds of other indexes and of conda are left as they are. deep: read CUDA, cuDNN and compiled code out of every
    wheel, not only out of those whose row lacks them.
    """
    remarks = []
    projects: dict[str, set[Version]] = {}
    for row in rows:
        if row.get("index_url") or not row.get("requirements"):
            continue
        name, version, extras = _pinned(row["requirements"])
        projects.setdefault(name, set()).add(Version(version))
        machines = row.get("architectures", ["x86_64"])
        parts = [name]
        if name == "jax":
            parts += ["jaxlib", *(f"jax-{extra}-plugin" for extra in extras)]
        have = [pythons(index.wheels(part), version, machine) for part in parts for machine in machines]
        common = [one for one in have[0] if all(one in other for other in have)]
        if not common:
            remarks.append(f"{name} {version} {row['build']} ({', '.join(machines)}): the index has no such wheel")
            continue
        changes: dict[str, object] = {"pythons": common}
        if row.get("cuda") and name in BUILD_INFO and (deep or not row.get("code")):
            wheel = next(
                one
                for one in index.wheels(name)
                if one.version == Version(version) and machines[0] in one.architectures and not one.yanked
            )
            changes.update(inspect(wheel))
        text = set_values(text, "[[build]]", changes, lambda other, row=row: other == row)  # type: ignore[misc]
    for name, known in projects.items():
        newest = index.newest(name)
        if newest and newest > max(known):
            remarks.append(f"{name} {newest} is on the index, the newest in the table is {max(known)}: add a [[build]]")
    return text, remarks
