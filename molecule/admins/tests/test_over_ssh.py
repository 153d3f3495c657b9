"""From a controller over ssh, as an ordinary account whose sudo asks for a password."""

from __future__ import annotations

from typing import Any

from conftest import PASSWORD, Machine, keys, run


def test_the_stage_runs_under_guard_and_the_second_time_changes_nothing(machine: Machine) -> None:
    """New admins, their keys, sudo, sshd and the firewall in one window, confirmed by a new login."""
    machine.host.check_output("ufw --force disable; ufw --force reset; systemctl start ssh; apt-get clean")
    admins: list[dict[str, Any]] = [
        {"name": "owner", "keys": [str(keys() / "ada.pub")]},
        {"name": "zoe", "keys": [str(keys() / "second.pub")], "shell": "/bin/sh", "sudo": "nopasswd"},
    ]
    inventory = machine.over_ssh(dlbox_admins=admins, ansible_become_password=PASSWORD)
    first = run("ansible-playbook", "-i", str(inventory), "playbooks/secure.yml")
    assert first.returncode == 0, first.stdout + first.stderr
    assert machine.host.user("zoe").shell == "/bin/sh" and machine.host.file("/home/zoe/.ssh/authorized_keys").exists
    before = machine.logins()
    second = run("ansible-playbook", "-i", str(inventory), "playbooks/secure.yml")
    assert second.returncode == 0 and "changed=0" in second.stdout, second.stdout
    # One connection for the whole run.
    assert machine.logins() - before == 1
