"""apt's sources: both formats are read."""

from __future__ import annotations

from pathlib import Path

from ansible_collections.dlbox.workstation.plugins.module_utils.host import apt_sources

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


def test_the_one_line_format_is_read() -> None:
    text = (
        "# deb http://x.example a b\ndeb-src http://x.example noble main\n"
        "deb [arch=amd64 signed-by=/k.gpg] http://x.example/u noble main universe # remark\n"
        "deb http://x.example/flat ./\ndeb broken\n"
    )
    source, first, flat = apt_sources.parse(text, "f.list")
    assert (first.uri, first.suites, first.components) == ("http://x.example/u", ("noble",), ("main", "universe"))
    assert first.signed_by == "/k.gpg" and flat.suites == ("./",) and flat.components == ()
    assert source.types == ("deb-src",) and not source.used and first.used


def test_deb822_is_read() -> None:
    first, second, source, off = apt_sources.parse(DEB822, "f.sources")
    assert first.components == ("main", "restricted") and first.suites == ("noble", "noble-updates")
    assert second.uri == "http://other.example/ubuntu" and first.used and not source.used and not off.used


def test_a_source_without_signature_is_told_in_both_formats() -> None:
    lines = "deb [trusted=yes] http://x.example a b\ndeb\t[ Allow-Insecure=yes lang=en ]\thttp://x a\ndeb http://x a\n"
    assert [entry.trusted for entry in apt_sources.parse(lines, "f.list")] == [True, True, False]
    stanza = "Types: deb\nURIs: http://x.example\nSuites: a\nTrusted: yes\n"
    assert apt_sources.parse(stanza, "f.sources")[0].trusted


def test_all_files_are_read_and_others_are_not(tmp_path: Path) -> None:
    parts = tmp_path / "etc/apt/sources.list.d"
    parts.mkdir(parents=True)
    (tmp_path / "etc/apt/sources.list").write_text("deb http://a.example trixie main\n")
    (parts / "b.list").write_text("deb http://b.example trixie main\n")
    (parts / "c.sources").write_text("Types: deb\nURIs: http://c.example\nSuites: trixie\nComponents: main\n")
    (parts / "d.list.save").write_text("deb http://d.example trixie main\n")
    assert [entry.uri[7] for entry in apt_sources.read_sources(tmp_path)] == ["a", "b", "c"]
