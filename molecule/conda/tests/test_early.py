"""Environments that are made in the background while another stage runs, and how they fail."""

from __future__ import annotations

import pytest
from conftest import hooks_kept, play

ROOT = "/srv/early/conda"


@pytest.fixture
def site(host):
    """site(environment, ..., other_stage=command, variable=value): the role in two parts, a stage between them."""
    if not host.backend.host.endswith("-d13"):
        pytest.skip("one release is enough: what is tested is the order of a run")

    def run(*environments, other_stage="true", **variables):
        common = {"conda_root": ROOT, "conda_base": False, "conda_shell_hooks": False, **variables}
        return play(host, playbook="early.yml", conda_environments=environments, other_stage=other_stage, **common)

    with hooks_kept(host):
        yield run
    host.check_output("rm -rf /srv/early")


def environment(name, *wheels):
    return {"name": name, "kernel": False, "wheels": list(wheels)}


def test_another_stage_runs_while_they_are_made_and_a_failure_is_told_in_their_own(site, host):
    """The other stage ends only when one is whole, which nothing but the background can bring about."""
    whole = f"test -e {ROOT}/envs/good/conda-meta/dlbox/lock.json -a ! -e {ROOT}/envs/good/conda-meta/dlbox/incomplete"
    declared = [environment("bad", "dlbox-there-is-no-such-package"), environment("good", "six")]
    done = site(*declared, other_stage=f"for _ in $(seq 1200); do {whole} && exit; sleep 0.1; done; exit 1")
    assert done.returncode == 2, done.stdout + done.stderr
    before, told = done.stdout.split("the other stage is done")
    assert "environments in the background, also if this run ends before: bad, good" in before and "fatal" not in before
    assert "1 of 2 environments are not as declared" in told
    assert "wheels cannot be chosen. Asked for: dlbox-there-is-no-such-package" in told
    again = site(*declared)
    assert again.returncode == 2 and "1 of 2 environments are not as declared" in again.stdout
    assert site(declared[1]).returncode == 0
    unchanged = site(declared[1])
    assert "changed=0" in unchanged.stdout and "environments in the background" not in unchanged.stdout


def test_an_engine_that_cannot_be_installed_does_not_keep_the_other_stage_from_its_work(site, host):
    done = site(
        environment("good", "six"),
        conda_engine_dir="/srv/early/engine",
        conda_wheel_index_url="https://127.0.0.1:9/simple",
        other_stage="touch /srv/early/other-stage",
    )
    assert done.returncode == 2
    assert host.file("/srv/early/other-stage").exists
    for part in done.stdout.split("the other stage is done"):
        assert "the engine cannot be installed in /srv/early/engine" in part
    assert "rescued=1" in done.stdout and "failed=1" in done.stdout


def test_what_is_declared_wrongly_is_told_as_before(site, host):
    done = site({"name": "mixed", "wheels": ["torch", "tensorflow"]})
    assert done.returncode == 2
    assert "The environments cannot be made as declared" in done.stdout
    assert not host.file(ROOT).exists
