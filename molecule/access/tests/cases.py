"""What the lock-out suite runs on: a container per case, a controller that reaches it over real ssh, and a person."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import json
import os
import signal
import socket
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ansible
import docker

PROJECT = Path(__file__).resolve().parents[3]
NETWORK = "dlbox-access-cases"
PASSWORD = "suite-of-lock-outs"
WINDOW = 240
ON_THE_BOX = "/opt/dlbox/molecule/access/tests/on_the_box.sh"


def launchers_strategy() -> dict[str, str]:
    """What the launcher adds to the environment of a run: mitogen, where it is installed and supports the core."""
    found = subprocess.run([sys.executable, str(PROJECT / "scripts" / "mitogen-path")], capture_output=True, text=True)
    if found.returncode != 0:
        return {}
    plugins = found.stdout.strip()
    return {"ANSIBLE_STRATEGY": "mitogen_linear", "ANSIBLE_STRATEGY_PLUGINS": plugins, "ANSIBLE_SUDO_EXE": "sudo"}


def keys_folder() -> Path:
    """Where prepare.yml made the keys."""
    return Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"])


class Box:
    """One container as the owner sees it: an address, an ssh server, and a console for the examiner (docker exec)."""

    def __init__(self, engine: docker.DockerClient, name: str, template: str, address: str, sockets: str) -> None:
        """Start it with the template's settings, from the image that prepare.yml kept of it.

        sockets is a folder for those of shared ssh connections; its path has to be short.
        """
        self.strategy: dict[str, str] = {}
        self.name, self.address, self.engine = name, address, engine
        self.folder = keys_folder() / name
        self.folder.mkdir(exist_ok=True)
        self.sockets = sockets
        made = engine.containers.get(template).attrs
        with_settings = {
            **made["Config"],
            "Image": f"{template}-case",
            "Hostname": name,
            "HostConfig": made["HostConfig"],
        }
        with_settings["HostConfig"]["NetworkMode"] = NETWORK
        with_settings["NetworkingConfig"] = {"EndpointsConfig": {NETWORK: {"IPAMConfig": {"IPv4Address": address}}}}
        self.remove()
        self.id = engine.api.create_container_from_config(with_settings, name)["Id"]
        engine.api.start(self.id)
        self.until(lambda: self.console("systemctl is-system-running")[1].strip() in ("running", "degraded"), 60)
        # The host keys come through the examiner's console: nothing is trusted because it answered first.
        keys = self.console("cat /etc/ssh/ssh_host_*_key.pub")[1].splitlines()
        self.known_hosts = self.folder / "known_hosts"
        self.known_hosts.write_text("".join(f"{address} {' '.join(key.split()[:2])}\n" for key in keys))

    def remove(self) -> None:
        """Throw the container away, if it is there."""
        try:
            self.engine.containers.get(self.name).remove(force=True)
        except docker.errors.NotFound:
            return

    def console(self, command: str) -> tuple[int, str]:
        """Run a shell command as root at the console; exit code and output.

        By the engine's program: its library loses the beginning of an answer that comes together with the headers.
        """
        done = subprocess.run(
            ["docker", "exec", self.id, "sh", "-c", command],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
        )  # fmt: skip
        return done.returncode, done.stdout.decode(errors="replace")

    def harm(self, command: str) -> None:
        """Run a shell command as root at the console that must succeed: a harm not done would prove nothing."""
        code, out = self.console(command)
        assert code == 0, f"{command}: {out}"

    def until(self, condition: Callable[[], bool], seconds: float) -> float:
        """Wait for a condition; the seconds it took, or an assertion."""
        start = time.monotonic()
        while time.monotonic() < start + seconds:
            try:
                if condition():
                    return time.monotonic() - start
            except docker.errors.APIError:
                pass
            time.sleep(0.5)
        raise AssertionError(f"{self.name}: not within {seconds} s")

    def ssh_command(self, user: str, port: int, words: tuple[str, ...], shared: bool = False) -> list[str]:
        """A login as a person would do it, that runs words as root, anew or over the shared connection."""
        settings = {
            "BatchMode": "yes",
            "ConnectTimeout": "4",
            "UserKnownHostsFile": str(self.known_hosts),
            "IdentitiesOnly": "yes",
            **({"ControlMaster": "auto", "ControlPath": f"{self.sockets}/s", "ControlPersist": "60"} if shared else {}),
        }
        options = [word for pair in settings.items() for word in ("-o", "=".join(pair))]
        target = ["-i", str(keys_folder() / "ed25519"), "-p", str(port), f"{user}@{self.address}"]
        return ["ssh", "-F", "none", *options, *target, "sudo", *words]

    def ssh(
        self, user: str = "ada", port: int = 22, *, words: tuple[str, ...] = ("id", "-u"), shared: bool = False
    ) -> tuple[int, str]:
        """Log in and run words as root; exit code and output."""
        # A shared connection stays in the background and would keep a pipe open.
        with tempfile.TemporaryFile("w+") as out:
            command = self.ssh_command(user, port, words, shared)
            done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, timeout=30, check=False)
            out.seek(0)
            return done.returncode, out.read().strip()

    def lets_in(self, user: str = "ada", port: int = 22) -> bool:
        """Whether the owner logs in and becomes root."""
        code, out = self.ssh(user, port)
        return code == 0 and out.endswith("0")

    def hang_up(self) -> None:
        """End every connection over ssh, and wait until the host has noticed."""
        control = ["-o", f"ControlPath={self.sockets}/s", "-O", "exit"]
        subprocess.run(["ssh", "-F", "none", *control, f"ada@{self.address}"], capture_output=True, check=False)
        self.console("pkill -f '^sshd.*@notty'")
        self.until(lambda: "@notty" not in self.console("ps -eo args")[1], 20)

    def install_guard(self) -> None:
        """Install the guard's program and units as the role does, without a play that arms it."""
        tasks = [{"ansible.builtin.include_role": {"name": "dlbox.workstation.access_guard", "tasks_from": "install"}}]
        playbook = self.folder / "install.json"
        playbook.write_text(json.dumps([{"hosts": "all", "become": True, "gather_facts": False, "tasks": tasks}]))
        inventory = self.inventory("ada", 22, False, {})
        done = subprocess.run(
            ["ansible-playbook", "-i", str(inventory), str(playbook)],
            cwd=PROJECT, env=self.environment(), capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        # The connection that Ansible keeps would count as somebody who is connected.
        self.hang_up()

    def environment(self) -> dict[str, str]:
        """What a play runs with."""
        return {
            **os.environ,
            "ANSIBLE_CONFIG": str(PROJECT / "ansible.cfg"),
            "ANSIBLE_ROLES_PATH": str(PROJECT / "tests" / "fixtures"),
            "ANSIBLE_SSH_CONTROL_PATH_DIR": self.sockets,
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_FORCE_COLOR": "0",
            **self.strategy,
        }

    def guard(self) -> str:
        """The guard's last outcome."""
        return self.console("dlbox-guard status 2>/dev/null || echo absent")[1].strip()

    def logins(self) -> int:
        """How many logins by key the host has seen."""
        return int(self.console("journalctl -q --no-pager | grep -c 'Accepted publickey'")[1])

    def access_state(self) -> str:
        """All that decides about access, to be compared with itself: files, units and the kernel's rules."""
        return self.console(
            "find /etc/ssh /etc/ufw /etc/default/ufw /etc/pam.d /etc/sudoers* /home/*/.ssh -type f ! -name '*~'"
            " -exec sha256sum {} + | sort -k2;"
            "systemctl is-enabled ssh.service ssh.socket; systemctl is-active ssh.socket;"
            "iptables -S | grep -v f2b; ip6tables -S"
        )[1]

    # The controller -------------------------------------------------------------------------------------------------

    def inventory(self, user: str, port: int, password: bool, more: dict[str, Any]) -> Path:
        """An inventory as an owner would write it, with host keys checked."""
        variables = {
            "ansible_host": self.address,
            "ansible_user": user,
            "ansible_port": port,
            "ansible_ssh_common_args": f"-o UserKnownHostsFile={self.known_hosts} -o StrictHostKeyChecking=yes -F none",
            "ansible_timeout": 5,
            "access_guard_known_hosts": str(self.known_hosts),
            "access_guard_window": WINDOW,
            "access_guard_confirm_timeout": 20,
            "dlbox_admins": [{"name": "ada"}],
            **(
                {"ansible_password": PASSWORD}
                if password
                else {"ansible_ssh_private_key_file": str(keys_folder() / "ed25519")}
            ),
            **more,
        }
        path = self.folder / "inventory.json"
        path.write_text(json.dumps({"all": {"hosts": {self.name: variables}}}))
        return path

    def start(
        self, roles: list[str], *, user: str = "ada", port: int = 22, password: bool = False, **more: Any
    ) -> subprocess.Popen[str]:
        """Start a play that runs the roles under guard."""
        inventory = self.inventory(user, port, password, {"access_guard_roles": roles, **more})
        environment = {**self.environment(), "ANSIBLE_INVENTORY": str(inventory)}
        return subprocess.Popen(
            ["ansible-playbook", "-i", str(inventory), str(PROJECT / "molecule/access/case.yml")],
            cwd=PROJECT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def put(self, folder: str, files: dict[str, Path]) -> None:
        """Copy files and directories of the controller's into a folder of the host, by their names there."""
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w") as archive:
            for name, source in files.items():
                archive.add(source, name, filter=lambda one: None if one.name.endswith("__pycache__") else one)
        assert self.engine.api.put_archive(self.id, folder, packed.getvalue())

    def bring_controller(self) -> None:
        """Put dlbox and Ansible on the host, for plays that run there."""
        site = Path(ansible.__file__).parents[1]
        libraries = ("ansible", "ansible_collections", "jinja2", "markupsafe", "yaml", "packaging", "resolvelib")
        parts = (
            "ansible.cfg",
            "collections",
            "data",
            "galaxy.yml",
            "meta",
            "molecule",
            "plugins",
            "roles",
            "tests/fixtures",
        )
        versions = [place.name for name in ("ansible_core", "jinja2") for place in site.glob(f"{name}-*.dist-info")]
        self.put("/opt", {f"lib/{name}": site / name for name in (*libraries, *versions)})
        self.put("/opt", {f"dlbox/{name}": PROJECT / name for name in parts})

    def play_on_the_box(self, *words: str, user: str = "ada") -> Play:
        """Run a play on the host, in a new login over ssh, as an account that becomes root by sudo."""
        command = self.ssh_command("ada", 22, ("-u", user, "-H", ON_THE_BOX, *words))
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300, check=False
        )
        (self.folder / "play.log").write_text(done.stdout + done.stderr)
        return Play(done.returncode, done.stdout + done.stderr)

    def play(self, roles: list[str], **more: Any) -> Play:
        """Run such a play to its end."""
        process = self.start(roles, **more)
        out = self.end(process)
        (self.folder / "play.log").write_text(out)
        return Play(process.returncode, out)

    def end(self, process: subprocess.Popen[str]) -> str:
        """Wait for a play's end; its output."""
        try:
            out, _ = process.communicate(timeout=400)
        except subprocess.TimeoutExpired:
            self.kill(process)
            raise
        return out

    def pause(self, process: subprocess.Popen[str], go_on: bool = False) -> None:
        """Stop the controller and everything it started, as a lid that is closed, or let it go on."""
        os.killpg(process.pid, signal.SIGCONT if go_on else signal.SIGSTOP)

    def kill(self, process: subprocess.Popen[str]) -> None:
        """SIGKILL for the controller and everything it started, its ssh connections too."""
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


class Relay:
    """A router that translates addresses: what comes to a port of its own goes to the host, from an address of its own.

    All connections look alike to the host, the old and the new ones.
    """

    def __init__(self, address: str, port: int = 22) -> None:
        """Listen on a free port of the loopback address until closed."""
        self.target = (address, port)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self.listener.getsockname()[1])
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self) -> None:
        """Join each caller with the host."""
        while True:
            try:
                caller, _ = self.listener.accept()
            except OSError:
                return
            try:
                far = socket.create_connection(self.target, 5)
            except OSError:
                caller.close()
                continue
            far.settimeout(None)  # that was for connecting; a connection may be silent for long
            for one, other in ((caller, far), (far, caller)):
                threading.Thread(target=self.carry, args=(one, other), daemon=True).start()

    @staticmethod
    def carry(source: socket.socket, sink: socket.socket) -> None:
        """Carry bytes in one direction until one side hangs up."""
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data)
        with contextlib.suppress(OSError):
            sink.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """Take no more callers."""
        self.listener.close()


@dataclasses.dataclass
class Play:
    """How a play ended."""

    code: int
    out: str

    @property
    def changed(self) -> int:
        """Number of changed tasks of the recap."""
        return int(self.out.rsplit("changed=", 1)[1].split()[0])


@dataclasses.dataclass(frozen=True)
class Case:
    """A case of the suite: what happens, on which host of the scenario, and whether only the full run has it.

    mitogen says that the plays run as the launcher runs them, else by Ansible's own strategy.
    """

    function: Callable[[Box], None]
    on: str
    full: bool
    mitogen: bool

    @property
    def name(self) -> str:
        """What it is called in the report, and its container."""
        return self.function.__name__.removeprefix("case_").replace("_", "-") + ("-mitogen" if self.mitogen else "")
