"""Certificates, revoked keys and one-time codes, each on the host of the scenario that was given it."""

from __future__ import annotations

import base64
import hmac
import os
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from conftest import RESTART, check_mode

FOLDER = Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"])
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEH"
SCRATCH = "24681357"


def only_on(host: Any, name: str) -> None:
    if not host.check_output("hostname").endswith(name):
        pytest.skip(f"chosen on the host {name}")


def test_a_certificate_of_the_authority_logs_in_by_its_principal(host: Any, login: Any, tmp_path: Path) -> None:
    only_on(host, "d12")
    key = tmp_path / "fresh"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    options = ("-o", f"CertificateFile={key}-cert.pub", "-i", str(key), "-o", "IdentityAgent=none")
    sign = ["ssh-keygen", "-q", "-s", str(FOLDER / "ca"), "-I", "test", "-n", "bea", "-V", "+5m", f"{key}.pub"]
    subprocess.run(sign, check=True)
    assert login("true", user="bea", key=key, options=options).returncode == 0
    assert login("true", user="ada", key=key, options=options).returncode == 255


def test_a_revoked_key_does_not_log_in(host: Any, login: Any) -> None:
    only_on(host, "d12")
    assert login("true", user="bea", key=FOLDER / "bea").returncode == 0
    assert login("true", user="bea", key=FOLDER / "lost").returncode == 255


def test_keys_that_the_hosts_own_list_revokes_are_no_way_to_log_in(host: Any, login: Any) -> None:
    """A KRL of ssh-keygen, as a company hands them out: sshd refuses the owner's key, and the role knows."""
    only_on(host, "d13")
    dropin, lists = "/etc/ssh/sshd_config.d/99-suite.conf", "/etc/ssh/suite.krl"
    host.check_output(f"cat /home/ada/.ssh/authorized_keys /home/bea/.ssh/authorized_keys > {lists}.pub")
    host.check_output(f"ssh-keygen -q -k -f {lists} {lists}.pub; echo RevokedKeys {lists} > {dropin}; {RESTART}")
    try:
        assert login("true").returncode == 255
        done = check_mode(host)
        told = " ".join((done.stdout + done.stderr).split())
        assert done.returncode != 0 and "no allowed account has a usable key" in told, told
        assert "the key ada@laptop is revoked" in told, told
    finally:
        host.check_output(f"rm -f {dropin} {lists} {lists}.pub; {RESTART}")


def test_the_same_key_does_where_it_is_not_revoked(host: Any, login: Any) -> None:
    only_on(host, "d13")
    assert login("true", user="bea", key=FOLDER / "lost").returncode == 0


def code(secret: str) -> str:
    """The code of this half minute (RFC 6238)."""
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    digest = hmac.digest(key, int(time.time() // 30).to_bytes(8, "big"), "sha1")
    return f"{(int.from_bytes(digest[digest[-1] % 16 :][:4], 'big') & 0x7FFFFFFF) % 10**6:06d}"


def answering(login: Any, tmp_path: Path, answer: str) -> int:
    """Log in as the second admin and answer the question for a code."""
    script = tmp_path / "answer"
    script.write_text(f"#!/bin/sh\necho {answer}\n")
    script.chmod(0o700)
    done = login("true", user="bea", key=FOLDER / "bea", askpass=script)
    return int(done.returncode)


@pytest.fixture
def enrolled(host: Any) -> None:
    """The second admin has enrolled; she keeps one scratch code on paper."""
    only_on(host, "u2404")
    lines = f'{SECRET}\n" WINDOW_SIZE 3\n" TOTP_AUTH\n{SCRATCH}\n'
    host.check_output(f"printf '%s' '{lines}' > /home/bea/.google_authenticator")
    host.check_output("chown bea: /home/bea/.google_authenticator && chmod 400 /home/bea/.google_authenticator")


@pytest.mark.usefixtures("enrolled")
def test_key_and_code_together_log_in(login: Any, tmp_path: Path) -> None:
    assert login("true", user="bea", key=FOLDER / "bea").returncode == 255, "the key alone"
    assert answering(login, tmp_path, "000000") == 255, "a wrong code"
    assert answering(login, tmp_path, code(SECRET)) == 0


@pytest.mark.usefixtures("enrolled")
def test_a_scratch_code_recovers_once(login: Any, tmp_path: Path) -> None:
    assert answering(login, tmp_path, SCRATCH) == 0
    assert answering(login, tmp_path, SCRATCH) == 255


def test_who_has_not_enrolled_logs_in_with_the_key(host: Any, login: Any, tmp_path: Path) -> None:
    only_on(host, "u2404")
    host.check_output("rm -f /home/bea/.google_authenticator")
    assert answering(login, tmp_path, "nothing") == 0


def test_nobody_gets_in_without_a_key(host: Any, login: Any, tmp_path: Path) -> None:
    """Where keyboard-interactive or password alone is allowed by hand, who has not enrolled needs no code at all."""
    only_on(host, "u2404")
    host.check_output("rm -f /home/bea/.google_authenticator")
    script = tmp_path / "answer"
    script.write_text("#!/bin/sh\necho anything\n")
    script.chmod(0o700)
    opened = "/etc/ssh/sshd_config.d/99-opened.conf"
    try:
        for keyword, method in (("KbdInteractive", "keyboard-interactive"), ("Password", "password")):
            block = f"Match User bea\n{keyword}Authentication yes\nAuthenticationMethods {method}\n"
            host.check_output(f"printf '%s' '{block}' > {opened}; {RESTART}")
            done = login("true", user="bea", options=("-o", "PubkeyAuthentication=no"), askpass=script)
            assert done.returncode == 255
            assert f"Permission denied ({method})" in done.stderr, "it was asked, and refused the answer"
    finally:
        host.check_output(f"rm -f {opened}; {RESTART}")


def test_an_exempt_account_is_not_asked(host: Any, login: Any) -> None:
    only_on(host, "u2404")
    assert login("true").returncode == 0
