"""sshd_config as text: the drop-in wins, and what would not let it is found."""

from __future__ import annotations

from ansible_collections.dlbox.workstation.plugins.module_utils.ssh import config
from hypothesis import given
from hypothesis import strategies as st
from jupyter.module import run

PATTERN = "/etc/ssh/sshd_config.d/*.conf"
LINES = st.lists(
    st.sampled_from(
        [
            "Port 22",
            "# a comment",
            "",
            "UsePAM yes",
            "AllowUsers ada bob",
            "Match User bob",
            "  X11Forwarding no",
            f"Include {PATTERN}",
            "HostKey /etc/ssh/k",
        ]
    ),
    max_size=12,
)


def test_distribution_file_is_left_alone() -> None:
    base = f"# comment\n\nInclude {PATTERN}\n\nUsePAM yes\nSubsystem sftp /usr/lib/openssh/sftp-server\n"
    assert config.with_include(base, PATTERN) == base


def test_include_comes_before_everything_else() -> None:
    base = f"Port 22\nInclude {PATTERN}\nMatch User bob\n  X11Forwarding no\n"
    result = config.with_include(base, PATTERN)
    assert result.splitlines()[0] == f"Include {PATTERN}"
    assert f"#dlbox: Include {PATTERN}" in result


@given(LINES)
def test_include_is_first_once_and_stays_so(lines: list[str]) -> None:
    base = "".join(line + "\n" for line in lines)
    once = config.with_include(base, PATTERN)
    directives = config.parse(once)
    assert directives[0].keyword == "include"
    assert sum(d.keyword == "include" and not d.match for d in directives) == 1
    assert config.with_include(once, PATTERN) == once


@given(LINES)
def test_commented_lines_take_nothing_else_with_them(lines: list[str]) -> None:
    text = "".join(line + "\n" for line in lines)
    result = config.without(text, {"port", "allowusers"})
    left = config.parse(result)
    assert not [d for d in left if d.keyword in ("port", "allowusers") and not d.match]
    assert [d for d in config.parse(text) if d.keyword == "hostkey"] == [d for d in left if d.keyword == "hostkey"]
    assert config.without(result, {"port", "allowusers"}) == result


def test_match_blocks_keep_their_lines() -> None:
    text = "AllowUsers a\nMatch Address 10.0.0.0/8\n  AllowUsers b\n"
    assert config.without(text, {"allowusers"}) == "#dlbox: AllowUsers a\nMatch Address 10.0.0.0/8\n  AllowUsers b\n"


def test_one_answer_is_enough_where_no_connection_is_special() -> None:
    base = f"Include {PATTERN}\nUsePAM yes\n"
    assert not config.tells_connections_apart([base, "Port 22\n"], PATTERN)
    assert config.tells_connections_apart([base, "Match User bob\n  X11Forwarding no\n"], PATTERN)
    assert config.tells_connections_apart([base, "Include /etc/elsewhere/*\n"], PATTERN), (
        "nobody knows what is in there"
    )


def test_wanted_of_a_user_whom_the_drop_in_excepts() -> None:
    dropin = "Port 22\nPort 2222\nAuthenticationMethods publickey,keyboard-interactive:pam\n"
    dropin += "Match User bot,eve\nAuthenticationMethods publickey\n"
    assert config.expected(dropin, "ada")["authenticationmethods"] == ["publickey,keyboard-interactive:pam"]
    assert config.expected(dropin, "bot")["authenticationmethods"] == ["publickey"]
    assert config.expected(dropin, "ada")["port"] == ["22", "2222"]


def test_spellings_of_the_same_value_agree() -> None:
    got = config.effective(
        "port 22\nPermitRootLogin without-password\nlogingracetime 60\nallowusers bob\nallowusers ada\n"
    )
    wanted = config.expected(
        "Port 22\nPermitRootLogin prohibit-password\nLoginGraceTime 1m\nAllowUsers ada bob\n", "ada"
    )
    assert config.deviations(wanted, got) == []


def test_deviations_are_sentences() -> None:
    got = config.effective("passwordauthentication yes\nport 22\nport 2222\n")
    wanted = config.expected("PasswordAuthentication no\nPort 22\n", "ada")
    assert config.deviations(wanted, got) == [
        "passwordauthentication is 'yes' and should be 'no'",
        "port is '22 2222' and should be '22'",
    ]


def test_a_list_that_came_out_empty_is_refused_by_name(tmp_path):
    """As where a host's OpenSSH offers none of the allowed algorithms."""
    dropin = tmp_path / "00-dlbox.conf"
    text = "# By dlbox.\nPort 22\nKexAlgorithms \nMACs hmac-sha2-256\n"
    refused = run("sshd_config", {"path": str(dropin), "content": text})
    assert refused["failed"] and "no value for KexAlgorithms." in refused["msg"] and not dropin.exists()
