"""os-release is read as its manual page describes it."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.dlbox.workstation.plugins.module_utils.host.os_release import (
    parse,
    read_os_release,
    release_name,
)


def test_fields_are_read_with_and_without_quotes() -> None:
    fields = parse('NAME="Ubuntu"\nID=ubuntu\nVERSION_ID="24.04"\n# comment\n')
    assert (fields["ID"], fields["VERSION_ID"], fields["NAME"]) == ("ubuntu", "24.04", "Ubuntu")


def test_quoting_is_the_shell_s() -> None:
    text = 'NAME=\'It"s\'\nPRETTY_NAME="a \\"b\\" \\$c \\\\ d"\nEMPTY=""\n#ID=no\n ID=no\nVARIANT=x  \n'
    assert parse(text) == {"NAME": 'It"s', "PRETTY_NAME": 'a "b" $c \\ d', "EMPTY": "", "VARIANT": "x"}


@pytest.mark.parametrize("text", ["", "\ufffd\ufffd=\0\n===", "no equals sign"])
def test_what_is_no_field_is_left_out(text: str) -> None:
    assert parse(text) == {}


def test_the_vendor_s_file_counts_where_etc_has_none(tmp_path: Path) -> None:
    assert read_os_release(tmp_path) == {}
    for place, name in (("usr/lib", "debian"), ("etc", "mine")):
        (tmp_path / place).mkdir(parents=True)
        (tmp_path / place / "os-release").write_text(f"ID={name}\n")
        assert read_os_release(tmp_path) == {"ID": name}


def test_the_release_is_named_as_in_os_release() -> None:
    assert release_name(parse('NAME="Ubuntu"\nVERSION_ID="24.04"\nID=ubuntu\n')) == "ubuntu-24.04"
    assert release_name(parse("ID=debian\nVERSION_ID=13\n# a comment\n")) == "debian-13"
    assert release_name({}) == ""
