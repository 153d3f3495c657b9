"""Package archives: where this machine gets its own from, and what their indexes say of drivers, kernels and CUDA."""

from __future__ import annotations

import gzip
import hashlib
import io
import lzma
import re
import subprocess
import tarfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from .edit import set_values
from .schema import SystemRow
from .web import get

#: Suites of a Debian release beside its own: mirror's name after "debian", suite after the code name.
DEBIAN_SUITES = (("", ""), ("", "-updates"), ("-security", "-security"))
UBUNTU_SUITES = ("", "-updates", "-security")
Packages = dict[str, dict[str, str]]


def own_mirror(apt: Path = Path("/etc/apt"), distribution: str = "debian") -> str:
    """Return a distribution's mirror in this machine's apt sources; raises ValueError where there is none."""
    files = [apt / "sources.list", *sorted((apt / "sources.list.d").glob("*"))]
    pattern = rf"^(?:deb\s+(?:\[[^\]]*\]\s+)?|URIs:\s*)(https?://\S+/{distribution})/?(?:\s|$)"
    for path in files:
        text = path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
        match = re.search(pattern, text, re.MULTILINE)
        if match:
            return match.group(1)
    raise ValueError(f"no {distribution} mirror in /etc/apt: give --mirror {distribution}=ADDRESS")


def parse_packages(text: str) -> Packages:
    """Return package -> fields of an index; of several versions the last one."""
    found: Packages = {}
    for stanza in text.split("\n\n"):
        fields = dict(re.findall(r"^([A-Za-z0-9-]+): ?((?:.*(?:\n[ \t].*)*))", stanza, re.MULTILINE))
        if "Package" in fields:
            found[fields["Package"]] = fields
    return found


def upstream(version: str) -> str:
    """Return the upstream version of a package's: ``1:535.309.01-0+deb12u1`` gives 535.309.01."""
    return re.split(r"[-~+]", version.partition(":")[2] or version)[0]


def tested_linux(description: str) -> str | None:
    """Return the newest Linux series that a package's text says it was built on, None when it does not say."""
    match = re.search(r"tested\s+up\s+to\s+Linux\s+(\d+\.\d+)", description)
    return match.group(1) if match else None


def fetch_packages(mirror: str, suite: str, components: Iterable[str], translations: bool = False) -> Packages:
    """Return a suite's packages for amd64; raises SourceUnreachable. translations: with the long descriptions."""
    result: Packages = {}
    for component in components:
        base = f"{mirror}/dists/{suite}/{component}"
        for name, fields in parse_packages(unpack(get(f"{base}/binary-amd64/Packages.xz"))).items():
            result[name] = fields
        if translations:
            for name, fields in parse_packages(unpack(get(f"{base}/i18n/Translation-en.xz"))).items():
                result.get(name, {}).setdefault("Long", fields.get("Description-en", ""))
    return result


def unpack(content: bytes) -> str:
    """Return the text of a compressed index."""
    if content[:2] == b"\x1f\x8b":
        return gzip.decompress(content).decode()
    return lzma.decompress(content).decode()


def _newest(suites: Iterable[Packages]) -> Packages:
    """Return the packages of several suites, of each the newest version, with the first long description kept."""
    result: Packages = {}
    for packages in suites:
        for name, fields in packages.items():
            old = result.get(name)
            if old is None or _order(fields["Version"]) >= _order(old["Version"]):
                result[name] = {**({"Long": old["Long"]} if old and "Long" in old else {}), **fields}
    return result


def _order(version: str) -> list[tuple[int, str]]:
    return [(int(number or 0), text) for number, text in re.findall(r"(\d*)(\D*)", version)]


def read_release(system: SystemRow, mirror: str) -> Packages:
    """Return the packages of a release with its updates; raises SourceUnreachable."""
    release = system.release
    if release.id == "debian":
        components = ["main", *release.driver_components]
        return _newest(
            fetch_packages(f"{mirror}{ending}", f"{release.codename}{suite}", components, translations=not suite)
            for ending, suite in DEBIAN_SUITES
        )
    components = ["main", "restricted", "universe", "multiverse"]
    return _newest(fetch_packages(mirror, f"{release.codename}{suite}", components) for suite in UBUNTU_SUITES)


