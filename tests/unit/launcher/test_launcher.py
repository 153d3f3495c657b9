"""The launcher prepares the controller and hands over; what it cannot do it says in one line, with a status."""

from __future__ import annotations

import re

import pytest
from launcher_machine import PROJECT, Machine


def one_line(text: str) -> str:
    lines = text.strip().splitlines()
    assert len(lines) == 1, text
    assert lines[0].startswith("dlbox: ")
    return lines[0]


def test_help_lists_every_command(machine: Machine) -> None:
    done = machine.run("help")
    assert done.returncode == 0
    listed = set(re.findall(r"^  \./dlbox (\w+)", done.stdout, flags=re.MULTILINE))
    cases = (PROJECT / "dlbox").read_text().partition("case $command in")[2]
    labels = " | ".join(re.findall(r"^  ([a-z][^)]*)\)", cases, flags=re.MULTILINE)).split(" | ")
    assert "up" in listed and listed == {label for label in labels if not label.startswith("-")}
    assert machine.run().stdout == machine.run("--help").stdout == done.stdout


@pytest.mark.parametrize(
    ("words", "status", "told"),
    [
        (["uo"], 64, "unknown command 'uo'; ./dlbox help lists them"),
        (["demo", "--kep"], 64, "unknown option '--kep'; see ./dlbox help"),
        (["test", "--fats"], 64, "unknown option '--fats'; see ./dlbox help"),
        (["test", "uwf"], 64, "no scenario 'uwf'; there are:"),
        (["test", "--fast", "ufw"], 64, "--fast runs no scenarios: give either it or ufw"),
        (["up", "-i", "inventory/nowhere"], 66, "inventory/nowhere does not exist; the shipped one is inventory/home"),
        (["up", "--inventory=nowhere"], 66, "nowhere does not exist"),
    ],
)
def test_bad_commands_get_one_line(prepared: Machine, words: list[str], status: int, told: str) -> None:
    (prepared.folder / "molecule/ufw").mkdir(parents=True)
    (prepared.folder / "molecule/ufw/molecule.yml").touch()
    done = prepared.run(*words)
    assert done.returncode == status
    assert told in one_line(done.stderr)
    assert not prepared.calls("ansible-playbook")


@pytest.mark.parametrize(
    ("words", "handed"),
    [
        (["up"], "site.yml --inventory inventory/home"),
        (["up", "--limit", "two words"], "site.yml --inventory inventory/home --limit two words"),
        (["up", "-i", "inventory/home", "-K"], "site.yml -i inventory/home -K"),
        (["up", "-i", "box,", "-e", "a=1"], "site.yml -i box, -e a=1"),
        (["check"], "site.yml --inventory inventory/home --check --diff"),
        (["check", "--tags", "base"], "site.yml --inventory inventory/home --check --diff --tags base"),
    ],
)
def test_up_is_ansible_playbook_with_the_site_and_the_inventory(
    prepared: Machine, words: list[str], handed: str
) -> None:
    assert prepared.run(*words).returncode == 0
    assert prepared.calls("ansible-playbook") == [handed]
    assert prepared.calls("config") == [str(prepared.folder / "ansible.cfg")]


def test_the_status_of_the_run_is_the_launchers(prepared: Machine) -> None:
    prepared.env["STATUS"] = "2"
    assert prepared.run("up").returncode == 2


@pytest.mark.parametrize("has", [["3.11"], ["3.11", "3.13"], ["3.11", "3.12", "3.14"], ["3.12", "3.15"]])
def test_the_newest_python_that_is_supported_is_taken(machine: Machine, has: list[str]) -> None:
    for version in has:
        # A Python that runs, knows its version, and fails to make an environment: that is as far as this test looks.
        machine.command(f"python{version}", 'case "$*" in *"-m venv"*) exit 9 ;; *sys.version*) echo other ;; esac')
    assert machine.run("up").returncode != 0
    newest = max(v for v in has if v != "3.15")
    assert [v for v in has if any("-m venv" in call for call in machine.calls(f"python{v}"))] == [newest]


def test_the_core_fits_the_python() -> None:
    lock = (PROJECT / "requirements.txt").read_text()
    pinned = dict(re.findall(r"^ansible-core==(2\.\d+)\.\S+ ; (.*?) \\?$", lock, flags=re.MULTILINE))
    assert pinned.keys() == {"2.19", "2.21"}
    assert "< '3.12'" in pinned["2.19"] and ">= '3.12'" in pinned["2.21"]
    names = re.findall(r"^[a-z][\w.-]*==.*\\$", lock, flags=re.MULTILINE)
    assert len(re.findall(r"--hash=sha256:", lock)) >= len(names) > 0


