"""A lock made with ./dlbox lock, a directory of files, and a second box without a network: the same bytes, no choice.

The first box (Debian 13) has a network. The second (Debian 12) is bare after test_uninstall.py and never online here:
the engine itself comes from the directory too.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from conftest import PROJECT, play, unchanged, unplugged

PREFIX = "/opt/conda/envs/carried"
FORGE = "https://conda.anaconda.org/conda-forge"
WANTED = {"name": "carried", "kernel": False, "conda": ["tqdm", "fixture-prefix"], "wheels": ["six<1.17", "packaging"]}
FIRST_BOX, OTHER_BOX = "dlbox-conda-d13", "dlbox-conda-d12"
DOWNLOAD = ["pip", "download", "--quiet", "--disable-pip-version-check", "--only-binary=:all:", "--python-version=3.11"]
DOWNLOAD += ["--platform=manylinux_2_28_x86_64", "--platform=manylinux2014_x86_64", "--require-hashes", "--no-deps"]
# Everything but what is written anew on each host: byte code, and books with times and places in them.
BYTES = (
    f"cd {PREFIX} && find . -type f ! -name '*.pyc' ! -path './conda-meta/*.json' ! -path ./conda-meta/history"
    " ! -path ./conda-meta/dlbox/manifest ! -name uv_cache.json ! -name RECORD -print0 | sort -z | xargs -0 sha256sum"
)


def lock(folder, *options, wanted=WANTED):
    """./dlbox lock for the first box. Its channel is conda-forge by name; a folder of this machine stands for it."""
    channel = PROJECT.joinpath(".cache/conda-channel").as_uri()
    variables = {"conda_environments": [wanted], "conda_locks_dir": str(folder / "locks"), "conda_base": False}
    variables |= {"conda_channels": ["conda-forge"], "conda_mirrors": {FORGE: [channel]}}
    scenario = PROJECT / "molecule/conda"
    command = [sys.executable, str(PROJECT / "scripts/lock.py"), "--limit", FIRST_BOX, *options]
    command += ["-i", str(PROJECT / "molecule/shared/inventory"), "-i", str(scenario / "inventory")]
    command += ["-e", json.dumps(variables)]
    environment = {**os.environ, "MOLECULE_PROJECT_DIRECTORY": str(PROJECT)}
    return subprocess.run(command, env=environment, text=True, capture_output=True, check=False)


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """Beside the inventory: the lock of the first box."""
    place = tmp_path_factory.mktemp("inventory")
    done = lock(place)
    assert done.returncode == 0, done.stdout + done.stderr
    return place


@pytest.fixture(scope="session")
def locks(folder):
    return {file.name: file.read_text() for file in (folder / "locks/carried").iterdir()}


@pytest.fixture
def packages(folder, locks, host):
    """The directory on the second box, filled as docs/offline.md says."""
    wheels = PROJECT / ".cache/conda-wheels"
    wheels.mkdir(parents=True, exist_ok=True)
    engine = PROJECT / "roles/conda/files/engine-requirements.txt"
    for requirements in (engine, folder / "locks/carried/wheels.txt"):
        subprocess.run([sys.executable, "-m", *DOWNLOAD, "-d", str(wheels), "-r", str(requirements)], check=True)
    files = [line.split(f"{FORGE}/")[1] for line in locks["conda.lock"].splitlines() if line.endswith(".tar.bz2")]
    assert files
    host.check_output("mkdir -p /srv/packages/channel/linux-64 /srv/packages/channel/noarch")
    for file in set(files):
        # Without repodata.json: nothing can be chosen from it.
        host.check_output(f"cp /srv/conda-channel/{file} /srv/packages/channel/{file}")
    host.backend.run_local(f"docker cp {wheels} {host.backend.host}:/srv/packages/wheels")


@pytest.fixture(scope="session")
def boxes():
    """Name of a box -> the digests of its files."""
    return {}


# The second box comes first: testinfra goes through a module host by host.
def test_a_second_box_without_a_network_is_made_from_a_directory(folder, locks, boxes, host, request):
    if host.backend.host != OTHER_BOX:
        pytest.skip("it is the second box")
    request.getfixturevalue("packages")
    assert not host.file("/opt/conda").exists and not host.file("/opt/dlbox").exists
    preferences = {
        "conda_environments": [WANTED],
        "conda_base": False,
        "conda_locks_dir": str(folder / "locks"),
        "conda_channels": ["conda-forge"],
        "conda_mirrors": {FORGE: ["file:///srv/packages/channel"]},
        "conda_find_links": ["/srv/packages/wheels"],
        "conda_offline": True,
    }
    with unplugged(host):
        made = play(host, **preferences)
        assert made.returncode == 0, made.stdout + made.stderr
        assert unchanged(play(host, **preferences))
        # What was not locked cannot be had, and the message says so in words.
        other = play(host, **{**preferences, "conda_environments": [{**WANTED, "name": "unlocked"}]})
        assert other.returncode != 0 and "Traceback" not in other.stdout and "unlocked: " in other.stdout
    boxes[OTHER_BOX] = host.check_output(BYTES).strip()
    for name, text in locks.items():
        assert host.file(f"{PREFIX}/conda-meta/dlbox/{name}").content_string == text


def test_the_first_box_gets_the_same_bytes_and_renewing_shows_what_is_newer(folder, locks, boxes, host, conda_env):
    assert f"{FORGE}/noarch/tqdm-" in locks["conda.lock"] and "file://" not in locks["conda.lock"]
    mirrors = {FORGE: ["file:///srv/conda-channel"]}
    conda_env({"name": "carried", "state": "absent"})
    made = conda_env(WANTED, locks={"carried": locks}, channels=["conda-forge"], mirrors=mirrors)
    assert made["environments"][0]["source"] == "lock", made
    here = host.check_output(BYTES).strip()
    assert len(here.splitlines()) > 500 and here == boxes[OTHER_BOX]

    newer = {**WANTED, "conda": ["tqdm", "fixture-prefix <2"], "wheels": ["six", "packaging"]}
    shown = lock(folder, "--check", wanted=newer)
    for line in ("-six (wheel) 1.16.0", "+six (wheel) 1.17.0", "-fixture-prefix 2.0", "+fixture-prefix 1.1"):
        assert line in shown.stdout, shown.stdout
    assert (folder / "locks/carried/wheels.txt").read_text() == locks["wheels.txt"], "--check writes nothing"
