"""Each bad thing ends the run with a message to act on, and changes nothing on the host."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import re
import select
import subprocess
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[3]
STATE = r"find /etc /home /opt /usr/local /usr/sbin /var/lib/dpkg -xdev -printf '%p %T@ %s %m\n' | sort | sha256sum"


def provision(*arguments, playbook="playbooks/stages/preflight.yml"):
    """Run ``playbook`` against the container; return its exit status and everything it printed, on one line."""
    result = subprocess.run(
        ["ansible-playbook", playbook, *arguments], cwd=PROJECT, text=True, capture_output=True, check=False,
        env={**os.environ, "ANSIBLE_CONFIG": str(PROJECT / "ansible.cfg"), "NO_COLOR": "1"},
    )  # fmt: skip
    return result.returncode, " ".join((result.stdout + result.stderr).split())


@pytest.fixture
def refused(host):
    """A function that expects a run to be refused: it returns the message, having seen that nothing changed."""

    def attempt(*arguments, **keywords):
        before = host.check_output(STATE)
        status, output = provision(*arguments, **keywords)
        assert status != 0, output
        assert host.check_output(STATE) == before, "the host was changed"
        assert "Traceback" not in output
        return output

    return attempt


def variables(**values):
    return ["--extra-vars", json.dumps(values)]


@pytest.fixture
def changed_file(host):
    """A function that replaces a file of the container for the length of a test."""
    saved = []

    def replace(path, text):
        saved.append(path)
        host.check_output("cp -a %s %s.saved", path, path)
        host.check_output("printf %s > %s", text, path)

    yield replace
    for path in saved:
        host.check_output("mv %s.saved %s", path, path)


def test_an_unknown_operating_system(refused, changed_file):
    changed_file("/usr/lib/os-release", 'ID=fedora\nVERSION_ID=44\nPRETTY_NAME="Fedora Linux 44"\n')
    message = refused()
    assert "The operating system is Fedora Linux 44" in message
    assert "Expected one of: debian 12" in message and "ubuntu 22.04" in message


def test_a_variable_of_the_wrong_type(refused):
    message = refused(*variables(dlbox_ssh_port="twenty-two"))
    assert "dlbox_ssh_port: " in message and "'twenty-two'" in message and "expected int" in message


def test_a_misspelt_variable(refused):
    assert "Did you mean dlbox_home_networks?" in refused(*variables(dlbox_home_network=["10.0.0.0/8"]))


def test_an_admin_without_any_key(refused):
    message = refused(*variables(dlbox_admins=[{"name": "ada", "keys": []}]))
    assert "dlbox_admins[0].keys: the admin 'ada' has no public key" in message and "ssh-keygen -t ed25519" in message


def test_a_malformed_public_key(refused):
    message = refused(*variables(dlbox_admins=[{"name": "ada", "keys": ["ssh-ed25519 AAAAC3Nza ada"]}]))
    assert "dlbox_admins[0].keys[0]: 'ssh-ed25519 AAAAC3Nza ada' is not a usable public key" in message


def test_a_target_that_cannot_be_written(host, refused):
    host.check_output("mount -t tmpfs -o ro,size=20g none /opt")
    try:
        assert "/opt/conda is on a file system that is mounted read-only" in refused()
    finally:
        host.check_output("umount /opt")


def test_too_little_space(refused):
    message = refused(*variables(dlbox_minimum_disk=90000))
    assert "expected at least 90000.0 GiB for those to be made (dlbox_minimum_disk)" in message


def test_room_for_what_is_to_be_made_and_no_more(host, refused):
    """The run that frees a full disk, and one that makes nothing, are not stopped."""
    host.check_output("mount -t tmpfs -o size=300m none /opt")
    try:
        message = refused()
        assert (
            re.search(r"Free space at /opt is 0.3 GiB, expected at least \d\.\d GiB", message)
            and "datascience 0.8" in message
        )
        status, output = provision(
            *variables(conda_environments=[{"name": "pytorch", "state": "absent"}], conda_base=False)
        )
        assert status == 0, output
        host.check_output("mkdir -p /opt/conda/conda-meta /opt/conda/envs/jupyter")
        status, output = provision(*variables(conda_environments=[{"name": "jupyter"}]))
        assert status == 0, output
    finally:
        host.check_output("umount /opt")


def test_an_admin_whose_shell_is_gone(host, refused):
    host.check_output("useradd --create-home --shell /usr/bin/zsh --groups sudo ada")
    try:
        message = refused()
        assert "dlbox_admins: ada: its shell /usr/bin/zsh does not exist on the host" in message
        status, output = provision(*variables(base_packages_extra=["zsh"]))
        assert status == 0, output
    finally:
        host.check_output("userdel --remove ada")


def test_no_package_source_answers(host, refused, changed_file):
    changed_file("/etc/apt/sources.list", "deb [trusted=yes] http://127.0.0.1:9/debian trixie main\n")
    host.check_output("mv /var/lib/apt/lists /var/lib/apt/lists.away")
    try:
        message = refused()
        assert "The package source http://127.0.0.1:9/debian/ does not answer" in message and "mirror" in message
    finally:
        host.check_output("rm -rf /var/lib/apt/lists && mv /var/lib/apt/lists.away /var/lib/apt/lists")


@pytest.fixture(scope="module")
def ordinary_account(request):
    subprocess.run(["docker", "exec", "dlbox-preflight-d13", "useradd", "--create-home", "bob"], check=False)
    return ["--extra-vars", "ansible_user=bob"]


def test_sudo_that_asks_for_a_password_nobody_gave(ordinary_account, refused):
    message = refused(*ordinary_account)
    assert "sudo asks bob for a password, and none or a wrong one was given" in message
    assert "`./dlbox up` in a terminal, which asks for it" in message


def test_sudo_that_does_not_answer(ordinary_account, refused, changed_file):
    """A host that is busy is not said to have had a wrong password."""
    slow = '#!/bin/sh\ncase $1 in --version) echo "Sudo version 1.9.16" ;; -n) exit 1 ;; *) exec sleep 60 ;; esac\n'
    changed_file("/usr/bin/sudo", slow)
    message = refused(*ordinary_account, *variables(ansible_timeout=5, ansible_become_password="of bob"))
    assert "sudo did not answer bob within 5 s" in message and "set ansible_timeout" in message
    assert "a wrong one was given" not in message


def test_the_sudo_password_is_asked_for_where_somebody_can_type_it(host, ordinary_account):
    """And used for what comes after; a wrong one ends in the message above."""
    host.check_output("echo bob:a-password-for-bob | chpasswd; echo 'bob ALL=(ALL) ALL' > /etc/sudoers.d/bob")
    told = {}
    try:
        for typed in ("a-password-for-bob", "not-the-word-of-bob"):
            child, terminal = pty.fork()
            if child == 0:
                os.chdir(PROJECT)
                os.environ |= {"ANSIBLE_CONFIG": str(PROJECT / "ansible.cfg"), "NO_COLOR": "1"}
                words = ["ansible-playbook", "playbooks/stages/preflight.yml", "--check", *ordinary_account]
                os.execvp(words[0], [*words, *variables(dlbox_minimum_memory=1, dlbox_minimum_disk=1)])
            said = b""
            with contextlib.suppress(OSError):  # the kernel's answer where the other side is gone
                while block := os.read(terminal, 4096):
                    said += block
                    # Ansible drops what was typed before it listens: type again until it has gone on.
                    while said.rstrip().endswith(b"is hidden):") and not select.select([terminal], [], [], 1)[0]:
                        os.write(terminal, f"{typed}\n".encode())
            os.close(terminal)
            told[typed] = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), " ".join(said.decode().split())
    finally:
        host.check_output("rm /etc/sudoers.d/bob; usermod --lock bob")
    status, said = told["a-password-for-bob"]
    assert status == 0 and "sudo password of bob on dlbox-preflight-d13" in said, said
    status, said = told["not-the-word-of-bob"]
    assert status != 0 and "sudo asks bob for a password, and none or a wrong one was given" in said, said
    assert not [typed for typed, (_status, said) in told.items() if typed in said]


def test_sudo_rs_whose_prompt_ansible_does_not_know(host, ordinary_account, refused, changed_file):
    # A stand-in at the command boundary: what sudo-rs 0.2.15 answers to --version, and a refusal without password.
    changed_file("/usr/bin/sudo", '#!/bin/sh\n[ "$1" != --version ] || { echo "sudo-rs 0.2.15"; exit 0; }\nexit 1\n')
    message = refused(*ordinary_account)
    assert "sudo is sudo-rs 0.2.15" in message and "ansible_become_exe: sudo.ws" in message


def test_environments_on_a_cpu_that_they_are_not_chosen_for(host, refused):
    grace = variables(dlbox_plan_facts={"os": {"arch": "aarch64", "virtualization": "none"}})
    message = refused(*grace, playbook="site.yml")
    assert "the environments are locked for x86_64, and this machine is aarch64" in message
    assert "set conda_environments to [] and conda_base to false" in message
    for stage in ("environments", "gpu"):
        assert "this machine is aarch64" in refused(*grace, "--tags", stage, playbook="site.yml")
    status, output = provision(*grace, *variables(conda_environments=[], conda_base=False))
    assert status == 0, output


#: A virtual machine with one Tesla T4, or a vGPU of one: what Linux shows of it on the PCI bus, and NVIDIA's node.
MACHINE_WITH_A_T4 = """
import pathlib
device = pathlib.Path("/sys/bus/pci/devices/0000:06:10.0")
device.mkdir()
for name, value in {"vendor": "10de", "device": "1eb8", "class": "030200"}.items():
    (device / name).write_text(f"0x{value}")
