"""What the roles of the archive have done, asked of the machine."""

import os
import tarfile
from pathlib import Path

EPHEMERAL = Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"])


def test_the_roles_came_from_the_archive():
    (archive,) = EPHEMERAL.glob("dlbox-workstation-*.tar.gz")
    with tarfile.open(archive) as tar:
        names = tar.getnames()
    parts = {name.partition("/")[0] for name in names}
    assert {"plugins", "roles", "meta", "README.md", "LICENSE", "MANIFEST.json"} <= parts
    assert not parts & {"collections", "molecule", "inventory", "ansible.cfg", "scripts", ".cache", ".venv"}
    assert all(name.startswith("tests/sanity") for name in names if name.startswith("tests/"))
    installed = EPHEMERAL / "collections/ansible_collections/dlbox/workstation"
    assert (installed / "plugins/modules/ufw_rules.py").is_file() and not installed.is_symlink()


def test_sshd_is_hardened(host):
    assert "passwordauthentication no" in host.check_output("/usr/sbin/sshd -T")


def test_the_firewall_is_on(host):
    status = host.check_output("ufw status")
    assert "Status: active" in status and "80" in status


def test_the_guard_is_released(host):
    assert "confirmed" in host.check_output("/usr/local/sbin/dlbox-guard status")


def test_the_environment_works(host):
    assert host.check_output("/opt/conda/envs/small/bin/python -I -c 'import six; print(six.__name__)'") == "six"


def test_the_driver_is_what_the_plan_says(host):
    assert host.package("nvidia-smi").is_installed
    assert '"nvidia-smi": "550.' in host.check_output("/usr/local/sbin/dlbox-nvidia status")
