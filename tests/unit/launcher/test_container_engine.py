"""The container engine: a running one is reused; one that was started is stopped, and no other."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from launcher_machine import Machine

# What ./dlbox test sources, with the launcher's own words around it.
PREAMBLE = """
set -euo pipefail
root=$PWD
at_terminal=false
say() { printf 'dlbox: %s\\n' "$*" >&2; }
die() { say "$2"; exit "$1"; }
as_root() { "$@"; }
may_be_root() { sudo -n true; }
install_packages() { say "$1 is missing"; exit 77; }
. scripts/engine.sh
allow_many_systemds() { :; }
"""


def engine(machine: Machine, script: str) -> tuple[int, str, str]:
    done = machine.bash("bash", "-c", PREAMBLE + script)
    return done.returncode, done.stdout, done.stderr


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # A process whose parent has not yet asked is dead, too.
    return "Z" not in Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]


def test_a_running_docker_is_reused_and_left_running(machine: Machine) -> None:
    machine.command("docker", "exit 0")
    machine.command("dockerd", "exit 1")
    status, out, err = engine(machine, 'start_engine; echo "$DLBOX_ENGINE"; stop_engine')
    assert (status, out, err) == (0, "docker\n", "")
    assert machine.calls("docker") == ["info"] and not machine.calls("dockerd")


def test_a_running_podman_serves_as_docker_and_its_service_is_stopped(machine: Machine) -> None:
    machine.command("podman", '[ "$1" != system ] || exec sleep 60')
    script = """
start_engine
echo "$DLBOX_ENGINE"; echo "$DOCKER_HOST"; command -v docker; cat .cache/engine/pid
docker ps
stop_engine
[ ! -e .cache/engine ] && echo gone
"""
    status, out, err = engine(machine, script)
    assert status == 0, err
    name, address, command, pid, gone = out.splitlines()
    state = machine.folder / ".cache/engine"
    assert (name, address) == ("podman", f"unix://{state}/podman.sock")
    assert command == str(state / "bin/docker")
    assert f"system service --time=0 {address}" in machine.calls("podman")
    assert "ps" in machine.calls("podman")  # what is asked of docker is asked of podman
    assert gone == "gone" and not alive(int(pid))


def test_an_engine_that_was_started_is_stopped(machine: Machine) -> None:
    machine.command("id", "echo 0")
    machine.command("docker", f'[ -e "{machine.folder}/up" ]')
    machine.command("dockerd", f'touch "{machine.folder}/up"; exec sleep 60')
    status, out, err = engine(machine, "start_engine; cat .cache/engine/pid; stop_engine")
    assert status == 0, err
    assert "starting the container engine (it is stopped again at the end)" in err
    for _ in range(50):
        if not alive(int(out)):
            break
        time.sleep(0.1)
    assert not alive(int(out))


@pytest.mark.skipif(os.path.isdir("/run/systemd/system"), reason="with an init system, that starts the engine")  # noqa: PTH112
def test_without_root_and_init_system_it_says_why(machine: Machine) -> None:
    machine.command("docker", "exit 1")
    machine.command("dockerd", "exit 1")
    status, _out, err = engine(machine, "start_engine")
    assert status == 77
    assert "without an init system only root can start it" in err


def test_an_engine_whose_command_is_a_package_of_its_own_gets_it(machine: Machine) -> None:
    status, _out, err = engine(
        machine,
        """
install_packages() { echo "$@" >&2; shift; for package in "$@"; do install_one "$package"; done; }
install_one() {
  case $1 in
    docker.io) ln -s "$(command -v cat)" "${PATH%%:*}/dockerd" ;;
    docker-cli) printf '#!/bin/bash\n' >"${PATH%%:*}/docker"; chmod +x "${PATH%%:*}/docker" ;;
  esac
}
chmod() { command -p chmod "$@"; }
start_engine
""",
    )
    assert (status, err) == (
        0,
        "a container engine docker.io iptables\nthe command of the container engine docker-cli\n",
    )


def test_no_engine_at_all_is_named(machine: Machine) -> None:
    status, _out, err = engine(machine, "start_engine")
    assert (status, err) == (77, "dlbox: a container engine is missing\n")


def test_who_may_use_sudo_but_not_docker_goes_on_with_its_group(machine: Machine) -> None:
    """As on a cloud's machine. Not even the account's environment is in an argument list."""
    machine.command("docker", "exit 1")
    machine.command("getent", 'echo "docker:x:998:"')
    machine.command("setpriv", 'while [ "$1" != bash ]; do shift; done; exec "$@"')
    (machine.folder / "dlbox").write_text('#!/bin/bash\necho "$* with $TOKEN"\nexit 7\n')
    machine.env["TOKEN"] = "a secret word"
    status, out, _err = engine(machine, "launcher_arguments=(test --full ufw); as_member_of_docker; echo not here")
    assert (status, out) == (7, "test --full ufw with a secret word\n")
    (call,) = machine.calls("setpriv")
    assert call.startswith("--reuid 1000 --regid 1000 --groups 1000,998 bash -c ") and "secret" not in call


def test_who_sits_at_the_terminal_can_be_asked_again_afterwards(machine: Machine) -> None:
    """Observed: the next package that was missing could not be installed, because nobody seemed to be there."""
    machine.command("docker", "exit 1")
    machine.command("getent", 'echo "docker:x:998:"')
    machine.command("setpriv", 'while [ "$1" != bash ]; do shift; done; exec "$@"')
    second = '[ -z "${DLBOX_IN_DOCKER_GROUP:-}" ] || { read -r typed; [ -t 0 ] && echo "asked: $typed"; exit 7; }\n'
    script = PREAMBLE + "at_terminal=true; launcher_arguments=(test); as_member_of_docker\n"
    (machine.folder / "dlbox").write_text("#!/bin/bash\n" + second + script)
    status, told = machine.in_terminal("yes\n", "test")
    assert status == 7 and "asked: yes" in told
