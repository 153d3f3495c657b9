"""What becomes of the rules when the list, a person or a program changes them; each step is a run of the role."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import opened


def test_a_rule_is_added_and_removed_with_the_list(firewall):
    assert firewall.knock(3306) == "silent"
    added = firewall.apply(ufw_rules=[*firewall.rules, {"name": "db", "port": 3306}])
    assert added["changed"] is True
    assert added["added"] == [f"v{v} allow in 3306/tcp from anywhere # dlbox: db" for v in (4, 6)]
    assert "+v4 allow in 3306/tcp from anywhere # dlbox: db" in added["stdout"]
    assert firewall.knock(3306) == "open"
    assert firewall.knock(3306, "fd66::1") == "open"
    removed = firewall.apply()
    assert removed["removed"] == added["added"]
    assert "-v6 allow in 3306/tcp from anywhere # dlbox: db" in removed["stdout"]
    assert firewall.knock(3306) == "silent"
    assert firewall.apply()["changed"] is False


def test_check_mode_says_what_would_change_and_changes_nothing(firewall):
    before = firewall.state()
    would = firewall.apply("--check", ufw_rules=firewall.rules[1:], ufw_logging="medium")
    assert would["changed"] is True
    assert [rule.split()[3] for rule in would["removed"]] == ["80,443/tcp", "80,443/tcp"]
    assert "+LOGLEVEL=medium" in would["stdout"]
    assert firewall.state() == before
    assert firewall.apply("--check")["changed"] is False


def test_rules_made_by_hand_are_reported_kept_and_by_choice_removed(firewall):
    firewall.host.check_output("ufw allow 3306/tcp comment mine && ufw insert 1 deny from 203.0.113.7")
    try:
        kept = firewall.apply()
        assert "v4 allow in 3306/tcp from anywhere # mine" in kept["unmanaged"]
        assert "made by hand" in kept["stdout"]
        assert kept["changed"] is False, "a ban above the list and an opening below it are where they belong"
        assert firewall.knock(3306) == "open"
        first = firewall.host.check_output("grep -m1 tuple /etc/ufw/user.rules")
        assert first == "### tuple ### deny any any 0.0.0.0/0 any 203.0.113.7 in"
        gone = firewall.apply(ufw_unmanaged="remove")
        assert sorted(gone["removed"]) == sorted(kept["unmanaged"])
        assert firewall.knock(3306) == "silent"
    finally:
        firewall.apply(ufw_unmanaged="remove")


@pytest.mark.parametrize("comment", ["dlbox: ssh", "mine"])
def test_a_limit_of_ssh_connections_goes(firewall, comment):
    """Hosts that were provisioned with one lose it, and so does one made by hand: the listed rule takes its place."""
    firewall.host.check_output(f"ufw delete allow 22/tcp && ufw insert 1 limit 22/tcp comment '{comment}'")
    assert opened(firewall, "10.66.0.1", 8) == ["open"] * 5 + ["refused"] * 3
    healed = firewall.apply()
    assert healed["changed"] is True
    assert f"v4 limit in 22/tcp from anywhere # {comment}" in healed["removed"]
    assert opened(firewall, "10.66.0.1", 8) == ["open"] * 8
    assert firewall.apply()["changed"] is False


def test_a_rule_taken_out_of_the_kernel_is_found_and_put_back(firewall):
    """The files still look right, and so does `ufw status`: only the kernel tells."""
    firewall.host.check_output("iptables -D ufw-user-input -p tcp -m multiport --dports 80,443 -j ACCEPT")
    assert firewall.knock(80) == "silent"
    assert "80,443/tcp" in firewall.host.check_output("ufw status")
    drift = firewall.apply("--check")
    assert drift["changed"] is True
    assert drift["drift"] == ["v4 ufw-user-input lacks: -p tcp -m multiport --dports 80,443 -j ACCEPT"]
    firewall.apply()
    assert firewall.knock(80) == "open"


def test_a_firewall_emptied_by_somebody_is_rebuilt(firewall):
    firewall.host.check_output("ip6tables -P INPUT ACCEPT && ip6tables -F ufw6-before-input")
    assert firewall.knock(3306, "fd66::1") == "open"
    assert "v6 the policy of INPUT is ACCEPT, expected DROP" in firewall.apply()["drift"]
    assert firewall.knock(3306, "fd66::1") == "silent"
    assert firewall.knock(80, "fd66::1") == "open"


def test_rules_beside_ufw_that_open_the_machine_are_reported(firewall):
    firewall.host.check_output("iptables -I INPUT -p tcp --dport 3306 -j ACCEPT")
    try:
        result = firewall.apply()
        assert result["outside"] == ["v4 -A INPUT -p tcp -m tcp --dport 3306 -j ACCEPT"]
        assert "let packets in past ufw" in result["stdout"]
    finally:
        firewall.host.check_output("iptables -D INPUT -p tcp --dport 3306 -j ACCEPT")


def test_defaults_and_logging_follow_the_variables(firewall):
    changed = firewall.apply(ufw_default_incoming="reject", ufw_logging="off")
    assert changed["changed"] is True
    assert firewall.knock(3306) == "refused"
    assert "Logging: off" in firewall.host.check_output("ufw status verbose")
    assert firewall.apply(ufw_default_incoming="reject", ufw_logging="off")["changed"] is False
    firewall.apply()
    assert firewall.knock(3306) == "silent"
    assert "Logging: on (low)" in firewall.host.check_output("ufw status verbose")


def test_published_container_ports_follow_the_list(firewall):
    """The stand-in for Docker accepts 8080 before ufw is asked, as Docker does."""

    def published() -> list[str]:
        return [firewall.knock(8080, address) for address in ("10.66.0.1", "fd66::1")]

    assert published() == ["silent", "silent"]
    firewall.apply(ufw_containers=False)
    assert published() == ["open", "open"], "the way past the firewall that is to be closed"
    firewall.apply(ufw_rules=[*firewall.rules, {"name": "app", "port": 8080}])
    assert published() == ["open", "open"]
    firewall.apply(ufw_rules=[*firewall.rules, {"name": "app", "port": 8080, "from": "10.66.0.0/24"}])
    assert published() == ["open", "silent"]
    firewall.apply()
    assert published() == ["silent", "silent"]


def test_rules_of_others_in_docker_user_stay(firewall):
    firewall.host.check_output("iptables -I DOCKER-USER -s 203.0.113.9 -j DROP")
    firewall.apply(ufw_rules=[*firewall.rules, {"name": "db", "port": 3306}])
    firewall.apply()
    rules = firewall.host.check_output("iptables -S DOCKER-USER").splitlines()
    assert rules[1:] == [
        "-A DOCKER-USER -j dlbox-docker",
        "-A DOCKER-USER -s 203.0.113.9/32 -j DROP",
        "-A DOCKER-USER -j RETURN",
    ]
    firewall.host.check_output("iptables -D DOCKER-USER -s 203.0.113.9 -j DROP")


def test_bad_input_is_refused_by_name_before_any_change(firewall):
    """Every fault of the list at once; tests/unit/firewall has each fault by itself."""
    rules = [
        {"name": "a", "port": 70000},
        {"name": "b", "port": 80, "protocol": "sctp"},
        {"name": "c", "port": 80, "from": "10.1.2.3/8"},
        {"name": "a", "port": 1},
    ]
    output = firewall.refuse(ufw_rules=rules, ufw_ssh_from="home")
    for complaint in (
        "ufw_rules[0] (a).port: 70000 is not a port; expected 1 to 65535",
        "ufw_rules[1] (b).protocol: 'sctp' is not known; expected one of tcp, udp",
        "ufw_rules[2] (c).from: '10.1.2.3/8' is not a network",
        "Did you mean 10.0.0.0/8?",
        "'a' is already the name of ufw_rules[0]",
        "ufw_ssh_from: 'home' is not a network",
    ):
        assert complaint in output


def test_an_application_without_a_profile_is_refused_by_name(firewall):
    output = firewall.refuse(ufw_rules=[{"name": "x", "application": "Nothing Known"}])
    assert "application 'Nothing Known' has no profile" in output
    assert "OpenSSH" in output


@pytest.mark.parametrize("variables", [{"ufw_ssh": False}, {"ufw_ssh_port": 2222}])
def test_a_list_that_ends_ssh_is_refused(firewall, variables):
    output = firewall.refuse(**variables)
    assert "sshd listens on port 22, and no rule would admit a new login there" in output
    assert "Set ufw_ssh_port (or ufw_ssh_extra_ports) to 22" in output


@pytest.mark.parametrize("mode", [(), ("--check",)], ids=["run", "check"])
def test_sshds_coming_port_is_told_by_the_role_that_moves_it(firewall, mode):
    output = firewall.refuse(*mode, ufw_ssh_port=2222)
    assert "Set ufw_ssh_port (or ufw_ssh_extra_ports) to 22" in output
    output = firewall.refuse(*mode, ssh_hardening_ports=[2222])
    assert "sshd listens on port 2222, and no rule would admit" in output
    assert firewall.apply("--check", ufw_ssh_port=2222, ssh_hardening_ports=[2222])["changed"] is True


@pytest.fixture
def key(firewall, tmp_path) -> Path:
    """A key with which root logs in."""
    file = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(file)], check=True)
    firewall.host.check_output("mkdir -p -m 700 /root/.ssh")
    firewall.host.check_output(f"echo '{file.with_suffix('.pub').read_text().strip()}' >> /root/.ssh/authorized_keys")
    return file


KNOWN = ("-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "ControlPath=none")


def test_over_ssh_the_own_address_has_to_be_admitted(firewall, key):
    """A rule for ssh that leaves out where this very connection comes from is a lock-out too."""
    by_ssh = {
        "ansible_connection": "ssh",
        "ansible_host": firewall.address,
        "ansible_user": "root",
        "ansible_ssh_private_key_file": str(key),
        "ansible_ssh_common_args": " ".join(KNOWN),
    }
    output = firewall.refuse(ufw_ssh_from="192.0.2.0/24", **by_ssh)
    assert f"no rule would admit a new login there from {firewall.gateway} (root)" in output
    assert f"add {firewall.gateway} to ufw_ssh_from (now 192.0.2.0/24)" in output
    assert firewall.apply("--check", ufw_ssh_from=firewall.gateway, **by_ssh)["changed"] is True


@pytest.fixture
def person(firewall, key) -> Iterator[None]:
    """Somebody is logged in from this controller, in a terminal of her own, while the role runs beside it."""
    command = ["ssh", "-F", "none", *KNOWN, "-i", str(key), f"root@{firewall.address}", "echo here; exec sleep 600"]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as ssh:
        assert ssh.stdout is not None
        assert ssh.stdout.readline() == b"here\n"
        yield
        ssh.kill()


@pytest.mark.usefixtures("person")
@pytest.mark.parametrize("mode", [(), ("--check",)], ids=["run", "check"])
@pytest.mark.parametrize(
    "variables",
    [
        {"ufw_ssh_from": "192.0.2.0/24"},
        {"ufw_ssh": False, "ufw_rules": [{"name": "s", "port": 22, "interface": "wg0"}]},
        {
            "ufw_ssh": False,
            "ufw_rules": [{"name": "d", "from": "GATEWAY", "action": "deny"}, {"name": "s", "port": 22}],
        },
    ],
    ids=["source", "interface", "order"],
)
def test_who_is_logged_in_has_to_be_admitted_though_the_run_is_local(firewall, variables, mode):
    """The run itself comes by docker exec, as one on the machine itself would: the host's evidence decides."""
    rules = [{**rule, "from": firewall.gateway} if "from" in rule else rule for rule in variables.get("ufw_rules", [])]
    output = firewall.refuse(*mode, **{**variables, **({"ufw_rules": rules} if rules else {})})
    assert f"no rule would admit a new login there from {firewall.gateway} (root)" in output


