#!/usr/bin/env python3
"""Benchmark: what a safe change of sshd and the firewall costs, and what a run without any change does.

One container, reached over ssh as a real box is. Three ways take turns in one run:

* guarded: the roles ssh_hardening and ufw inside the guard, as ``playbooks/stages/secure.yml`` runs them;
* roles: the same two roles without the guard, which refuse a lock-out but undo nothing;
* plain: what one writes without them: packages, a drop-in with ``sshd -t``, the service, and a loop of
  community.general.ufw over the same rules. It neither looks whether anybody can log in nor at the kernel's rules.

Each way is applied to the host as it was before, then run again without any change. Seconds are those of a whole
ansible-playbook run; an empty play over the same ssh is measured beside them and subtracted for the net ratio. Ratios,
not seconds, are what compares between machines; they are those of the fastest runs.

Usage: .venv/bin/python benchmarks/access.py [--rules 10] [--repeat 3] [--json]

Needs a container engine, the test images and the packages of ``./dlbox test``. With DLBOX_STRATEGY=mitogen the plays
run by mitogen's strategy where it is installed.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from firewall import fastest_ratio, measure, rules, run, show

HOST = "dlbox-benchmark-access"
ENGINE = os.environ.get("DLBOX_ENGINE", "docker")
RESET = (
    "ufw --force reset; rm -rf /etc/ufw/*.rules.20* /etc/ssh/sshd_config.d/*.conf; cp -a /root/ssh-before/. /etc/ssh/; "
    "systemctl restart ssh"
)
DROP_IN = """PermitRootLogin no
PasswordAuthentication no
KbdInteractiveAuthentication no
AllowUsers ada
MaxAuthTries 4
LoginGraceTime 60
AllowTcpForwarding local
X11Forwarding no
KexAlgorithms mlkem768x25519-sha256,sntrup761x25519-sha512,sntrup761x25519-sha512@openssh.com
MACs hmac-sha2-512-etm@openssh.com,hmac-sha2-256-etm@openssh.com,umac-128-etm@openssh.com
"""


def plain(listed: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The tasks of the way without roles, for the same rules."""
    rule = {
        "rule": "{{ item.rule | default('allow') }}",
        "port": "{{ item.port }}",
        "proto": "tcp",
        "from_ip": "{{ item.from | default('any') }}",
        "comment": "{{ item.name }}",
    }
    drop_in = {"dest": "/etc/ssh/sshd_config.d/00-plain.conf", "content": DROP_IN, "mode": "0600"}
    started = {"name": "ssh.service", "state": "started", "enabled": True}
    incoming = {"direction": "incoming", "default": "deny"}
    return [
        {"name": "Install", "ansible.builtin.apt": {"name": ["openssh-server", "ufw"]}},
        {
            "name": "Configure sshd",
            "ansible.builtin.copy": {**drop_in, "validate": "sshd -t -f %s"},
            "register": "written",
        },
        {"name": "Start sshd", "ansible.builtin.service": started},
        {
            "name": "Restart sshd",
            "ansible.builtin.service": {"name": "ssh.service", "state": "restarted"},
            "when": "written is changed",
        },
        {
            "name": "Allow a port",
            "community.general.ufw": rule,
            "loop": [{"name": "ssh", "port": 22, "rule": "allow"}, *listed],
        },
        {"name": "Deny the rest", "community.general.ufw": incoming},
        {"name": "Enable the firewall", "community.general.ufw": {"state": "enabled"}},
    ]


def plays(folder: Path, number: int) -> dict[str, Path]:
    """Write the playbooks; returns their paths by name."""

    def role(name: str, **options: Any) -> dict[str, Any]:
        return {"name": f"Run {name}", "ansible.builtin.include_role": {"name": f"dlbox.workstation.{name}", **options}}

    guarded = {
        **role("access_guard", tasks_from="guarded"),
        "vars": {"access_guard_roles": ["dlbox.workstation.ssh_hardening", "dlbox.workstation.ufw"]},
    }
    ways = {
        "empty": [],
        "guarded": [guarded],
        "roles": [role("ssh_hardening"), role("ufw")],
        "plain": plain(rules(number)),
    }
    paths = {}
    for name, tasks in ways.items():
        paths[name] = folder / f"{name}.json"
        play = {"name": name, "hosts": "molecule", "become": True, "gather_facts": False, "tasks": tasks}
        paths[name].write_text(json.dumps([play]), encoding="utf-8")
    return paths