config = bytearray(256)
config[0x06], config[0x34] = 0x10, 0x40
config[0x40:0x45] = bytes([9, 0, 8]) + SIGNATURE
(device / "config").write_bytes(config)
(device / "config").chmod(0o600)
"""


@pytest.fixture
def virtual_machine(host):
    """A function that puts a GPU into the container, which facts call a virtual machine."""

    def prepare(signature):
        host.check_output("mount -t tmpfs none /sys/bus/pci/devices && mknod /dev/nvidia0 c 195 0")
        host.check_output("python3 -c %s", MACHINE_WITH_A_T4.replace("SIGNATURE", repr(signature)))
        return variables(dlbox_plan_facts={"os": {"virtualization": "kvm"}, "driver": {"loaded": None}})

    yield prepare
    host.check_output("umount /sys/bus/pci/devices; rm -f /dev/nvidia0 /etc/sudoers.d/bob")


def test_a_virtual_gpu_is_refused_though_root_alone_can_see_it(host, ordinary_account, refused, virtual_machine):
    facts = virtual_machine(b"VF")
    host.check_output("echo 'bob ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/bob")
    message = refused(*ordinary_account, *facts)
    assert "Tesla T4 (Turing) is a virtual GPU: it needs the guest driver" in message


def test_a_passed_through_gpu_is_not_taken_for_a_virtual_one(host, ordinary_account, virtual_machine):
    facts = virtual_machine(b"XX")
    host.check_output("echo 'bob ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/bob")
    status, output = provision(*ordinary_account, *facts)
    assert status == 0, output


def test_everything_wrong_is_told_at_once_and_ends_the_whole_site(refused, changed_file):
    changed_file("/usr/lib/os-release", "ID=fedora\nVERSION_ID=44\n")
    wrong = variables(dlbox_ssh_port="x", dlbox_policy="latest", dlbox_minimum_memory=10**8)
    message = refused(*wrong, playbook="site.yml")
    assert "4 problems, nothing was changed" in message
    for part in ("dlbox_ssh_port", "dlbox_policy", "fedora", "expected at least 100000000 MiB"):
        assert part in message


def test_an_inventory_that_does_not_exist():
    status, output = provision("--inventory", "inventory/nowhere")
    assert status != 0 and "inventory/nowhere" in output
    result = subprocess.run(
        ["./dlbox", "up", "-i", "inventory/nowhere"], cwd=PROJECT, text=True, capture_output=True, check=False
    )
    assert result.returncode == 66
    assert result.stderr.splitlines() == [
        "dlbox: the inventory inventory/nowhere does not exist; the shipped one is inventory/home"
    ]


def provision_beside(tmp_path, words):
    """Run base of site.yml, in check mode, on the scenario's host and on one more, with these variables."""
    (tmp_path / "hosts").write_text(f"[molecule]\ndlbox-preflight-other {words}\n")
    places = [PROJECT / "molecule/shared/inventory", PROJECT / "molecule/preflight/inventory", tmp_path / "hosts"]
    options = [word for place in places for word in ("-i", str(place))]
    return provision(*options, "--check", "--tags", "base", playbook="site.yml")


def test_a_host_that_is_off_stops_no_other_and_is_named(tmp_path):
    """Nothing listens on port 1: every later play ran empty, and nothing said so."""
    status, output = provision_beside(tmp_path, "ansible_connection=ssh ansible_host=127.0.0.1 ansible_port=1")
    assert status == 4, output
    assert "TASK [dlbox.workstation.base : " in output
    summary = output.partition("SUMMARY")[2]
    assert "dlbox-preflight-other: could not be reached" in summary, output
    assert re.search(r"dlbox-preflight-d13: \d+ would change", summary), output


@pytest.mark.parametrize(
    ("variable", "others_go_on"), [("dlbox_minimum_disk=90000", True), ("dlbox_policy=best", False)]
)
def test_what_is_wrong_with_a_host_stops_that_one_and_with_the_inventory_all(tmp_path, variable, others_go_on):
    here = "ansible_connection=community.docker.docker ansible_host=dlbox-preflight-d13"
    status, output = provision_beside(tmp_path, f"{here} {variable}")
    assert status == 2 and "dlbox-preflight-other: stopped by an error" in output, output
    assert ("TASK [dlbox.workstation.base : " in output) is others_go_on, output
