"""apt's sources: missing components found at the host's own mirror, foreign origins told."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.dlbox.workstation.plugins.module_utils.host.apt_sources import SourceEntry, parse
from ansible_collections.dlbox.workstation.plugins.module_utils.nvidia import sources

KEY = "-----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n mQINBF\n -----END PGP PUBLIC KEY BLOCK-----"


def test_an_armoured_key_in_a_stanza_comes_out_as_it_went_in() -> None:
    text = f"Types: deb\nURIs: http://x.example\nSuites: noble\nComponents: main\nSigned-By:\n {KEY}\n"
    (entry,) = parse(text, "f.sources")
    (again,) = parse(sources.render([entry], "header"), "f.sources")
    assert again.signed_by == entry.signed_by and "mQINBF" in again.signed_by


def entry(suites: str, components: str, uri: str = "http://m.example/debian", file: str = "f") -> SourceEntry:
    return SourceEntry(file, uri, tuple(suites.split()), tuple(components.split()), "/k.gpg")


def test_missing_components_are_taken_where_the_host_takes_the_rest() -> None:
    have = [entry("trixie trixie-updates", "main contrib"), entry("trixie-security", "main", "http://s.example/debian")]
    out = sources.missing(have, "trixie", ["contrib", "non-free"], "own")
    assert [(item.uri, item.suites, item.components) for item in out] == [
        ("http://m.example/debian", ("trixie", "trixie-updates"), ("non-free",)),
        ("http://s.example/debian", ("trixie-security",), ("contrib", "non-free")),
    ]
    assert {item.signed_by for item in out} == {"/k.gpg"}, "apt refuses two keyrings for one suite"


def test_nothing_is_missing_twice() -> None:
    have = [entry("trixie", "main"), entry("trixie", "non-free", "http://m.example/debian/")]
    assert sources.missing(have, "trixie", ["non-free"], "own") == []
    own = [*have[:1], entry("trixie", "non-free", file="own")]
    assert len(sources.missing(own, "trixie", ["non-free"], "own")) == 1, "its own file is written anew"
    assert sources.render([], "header") == ""


def test_other_repositories_are_not_the_distribution() -> None:
    others = [
        entry("noble", "main", "https://ppa.launchpadcontent.net/graphics-drivers/ppa/ubuntu"),
        entry("stable", "main", "https://download.example/docker"),
        entry("noble", "universe"),
    ]
    assert sources.distribution_entries(others, "noble") == []
    assert sources.distribution_entries([entry("noble-updates", "main")], "noble")


def test_what_is_off_or_has_sources_alone_offers_nothing() -> None:
    off = [
        replace(entry("noble", "main universe"), **change) for change in ({"enabled": False}, {"types": ("deb-src",)})
    ]
    assert sources.distribution_entries(off, "noble") == []
    (lacking,) = sources.missing([*off, entry("noble", "main")], "noble", ["universe"], "own")
    assert lacking.components == ("universe",)


@pytest.mark.parametrize(
    ("uri", "kind"),
    [
        ("https://ppa.launchpadcontent.net/graphics-drivers/ppa/ubuntu", "ppa"),
        ("http://ppa.launchpad.net/graphics-drivers/ppa/ubuntu", "ppa"),
        ("https://developer.download.nvidia.com/compute/cuda/repos/ubuntu2404/x86_64/", "repository"),
        ("file:///var/cuda-repo-ubuntu2404-12-9-local", "repository"),
        ("https://nvidia.github.io/libnvidia-container/stable/deb/amd64", None),
        ("http://archive.ubuntu.com/ubuntu", None),
    ],
)
def test_foreign_origins_of_drivers_are_told(uri: str, kind: str | None) -> None:
    found = sources.foreign([entry("x", "", uri)], ["own"])
    assert [what for what, _entry in found] == ([kind] if kind else [])
    assert sources.foreign([entry("x", "", uri, file="own")], ["own"]) == []