def renew(text: str, system: SystemRow, packages: Mapping[str, Mapping[str, str]]) -> tuple[str, list[str]]:
    """Return (a release's file with what its archive says, remarks for a person)."""
    remarks: list[str] = []
    key = f"{system.release.id}-{system.release.version}"
    for offer in system.drivers.offer:
        name = offer.packages[0] if offer.packages else f"nvidia-driver-{offer.branch}{'-server' * offer.server}"
        if name not in packages and system.release.id == "ubuntu":
            name += "-open"
        fields = packages.get(name)
        if fields is None:
            remarks.append(f"{key}: the archive has no {name}: remove the offer")
            continue
        version = upstream(fields["Version"])
        changes: dict[str, object] = {"version": version}
        if int(version.partition(".")[0]) != offer.branch:
            remarks.append(f"{key}: {name} is {version} now, the offer is branch {offer.branch}: review the table")
            continue
        dkms = next((one for one in offer.packages if one.endswith("-dkms")), "")
        limit = tested_linux(packages.get(dkms, {}).get("Long", ""))
        if limit:
            changes["tested_linux"] = limit

        def same(row: Any, offer: Any = offer) -> bool:
            return (row["branch"], row["modules"], row.get("server", False)) == (
                offer.branch,
                offer.modules,
                offer.server,
            )

        text = set_values(text, "[[drivers.offer]]", changes, same)
    for toolkit in system.cuda.toolkit:
        fields = packages.get(toolkit.packages[0])
        if fields is None:
            remarks.append(f"{key}: the archive has no {toolkit.packages[0]}")
        elif system.release.id == "debian":
            text = set_values(
                text,
                "[[cuda.toolkit]]",
                {"version": upstream(fields["Version"])},
                lambda row, name=toolkit.packages[0]: row["packages"][0] == name,  # type: ignore[misc]
            )
    kernel = _default_kernel(system, packages)
    if kernel:
        text = set_values(text, "[kernels]", {"default": kernel})
    return text, remarks


def _default_kernel(system: SystemRow, packages: Mapping[str, Mapping[str, str]]) -> str:
    """Return ``uname -r`` of the newest kernel of the release's first general flavour, "" when it is not there."""
    depends = packages.get(f"linux-image-{system.kernels.general[0]}", {}).get("Depends", "")
    match = re.search(r"linux-image-(?:unsigned-)?(\d\S*)", depends)
    return match.group(1) if match else ""


def toolkits_of(packages: Mapping[str, Mapping[str, str]]) -> list[str]:
    """Return the CUDA series of a directory of NVIDIA's repository, oldest first."""
    found = [re.fullmatch(r"cuda-toolkit-(\d+)-(\d+)", name) for name in packages]
    return [f"{major}.{minor}" for major, minor in sorted((int(one[1]), int(one[2])) for one in found if one)]


def package_file(mirror: str, suite: str, package: str, path: str) -> str:
    """Return a text out of a package of a Debian suite, checked against the sha256 of the suite's index.

    Needs dpkg-deb; raises SourceUnreachable, ValueError.
    """
    index = parse_packages(unpack(get(f"{mirror}/dists/{suite}/main/binary-all/Packages.xz")))
    if package not in index:
        raise ValueError(f"suite {suite} has no package {package}")
    content = get(f"{mirror}/{index[package]['Filename']}")
    if hashlib.sha256(content).hexdigest() != index[package]["SHA256"]:
        raise ValueError(f"{index[package]['Filename']}: sha256 differs from the index")
    unpacked = subprocess.run(
        ["dpkg-deb", "--fsys-tarfile", "/dev/stdin"], input=content, check=True, capture_output=True
    ).stdout
    with tarfile.open(fileobj=io.BytesIO(unpacked)) as tar:
        member = tar.extractfile(f".{path}")
        if member is None:
            raise ValueError(f"package {package} holds no {path}")
        return member.read().decode("utf-8", "replace")
