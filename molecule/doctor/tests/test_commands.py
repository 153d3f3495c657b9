"""The commands as the owner runs them: the doctor's formats and codes, a bare machine, the end of a run, the reboot."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from ansible_collections.dlbox.workstation.plugins.plugin_utils.doctor import evaluate

PROJECT = Path(__file__).resolve().parents[3]
CHECKS = {check.name for check in evaluate.selected()}
SCHEMA = json.loads((PROJECT / "docs/schemas/doctor.json").read_text())
INVENTORIES = [
    word
    for path in (PROJECT / "molecule/shared/inventory", PROJECT / "molecule/doctor/inventory")
    for word in ("-i", str(path))
]


def run(*words: str, **more: str) -> subprocess.CompletedProcess[str]:
    """A command in the project's folder, with its settings."""
    env = {
        **os.environ,
        "ANSIBLE_CONFIG": str(PROJECT / "ansible.cfg"),
        "MOLECULE_PROJECT_DIRECTORY": str(PROJECT),
        **more,
    }
    env["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{env['PATH']}"
    typed = env.pop("DLBOX_STDIN", None)
    # Without a terminal of its own, so that a question for a password reads what is typed here.
    return subprocess.run(
        words, capture_output=True, text=True, cwd=PROJECT, env=env, input=typed, start_new_session=True
    )


def doctor(tmp_path: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return run(sys.executable, "scripts/doctor.py", *INVENTORIES, "--output", str(tmp_path), *words)


def verify(*words: str) -> subprocess.CompletedProcess[str]:
    """The last stage of site.yml on the finished machine, as a run of its own."""
    return run("ansible-playbook", *INVENTORIES, "playbooks/stages/verify.yml", "-e", "dlbox_hosts=workstation", *words)


def test_a_healthy_machine_gives_zero_and_a_page(host: Any, tmp_path: Path) -> None:
    done = doctor(tmp_path, "--host", "workstation", "--format", "json")
    report = json.loads(done.stdout)
    assert done.returncode == 0, report
    jsonschema.validate(report, SCHEMA)
    assert report["ok"] and report["host"] == "dlbox-doctor-d13"
    assert {entry["name"].split("[")[0] for entry in report["checks"]} == CHECKS
    page = (tmp_path / "dlbox-doctor-d13.html").read_text()
    assert "checks are well" in page and "Stand-in GeForce RTX 4090, 23 GiB" in page


def test_asking_changes_nothing(host: Any, tmp_path: Path) -> None:
    """No file of the system is newer after the doctor asked (caches, environments and homes included)."""
    host.run("touch /srv/before; sleep 1.1")
    doctor(tmp_path, "--host", "workstation")
    found = host.check_output(
        "find / -xdev -newer /srv/before -type f"
        " ! -path '/proc/*' ! -path '/sys/*' ! -path '/run/*' ! -path '/var/log/*'"
    )
    # systemd keeps its own notes there (time stamps of timers).
    assert [path for path in found.split() if not path.startswith("/var/lib/systemd/")] == []


@pytest.mark.parametrize("name", ["dlbox-doctor-bare-u24", "dlbox-doctor-bare-d12"])
def test_a_bare_machine_gets_an_answer_from_every_check(host: Any, tmp_path: Path, name: str) -> None:
    """No GPU, no firewall, nothing provisioned: one of the four results each, and no traceback anywhere."""
    done = doctor(tmp_path, "--host", name, "--format", "json")
    report = json.loads(done.stdout)
    jsonschema.validate(report, SCHEMA)
    assert done.returncode == 1 and not report["ok"]
    assert {entry["name"].split("[")[0] for entry in report["checks"]} == CHECKS
    assert not [entry for entry in report["checks"] if "could not" in entry["observed"]]
    assert "Traceback" not in done.stderr
    results = {entry["name"]: entry["result"] for entry in report["checks"]}
    assert results["gpu.present"] == "na" and results["ssh.passwords"] == "fail"


def test_an_account_without_sudo_is_told_what_was_not_read(host: Any, tmp_path: Path) -> None:
    """Unprivileged, every check still ends in a result, and the text says that root would see more."""
    host.run("id tester || useradd --create-home tester")
    done = run(
        *(sys.executable, "scripts/doctor.py", *INVENTORIES, "--output", str(tmp_path), "--host", "workstation"),
        ANSIBLE_REMOTE_USER="tester",
    )
    assert "Traceback" not in done.stdout + done.stderr and done.returncode in (0, 1), done.stderr


def test_a_sudo_that_asks_is_answered(host: Any, tmp_path: Path) -> None:
    """-K: the password goes to sudo through Ansible, and every check can look."""
    host.run("id owner || useradd --create-home --groups sudo owner; echo owner:stand-in | chpasswd")
    as_owner = tmp_path / "owner.yml"
    as_owner.write_text("all: {hosts: {dlbox-doctor-d13: {ansible_user: owner}}}\n")
    try:
        done = run(
            *(sys.executable, "scripts/doctor.py", *INVENTORIES, "-i", str(as_owner), "--output", str(tmp_path)),
            *("--host", "workstation", "-K", "--format", "json", "--only", "ssh", "--only", "firewall"),
            DLBOX_STDIN="stand-in\n",
        )
    finally:
        host.run("userdel --remove owner")
    results = {entry["name"]: entry["result"] for entry in json.loads(done.stdout)["checks"]}
    assert results["firewall.active"] == results["ssh.passwords"] == "ok", results


def test_several_hosts_give_a_list_and_an_index(host: Any, tmp_path: Path) -> None:
    done = doctor(tmp_path, "--format", "json", "--quick")
    reports = json.loads(done.stdout)
    jsonschema.validate(reports, SCHEMA)
    assert [report["host"] for report in reports] == [
        "dlbox-doctor-bare-d12",
        "dlbox-doctor-bare-u24",
        "dlbox-doctor-d13",
    ]
    assert (tmp_path / "index.html").exists()


def test_a_host_that_is_gone_gives_two(host: Any, tmp_path: Path) -> None:
    done = run(
        *(sys.executable, "scripts/doctor.py", "-i", "molecule/doctor/inventory", "--output", str(tmp_path)),
        *("--host", "dlbox-doctor-d13", "--format", "json"),
    )
    assert done.returncode == 2
    jsonschema.validate(json.loads(done.stdout), SCHEMA)


def test_the_end_of_a_run_is_quick_and_changes_nothing(host: Any) -> None:
    done = verify()
    assert done.returncode == 0, done.stdout
    assert "changed=0" in done.stdout


def test_check_mode_does_not_evaluate_what_was_not_done(host: Any) -> None:
    done = run("ansible-playbook", *INVENTORIES, "playbooks/stages/verify.yml", "-e", "dlbox_hosts=bare", "--check")
    assert done.returncode == 0, done.stdout


def test_a_machine_that_does_not_work_ends_the_run(host: Any) -> None:
    host.run("ufw disable")
    try:
        done = verify()
    finally:
        host.run("ufw --force enable")
    assert done.returncode != 0 and "firewall.active: ufw is installed and inactive" in done.stdout


def test_a_pending_reboot_is_told_and_done_only_where_allowed(host: Any) -> None:
    """The last test: the machine restarts, and is whole again after it."""
    host.run("touch /run/reboot-required")
    before = host.check_output("stat -c %sZ /proc/1", "%")
    done = verify()
    assert done.returncode == 0 and "system.reboot" in done.stdout, done.stdout
    assert host.check_output("stat -c %sZ /proc/1", "%") == before
    done = verify("-e", "dlbox_allow_reboot=true")
    assert done.returncode == 0, done.stdout
    assert host.check_output("stat -c %sZ /proc/1", "%") != before
    assert not host.file("/run/reboot-required").exists
