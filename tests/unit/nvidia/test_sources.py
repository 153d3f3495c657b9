"""apt's sources: both formats read, missing components found at the host's own mirror, foreign origins told."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.dlbox.workstation.plugins.module_utils.nvidia import sources

DEB822 = """\
# The archive
Types: deb deb-src
URIs: http://mirror.example/ubuntu/ http://other.example/ubuntu
Suites: noble noble-updates
Components: main
 restricted
Signed-By: /usr/share/keyrings/ubuntu.gpg

Types: deb-src
URIs: http://mirror.example/source
Suites: noble
Components: main

Enabled: no
Types: deb
URIs: http://mirror.example/off
Suites: noble
Components: main
"""
KEY = "-----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n mQINBF\n -----END PGP PUBLIC KEY BLOCK-----"


def test_the_one_line_format_is_read() -> None:
    text = (
        "# deb http://x.example a b\ndeb-src http://x.example noble main\n"
        "deb [arch=amd64 signed-by=/k.gpg] http://x.example/u noble main universe # remark\n"
        "deb http://x.example/flat ./\ndeb broken\n"
    )
    first, flat = sources.parse_list(text, "f")
    assert (first.uri, first.suites, first.components) == ("http://x.example/u", ("noble",), ("main", "universe"))
    assert first.signed_by == "/k.gpg" and flat.suites == ("./",) and flat.components == ()


def test_deb822_is_read() -> None:
    first, second, off = sources.parse_deb822(DEB822, "f")
    assert first.components == ("main", "restricted") and first.suites == ("noble", "noble-updates")
    assert second.uri == "http://other.example/ubuntu" and first.enabled and not off.enabled


def test_an_armoured_key_in_a_stanza_comes_out_as_it_went_in() -> None:
    text = f"Types: deb\nURIs: http://x.example\nSuites: noble\nComponents: main\nSigned-By:\n {KEY}\n"
    (entry,) = sources.parse_deb822(text, "f")
    (again,) = sources.parse_deb822(sources.render([entry], "header"), "f")
    assert again.signed_by == entry.signed_by and "mQINBF" in again.signed_by


def test_all_files_are_read_and_others_are_not(tmp_path: Path) -> None:
    parts = tmp_path / "etc/apt/sources.list.d"
    parts.mkdir(parents=True)
    (tmp_path / "etc/apt/sources.list").write_text("deb http://a.example trixie main\n")
    (parts / "b.list").write_text("deb http://b.example trixie main\n")
    (parts / "c.sources").write_text("Types: deb\nURIs: http://c.example\nSuites: trixie\nComponents: main\n")
    (parts / "d.list.save").write_text("deb http://d.example trixie main\n")
    assert [entry.uri[7] for entry in sources.read_sources(tmp_path)] == ["a", "b", "c"]


def entry(suites: str, components: str, uri: str = "http://m.example/debian", file: str = "f") -> sources.Entry:
    return sources.Entry(file, uri, tuple(suites.split()), tuple(components.split()), "/k.gpg")


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
