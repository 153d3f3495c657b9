"""Call conda_env on a test host with any parameters, many times and quickly.

A hundred calls through the ansible command would cost minutes on a small machine; the converge step has shown that a
play can call the module. Here the same files run on the host, with the parameters where Ansible puts them.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import ansible
import pytest

PROJECT = Path(__file__).resolve().parents[3]
# The stand-in, and before it conda-forge where that answers: ./dlbox test names a channel only where it does not.
CHANNEL = "file:///srv/conda-channel"
CHANNELS = list(dict.fromkeys([os.environ.get("DLBOX_CONDA_CHANNEL") or "conda-forge", CHANNEL]))
ROOT = "/opt/conda"
ENGINE = "/opt/dlbox/engine/venv/bin/python"
PLACE = "/root/conda-env-under-test"
STARTER = """
import json, sys
sys.path.insert(0, sys.argv[1])
from ansible.module_utils import basic
basic._ANSIBLE_ARGS, basic._ANSIBLE_PROFILE = sys.stdin.buffer.read(), "legacy"
from ansible_collections.dlbox.workstation.plugins.modules import conda_env
conda_env.main()
"""


def docker(name: str, *command: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """Run a command in the container `name`."""
    engine = os.environ.get("DLBOX_ENGINE", "docker")
    return subprocess.run([engine, "exec", "-i", name, *command], input=stdin, capture_output=True, check=False)


@pytest.fixture(scope="session")
def carried() -> Callable[[str], None]:
    """Carry the module, its parts and Ansible's to a host, once."""
    there: set[str] = set()

    def carry(name: str) -> None:
        if name in there:
            return
        there.add(name)
        library = Path(ansible.__file__).parent
        data = io.BytesIO()
        with tarfile.open(fileobj=data, mode="w:gz", compresslevel=1) as tar:
            tar.add(library / "module_utils", "ansible/module_utils")
            tar.add(library / "release.py", "ansible/release.py")
            for part in ("module_utils", "modules/conda_env.py"):
                tar.add(PROJECT / "plugins" / part, f"ansible_collections/dlbox/workstation/plugins/{part}")
            for path, text in {"ansible/__init__.py": "", "start.py": STARTER}.items():
                file = tarfile.TarInfo(path)
                file.size = len(text.encode())
                tar.addfile(file, io.BytesIO(text.encode()))
        unpack = f"rm -rf {PLACE} && mkdir {PLACE} && tar -xzf - -C {PLACE}"
        done = docker(name, "sh", "-c", unpack, stdin=data.getvalue())
        assert done.returncode == 0, done.stderr

    return carry


@pytest.fixture
def conda_env(host: Any, carried: Callable[[str], None]) -> Callable[..., dict[str, Any]]:
    """conda_env(environment, ..., option=value) on the host under test; check=True for check mode."""
    name = host.backend.host
    if not name.endswith("-d13"):
        pytest.skip("one release is enough for the module's cases; Python 3.13 of the channel needs the newest")
    carried(name)

    def run(*environments: dict[str, Any], check: bool = False, **parameters: Any) -> dict[str, Any]:
        given = {
            "root": ROOT,
            "channels": CHANNELS,
            "python": "3.11",
            "ca_bundle": "/etc/ssl/certs/ca-certificates.crt",
        }
        given |= {"environments": list(environments), "_ansible_check_mode": check, **parameters}
        stdin = json.dumps({"ANSIBLE_MODULE_ARGS": given}).encode()
        done = docker(name, ENGINE, f"{PLACE}/start.py", PLACE, stdin=stdin)
        try:
            return dict(json.loads(done.stdout))
        except ValueError:
            return {"failed": True, "msg": f"{done.stdout.decode()}\n{done.stderr.decode()}"}

    return run


@contextmanager
def unplugged(host: Any) -> Iterator[None]:
    """The host without any network but its own loopback."""
    route = host.check_output("ip -o -4 route show default")
    link = route.split(" dev ")[1].split()[0]
    host.check_output(f"ip link set {link} down")
    try:
        assert host.run("ip route get 192.0.2.1").rc != 0
        yield
    finally:
        host.check_output(f"ip link set {link} up")
        host.check_output(f"ip route add {route}")


@contextmanager
def hooks_kept(host: Any) -> Iterator[None]:
    """The role takes away the hooks of an installation without any: the other tests' come back afterwards."""
    host.check_output("tar -C / -cf /srv/hooks.tar etc/bash.bashrc etc/profile.d/dlbox-conda.sh")
    try:
        yield
    finally:
        host.check_output("tar -C / -xf /srv/hooks.tar")


def playing(host: Any, *options: str, playbook: str = "again.yml", **variables: Any) -> subprocess.Popen[str]:
    """One host's play, while it runs, in a session of its own."""
    scenario = PROJECT / "molecule/conda"
    command = ["ansible-playbook", str(scenario / playbook), "--diff", "--limit", host.backend.host]
    command += ["--inventory", str(PROJECT / "molecule/shared/inventory"), "--inventory", str(scenario / "inventory")]
    command += ["--extra-vars", json.dumps(variables), *options]
    settings = {"ANSIBLE_CONFIG": str(PROJECT / "ansible.cfg"), "MOLECULE_PROJECT_DIRECTORY": str(PROJECT)}
    return subprocess.Popen(
        command,
        env={**os.environ, **settings},
        text=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


def play(host: Any, *options: str, playbook: str = "again.yml", **variables: Any) -> subprocess.CompletedProcess[str]:
    """The role once more on one host, as a play."""
    process = playing(host, *options, playbook=playbook, **variables)
    said, errors = process.communicate()
    return subprocess.CompletedProcess(process.args, process.returncode, said, errors)


def unchanged(done: subprocess.CompletedProcess[str]) -> bool:
    """Whether a play went well and changed nothing."""
    return done.returncode == 0 and "changed=0" in done.stdout


def locks_of(host: Any, name: str) -> dict[str, str]:
    """The lock that an environment keeps, as an owner would commit it."""
    folder = f"{ROOT}/envs/{name}/conda-meta/dlbox"
    return {file: host.file(f"{folder}/{file}").content_string for file in ("lock.json", "conda.lock", "wheels.txt")}
