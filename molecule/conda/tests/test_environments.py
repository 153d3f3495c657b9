"""What users find after the role: on every release."""

from __future__ import annotations

import pytest
from conftest import CHANNELS, play, unchanged

SMALL = "/opt/conda/envs/small"


def test_every_shell_of_an_ordinary_user_activates_an_environment(host):
    # A login shell, a terminal on a desktop (interactive, no login), a command over ssh with a login shell.
    for shell in ("bash -lc", "bash -ic", "sh -lc"):
        done = host.run(
            f'su bob -c "{shell} \'conda activate small && python -c \\"import sys; print(sys.prefix)\\"\'" 2>/dev/null'
        )
        assert done.stdout.strip() == SMALL, shell


def test_nobodys_own_files_are_changed_and_nothing_is_activated(host):
    assert "conda" not in host.check_output("cat /home/bob/.bashrc /home/bob/.profile")
    assert host.run("su - bob -c 'echo $CONDA_PREFIX'").stdout.strip() == ""


def test_an_ordinary_user_reads_all_and_writes_nothing(host):
    done = host.run(f"su - bob -c '{SMALL}/bin/python -c \"import ssl, sqlite3, ctypes, tqdm, packaging, ipykernel\"'")
    assert done.rc == 0, done.stderr
    assert host.run("su - bob -c 'find /opt/conda -writable ! -type l 2>/dev/null'").stdout == ""
    assert host.run("su - bob -c 'find /opt/conda -name .cache -prune -o ! -readable -print'").stdout == ""
    # The caches are where root installs from: nobody else has business there.
    assert host.file("/opt/conda/.cache").mode == 0o700
    assert host.run(f"su - bob -c 'cat {SMALL}/conda-meta/*.json'").rc == 0


def test_byte_code_is_there_for_conda_packages_and_wheels(host):
    site = f"{SMALL}/lib/python3.11/site-packages"
    for package in ("tqdm", "packaging", "ipykernel"):
        assert host.file(f"{site}/{package}/__pycache__/__init__.cpython-311.pyc").exists
    # Python takes it: nothing is compiled again when root, who could write, imports.
    written = host.run(f"{SMALL}/bin/python -v -c 'import tqdm, packaging' 2>&1 | grep -E '# wrote .*(tqdm|packaging)'")
    assert written.rc == 1, written.stdout


def test_files_that_environments_share_are_stored_once(host):
    names = [
        "lib/python3.11/os.py",
        "lib/python3.11/site-packages/pip/__init__.py",
        "lib/python3.11/site-packages/six.py",
    ]
    # What one environment's Python compiled is run by no other.
    own = ["lib/python3.11/site-packages/__pycache__/six.cpython-311.pyc"]
    for name in names + own:
        inodes = host.check_output(f"stat -c %i /opt/conda/envs/small/{name} /opt/conda/envs/jupyter/{name}").split()
        assert len(inodes) == 2 and (inodes[0] == inodes[1]) == (name not in own), name


def test_a_packages_own_prefix_is_written_into_text_and_binary(host):
    assert host.check_output(f"{SMALL}/bin/fixture-prefix") == f"{SMALL} 1.1"
    data = host.check_output(f"tr '\\0' '\\n' < {SMALL}/share/fixture/prefix.dat")
    assert f"{SMALL}/lib" in data and "tail" in data and "placeholder" not in data


def test_pip_and_uv_refuse_to_change_a_declared_environment(host):
    pip = host.run(f"{SMALL}/bin/python -m pip install six")
    assert pip.rc != 0 and "managed by dlbox" in pip.stderr
    uv = host.run(f"/opt/dlbox/engine/venv/bin/uv pip install --python {SMALL}/bin/python six")
    assert uv.rc != 0 and "managed by dlbox" in uv.stderr
    assert "managed by dlbox" in host.file(f"{SMALL}/conda-meta/frozen").content_string


