"""./dlbox doctor and bench, for real and as root, on a machine where others have planted code wherever they can.

All of it writes who ran it into one log. What accounts own runs as themselves, what several can write as a
fresh account, and what lies about (the folder and home of the login, the temporary folder) not at all.
"""

from __future__ import annotations

import json
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.dlbox.workstation.plugins.plugin_utils.doctor import runner

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="who is no root cannot run anything as root")
PROJECT = Path(__file__).resolve().parents[3]
MEMBER = pwd.getpwnam("daemon")
# Logs, then gives way to the module of that name that was meant.
MODULE = """
import os, sys
with open({log!r}, "a") as log: log.write(f"{{__name__}} {{os.geteuid()}}\\n")
name, saved = __name__, sys.path[:]
sys.path[:] = [p for p in sys.path if p and not p.startswith({folder!r})]
sys.modules.pop(name, None)
import importlib
sys.modules[name] = importlib.import_module(name)
sys.path[:] = saved
"""
MODULES = ("base64", "json", "zlib", "types", "subprocess", "datetime", "tempfile", "selectors", "pwd", "grp")


class Hostile:
    """The machine, as far as the two commands look at it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = folder / "log"
        self.log.touch()
        self.log.chmod(0o666)
        self.login = folder / "login"
        self.temporary = folder / "tmp"
        self.envs = folder / "conda/envs"
        for place in (self.login, self.temporary, self.envs):
            place.mkdir(parents=True)
        # As the role conda makes it for conda_group: everybody in it may add environments, nobody remove others'.
        self.envs.chmod(0o3777)
        inventory = {
            "ansible_connection": "local",
            "dlbox_conda_root": str(folder / "conda"),
            "dlbox_state_dir": str(folder / "state"),
        }
        (folder / "hosts.json").write_text(json.dumps({"all": {"hosts": {"here": inventory}}}))

    def plant_modules(self, place: Path) -> None:
        """In a folder, and as if the folder was a home."""
        version = subprocess.run(["/usr/bin/python3", "-V"], capture_output=True, text=True, check=True).stdout.split()
        site = place / ".local/lib" / f"python{'.'.join(version[1].split('.')[:2])}" / "site-packages"
        site.mkdir(parents=True)
        for where in (place, site):
            for name in (*MODULES, "sitecustomize", "usercustomize"):
                (where / f"{name}.py").write_text(MODULE.format(log=str(self.log), folder=str(self.folder)))
        (site / "evil.pth").write_text(f"import os; open({str(self.log)!r}, 'a').write(f'pth {{os.geteuid()}}\\n')\n")

    def plant_environment(self, name: str, uid: int, mode: int) -> None:
        """An environment with every framework, whose Python and site-packages are not what they seem."""
        prefix = self.envs / name
        site = prefix / "lib/python3.11/site-packages"
        (prefix / "bin").mkdir(parents=True)
        site.mkdir(parents=True)
        for framework in ("torch", "jax"):
            (site / f"{framework}-1.0.dist-info").mkdir()
        program = prefix / "bin/python"
        program.write_text(f'#!/bin/sh\necho "{name} $(id -u)" >>{self.log}\nexec /usr/bin/python3 "$@"\n')
        program.chmod(0o755)
        for path in (prefix, *prefix.rglob("*")):
            os.chown(path, uid, 64321)
        for path in (prefix, *(place for place in prefix.rglob("*") if place.is_dir())):
            path.chmod(mode)

    def call(self, script: str, *words: str) -> Any:
        """A command's JSON, called from the hostile folder, in the hostile home, with hostile variables."""
        command = [sys.executable, str(PROJECT / "scripts" / script), "-i", str(self.folder / "hosts.json")]
        environment = {
            **os.environ,
            "HOME": str(self.login),
            "TMPDIR": str(self.temporary),
            "ANSIBLE_CONFIG": str(PROJECT / "ansible.cfg"),
        }
        done = subprocess.run(
            [*command, "--format", "json", "--no-page", *words],
            cwd=self.login,
            env=environment,
            capture_output=True,
            text=True,
            timeout=500,
        )
        assert done.stdout.startswith("{"), done.stdout + done.stderr
        return json.loads(done.stdout)

    def ran(self) -> set[str]:
        """What ran since the last question, with the number of who ran it; of an account of its own, `fresh`."""
        lines = (line.split() for line in self.log.read_text().splitlines())
        found = {f"{what} {'fresh' if int(uid) in FRESH else uid}" for what, uid in lines}
        self.log.write_text("")
        return found


@pytest.fixture
def hostile() -> Iterator[Hostile]:
    with tempfile.TemporaryDirectory(prefix="dlbox-hostile-") as name:
        Path(name).chmod(0o755)
        machine = Hostile(Path(name))
        machine.plant_modules(machine.login)
        machine.plant_modules(machine.temporary)
        machine.plant_environment("theirs", MEMBER.pw_uid, 0o755)
        machine.plant_environment("shared", MEMBER.pw_uid, 0o775)
        (machine.envs / "elsewhere").symlink_to(machine.envs / "theirs")
        yield machine


FRESH = range(61184, 65520)
EXPECTED = {f"theirs {MEMBER.pw_uid}", "shared fresh"}


def test_the_plants_do_run_where_they_can(hostile: Hostile) -> None:
    """Otherwise their silence would show nothing."""
    command = ["/usr/bin/python3", "-c", "import base64, json"]
    subprocess.run(command, cwd=hostile.login, env={"HOME": str(hostile.login)}, check=True)
    assert {"base64 0", "json 0", "pth 0"} <= hostile.ran()
    subprocess.run([str(hostile.envs / "theirs/bin/python"), "-c", ""], check=True)
    assert "theirs 0" in hostile.ran()


@pytest.mark.slow
def test_the_doctor_runs_nothing_of_theirs_as_root(hostile: Hostile) -> None:
    report = hostile.call("doctor.py", "--only", "environments")
    assert {entry["name"] for entry in report["checks"]} >= {"environments.imports[theirs/torch]"}
    # Through the link it is nobody's choice but the linker's: it runs as a fresh account.
    assert hostile.ran() == EXPECTED | {"theirs fresh"}


@pytest.mark.slow
def test_bench_runs_nothing_of_theirs_as_root(hostile: Hostile) -> None:
    hostile.call("bench.py", "--quick", "--mnist", "")
    assert hostile.ran() == EXPECTED | {"theirs fresh"}


@pytest.mark.slow
def test_the_doctor_is_not_held_by_what_lies_in_homes(
    hostile: Hostile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A FIFO for authorized_keys, read by the library as it travels to a host."""
    plugins = tmp_path / "plugins"
    monkeypatch.setattr(runner, "PLUGINS", plugins)
    shutil.copytree(PROJECT / "plugins/module_utils", plugins / "module_utils")
    program = plugins / "module_utils/program.py"
    program.write_text(
        "import os, pwd, sys\n"
        "from .ssh import logins\n"
        "os.makedirs(sys.argv[1] + '/.ssh')\n"
        "os.mkfifo(sys.argv[1] + '/.ssh/authorized_keys')\n"
        "entry = pwd.getpwnam('daemon')\n"
        "user = pwd.struct_passwd((*entry[:5], sys.argv[1], entry[6]))\n"
        "(file,) = logins.read_key_files(user, logins.key_files(user, ['.ssh/authorized_keys']))\n"
        "print(file.error)\n"
    )
    text = runner.packed(runner.travelling(program))
    words = ["/usr/bin/python3", "-I", "-c", runner.BOOTSTRAP, text, str(hostile.folder / "home")]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and done.stdout.strip(), done.stderr
