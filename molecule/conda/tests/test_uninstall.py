"""Everything that the role made goes, by name; what it did not make stays."""

from __future__ import annotations

import pytest
from conftest import play, unchanged

NAMES = ["base", "free", "jupyter", "small", "tensorflow"]
HOOKS = "grep -rl dlbox-conda /etc/profile.d /etc/bash.bashrc"


@pytest.fixture
def bare(host):
    """Only on the release whose environments no other test needs any more."""
    if not host.backend.host.endswith("-d12"):
        pytest.skip("one release is enough")
    host.check_output("su - bob -c 'mkdir -p .conda/envs/mine/conda-meta && touch .conda/envs/mine/conda-meta/history'")
    host.check_output("su - carol -c 'mkdir -p /opt/conda/envs/carols/conda-meta'")


def test_uninstall(host, bare):
    refused = play(host, conda_state="absent", conda_remove=["base", "small"])
    assert refused.returncode != 0 and "does not name free, jupyter, tensorflow" in " ".join(refused.stdout.split())
    shown = play(host, "--check", conda_state="absent", conda_remove=NAMES)
    assert shown.returncode == 0 and "/opt/conda/envs/small" in shown.stdout
    assert host.run("/opt/conda/envs/small/bin/python -c 'import tqdm'").rc == 0

    done = play(host, conda_state="absent", conda_remove=NAMES)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "/opt/conda/envs/carols (dlbox did not make it)" in " ".join(done.stdout.split())
    assert host.check_output("find /opt/conda -mindepth 1 -maxdepth 2") == "/opt/conda/envs\n/opt/conda/envs/carols"
    assert not host.file("/opt/dlbox").exists and host.run(HOOKS).rc != 0
    assert host.group("conda").exists and host.file("/home/bob/.conda/envs/mine/conda-meta/history").exists
    assert host.run("bash -lc true; bash -ic true").rc == 0

    host.check_output("rm -r /opt/conda/envs/carols")
    assert play(host, conda_state="absent", conda_remove=NAMES).returncode == 0
    assert not host.file("/opt/conda").exists and not host.group("conda").exists
    assert unchanged(play(host, conda_state="absent", conda_remove=NAMES))
    assert host.file("/home/bob/.conda/envs/mine/conda-meta/history").exists