def test_pins_survive_an_update_by_pip_and_by_uv(host):
    # An environment that may be changed by hand: the constraints hold there too.
    free = "/opt/conda/envs/free"
    pip = host.run(f"{free}/bin/python -m pip install -U --dry-run 'packaging>26.0'")
    assert pip.rc != 0 and "constraint" in (pip.stdout + pip.stderr).lower()
    assert host.run(f"{free}/bin/python -m pip install -U packaging").rc == 0
    trust = "SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt"
    uv = f"{trust} /opt/dlbox/engine/venv/bin/uv pip install --python {free}/bin/python"
    assert host.run(f"UV_CONSTRAINT={free}/conda-meta/dlbox/constraints.txt {uv} -U packaging").rc == 0
    assert host.run(f"UV_CONSTRAINT={free}/conda-meta/dlbox/constraints.txt {uv} 'packaging>26.0'").rc != 0
    assert host.check_output(f"{free}/bin/python -c 'import packaging; print(packaging.__version__)'") == "26.0"
    state = host.file(f"{free}/conda-meta/state").content_string
    assert "UV_CONSTRAINT" in state and "PIP_CONSTRAINT" in state


def test_an_activated_environment_has_its_variables_and_pins(host):
    """As an owner's shell has them: the constraints, and memory growth where the owner chose it, nowhere else."""
    shown = host.check_output("su bob -c \"bash -lc 'conda activate tensorflow && env'\"").splitlines()
    there = dict(line.split("=", 1) for line in shown if "=" in line)
    constraints = "/opt/conda/envs/tensorflow/conda-meta/dlbox/constraints.txt"
    assert there["UV_CONSTRAINT"] == there["PIP_CONSTRAINT"] == constraints
    assert "six==1.16.0" in host.file(constraints).content_string
    growth = {"TF_FORCE_GPU_ALLOW_GROWTH": "true", "XLA_PYTHON_CLIENT_PREALLOCATE": "false"}
    chosen = {name: there[name] for name in growth if name in there}
    assert chosen == (growth if host.backend.host.endswith("-d12") else {})
    # No library path: a framework's libraries are found by the framework itself.
    assert "LD_LIBRARY_PATH" not in there


def test_pins_survive_an_update_in_an_activated_environment(host):
    trust = "SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt"
    for tool in ("pip install", f"{trust} /opt/dlbox/engine/venv/bin/uv pip install --python /opt/conda/envs/free"):
        updated = host.run(f"bash -lc 'conda activate free && {tool} --upgrade packaging'")
        assert updated.rc == 0, updated.stderr
        forced = host.run(f"bash -lc 'conda activate free && {tool} \"packaging>26.0\"'")
        assert forced.rc != 0 and "packaging" in forced.stdout + forced.stderr
    shown = host.check_output("/opt/conda/envs/free/bin/python -c 'import packaging; print(packaging.__version__)'")
    assert shown == "26.0"


def test_members_of_the_group_add_environments_and_cannot_touch_the_declared(host):
    assert host.run("su - carol -c 'mkdir /opt/conda/envs/carols'").rc == 0
    assert host.file("/opt/conda/envs/carols").group == "conda"
    for attempt in (
        "mv /opt/conda/envs/small /opt/conda/envs/other",
        "touch /opt/conda/envs/small/x",
        "rm -rf /opt/conda/envs/small/bin",
    ):
        assert host.run(f"su - carol -c '{attempt}'").rc != 0
    assert host.run("su - bob -c 'mkdir /opt/conda/envs/bobs'").rc != 0
    host.run("rmdir /opt/conda/envs/carols")


def test_base_has_conda_and_mamba_where_the_channel_has_them(host):
    assert host.file("/opt/conda/bin/conda").exists and host.file("/opt/conda/bin/mamba").exists
    for channel in CHANNELS:
        assert channel in host.file("/opt/conda/.condarc").content_string


def test_a_run_with_nothing_to_do_says_what_runs_on_the_cpu(host):
    if not host.backend.host.endswith("-d12"):
        pytest.skip("one release is enough")
    done = play(host)
    assert unchanged(done), done.stdout + done.stderr
    assert "conda: tensorflow: no usable GPU: the CPU build" in done.stdout
