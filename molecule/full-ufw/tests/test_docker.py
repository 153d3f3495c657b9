"""A published port, asked for from outside the machine: through Docker's own bridge on this engine's network."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

SCENARIO = Path(__file__).resolve().parents[1]
PROJECT = SCENARIO.parents[1]


class Box:
    """One host with Docker and a page on port 8080."""

    def __init__(self, host: Any) -> None:
        self.host = host
        self.name: str = host.check_output("hostname")
        self.address: str = host.check_output("ip -4 -o addr show eth0").split()[3].split("/")[0]

    def apply(self, **variables: Any) -> str:
        """Run the role; returns what it printed."""
        command = [str(Path(sys.executable).with_name("ansible-playbook")), str(SCENARIO / "apply.yml")]
        for inventory in (PROJECT / "molecule" / "shared" / "inventory", SCENARIO / "inventory"):
            command += ["--inventory", str(inventory)]
        command += ["--limit", self.name, "--extra-vars", json.dumps(variables)]
        environment = {**os.environ, "ANSIBLE_CONFIG": str(PROJECT / "ansible.cfg")}
        environment.pop("ANSIBLE_INVENTORY", None)
        return subprocess.run(command, env=environment, text=True, capture_output=True, check=True, cwd=PROJECT).stdout

    def serves(self, address: str = "", port: int = 8080) -> bool:
        """Does the page come?"""
        try:
            with socket.create_connection((address or self.address, port), 1.5) as connection:
                connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
                return connection.recv(12).startswith(b"HTTP/1.")
        except OSError:
            return False

    def wait(self) -> None:
        """Until the page is served inside the machine."""
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            if self.host.run("busybox wget -q -O - http://127.0.0.1:8080/").stdout.strip() == "hello":
                return
            time.sleep(0.5)
        raise AssertionError(self.host.run("docker ps -a; docker logs page").stdout)


@pytest.fixture
def box(host: Any) -> Box:
    machine = Box(host)
    machine.wait()
    return machine


def test_a_published_port_is_shut_unless_it_is_listed(box):
    assert not box.serves()
    box.apply(ufw_rules=[{"name": "page", "port": 8080}])
    assert box.serves()
    box.apply()
    assert not box.serves()


def test_it_is_ours_that_shuts_it(box):
    box.apply(ufw_containers=False)
    assert box.serves(), "Docker lets it past ufw, as it does everywhere"
    assert "8080" not in box.host.check_output("ufw status")
    box.apply()
    assert not box.serves()


@pytest.mark.parametrize("restart", ["systemctl restart docker", "systemctl restart ufw", "ufw reload"])
def test_restarts_in_any_order_keep_it_shut(box, restart):
    box.host.check_output(restart)
    box.wait()
    assert not box.serves()
    assert "changed=0 " in box.apply()


def test_a_new_container_is_shut_too_and_reaches_the_network(box):
    box.host.check_output(
        "docker rm -f second >/dev/null 2>&1; "
        "docker run -d --name second -p 9090:80 page /bin/busybox httpd -f -p 80 -h /www"
    )
    assert not box.serves(port=9090)
    gateway = box.address.rsplit(".", 1)[0] + ".1"
    assert box.host.run(f"docker exec second /bin/busybox ping -c 1 -W 3 {gateway}").rc == 0
    box.host.check_output("docker rm -f second")


def test_a_reboot_keeps_it_shut(box):
    """ufw.service loads the chains before Docker starts; Docker fills in its own around them."""
    subprocess.run(["docker", "restart", "--time", "20", box.name], check=True, capture_output=True)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and box.host.run("systemctl is-active docker").rc != 0:
        time.sleep(1)
    machine = Box(box.host)
    machine.wait()
    assert machine.host.run("ufw status").stdout.startswith("Status: active")
    assert not machine.serves()
    assert "changed=0 " in machine.apply()
