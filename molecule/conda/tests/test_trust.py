"""Credentials are seen by nobody, root runs nothing of an environment, and what a member planted is left alone."""

from __future__ import annotations

import base64
import json
import time
from pathlib import Path

import pytest
from conftest import CHANNEL, PROJECT, ROOT, hooks_kept, play

HERE = Path(__file__).resolve().parent
TOKEN = "tk-5b1c/93:f0"
PORT = 8901
PLACE = "/opt/private"
OWNERS = {"conda_root": PLACE, "conda_engine_dir": "/opt/private-engine", "conda_group": "", "conda_shell_hooks": False}
WANTED = {"name": "private", "kernel": False, "conda": ["tqdm"], "wheels": ["six"]}


TOKEN_FILE = f"ada:{TOKEN}"
IN_A_URL = "ada:tk-5b1c%2F93%3Af0@"


def url(path, user=IN_A_URL):
    return f"http://{user}127.0.0.1:{PORT}/{path}"


@pytest.fixture
def private(host):
    """Channel, index and the engine's own wheels behind a password; the watching account."""
    name = host.backend.host
    if not name.endswith("-d13"):
        pytest.skip("one release is enough")
    requirements = PROJECT / "roles/conda/files/engine-requirements.txt"
    for file in (PROJECT / "tests/fixtures/conda_channel/serve.py", HERE / "watch_processes.py", requirements):
        host.backend.run_local(f"docker cp {file} {name}:/srv/{file.name}")
    python = f"{ROOT}/envs/jupyter/bin/python"
    host.check_output(f"mkdir -p /srv/private && {python} -m pip download -q --no-deps -d /srv/private six==1.16.0")
    host.check_output(
        f"/opt/dlbox/engine/venv/bin/python -m pip download -q --require-hashes --only-binary=:all: -d /srv/private "
        f"-r /srv/{requirements.name}"
    )
    host.check_output(
        "printf %s > /srv/credentials && chmod 600 /srv/credentials && rm -f /srv/watched /srv/stop", TOKEN_FILE
    )
    serve = f"python3 /srv/serve.py {PORT} /srv/conda-channel /srv/private /srv/private.log /srv/credentials"
    host.check_output(f"systemd-run --quiet --unit dlbox-private --collect {serve}")
    host.check_output(
        "systemd-run --quiet --unit dlbox-watch --collect -p User=nobody -p StandardOutput=file:/srv/watched "
        f"python3 /srv/watch_processes.py {TOKEN.split('/')[0]} {PLACE} /srv/stop"
    )
    for _ in range(50):
        if host.run(f"ss -ltn | grep -q :{PORT}").rc == 0:
            break
        time.sleep(0.1)
    with hooks_kept(host):
        yield
    host.run("touch /srv/stop; systemctl stop dlbox-private dlbox-watch")
    host.run("rm -rf /opt/private /opt/private-engine /srv/private")


def test_credentials_of_channels_and_indexes_are_seen_by_nobody(host, private):
    variables = {
        **OWNERS,
        "conda_base": False,
        "conda_environments": [WANTED],
        "conda_channels": [url("channel")],
        "conda_wheel_index_url": url("simple"),
        "conda_locks_dir": "/nonexistent",
    }
    done = play(host, "-vvv", **variables)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    prefix = f"{PLACE}/envs/private"
    assert host.check_output(
        f"runuser -u nobody -- {prefix}/bin/python -I -c 'import six, tqdm; print(six.__version__)'"
    )
    again = play(host, **variables)
    assert "changed=0" in again.stdout, again.stdout[-3000:]
    host.check_output("touch /srv/stop; while systemctl is-active -q dlbox-watch; do sleep 0.1; done")
    seen = json.loads(host.file("/srv/watched").content_string)
    assert seen["rounds"] > 100
    assert seen["told"] == [] and seen["environ"] == []
    assert seen["root"] == [], "root ran programs of an environment"
    # The index without the credentials is what is written; they are nowhere: no file, no journal, no output.
    lock = host.file(f"{prefix}/conda-meta/dlbox/conda.lock").content_string
    assert url("channel", "") in lock
    for form in (TOKEN, IN_A_URL.split(":")[1].rstrip("@"), base64.b64encode(TOKEN_FILE.encode()).decode()):
        found = host.run("grep -rIlF --exclude-dir=proc --exclude-dir=sys --exclude-dir=srv -e %s /", form)
        assert found.stdout == "", found.stdout
        assert host.run("grep -rlaF -e %s /opt /var/log /var/lib /run/log /root /tmp", form).stdout == ""
        assert host.run("journalctl --no-pager | grep -cF -e %s", form).stdout.strip() == "0"
        # The owner's own --extra-vars are on the controller's command line, which -vvv does not repeat.
        assert form not in done.stdout + done.stderr


