"""One machine with two attackers on it, and the commands that its owner runs against it over ssh."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

PROJECT = Path(__file__).resolve().parents[3]
# A command that has not ended by then waits for something that an attacker holds; nothing here takes a tenth of it.
PATIENCE = 1800
# The numbers of accounts that are made for one run of an environment's code (module_utils/run_as.py).
FRESH = range(61184, 65520)
# What root alone has to do with; compared with itself, before and after.
OURS = "/etc /root /boot /opt/conda /usr/local /var/lib/dlbox /var/lib/sudo /home/ada /srv/treasure"


def keys() -> Path:
    """Where prepare.yml made the keys."""
    return Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"])


class Box:
    """The machine: an examiner's console (the engine), and the owner's controller (ssh)."""

    def __init__(self, host: Any, folder: Path) -> None:
        """`host` is testinfra's, over the engine; `folder` takes the inventory and the pages."""
        self.host, self.folder = host, folder
        self.address = host.check_output("hostname -I").split()[0]
        known = folder / "known_hosts"
        key = host.file("/etc/ssh/ssh_host_ed25519_key.pub").content_string
        known.write_text(f"{self.address} {' '.join(key.split()[:2])}\n")
        self.variables: dict[str, Any] = {
            "ansible_host": self.address,
            "ansible_user": "ada",
            "ansible_timeout": 60,  # the machine may be slow
            "ansible_ssh_private_key_file": str(keys() / "ada"),
            "ansible_ssh_common_args": f"-o UserKnownHostsFile={known} -o IdentitiesOnly=yes -F none",
            "dlbox_admins": [
                {"name": "ada", "keys": [str(keys() / "ada.pub")], "sudo": "nopasswd"},
                {"name": "eve", "keys": [str(keys() / "eve.pub")]},
            ],
            "base_packages": ["git"],
            "conda_channels": [os.environ.get("DLBOX_CONDA_CHANNEL") or "conda-forge"],
            "conda_python": os.environ.get("DLBOX_CONDA_PYTHON") or "3.12",
            "conda_group": "conda",
            "conda_environments": [{"name": "jupyter"}, {"name": "tools", "wheels": ["six==1.17.0", "ipykernel"]}],
            "jupyter_extensions": [],
            "jupyter_data_folders": [{"path": "/srv/data", "group": "users", "mode": "2775"}],
        }

    def inventory(self, **more: Any) -> Path:
        """The owner's inventory, with some variables changed."""
        path = self.folder / "hosts.yml"
        path.write_text(json.dumps({"all": {"hosts": {"box": {**self.variables, **more}}}}))
        return path

    def run(self, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """A command in the project's folder, with its settings; one that hangs is ended and fails the test."""
        env = {
            **os.environ,
            "ANSIBLE_CONFIG": str(PROJECT / "ansible.cfg"),
            "ANSIBLE_ROLES_PATH": str(PROJECT / "tests" / "fixtures"),
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "NO_COLOR": "1",
            **environment,
        }
        process = subprocess.Popen(
            words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            cwd=PROJECT, env=env, start_new_session=True,
        )  # fmt: skip
        try:
            out, err = process.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            raise
        assert "\x1b" not in out + err, "nothing that they have named steers the owner's terminal"
        return subprocess.CompletedProcess(words, process.returncode, out, err)

    def play(self, playbook: str, *words: str, mitogen: bool = False, **more: Any) -> subprocess.CompletedProcess[str]:
        """A playbook over ssh, with the launcher's strategy or with Ansible's own."""
        environment = {"DLBOX_PAGES": str(self.folder)}
        if mitogen:
            found = self.run(sys.executable, "scripts/mitogen-path")
            assert found.returncode == 0, found.stderr
            environment |= {"ANSIBLE_STRATEGY": "mitogen_linear", "ANSIBLE_STRATEGY_PLUGINS": found.stdout.strip()}
            environment["ANSIBLE_SUDO_EXE"] = "sudo"
        command = ["ansible-playbook", "-i", str(self.inventory(**more)), *words, playbook]
        return self.run(*command, **environment)

    def tool(self, name: str, *words: str, **more: Any) -> subprocess.CompletedProcess[str]:
        """A command of the launcher that is a script."""
        return self.run(sys.executable, f"scripts/{name}.py", "-i", str(self.inventory(**more)), *words)

    def logins(self) -> list[str]:
        """The owner's logins so far, with their times, by what root's sshd wrote."""
        journal = self.host.check_output("journalctl -o short-precise --no-pager _UID=0 -t sshd -t sshd-session")
        return [line for line in journal.splitlines() if "Accepted publickey for ada" in line]

    def plant(self, who: str, *words: str) -> None:
        """Have an attacker plant something, in his home and with his umask."""
        line = f"cd /home/{who}; umask 0; /usr/bin/python3 -I /usr/local/lib/suite/plants.py {' '.join(words)}"
        self.host.check_output("runuser -l -s /bin/sh -c %s %s", line, who)

    def start(self, who: str, *words: str) -> str:
        """Have him do something that does not end; the name of its unit."""
        unit = f"suite-{who}-{'-'.join(words).replace('.', '').replace('/', '')}"
        self.host.check_output(
            f"systemd-run --quiet --collect --uid={who} --unit={unit} --working-directory=/home/{who}"
            f" --setenv=HOME=/home/{who} --setenv=USER={who} --setenv=LOGNAME={who}"
            f" /usr/bin/python3 -I /usr/local/lib/suite/plants.py {' '.join(words)}"
        )
        return unit

    def stop(self, *units: str) -> None:
        """End it."""
        self.host.run("systemctl stop %s", " ".join(units)) if len(units) == 1 else [self.stop(one) for one in units]

    def state(self, places: str = OURS) -> dict[str, str]:
        """Path -> type, owner, group, mode, target and, for small files, content, of what lies in these places."""
        text = self.host.check_output(
            f"find {places} -xdev ! -path '*/.ansible*' -printf '%p\\t%y %U:%G %m %l\\n' 2>/dev/null | sort;"
            "find /etc /home/ada /srv/treasure -xdev -type f -exec sha256sum {} + |"
            ' awk \'{h=$1; $1=""; print substr($0, 2) "#\\t" h}\''
        )
        return dict(line.partition("\t")[::2] for line in text.splitlines())

    def ran_as(self) -> set[tuple[str, int]]:
        """(who planted it, as whom it ran), of all that has run."""
        found = (line.split(" ", 2) for line in self.log())
        return {(words[0], int(words[1])) for words in found}

    def log(self) -> list[str]:
        """The lines of the canary log: `planter uid place arguments`; arguments of several lines leave others."""
        lines = self.host.file("/srv/canary/log").content_string.splitlines()
        return [line for line in lines if re.match(r"(mallory|eve) \d+ /", line)]

    def safe(self) -> None:
        """Assert that nothing has run as another, and that nobody has got anything that was not his."""
        own = {name: self.host.user(name).uid for name in ("mallory", "eve")}
        others = {(who, uid) for who, uid in self.ran_as() if uid not in (own[who], 65534, *FRESH)}
        assert not others, [line for line in self.log() if (line.split()[0], int(line.split()[1])) in others]
        self.untouched()

    def untouched(self) -> None:
        """Assert that no place of root's has got an owner or a mode that lets them in."""
        host = self.host
        found = host.check_output(
            "find /etc /usr /boot /root /var /opt/conda -xdev ! -type l \\( -user mallory -o -user eve"
            " -o -group mallory -o -perm -0002 \\) ! -perm -1000 ! -path '/opt/conda/envs/*'"
            # Mode 0700.
            " ! -path '/opt/conda/.cache/*'"
            " ! -path '/var/tmp/*' ! -path '/var/mail/*' ! -path '/etc/jupyterlab/eve*' ! -type s -printf '%p %u %m\\n'"
        )
        assert not found, found
        etc, treasure = host.file("/etc"), host.file("/srv/treasure")
        assert (etc.user, etc.group, etc.mode) == ("root", "root", 0o755)
        assert (treasure.user, treasure.group, treasure.mode) == ("root", "root", 0o700)
        assert host.file("/srv/treasure/file").content_string == "treasure\n"
        assert host.file("/etc/shadow").mode == 0o640
        for name in ("authorized_keys", ".authorized_keys.dlbox-guard", "jupyter_server_config.json", "password"):
            assert not host.file(f"/etc/{name}").exists
        assert not host.check_output("ls -d /etc/python3*-packages /etc/share /etc/lib 2>/dev/null || true")


@pytest.fixture(scope="module")
def box(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    """The machine that the module's tests are about, in their order."""
    import testinfra

    host = testinfra.get_host("docker://dlbox-hostile-d13")
    made = Box(host, tmp_path_factory.mktemp("hostile"))
    yield made
    made.host.run("systemctl stop 'suite-*'")
