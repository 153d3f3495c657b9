"""The data agrees with itself, and with the facts where those are a table."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from ansible_collections.dlbox.workstation.plugins.plugin_utils.planner.data.architectures import ARCHITECTURES
from ansible_collections.dlbox.workstation.plugins.plugin_utils.planner.data.boards import BOARDS
from ansible_collections.dlbox.workstation.plugins.plugin_utils.planner.data.cuda import NATIVE_BRANCH, TARGETS
from ansible_collections.dlbox.workstation.plugins.plugin_utils.planner.data.drivers import BRANCHES
from ansible_collections.dlbox.workstation.plugins.plugin_utils.planner.data.gpu_ids import rows
from ansible_collections.dlbox.workstation.plugins.plugin_utils.planner.data.systems import (
    NVIDIA_KEYS,
    NVIDIA_TOOLKITS,
    OFFERS,
    SYSTEMS,
    TRANSITIONAL,
    resolve_transitional,
)
from ansible_collections.dlbox.workstation.plugins.plugin_utils.planner.data.wheels import BUILDS
from ansible_collections.dlbox.workstation.plugins.plugin_utils.planner.refusals import REMEDIES
from ansible_collections.dlbox.workstation.plugins.plugin_utils.planner.versions import numbers

TOP = Path(__file__).resolve().parents[3]


def test_offers_name_known_systems_branches_and_flavours() -> None:
    for offer in OFFERS:
        assert offer.system in SYSTEMS and offer.branch in BRANCHES and offer.origin
        assert offer.modules in ("open", "proprietary")
        assert not (BRANCHES[offer.branch].open_only and offer.modules == "proprietary")
        assert set(offer.prebuilt) <= set(SYSTEMS[offer.system].flavours)


def test_no_transitional_name_is_an_offer_and_each_leads_to_one() -> None:
    for system, names in TRANSITIONAL.items():
        offered = {offer.branch for offer in OFFERS if offer.system == system and offer.source == "ubuntu"}
        for name in names:
            assert name not in offered
            assert resolve_transitional(system, name) in offered


@pytest.mark.parametrize(("system", "name", "real"), [
    ("ubuntu-22.04", 495, 580), ("ubuntu-24.04", 535, 580), ("ubuntu-24.04", 590, 595), ("ubuntu-26.04", 610, 615),
    ("ubuntu-26.04", 580, 580),
])  # fmt: skip
def test_transitional_names_are_followed_to_the_end(system: str, name: int, real: int) -> None:
    assert resolve_transitional(system, name) == real


def test_architectures_and_toolkits_agree() -> None:
    """PTXAS: the last toolkit of an architecture has it among its targets, the next one does not."""
    ordered = sorted(TARGETS, key=numbers)
    for arch in ARCHITECTURES.values():
        if arch.verdict != "plan":
            continue
        sm = arch.cc[0] * 10 + arch.cc[1]
        having = [series for series in ordered if sm in TARGETS[series]]
        assert having, arch.key
        if arch.last_cuda is not None:
            assert having[-1] == arch.last_cuda, arch.key
        else:
            assert having[-1] == ordered[-1], arch.key
        if numbers(arch.first_cuda) >= (11, 8):
            assert numbers(having[0]) >= numbers(arch.first_cuda), arch.key


def test_toolkits_on_offer_have_targets_and_a_driver() -> None:
    for toolkits in NVIDIA_TOOLKITS.values():
        for series in toolkits:
            assert series in TARGETS and series in NATIVE_BRANCH
    assert set(NVIDIA_KEYS) == set(NVIDIA_TOOLKITS)
    for key in NVIDIA_KEYS.values():
        assert re.fullmatch(r"[0-9A-F]{40}", key["fingerprint"])


def test_builds_carry_what_the_rules_need() -> None:
    for framework, builds in BUILDS.items():
        versions = [
            numbers(build.version)
            for build in builds
            if build.cuda and not build.index_url and not build.conda and "x86_64" in build.architectures
        ]
        assert versions == sorted(versions, reverse=True), framework
        for build in builds:
            assert build.source and (build.requirements or build.conda)
            assert build.pythons[0] <= build.pythons[1]
            if build.cuda is not None:
                assert build.cc and build.min_branch in (450, 525, 580)
                assert numbers(build.cuda)[:1] != (13,) or build.min_branch == 580


def test_boards_are_spelled_as_the_table_spells_them() -> None:
    from ansible_collections.dlbox.workstation.plugins.plugin_utils.planner.gpus import _board_key

    names = {_board_key(row.name) for row in rows()}
    assert set(BOARDS) - names == set()


def test_the_gpu_lists_name_their_source_and_licence() -> None:
    for name, words in (
        ("supported-gpus", ("supported-gpus.json", "zlib")),
        ("open-modules", ("README", "MIT")),
        ("pci-ids", ("BSD-3-Clause", "Martin Mares", "sha256")),
    ):
        text = (TOP / f"data/gpus/{name}.tsv").read_text(encoding="utf-8")
        assert all(word in text for word in words), name
    ids = [row.device for row in rows()]
    assert ids == sorted(ids) and len(set(ids)) > 1400


def test_the_core_has_no_input_or_output() -> None:
    """The planner imports nothing that could read a file, the clock or the network."""
    names = "os|io|sys|pathlib|subprocess|socket|urllib|time|random"
    forbidden = re.compile(rf"^\s*(?:import|from)\s+({names}|ansible)\b", re.MULTILINE)
    core = TOP / "plugins/plugin_utils/planner"
    for path in sorted(set(core.rglob("*.py")) - {core / "facts.py"}):  # which reads the schema
        text = path.read_text(encoding="utf-8")
        assert not forbidden.search(text), path
        assert "today()" not in text and "open(" not in text, path


def test_the_documentation_lists_every_code() -> None:
    text = (TOP / "docs/planner.md").read_text(encoding="utf-8")
    sources = "".join(path.read_text(encoding="utf-8")
                      for path in (TOP / "plugins/plugin_utils/planner").glob("*.py"))  # fmt: skip
    written = set(re.findall(r'(?:add\(|_item\(|_warning\()\s*"([a-z_0-9]+)"', sources)) | set(REMEDIES)
    assert {code for code in written if f"`{code}`" not in text} == set()