def test_a_wrong_password_is_told_without_it(host, private, conda_env):
    bad = {"url": url("simple", ""), "username": "ada", "password": "hunter2"}
    result = conda_env(
        {"name": "private", "kernel": False, "wheels": ["six"]},
        wheel_index_url=url("simple", ""),
        credentials=[bad],
        root=PLACE,
        channels=[CHANNEL],
    )
    assert result["failed"] and "hunter2" not in json.dumps(result)
    assert "authentication" in result["msg"] or "401" in result["msg"], result["msg"]
    given = conda_env({"name": "x"}, wheel_index_url=url("simple"))
    assert given["failed"] and "credentials are given beside it" in given["msg"] and TOKEN not in given["msg"]


MARK = "import os; open('/tmp/ran-as-%d' % os.getuid(), 'a').close()"


def test_the_python_of_an_environment_never_runs_as_root(host, conda_env):
    """Code that a package brought (a .pth file) is run at every start of the Python; it says as whom."""
    wanted = {"name": "marked", "kernel": False, "conda": ["tqdm"], "wheels": ["six==1.16.0"]}
    assert not conda_env(wanted).get("failed")
    site = f"{ROOT}/envs/marked/lib/python3.11/site-packages"
    host.check_output(f"rm -f /tmp/ran-as-*; echo %s > {site}/mark.pth", MARK)
    host.check_output(f"{ROOT}/envs/marked/bin/python -c pass && test -e /tmp/ran-as-0 && rm /tmp/ran-as-0")
    host.check_output(f"rm {site}/six.py {site}/tqdm/std.py")
    changed = conda_env({**wanted, "wheels": ["six==1.17.0", "iniconfig"]})
    assert not changed.get("failed"), changed["msg"]
    assert not conda_env({**wanted, "wheels": ["iniconfig"]}).get("failed")
    runs = host.check_output("ls /tmp | grep ran-as-").split()
    assert runs and "ran-as-0" not in runs, runs
    assert host.check_output(f"stat -c '%a %G' {ROOT}/envs/marked") == "755 root"
    assert (
        host.file(f"{site}/__pycache__/iniconfig.cpython-311.pyc").exists
        or host.file(f"{site}/iniconfig/__pycache__/__init__.cpython-311.pyc").exists
    )
    host.check_output("rm -f /tmp/ran-as-*")
    conda_env({"name": "marked", "state": "absent"})


def test_what_a_member_of_the_group_planted_is_neither_adopted_nor_run_nor_removed(host, conda_env):
    planted = f"{ROOT}/envs/planted"
    host.check_output(
        f"su - carol -c 'cp -r {ROOT}/envs/small {planted} && rm {planted}/bin/python && "
        f'printf "#!/bin/sh\\nid -u > /tmp/planted-ran\\n" > {planted}/bin/python && chmod 755 {planted}/bin/python\''
    )
    assert host.file(f"{planted}/conda-meta/dlbox/manifest").exists
    before = host.check_output(f"find {planted} -printf '%p %s %T@\\n' | sort | sha256sum")
    result = conda_env({"name": "planted", "conda": ["tqdm"], "wheels": ["six"]}, {"name": "sound", "kernel": False})
    assert result["failed"]
    for part in (planted, "belongs to carol", "neither changed nor run by root", "another name"):
        assert part in result["msg"], result["msg"]
    assert [entry["status"] for entry in result["environments"]] == ["failed", "created"]
    gone = conda_env({"name": "planted", "state": "absent"})
    assert gone["failed"] and "belongs to carol" in gone["msg"]
    assert host.check_output(f"find {planted} -printf '%p %s %T@\\n' | sort | sha256sum") == before
    assert not host.file("/tmp/planted-ran").exists
    host.check_output(f"rm -rf {planted}")
    conda_env({"name": "sound", "state": "absent"})