def prepare(folder: Path, number: int) -> Path:
    """Make the container with an account that logs in by key; returns the inventory that reaches it over ssh."""
    by_engine = {"ct_network": HOST, "ct_image": "dlbox/debian-13", "ansible_connection": "community.docker.docker"}
    first = folder / "engine.json"
    first.write_text(json.dumps({"molecule": {"vars": {**by_engine, "ansible_user": "root"}, "hosts": {HOST: {}}}}))
    for playbook in ("create.yml", "prepare.yml"):
        run("ansible-playbook", "-i", str(first), f"molecule/shared/{playbook}")
    key = folder / "key"
    run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key))
    public = key.with_suffix(".pub").read_text().strip()
    script = f"""apt-get install -qqy --no-install-recommends ufw iptables >/dev/null
        useradd -m -s /bin/bash ada && echo 'ada ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/ada
        install -d -o ada -m 700 /home/ada/.ssh && echo '{public}' > /home/ada/.ssh/authorized_keys
        chown ada /home/ada/.ssh/authorized_keys && chmod 600 /home/ada/.ssh/authorized_keys
        cp -a /etc/ssh /root/ssh-before"""
    run(ENGINE, "exec", HOST, "sh", "-ec", script)
    address = run(ENGINE, "exec", HOST, "hostname", "-I").split()[0]
    known = folder / "known_hosts"
    known.write_text(f"{address} {run(ENGINE, 'exec', HOST, 'cat', '/etc/ssh/ssh_host_ed25519_key.pub')}")
    variables = {
        "ansible_host": address,
        "ansible_user": "ada",
        "ansible_ssh_private_key_file": str(key),
        "ansible_ssh_common_args": f"-o UserKnownHostsFile={known} -o IdentitiesOnly=yes -F none",
        "access_guard_known_hosts": str(known),
        "dlbox_admins": [{"name": "ada"}],
        "ufw_rules": rules(number),
        # Run after run from one address looks like an attack, and would be slowed down.
    }
    inventory = folder / "hosts.json"
    inventory.write_text(json.dumps({"molecule": {"vars": variables, "hosts": {HOST: {}}}}), encoding="utf-8")
    return inventory


def main() -> int:
    """Measure in turns, print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rules", type=int, default=10, help="number of firewall rules (default %(default)s)")
    parser.add_argument("--repeat", type=int, default=3, help="rounds (default %(default)s)")
    parser.add_argument("--json", action="store_true", help="print figures for programs")
    given = parser.parse_args()
    if os.environ.get("DLBOX_STRATEGY") == "mitogen":
        os.environ["ANSIBLE_STRATEGY_PLUGINS"] = run(sys.executable, "scripts/mitogen-path").strip()
        os.environ["ANSIBLE_STRATEGY"] = "mitogen_linear"
        os.environ["ANSIBLE_SUDO_EXE"] = "sudo"
    times: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        play = plays(folder, given.rules)
        try:
            inventory = prepare(folder, given.rules)
            for _ in range(given.repeat):
                for way in ("guarded", "roles", "plain"):
                    run(ENGINE, "exec", HOST, "sh", "-c", RESET)
                    times.setdefault("empty play", []).append(measure(inventory, play["empty"], None))
                    times.setdefault(f"change, {way}", []).append(measure(inventory, play[way], True))
                    times.setdefault(f"no change, {way}", []).append(measure(inventory, play[way], False))
        finally:
            subprocess.run([ENGINE, "rm", "--force", "--volumes", HOST], capture_output=True, check=False)
            subprocess.run([ENGINE, "network", "rm", HOST], capture_output=True, check=False)
    report(times, given.rules, as_json=given.json)
    return 0


def report(times: dict[str, list[float]], number: int, *, as_json: bool) -> None:
    """Print medians, spreads, and the ratios of the fastest runs."""
    pairs = [
        (kind, above, below)
        for kind in ("change", "no change")
        for above, below in (("plain", "guarded"), ("guarded", "roles"))
    ]
    ratios = {
        f"{kind}: {above} to {below}": fastest_ratio(times, f"{kind}, {above}", f"{kind}, {below}")
        for kind, above, below in pairs
    }
    show(times, ratios, number, f"sshd and {number} rules", as_json=as_json)


if __name__ == "__main__":
    sys.exit(main())
