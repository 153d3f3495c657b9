"""What a neighbour on the network sees, what the kernel holds, and what becomes of everybody's rules."""

from __future__ import annotations

import pytest
from conftest import opened

# What the list in group_vars lets a neighbour on 10.66.0.0/24 and fd66::/64 reach, and what listens there.
OPEN = [22, 25, 80, 8888]
# Let through to where nobody listens, or rejected (7777).
REFUSED = [443, 7777, 8889, 8890]


@pytest.mark.parametrize("address", ["10.66.0.1", "fd66::1"])
def test_a_scan_of_all_ports_sees_exactly_the_list(firewall, address):
    assert firewall.scan(address) == {"open": OPEN, "refused": REFUSED}


@pytest.mark.parametrize("address", ["10.66.0.1", "fd66::1"])
def test_udp_reaches_the_listed_port_only(firewall, address):
    assert firewall.scan(address, 51818, 51822, "udp") == {"open": [], "refused": [51820]}


@pytest.mark.parametrize("address", ["10.67.0.1", "fd67::1"])
def test_an_interface_and_a_source_are_respected(firewall, address):
    """From the second interface: its own rule holds, the home network's does not."""
    assert firewall.scan(address, 1, 10000, place="cable") == {"open": [22, 25, 80, 5000], "refused": [443, 7777]}


@pytest.mark.parametrize("address", ["10.66.0.1", "fd66::1"])
def test_ssh_connections_are_not_limited(firewall, address):
    """Somebody with scp, rsync, git and an editor at once opens many; failures are counted by sshd, not connections."""
    assert opened(firewall, address, 60) == ["open"] * 60


def test_ssh_comes_first(firewall):
    for table in ("user.rules", "user6.rules"):
        tuples = firewall.host.check_output(f"grep tuple /etc/ufw/{table}").splitlines()
        assert tuples[0].startswith("### tuple ### allow tcp 22 ")
        assert bytes.fromhex(tuples[0].split("comment=")[1]).decode() == "dlbox: ssh"


def test_the_kernel_drops_what_comes_in_and_lets_out_by_default(firewall):
    for tool in ("iptables", "ip6tables"):
        rules = firewall.host.check_output(f"{tool} -S").splitlines()
        assert "-P INPUT DROP" in rules
        assert "-P OUTPUT ACCEPT" in rules
        assert "-P FORWARD DROP" in rules


def test_ufw_reads_the_rules_and_writes_them_back_byte_for_byte(firewall):
    """ufw's own writer defines the format: an edit by its command, undone, leaves the files as ours are."""
    files = "cat /etc/ufw/user.rules /etc/ufw/user6.rules"
    before = firewall.host.check_output(files)
    shown = firewall.host.check_output("ufw status")
    assert "22/tcp                     ALLOW       Anywhere                   # dlbox: ssh" in shown
    firewall.host.check_output("ufw allow 1234 && ufw delete allow 1234 && ufw reload")
    assert firewall.host.check_output(files) == before


def test_a_restart_brings_the_same_firewall_back(firewall):
    """ufw.service is what loads the rules at boot."""
    assert firewall.host.service("ufw").is_enabled
    before = firewall.host.check_output("iptables -S; ip6tables -S")
    firewall.host.check_output("systemctl restart ufw")
    assert firewall.host.check_output("iptables -S; ip6tables -S") == before


@pytest.mark.parametrize("address", ["10.66.0.1", "fd66::1"])
def test_a_published_container_port_that_is_not_listed_is_shut(firewall, address):
    """test_changes.py shows that the stand-in's port is open when the list is not asked."""
    assert firewall.knock(8080, address) == "silent"


@pytest.mark.parametrize("address", ["172.30.0.2", "fd30::2"])
def test_a_neighbour_cannot_route_to_a_container_either(firewall, address):
    assert firewall.knock(80, address) == "silent"


@pytest.mark.parametrize("address", ["10.66.0.2", "fd66::2"])
def test_containers_still_reach_the_network(firewall, address):
    assert firewall.scan(address, 80, 80, place="box")["open"] == [80]
