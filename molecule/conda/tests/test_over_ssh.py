"""A first run as the launcher makes it: over ssh, as an account with sudo, with mitogen."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest
from conftest import PROJECT, hooks_kept, play, playing

ACCOUNT = "dora"


@pytest.fixture
def login(host, tmp_path):
    """The variables of a connection by key to an account that may become root."""
    if not host.backend.host.endswith("-d13"):
        pytest.skip("one release is enough: what is tested is the way to the host")
    key, known = tmp_path / "key", tmp_path / "known_hosts"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    address = host.check_output("hostname -I").split()[0]
    known.write_text(f"{address} {host.file('/etc/ssh/ssh_host_ed25519_key.pub').content_string}")
    host.check_output(f"useradd --create-home --shell /bin/bash {ACCOUNT}")
    host.check_output(f"install -d -m 700 -o {ACCOUNT} /home/{ACCOUNT}/.ssh")
    public = key.with_suffix(".pub").read_text().strip()
    host.check_output(f"echo '{public}' | install -o {ACCOUNT} -m 600 /dev/stdin /home/{ACCOUNT}/.ssh/authorized_keys")
    host.check_output(f"echo '{ACCOUNT} ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/{ACCOUNT}")
    with hooks_kept(host):
        yield {
            "ansible_connection": "ssh",
            "ansible_host": address,
            "ansible_user": ACCOUNT,
            "ansible_become": True,
            "ansible_ssh_private_key_file": str(key),
            "ansible_ssh_common_args": f"-o UserKnownHostsFile={known} -o IdentitiesOnly=yes -F none",
        }
    host.check_output(f"rm /etc/sudoers.d/{ACCOUNT}; userdel --remove --force {ACCOUNT} 2>/dev/null; rm -rf /srv/other")


@pytest.fixture
def mitogen(monkeypatch):
    """Runs use mitogen, as the launcher's do."""
    found = subprocess.run(
        [sys.executable, PROJECT / "scripts/mitogen-path"], capture_output=True, text=True, check=False
    )
    if found.returncode:
        pytest.skip(found.stderr.strip())
    monkeypatch.setenv("ANSIBLE_STRATEGY", "mitogen_linear")
    monkeypatch.setenv("ANSIBLE_STRATEGY_PLUGINS", found.stdout.strip())
    monkeypatch.setenv("ANSIBLE_SUDO_EXE", "sudo")


def test_the_first_environments_are_made_with_mitogen(host, login, mitogen):
    """The engine's Python, started anew for an asynchronous task, has to bring what the module imports."""
    made = play(
        host,
        **login,
        conda_root="/srv/other/conda",
        conda_engine_dir="/srv/other/engine",
        conda_base=False,
        conda_shell_hooks=False,
        conda_environments=[{"name": "first", "kernel": False, "wheels": ["six"]}],
        conda_timeout_seconds=120,
    )
    said = made.stdout + made.stderr
    assert made.returncode == 0, said
    for noise in ("ASYNC", "file a bug", "internal key", "restricted key"):
        assert noise not in said, said
    assert host.check_output("journalctl --quiet --identifier=sudo --priority=warning") == ""
    python = "/srv/other/conda/envs/first/bin/python"
    assert host.check_output(f"{python} -c 'import six; print(six.__file__)'").startswith(
        "/srv/other/conda/envs/first/"
    )


@pytest.mark.full
@pytest.mark.parametrize("strategy", ["mitogen", "linear"])
def test_a_host_that_falls_silent_is_given_up(host, login, strategy, request):
    """Paused, it answers nothing; the host's kernel still confirms packets, so that only ssh itself can notice."""
    if strategy == "mitogen":
        request.getfixturevalue("mitogen")
    engine = os.environ.get("DLBOX_ENGINE", "docker")
    run = playing(host, playbook="early.yml", **login, other_stage="touch /run/begun; sleep 600")
    try:
        host.check_output("for _ in $(seq 1200); do test -e /run/begun && exit; sleep 0.1; done; exit 1")
        subprocess.run([engine, "pause", host.backend.host], check=True, capture_output=True)
        said, errors = run.communicate(timeout=300)  # of the ten minutes that the command would take
    finally:
        subprocess.run([engine, "unpause", host.backend.host], check=False, capture_output=True)
        run.kill()
    assert run.returncode == 4 and "unreachable=1" in said, said + errors
    assert "file a bug" not in said + errors


@pytest.mark.parametrize("strategy", ["mitogen", "linear"])
def test_what_a_killed_controller_has_started_goes_on_and_the_next_run_waits_for_it(host, login, strategy, request):
    """Not started twice: the next run changes nothing, and the environment is the one that the first run began with."""
    if strategy == "mitogen":
        request.getfixturevalue("mitogen")
    variables = {
        **login,
        "conda_root": "/srv/other/conda",
        "conda_base": False,
        "conda_shell_hooks": False,
        "conda_environments": [{"name": "first", "kernel": False, "wheels": ["numpy", "pandas", "ipykernel"]}],
        "other_stage": "until test -e /srv/other/conda/envs/first/conda-meta/dlbox/lock.json; do sleep 0.1; done"
        "; touch /srv/other/begun; sleep 600",
    }
    first = playing(host, playbook="early.yml", **variables)
    host.check_output("for _ in $(seq 1200); do test -e /srv/other/begun && exit; sleep 0.1; done; exit 1")
    os.killpg(first.pid, signal.SIGKILL)
    first.communicate()
    begun = host.check_output("stat -c '%i %w' /srv/other/conda/envs/first/conda-meta")
    again = play(host, playbook="early.yml", **{**variables, "other_stage": "true"})
    assert again.returncode == 0, again.stdout + again.stderr
    assert "changed=0" in again.stdout, again.stdout
    assert host.check_output("stat -c '%i %w' /srv/other/conda/envs/first/conda-meta") == begun
    assert host.run("/srv/other/conda/envs/first/bin/python -c 'import pandas, ipykernel'").rc == 0
