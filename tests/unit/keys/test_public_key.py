from __future__ import annotations

import base64
import struct
import subprocess
from pathlib import Path

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.dlbox.workstation.plugins.filter.public_keys import admin_problems, public_keys
from ansible_collections.dlbox.workstation.plugins.module_utils.public_key import (
    MalformedKey,
    parse,
    parse_lines,
    read,
    read_lines,
)
from hypothesis import given
from hypothesis import strategies as st


def wire(*fields: bytes) -> str:
    return base64.b64encode(b"".join(struct.pack(">I", len(field)) + field for field in fields)).decode()


ED25519 = "ssh-ed25519 " + wire(b"ssh-ed25519", bytes(range(32)))


@pytest.fixture(scope="session")
def generated(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Real keys of each kind from the real ssh-keygen."""
    folder = tmp_path_factory.mktemp("keys")
    keys = {}
    for name, options in {
        "ed25519": ["-t", "ed25519"],
        "ecdsa": ["-t", "ecdsa"],
        "rsa3072": ["-t", "rsa", "-b", "3072"],
        "rsa2048": ["-t", "rsa", "-b", "2048"],
    }.items():
        path = folder / name
        subprocess.run(["ssh-keygen", "-q", "-N", "", "-C", "ada@laptop", "-f", path, *options], check=True)
        keys[name] = path.with_suffix(".pub").read_text().strip()
        shown = subprocess.run(["ssh-keygen", "-lf", path], check=True, capture_output=True, text=True).stdout
        keys[f"{name}.fingerprint"] = shown.split()[1]
    return keys


@pytest.mark.parametrize("kind", ["ed25519", "ecdsa", "rsa3072"])
def test_real_keys_are_read_back_whole(generated: dict[str, str], kind: str) -> None:
    key = parse(generated[kind])
    assert key.line == generated[kind]
    assert key.comment == "ada@laptop"
    assert key.fingerprint == generated[f"{kind}.fingerprint"]


def test_weak_rsa_is_refused_with_its_size(generated: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"RSA with 2048 bit .* ed25519"):
        parse(generated["rsa2048"])
    assert read(generated["rsa2048"]).bits == 2048, "what is already on a host is only read"


def test_options_with_quoted_blanks_are_kept() -> None:
    key = parse(f'from="10.0.0.0/8",command="echo a b" {ED25519} ada')
    assert key.options == 'from="10.0.0.0/8",command="echo a b"'
    assert key.option_list == ['from="10.0.0.0/8"', 'command="echo a b"']
    assert read(f'from="10.0.0.0/8,192.168.1.7",no-pty {ED25519}').option_list[1:] == ["no-pty"]
    assert key.type == "ssh-ed25519"


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("", "empty"),
        ("-----BEGIN OPENSSH PRIVATE KEY-----", "private key"),
        ("ssh-ed25519", "does not start with a key type"),
        ("hello world", "does not start with a key type"),
        ("ssh-dss " + wire(b"ssh-dss", b"x"), "no longer accepted"),
        (ED25519[:-6], "base64|cut off"),
        ("ssh-ed25519 " + wire(b"ssh-rsa", b"x" * 32), "not a key of the type"),
        ("ssh-ed25519 " + wire(b"ssh-ed25519", b"x" * 31), "32 bytes"),
        ("ssh-ed25519 !!!!", "base64"),
    ],
)
def test_what_is_no_key_is_refused_with_the_reason(line: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        parse(line)


def test_an_old_kind_of_key_is_read_but_not_taken() -> None:
    line = "ssh-dss " + wire(b"ssh-dss", b"x")
    assert read(line).type == "ssh-dss"
    with pytest.raises(ValueError, match="no longer accepted"):
        parse(line)


def test_a_file_names_its_bad_lines_and_keeps_the_others() -> None:
    good, problems = read_lines(f"# comment\n\n{ED25519} a\nnonsense here\n")
    assert [key.comment for key in good] == ["a"]
    assert problems[0].startswith("line 4: it does not start with a key type")


@given(st.text())
def test_any_text_is_read_or_is_malformed(line: str) -> None:
    try:
        assert read(line).fingerprint
    except MalformedKey as error:
        assert str(error)


@given(st.text())
def test_any_text_is_a_key_or_a_value_error(line: str) -> None:
    try:
        assert parse(line).type
    except ValueError as error:
        assert str(error)


def test_a_bad_line_is_named_by_number() -> None:
    with pytest.raises(ValueError, match="line 3: "):
        parse_lines(f"# mine\n{ED25519}\nnonsense here\n")


def test_keys_come_from_literals_and_files(tmp_path: Path) -> None:
    file = tmp_path / "id.pub"
    file.write_text(f"{ED25519} one\n{ED25519} two\n")
    admins = public_keys([{"name": "ada", "keys": [f"{ED25519} lit", str(file)], "sudo": "password"}])
    assert [line.rsplit(" ", 1)[1] for line in admins[0]["keys"]] == ["lit", "one", "two"]
    assert admins[0]["sudo"] == "password"


def test_every_problem_of_every_admin_is_told_at_once(tmp_path: Path) -> None:
    problems = admin_problems(
        [
            {"name": "ada", "keys": []},
            {"name": "bob", "keys": ["ssh-ed25519 AAAA", str(tmp_path / "missing.pub")]},
        ]
    )
    assert len(problems) == 3
    assert problems[0].startswith("dlbox_admins[0].keys: the admin 'ada' has no public key")
    assert "dlbox_admins[1].keys[0]" in problems[1]
    assert "missing.pub" in problems[2] and "ssh-keygen" in problems[2]
    with pytest.raises(AnsibleFilterError, match="ada"):
        public_keys([{"name": "ada", "keys": []}])
