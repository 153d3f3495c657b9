"""What the firewall tests share: the neighbourhood from which the machine is seen, and the role applied anew."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

SCENARIO = Path(__file__).resolve().parents[1]
PROJECT = SCENARIO.parents[1]
FIXTURES = PROJECT / "tests" / "fixtures" / "firewall"
RULES = SCENARIO / "inventory" / "group_vars" / "molecule.yml"
CHANGED_HOST = "dlbox-ufw-d13"


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Changes are tried on one host; the scans of all of them show what differs between the releases.

    The full run tries them on each.
    """
    for item in items:
        if item.path.name == "test_changes.py" and CHANGED_HOST not in item.name:
            item.add_marker(pytest.mark.full)


def run_playbook(target: str, variables: dict[str, Any], *options: str) -> subprocess.CompletedProcess[str]:
    """Run apply.yml against one host; never raises."""
    program = str(Path(sys.executable).with_name("ansible-playbook"))
    command = [program, str(SCENARIO / "apply.yml"), "--limit", target, *options]
    for inventory in (PROJECT / "molecule" / "shared" / "inventory", SCENARIO / "inventory"):
        command += ["--inventory", str(inventory)]
    command += ["--extra-vars", json.dumps(variables)]
    environment = {**os.environ, "ANSIBLE_CONFIG": str(PROJECT / "ansible.cfg"), "ANSIBLE_FORCE_COLOR": "0"}
    environment.pop("ANSIBLE_INVENTORY", None)
    return subprocess.run(command, env=environment, text=True, capture_output=True, check=False, cwd=PROJECT)


class Firewall:
    """One host as the tests drive it."""

    def __init__(self, host: Any) -> None:
        self.host = host
        self.name: str = host.check_output("hostname")
        self.address: str = host.check_output("ip -4 -o addr show eth0").split()[3].split("/")[0]
        self.gateway: str = self.address.rsplit(".", 1)[0] + ".1"
        self.rules: list[dict[str, Any]] = yaml.safe_load(RULES.read_text())["ufw_rules"]

    def apply(self, *options: str, **variables: Any) -> dict[str, Any]:
        """The role's result with the given variables; fails the test when the play fails."""
        done = run_playbook(self.name, variables, "--diff", *options)
        assert done.returncode == 0, done.stdout + done.stderr
        shown = done.stdout.partition("RESULT ")[2].partition(" END")[0]
        answer: dict[str, Any] = json.loads(base64.b64decode("".join(shown.split())))
        answer["stdout"] = done.stdout
        return answer

    def refuse(self, *options: str, **variables: Any) -> str:
        """The output of a play that must fail, with the firewall unchanged by it."""
        before = self.state()
        done = run_playbook(self.name, variables, *options)
        assert done.returncode != 0, f"expected a refusal:\n{done.stdout}"
        assert self.state() == before
        return " ".join((done.stdout + done.stderr).split())

    def state(self) -> str:
        """Files and kernel, as text to compare."""
        return str(
            self.host.check_output(
                "cat /etc/ufw/*.rules /etc/ufw/ufw.conf /etc/default/ufw; "
                "iptables-save -t filter | grep -v ^[#:]; ip6tables-save -t filter | grep -v ^[#:]"
            )
        )

    def scan(
        self, address: str, first: int = 1, last: int = 65535, protocol: str = "tcp", place: str = "lan"
    ) -> dict[str, Any]:
        """What answers, seen from a namespace of the neighbourhood; the rate limits' memory is emptied first."""
        self.forget()
        command = f"ip netns exec {place} python3 /root/scan.py {address} {protocol} {first} {last}"
        found: dict[str, list[int]] = json.loads(self.host.check_output(command))
        return found

    def knock(self, port: int, address: str = "10.66.0.1", place: str = "lan", protocol: str = "tcp") -> str:
        """open, refused or silent."""
        found = self.scan(address, port, port, protocol, place)
        return "open" if found["open"] else "refused" if found["refused"] else "silent"

    def forget(self) -> None:
        """Empty the memory of the rate limits."""
        self.host.check_output("for f in /proc/net/xt_recent/*; do echo / > $f; done")


def opened(firewall: Firewall, address: str, number: int) -> list[str]:
    """Open so many connections to sshd one after another, from the neighbourhood: open or refused, of each."""
    firewall.forget()
    script = (
        "import socket\n"
        f"for _ in range({number}):\n"
        f"    try: socket.create_connection(('{address}', 22), 2).close(); print('open')\n"
        "    except OSError: print('refused')\n"
    )
    seen: str = firewall.host.run(f'ip netns exec lan python3 -c "{script}"').stdout
    return seen.split()


@pytest.fixture(scope="module")
def firewall(host: Any) -> Firewall:
    """The host under test with its neighbourhood around it and something to find on its ports."""
    machine = Firewall(host)
    for file in sorted(FIXTURES.iterdir()):
        command = ["docker", "cp", str(file), f"{machine.name}:/root/{file.name}"]
        subprocess.run(command, check=True, capture_output=True)
    host.check_output("sh /root/neighbourhood.sh")
    if not host.service("listeners").is_running:
        host.check_output("systemd-run -q --collect --unit listeners python3 /root/listen.py 25 80 3306 5000 8888 9999")
        for place in ("box", "lan"):
            host.check_output(
                f"systemd-run -q --collect --unit {place} ip netns exec {place} python3 /root/listen.py 80"
            )
        host.check_output("until ss -Hltn | grep -q :9999; do sleep 0.1; done")
    return machine
