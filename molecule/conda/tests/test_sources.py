"""Channel, wheel index and a framework's own index from a mirror over HTTP; nothing else is reachable meanwhile."""

from __future__ import annotations

import json
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
# A plan's framework with an index of its own, and a wheel with nothing in it in its place.
PLAN = {
    "frameworks": {
        "pytorch": {
            "requirements": ["torch"],
            "build": "cpu",
            "python": "3.11",
            "gpu": False,
            "index_url": "https://download.pytorch.org/whl/cpu",
        }
    }
}
WANTED = {"name": "mirrored", "kernel": False, "framework": "pytorch", "conda": ["tqdm"], "wheels": ["six==1.16.0"]}
# An empty wheel called torch: FOLDER VERSION.
EMPTY_WHEEL = """
import base64, hashlib, sys, zipfile
stem = f"torch-{sys.argv[2]}"
texts = {"METADATA": f"Metadata-Version: 2.1\\nName: torch\\nVersion: {sys.argv[2]}\\n",
         "WHEEL": "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n"}
record = f"{stem}.dist-info/RECORD,,\\n"
with zipfile.ZipFile(f"{sys.argv[1]}/{stem}-py3-none-any.whl", "w") as wheel:
    for name, text in texts.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
        record += f"{stem}.dist-info/{name},sha256={digest},{len(text)}\\n"
        wheel.writestr(f"{stem}.dist-info/{name}", text)
    wheel.writestr(f"{stem}.dist-info/RECORD", record)
"""


@pytest.fixture
def mirror(host, conda_env):
    """The server on the host, with the channel and one wheel; the function says what was asked of it."""
    name = host.backend.host
    host.backend.run_local(f"docker cp {PROJECT}/tests/fixtures/conda_channel/serve.py {name}:/srv/serve.py")
    host.check_output(
        f"{ROOT}/envs/jupyter/bin/python -m pip download -q --no-deps -d /srv/mirror six==1.16.0; : > /srv/requests"
    )
    host.check_output("mkdir -p /srv/mirror/framework")
    # What somebody planted on the general index, to be taken for the framework.
    for folder, version in (("/srv/mirror/framework", "1.0"), ("/srv/mirror", "99.0")):
        host.check_output("python3 -c %s %s %s", EMPTY_WHEEL, folder, version)
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
            "/framework/cpu/torch",
            "/files/framework/torch-1.0",
            "/simple/six",
            "/files/six-1.16.0",
        ):
            assert part in asked, part
        assert "/simple/torch" not in asked and "/framework/cpu/six" not in asked
        assert "torch==1.0" in host.file(f"{folder}/wheels.txt").content_string
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


def test_channels_and_wheels_come_through_the_proxy(conda_env, host, mirror):
    """mirror.test is known to the proxy alone."""
    sources = json.loads(json.dumps(MIRRORED).replace("127.0.0.1:8900", "mirror.test"))
    with unplugged(host):
        assert host.run("getent hosts mirror.test").rc != 0
        made = conda_env(WANTED, plan=PLAN, proxy="http://ada:pr0xy-s3cret@127.0.0.1:8900", **sources)
        assert not made.get("failed"), made["msg"]
    for part in ("/channel/noarch/tqdm", "/framework/cpu/torch", "/files/six-1.16.0"):
        assert f"GET http://mirror.test{part}" in mirror(), part
    assert "s3cret" not in str(made)


def test_a_mirror_that_does_not_answer_is_named(conda_env, host):
    wrong = {**MIRRORED, "mirrors": {FORGE: ["http://127.0.0.1:9/channel"]}}
    result = conda_env(WANTED, plan=PLAN, **wrong)
    assert result["failed"] and "127.0.0.1:9" in result["msg"], result["msg"]
