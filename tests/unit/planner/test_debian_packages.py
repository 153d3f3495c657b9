"""Debian's package names and versions in the data are those of Debian's indices, read for real."""

from __future__ import annotations

import lzma
import urllib.request

import pytest
from ansible_collections.dlbox.workstation.plugins.plugin_utils.planner.data.systems import (
    DEBIAN_COMPONENTS,
    DISTRO_CUDNN,
    DISTRO_TOOLKITS,
    OFFERS,
    SYSTEMS,
)
from ansible_collections.dlbox.workstation.plugins.plugin_utils.planner.planner import plan
from planner_machines import AS_OF, machine
from update_data.archive import own_mirror


def packages(suite: str, component: str, mirror: str) -> dict[str, str]:
    """Return package -> version of one component of a suite."""
    with urllib.request.urlopen(f"{mirror}/dists/{suite}/{component}/binary-amd64/Packages.xz", timeout=120) as answer:
        text = lzma.decompress(answer.read()).decode()
    result = {}
    for stanza in text.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in stanza.splitlines() if ": " in line and line[0] != " ")
        if "Package" in fields:
            result[fields["Package"]] = fields["Version"]
    return result


@pytest.fixture(scope="module")
def archive() -> dict[str, dict[str, str]]:
    """Return system -> package -> version, or skip where no mirror answers."""
    try:
        mirror = own_mirror()
        return {
            key: {
                name: version
                for component in DEBIAN_COMPONENTS
                for name, version in packages(SYSTEMS[key].codename, component, mirror).items()
            }
            for key in ("debian-12", "debian-13")
        }
    except (OSError, ValueError) as error:
        pytest.skip(f"no Debian mirror answers: {error}")


@pytest.mark.full
@pytest.mark.parametrize("headless", [False, True])
def test_debian_has_the_packages_the_plan_names(archive: dict[str, dict[str, str]], headless: bool) -> None:
    for offer in OFFERS:
        if offer.source != "debian" or offer.broken:
            continue
        gpu = "Tesla K80" if offer.branch == 470 else "RTX 3090"
        # the series' first kernel, on which everything builds
        kernel = "6.1.0-56-amd64" if offer.system == "debian-12" else "6.12.48+deb13-amd64"
        preferences = {"today": AS_OF, "headless": headless,
                  "pins": {"driver": f"{offer.branch}-{offer.modules}", "driver_source": "debian"}}  # fmt: skip
        driver = plan(machine(gpu, os=offer.system, kernel=kernel), preferences)["driver"]
        missing = {name for name in driver["packages"] if not name.startswith("linux-headers")} - set(
            archive[offer.system]
        )
        assert missing == set(), offer


@pytest.mark.full
def test_debians_branches_toolkits_and_cudnn_are_of_the_versions_in_the_data(
    archive: dict[str, dict[str, str]],
) -> None:
    for offer in OFFERS:
        if offer.source == "debian" and not offer.broken:
            # a point release may be newer, and security's is not in this index; the branch is the promise
            assert archive[offer.system][offer.packages[0]].split(".")[0] == str(offer.branch)
    for key, known in archive.items():
        for series, _, names in DISTRO_TOOLKITS[key]:
            assert all(known[name].startswith(series + ".") for name in names)
        for (system, major), (version, names) in DISTRO_CUDNN.items():
            if system == key:
                assert all(known[name].startswith(version) and f"cuda{major}" in known[name] for name in names)
