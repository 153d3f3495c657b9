"""What sudo says of an account's rules."""

from __future__ import annotations

import pytest
from ansible_collections.dlbox.workstation.plugins.module_utils.admins import sudoers

DEFAULTS = "Matching Defaults entries for ada on box:\n    env_reset, mail_badpass, use_pty{}\n\n"
RULES = "User ada may run the following commands on box:\n"


@pytest.mark.parametrize(
    ("rules", "passwordless"),
    [
        (["(ALL : ALL) ALL"], False),
        (["(ALL : ALL) ALL", "(ALL) NOPASSWD: ALL"], True),
        (["(ALL) NOPASSWD: ALL", "(ALL : ALL) ALL"], False),
        (["(root) NOPASSWD: ALL"], True),
        (["(root) NOPASSWD: SETENV: ALL"], True),
        (["(postgres) NOPASSWD: ALL"], False),
        (["(ALL : ALL) ALL", "(root) NOPASSWD: /usr/bin/apt, /usr/bin/dpkg"], False),
        (["(ALL) NOPASSWD: /usr/bin/apt, PASSWD: ALL"], False),
        (["(ALL) NOPASSWD: /usr/bin/apt, ALL"], True),
        (["(root) NOPASSWD: /usr/local/bin/restart ALL"], False),
        (["(root) NOPASSWD: /usr/bin/tee a\\, ALL"], False),
        (["(ALL, !root) NOPASSWD: ALL"], False),
        (["(ALL) NOPASSWD: ALL", "(ALL) !ALL"], False),
        (["(root) CWD=* NOPASSWD: ALL"], True),
        (["(root) "], False),
    ],
)
def test_the_last_rule_for_all_commands_decides(rules: list[str], passwordless: bool) -> None:
    text = DEFAULTS.format("") + RULES + "".join(f"    {rule}\n" for rule in rules)
    assert sudoers.passwordless(text) is passwordless


def test_a_default_that_asks_nobody() -> None:
    assert sudoers.passwordless(DEFAULTS.format(", !authenticate") + RULES + "    (ALL : ALL) ALL\n")
    assert not sudoers.passwordless(DEFAULTS.format(", !authenticate") + RULES + "    (ALL) PASSWD: ALL\n")


def test_a_default_of_one_command_is_none_of_all() -> None:
    single = "Runas and Command-specific defaults for ada:\n    Defaults!/usr/bin/apt !authenticate\n\n"
    assert not sudoers.passwordless(DEFAULTS.format("") + single + RULES + "    (ALL : ALL) ALL\n")


def test_who_has_no_rules_becomes_nobody() -> None:
    assert not sudoers.passwordless("User ada is not allowed to run sudo on box.\n")