@pytest.mark.usefixtures("person")
def test_a_ban_made_by_hand_counts_too(firewall):
    firewall.host.check_output(f"ufw insert 1 deny from {firewall.gateway}")
    try:
        assert f"from {firewall.gateway} (root)" in firewall.refuse()
    finally:
        firewall.host.check_output(f"ufw delete deny from {firewall.gateway}")


def test_ssh_from_the_home_network_only_is_a_choice(firewall):
    firewall.apply(ufw_ssh_from=["10.66.0.0/24", "fd66::/64"])
    assert [firewall.knock(22, address) for address in ("10.66.0.1", "fd66::1")] == ["open", "open"]
    assert [firewall.knock(22, address, "cable") for address in ("10.67.0.1", "fd67::1")] == ["silent", "silent"]
    firewall.apply()
    assert [firewall.knock(22, address, "cable") for address in ("10.67.0.1", "fd67::1")] == ["open", "open"]


def test_the_owner_can_insist_on_no_ssh(firewall):
    firewall.apply(ufw_ssh=False, ufw_allow_no_ssh=True)
    assert firewall.knock(22) == "silent"
    firewall.apply()
    assert firewall.knock(22) == "open"


def test_a_half_loaded_list_is_put_back(firewall):
    """A stand-in for an ip6tables-restore that fails when IPv4 is already loaded; everything is as before then."""
    firewall.host.check_output(
        "printf '%s\\n' '#!/bin/sh' 'case \"$*\" in *--wait*--noflush*) echo out of order >&2; exit 4;; esac' "
        "'exec /usr/sbin/ip6tables-restore \"$@\"' > /usr/local/sbin/ip6tables-restore && "
        "chmod 755 /usr/local/sbin/ip6tables-restore"
    )
    try:
        output = firewall.refuse(ufw_rules=[*firewall.rules, {"name": "db", "port": 3306}])
        assert "files and rules are as before" in output
        assert "ip6tables-restore: " in output
    finally:
        firewall.host.check_output("rm /usr/local/sbin/ip6tables-restore")
    assert firewall.knock(3306) == "silent"


def test_jupyter_on_the_home_network_is_a_choice_of_the_owner(firewall):
    owner = {
        "dlbox_jupyter_access": "home",
        "dlbox_home_networks": ["10.66.0.0/24"],
        "dlbox_admins": [{"name": "ada"}, {"name": "grace"}],
    }
    added = firewall.apply("--check", ufw_rules=[], **owner)["added"]
    assert added == [
        f"v4 allow in {port}/tcp from 10.66.0.0/24 # dlbox: jupyter of {name} - JupyterLab from the home network"
        for port, name in ((8888, "ada"), (8889, "grace"))
    ]


def test_copies_of_the_files_are_kept(firewall):
    firewall.apply(ufw_logging="medium")
    backup = firewall.apply()["backup"]
    assert backup.startswith("/var/lib/dlbox/ufw/")
    assert "LOGLEVEL=medium" in firewall.host.check_output(f"cat {backup}/etc_ufw_ufw.conf")
    assert firewall.host.file(backup).mode == 0o700


def test_nothing_is_left_to_change(firewall):
    """After all of the above the list is the truth again; the first run's files come back."""
    assert firewall.apply()["changed"] is False
    assert firewall.scan("10.66.0.1", 1, 1024)["open"] == [22, 25, 80]