@pytest.mark.parametrize(
    ("python", "missing"),
    [
        ("", "python3.11 python3.11-venv"),
        ('case "$*" in *ensurepip*) exit 1 ;; *print*) echo python3.12-venv ;; esac', "python3.12-venv"),
    ],
    ids=["no python", "no venv"],
)
def test_without_root_the_one_command_to_run_is_printed(machine: Machine, python: str, missing: str) -> None:
    if python:
        machine.command("python3.12", python)
    done = machine.run("up")
    assert done.returncode == 77
    assert f"apt-get install --yes --no-install-recommends {missing}" in one_line(done.stderr)
    assert not machine.calls("apt-get")


def test_the_password_of_sudo_is_asked_for_in_a_terminal(machine: Machine) -> None:
    machine.command("python3.12", 'case "$*" in *ensurepip*) exit 1 ;; *print*) echo python3.12-venv ;; esac')
    machine.command(
        "sudo", 'case "$1" in -n) exit 1 ;; -p) printf %s "$2" >&2; read -r word; [ "$word" = secret ] ;; esac'
    )
    status, told = machine.in_terminal("secret\n" * 3, "up")
    assert "dlbox: the venv module of python3.12 is missing\r\ndlbox: sudo password of %p on this machine: " in told
    assert [call.split(": ")[-1].strip() for call in machine.calls("sudo") if call.startswith("-p")][:2] == [
        "true",
        "apt-get update --quiet=2",
    ], (status, told)


def test_with_root_what_is_missing_is_named_and_installed(machine: Machine) -> None:
    machine.command("id", "echo 0")
    machine.command(
        "python3.12", 'case "$*" in *ensurepip*) exit 1 ;; *print*) echo python3.12-venv ;; *venv*) exit 9 ;; esac'
    )
    done = machine.run("up")
    assert "the venv module of python3.12 is missing: installing python3.12-venv" in done.stderr
    assert any(call.endswith("--no-install-recommends python3.12-venv") for call in machine.calls("apt-get"))


def test_a_python_that_is_too_old_is_refused(machine: Machine) -> None:
    machine.command("python3.9", "exit 1")
    machine.env["DLBOX_PYTHON"] = "python3.9"
    done = machine.run("up")
    assert done.returncode == 69
    assert "DLBOX_PYTHON is python3.9; expected a Python from 3.11 to 3.14" in one_line(done.stderr)


def test_the_version_is_the_collections(machine: Machine) -> None:
    (machine.folder / "galaxy.yml").write_text("namespace: dlbox\nversion: 1.2.3\n")
    assert machine.run("version").stdout == machine.run("--version").stdout == "dlbox 1.2.3 (not a clone)\n"


def test_the_environment_is_refreshed_when_its_pins_change(prepared: Machine) -> None:
    prepared.run("up")
    assert not prepared.calls("python3.12")
    with (prepared.folder / "requirements.txt").open("a") as lock:
        lock.write("# another pin\n")
    prepared.command("python3.12", 'case "$*" in *"-m venv"*) exit 9 ;; *sys.version*) echo other ;; esac')
    done = prepared.run("up")
    assert done.returncode == 69
    assert "preparing .venv with python3.12" in done.stderr
    assert "python3.12 could not make the environment" in done.stderr


@pytest.mark.parametrize(
    ("written", "status"), [('{"box": {"tasks": [], "failures": 0, "unreachable": 0}}', 0), ("", 7)]
)
def test_check_gives_an_exit_status_when_asked(prepared: Machine, written: str, status: int) -> None:
    """Where the run has written nothing, it did not come to an end, and its own status counts."""
    programs = prepared.folder / ".venv/bin"
    (programs / "ansible-playbook").write_text(
        f"#!/bin/bash\necho \"ansible-playbook $*\" >>calls\nprintf '%s' '{written}' >\"$DLBOX_OUTCOME\"\nexit 7\n"
    )
    python = (programs / "python").readlink()
    (programs / "python").unlink()
    (programs / "python").write_text(
        f'#!/bin/bash\n[[ "$*" != *--outcome* ]] || exec grep -q box "${{@: -1}}"\nexec {python} "$@"\n'
    )
    (programs / "python").chmod(0o755)
    done = prepared.run("check", "--limit", "box", "--detailed-exitcode", "--tags", "base")
    assert done.returncode == status, done.stderr
    (words,) = prepared.calls("ansible-playbook")
    assert words.endswith("--check --diff --limit box --tags base")
