"""Channel, wheel index and a framework's own index from a mirror over HTTP; nothing else is reachable meanwhile."""

from __future__ import annotations

import time

import pytest
from conftest import PROJECT, ROOT, unplugged

SERVER = "http://127.0.0.1:8900"
FORGE = "https://conda.anaconda.org/conda-forge"
MIRRORED = {
    "channels": ["conda-forge"],
    "mirrors": {FORGE: [f"{SERVER}/channel"]},
    "wheel_index_url": f"{SERVER}/simple",
    "wheel_mirrors": {"https://download.pytorch.org/whl/": f"{SERVER}/framework/"},
    "root": "/opt/mirrored",
}
# A plan's framework with an index of its own, and a small wheel in its place.
PLAN = {
    "frameworks": {
        "pytorch": {
            "requirements": ["six==1.16.0"],
            "build": "cpu",
            "python": "3.11",
            "gpu": False,
            "index_url": "https://download.pytorch.org/whl/cpu",
        }
    }
}
WANTED = {"name": "mirrored", "kernel": False, "framework": "pytorch", "conda": ["tqdm"]}


@pytest.fixture
def mirror(host, conda_env):
    """The server on the host, with the channel and one wheel; the function says what was asked of it."""
    name = host.backend.host
    host.backend.run_local(f"docker cp {PROJECT}/tests/fixtures/conda_channel/serve.py {name}:/srv/serve.py")
    host.check_output(
        f"{ROOT}/envs/jupyter/bin/python -m pip download -q --no-deps -d /srv/mirror six==1.16.0; : > /srv/requests"
    )
    command = "python3 /srv/serve.py 8900 /srv/conda-channel /srv/mirror /srv/requests"
    host.check_output(f"systemd-run --quiet --unit dlbox-mirror --collect {command}")
    for _ in range(50):
        if host.run("ss -ltn | grep -q :8900").rc == 0:
            break
        time.sleep(0.1)
    yield lambda: host.file("/srv/requests").content_string
    host.check_output("systemctl stop dlbox-mirror; rm -rf /opt/mirrored")


def test_mirrors_serve_what_locks_name_by_its_true_address(conda_env, host, mirror):
    with unplugged(host):
        made = conda_env(WANTED, plan=PLAN, **MIRRORED)
        assert not made.get("failed"), made["msg"]
        folder = "/opt/mirrored/envs/mirrored/conda-meta/dlbox"
        conda_lock = host.file(f"{folder}/conda.lock").content_string
        assert f"{FORGE}/" in conda_lock and "127.0.0.1" not in conda_lock
        assert "127.0.0.1" not in host.file(f"{folder}/wheels.txt").content_string
        asked = mirror()
        for part in (
            "/channel/noarch/tqdm",
            "/channel/linux-64/python-3.11",
            "/framework/cpu/six",
            "/files/six-1.16.0",
        ):
            assert part in asked, part
        assert not conda_env(WANTED, plan=PLAN, **MIRRORED)["changed"]
        assert mirror() == asked, "a run with nothing to do asks nobody"

        # From the lock, with empty caches: the same files, and no solve, so no index of the channel is read.
        names = ("lock.json", "conda.lock", "wheels.txt")
        lock = {name: host.file(f"{folder}/{name}").content_string for name in names}
        host.check_output("rm -rf /opt/mirrored && : > /srv/requests")
        again = conda_env(WANTED, plan=PLAN, locks={"mirrored": lock}, **MIRRORED)
        assert again["environments"][0]["source"] == "lock", again
        assert "repodata" not in mirror() and "/channel/noarch/tqdm" in mirror()
        # Newer packages are asked for at the mirror too, which has seen this reader before.
        renewed = conda_env(WANTED, plan=PLAN, renew=["mirrored"], **MIRRORED)
        assert not renewed.get("failed"), renewed["msg"]


def test_a_mirror_that_does_not_answer_is_named(conda_env, host):
    wrong = {**MIRRORED, "mirrors": {FORGE: ["http://127.0.0.1:9/channel"]}}
    result = conda_env(WANTED, plan=PLAN, **wrong)
    assert result["failed"] and "127.0.0.1:9" in result["msg"], result["msg"]
