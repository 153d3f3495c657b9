"""From a controller over ssh, as an ordinary account whose sudo asks for a password."""

from __future__ import annotations

import os
import pty
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from conftest import PASSWORD, PROJECT, Machine, keys, run

# Long, because the machine may be slow; what ends a wait is what is waited for.
PATIENCE = 120


def admins(**zoe: Any) -> list[dict[str, Any]]:
    """The owner as it is, and a new admin."""
    return [
        {"name": "owner", "keys": [str(keys() / "ada.pub")]},
        {"name": "zoe", "keys": [str(keys() / "second.pub")], "sudo": "nopasswd", **zoe},
    ]


def guarded(inventory: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return run("ansible-playbook", "-i", str(inventory), *words, "molecule/admins/guarded.yml")


def test_new_admins_come_under_guard_and_a_run_without_changes_takes_one_connection(machine: Machine) -> None:
    more = {"ansible_become_password": PASSWORD, "access_guard_window": 300}
    inventory = machine.over_ssh(dlbox_admins=admins(), **more)
    shown = guarded(inventory, "--check", "--diff")
    assert shown.returncode == 0 and "+account: exists" in shown.stdout, shown.stdout + shown.stderr
    assert not machine.host.user("zoe").exists
    made = guarded(inventory)
    assert made.returncode == 0, made.stdout + made.stderr
    assert machine.host.check_output("su -s /bin/sh -c 'sudo -n id -u' zoe") == "0"
    before = machine.logins()
    again = guarded(inventory)
    assert again.returncode == 0 and "changed=0" in again.stdout, again.stdout
    # None, where the guard's own connection is still open.
    assert machine.logins() - before <= 1

    refused = guarded(machine.over_ssh(dlbox_admins=admins(shell="/usr/bin/zsh"), **more))
    assert refused.returncode != 0 and "the shell /usr/bin/zsh does not exist" in refused.stdout + refused.stderr
    # Before anything was armed, so there is nothing to undo.
    assert "undone" not in refused.stdout + refused.stderr and machine.host.user("zoe").shell == "/bin/bash"


def test_preflight_refuses_a_shell_before_the_first_change(machine: Machine) -> None:
    more = {"dlbox_apt_check": False, "dlbox_minimum_memory": 1, "ansible_become_password": PASSWORD}
    inventory = machine.over_ssh(dlbox_admins=admins(shell="/usr/bin/zsh"), **more)
    refused = run("ansible-playbook", "-i", str(inventory), "playbooks/stages/preflight.yml")
    assert refused.returncode != 0
    assert "dlbox_admins: zoe: the shell /usr/bin/zsh does not exist" in refused.stdout + refused.stderr


def test_preflight_refuses_a_login_that_the_run_would_shut_out(machine: Machine) -> None:
    """As somebody got it who made the controller's own account on the box and named another as admin."""
    more = {"dlbox_apt_check": False, "dlbox_minimum_memory": 1, "ansible_become_password": PASSWORD}
    others = [admin for admin in admins() if admin["name"] != "owner"]
    words = ["ansible-playbook", "-i", str(machine.over_ssh(dlbox_admins=others, **more)), "site.yml"]
    refused = run(*words, "--tags", "preflight")
    assert refused.returncode != 0
    assert "dlbox logs in over ssh as owner, whom the stage secure would shut out" in " ".join(refused.stdout.split())
    unconcerned = run(*words, "--tags", "preflight", "--skip-tags", "secure")
    assert unconcerned.returncode == 0, unconcerned.stdout


def test_init_writes_a_box_once_its_host_key_is_the_one_that_was_given(machine: Machine, tmp_path: Path) -> None:
    """By the real ssh, with files of its own; what it writes passes preflight."""
    inventory, known, address = (
        tmp_path / "inventory",
        tmp_path / "known",
        machine.host.check_output("hostname -I").split()[0],
    )
    shutil.copytree(PROJECT / "inventory/home", inventory)
    (tmp_path / "config").write_text(f"IdentityFile {keys() / 'ada'}\nIdentitiesOnly yes\nUserKnownHostsFile {known}\n")
    (tmp_path / "ssh").write_text(f'#!/bin/sh\nexec {shutil.which("ssh")} -F {tmp_path}/config "$@"\n')
    (tmp_path / "ssh").chmod(0o755)
    more = {"PATH": f"{tmp_path}:{Path(sys.executable).parent}:{os.environ['PATH']}", "SSH_AUTH_SOCK": ""}
    words = [sys.executable, "scripts/init.py", "-i", str(inventory), "bigbox", "--yes", "--address", address]
    words += ["--user", "owner", "--key", str(keys() / "ada.pub"), "--environment", "jupyter"]
    fingerprint = machine.host.check_output("ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub").split()[1]
    for given in ([], ["--fingerprint", fingerprint[:-1]]):
        refused = run(*words, *given, **more)
        assert refused.returncode == 69 and fingerprint in refused.stderr, refused.stdout + refused.stderr
        assert not known.exists() and "192.0" not in (inventory / "group_vars/all/owner.yml").read_text()
    done = run(*words, "--fingerprint", fingerprint, **more)
    assert done.returncode == 0, done.stdout + done.stderr
    checked = ["ansible-playbook", "-i", str(inventory), "--limit", "bigbox", "site.yml", "--tags", "preflight"]
    variables = ["-e", f"ansible_become_password={PASSWORD}", "-e", "dlbox_apt_check=false dlbox_minimum_memory=1"]
    passed = run(*checked, *variables, **more)
    assert passed.returncode == 0, passed.stdout + passed.stderr


def test_doctor_bench_and_report_keep_one_connection(machine: Machine, tmp_path: Path) -> None:
    """Observed: a connection per question, four of them here for bench alone, until the firewall refused the next."""
    machine.host.check_output(
        "for name in one two three; do cd /opt; mkdir -p conda/envs/$name/bin conda/envs/$name/conda-meta;"
        "mkdir -p conda/envs/$name/lib/python3.13/site-packages/torch-2.0.dist-info;"
        "ln -sf /usr/bin/python3 conda/envs/$name/bin/python; done"
    )
    inventory = str(machine.over_ssh())
    counts = {}
    commands = {
        "bench": ("bench.py", "--quick", "--mnist", ""),
        "report": ("report.py",),
        "doctor, quick": ("doctor.py", "--quick"),
        "doctor": ("doctor.py",),
    }
    for name, words in commands.items():
        before = machine.logins()
        done = run(sys.executable, f"scripts/{words[0]}", "-i", inventory, "--output", str(tmp_path), *words[1:])
        assert "Traceback" not in done.stderr, done.stderr
        counts[name] = machine.logins() - before
    # Each opens one at most, and finds that of the command before; the doctor also tests a new login.
    assert all(count <= 1 + (name == "doctor") for name, count in counts.items()), counts


def left_behind(words: bytes, since: float) -> list[Path]:
    """Files written since then, in the places for temporary files, that hold the words."""
    found = []
    for place in {Path(tempfile.gettempdir()), Path("/tmp"), Path("/dev/shm"), Path.home() / ".ansible"}:
        for folder, _, names in os.walk(place):
            for path in (Path(folder, name) for name in names):
                try:
                    if path.is_file() and path.stat().st_ctime >= since and words in path.read_bytes():
                        found.append(path)
                except OSError:
                    continue
    return found


def seen_by_others(words: bytes) -> list[str]:
    """Processes whose argument list or environment holds the words."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        for name in ("cmdline", "environ"):
            try:
                if words in (process / name).read_bytes():
                    found.append(f"{process.name}/{name}")
            except OSError:
                continue
    return found


def test_a_terminal_that_goes_away_leaves_no_password(machine: Machine, tmp_path: Path) -> None:
    """Observed: `doctor -K` left the password of sudo in a file under /tmp."""
    secret = f"{PASSWORD}-{os.getpid()}"
    machine.host.check_output(f"echo owner:{secret} | chpasswd")
    # A host that does not answer keeps the doctor waiting while the terminal goes.
    inventory = machine.over_ssh(ansible_ssh_extra_args="-o 'ProxyCommand=sleep 600'")
    start = time.time()
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(PROJECT)
        os.environ["ANSIBLE_CONFIG"] = str(PROJECT / "ansible.cfg")
        os.execv(sys.executable, [sys.executable, "scripts/doctor.py", "-K", "-i", str(inventory), "--no-page"])
    told = b""
    while b"sudo password" not in told:
        told += os.read(terminal, 1024)
    os.write(terminal, f"{secret}\n".encode())

    try:
        end = time.monotonic() + PATIENCE
        while not seen_by_others(b"ProxyCommand=sleep 600") and time.monotonic() < end:
            time.sleep(0.5)
        assert seen_by_others(b"ProxyCommand=sleep 600"), told
        during = left_behind(secret.encode(), start), seen_by_others(secret.encode())
        os.close(terminal)  # the kernel sends SIGHUP
        os.waitpid(child, 0)
    except BaseException:
        os.kill(child, signal.SIGKILL)
        raise
    finally:
        machine.host.check_output(f"echo owner:{PASSWORD} | chpasswd")
    assert during == ([], [])
    assert left_behind(secret.encode(), start) == []
