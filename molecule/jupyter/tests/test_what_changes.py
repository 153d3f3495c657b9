"""After all else: an environment goes, the owner brings a certificate, and both roles take all of theirs away."""

from __future__ import annotations

import socket
import ssl
import subprocess
from pathlib import Path
from typing import Any

import pytest
from conftest import address, play, unreadable, wanted_by_eve

TUNNEL, HOME = "dlbox-jupyter-d13", "dlbox-jupyter-u2204"
testinfra_hosts = [f"ansible://{TUNNEL}", f"ansible://{HOME}"]
KERNELS = "/usr/local/share/jupyter/kernels"
OPENSSL = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]


def only(host: Any, name: str) -> None:
    """Leave the test to the host called `name`."""
    if host.backend.host != name:
        pytest.skip(f"this is {name}'s")


def test_an_environment_that_goes_takes_its_jupyter_kernel_along(host: Any) -> None:
    only(host, TUNNEL)
    host.check_output(f'mkdir -p {KERNELS}/mine && echo \'{{"argv": ["x"]}}\' > {KERNELS}/mine/kernel.json')
    left = [{"name": "jupyter"}, {"name": "jax", "wheels": ["ipykernel"]}, {"name": "plain", "state": "absent"}]
    # With it, an account's server goes and the other's port moves.
    more = {"dlbox_admins": [{"name": "ada"}], "jupyter_passwords": {}, "jupyter_ports": {"ada": 9000}}
    if host.run("pgrep -u ada -f ipykernel").rc == 0:  # a notebook of the tests before this one
        waits = play(host, conda_environments=left, conda_gpu_memory_growth=False, **more)
        assert waits.returncode == 0 and "The JupyterLab of ada runs notebooks" in waits.stdout, waits.stdout
        more["jupyter_restart"] = "always"
    done = play(host, conda_environments=left, conda_gpu_memory_growth=False, **more)
    assert done.returncode == 0, done.stdout + done.stderr
    held = {line.split()[3] for line in host.check_output("ss -Hltn").splitlines()}
    assert {"127.0.0.1:9000", "[::1]:9000"} <= held and not [one for one in held if one.endswith((":8888", ":8889"))]
    units = host.check_output("ls /etc/systemd/system /etc/systemd/system/*.wants").split()
    assert not [name for name in units if "@bob" in name and not name.endswith("~")], units
    assert not host.file("/run/jupyterlab/bob").exists
    assert sorted(host.file(KERNELS).listdir()) == ["jax", "mine"]
    assert not host.file("/opt/conda/envs/plain").exists
    # Memory growth was the owner's choice; it is no longer. The shell and the Jupyter kernel agree.
    for file in (f"{KERNELS}/jax/kernel.json", "/opt/conda/envs/jax/conda-meta/state"):
        assert "PREALLOCATE" not in host.file(file).content_string


def test_the_owners_certificate_is_shown(host: Any, tmp_path: Path) -> None:
    only(host, HOME)
    own, key = tmp_path / "own.crt", tmp_path / "own.key"
    names = ["-subj", "/CN=box", "-addext", f"subjectAltName=IP:{address(host)}"]
    subprocess.run([*OPENSSL, "-days", "90", *names, "-keyout", key, "-out", own], check=True, capture_output=True)
    for file in (own, key):
        host.backend.run_local(f"docker cp {file} {host.backend.host}:/etc/ssl/{file.name}")
    pair = {"jupyter_tls_certificate": "/etc/ssl/own.crt", "jupyter_tls_key": "/etc/ssl/own.key"}
    alone = play(host, jupyter_tls_certificate="/etc/ssl/own.crt")
    assert alone.returncode != 0 and "Expected both paths" in " ".join(alone.stdout.split())
    done = play(host, **pair)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "self-signed" not in done.stdout
    with (
        socket.create_connection((address(host), 8888), timeout=10) as plain,
        ssl.create_default_context(cafile=str(own)).wrap_socket(plain, server_hostname=address(host)) as secured,
    ):
        assert secured.getpeercert(binary_form=True) == ssl.PEM_cert_to_DER_cert(own.read_text())
    unreadable(host, "/etc/ssl/own.key")
    again = play(host, **pair)
    assert again.returncode == 0 and "changed=0" in again.stdout
    host.check_output("mv /etc/ssl/own.crt /etc/ssl/moved.crt")
    gone = play(host, **pair)
    assert gone.returncode != 0 and "/etc/ssl/own.crt is missing" in " ".join(gone.stdout.split())


def test_the_port_is_never_free_where_the_way_to_it_changes(host: Any) -> None:
    """Observed: from the home network to the tunnel and back left it free for a task or two."""
    only(host, HOME)
    with wanted_by_eve(host, 8888):
        for access, shown in (("tunnel", "127.0.0.1:8888"), ("home", "*:8888")):
            done = play(host, jupyter_access=access, jupyter_restart="always")
            assert done.returncode == 0, done.stdout + done.stderr
            held = {line.split()[3] for line in host.check_output("ss -Hltn sport = :8888").splitlines()}
            assert shown in held and (access == "home") == (held == {shown}), held
            again = play(host, jupyter_access=access)
            assert again.returncode == 0 and "changed=0" in again.stdout, again.stdout


def test_both_roles_take_all_of_theirs_away(host: Any) -> None:
    names = {TUNNEL: ["jupyter", "jax"], HOME: ["jupyter"]}[host.backend.host]
    host.check_output("su - ada -c 'mkdir -p work && echo mine > work/notebook.ipynb'")
    host.check_output(f'mkdir -p {KERNELS}/mine && echo \'{{"argv": ["x"]}}\' > {KERNELS}/mine/kernel.json')
    preferences = {"conda_state": "absent", "conda_remove": names}
    done = play(host, **preferences)
    assert done.returncode == 0, done.stdout + done.stderr
    for path in (
        "/opt/conda",
        "/opt/dlbox",
        "/etc/jupyterlab",
        "/etc/systemd/system/jupyterlab@.service",
        "/etc/systemd/system/jupyterlab-proxy@.service",
        "/etc/systemd/system/jupyterlab-proxy@ada.socket",
        "/etc/systemd/system/sockets.target.wants/jupyterlab-proxy@ada.socket",
        "/var/lib/dlbox/jupyter",
        "/usr/local/share/dlbox/jupyter",
        "/home/ada/.config/dlbox/jupyter-password",
    ):
        assert not host.file(path).exists, path
    assert host.run("systemctl list-units --all --plain --no-legend 'jupyterlab*@*'").stdout.strip() == ""
    assert host.run("ss -ltn | grep -E ':(888[89]|9000)'").rc != 0
    assert host.file(KERNELS).listdir() == ["mine"] and host.file("/home/ada/work/notebook.ipynb").exists
    again = play(host, **preferences)
    assert again.returncode == 0 and "changed=0" in again.stdout
