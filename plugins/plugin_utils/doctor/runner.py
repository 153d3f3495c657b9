"""Ask one host through testinfra and evaluate the answers: what the CLI and molecule's verify step share."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import re
import time
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import evaluate, outside
from .model import Check, Context

if TYPE_CHECKING:
    from testinfra.host import Host

HERE = Path(__file__).resolve().parent
MARK = "DLBOX-EVIDENCE "
SYSTEM_PYTHON = "/usr/bin/python3"
# Become root where that needs no password; otherwise ask as who we are, and the checks say what they could not read.
# Trying it would be logged as an error there, the list of rules is not; the last rule for all commands decides.
NO_PASSWORD = "/!authenticate/ {all = 1} / ALL$/ {yes = /NOPASSWD:/ || all && !/PASSWD:/} END {exit !yes}"
AS_ROOT = (
    f"if [ \"$(id -u)\" != 0 ] && LC_ALL=C sudo -n -l 2>/dev/null | awk '{NO_PASSWORD}'; "
    'then exec sudo -n "$@"; else exec "$@"; fi'
)
BOOTSTRAP = (
    "import base64,zlib,sys;s=zlib.decompress(base64.b64decode(sys.argv.pop(1)));exec(compile(s,'probe','exec'))"
)
PLUGINS = HERE.parents[1]
# What the programs on a host may import, below plugins/module_utils.
LIBRARY = (
    *("run_as.py", "public_key.py", "host/*.py", "ssh/*.py"),
    *("admins/sudoers.py", "guard/sessions.py", "jupyter/answer.py", "jupyter/ports.py"),
)


class HostUnreachable(Exception):
    """The host gave no evidence; the text says why."""


def packed(text: str) -> str:
    """Text as one argument without spaces or quotes: zlib, then base64."""
    return base64.b64encode(zlib.compress(text.encode(), 9)).decode()


def travelling(program: Path, library: Iterable[str] = LIBRARY) -> str:
    """A program of plugins/ as one text: it imports what `library` names from itself, in packages as they are here."""
    utilities = PLUGINS / "module_utils"
    files = [file for pattern in library for file in utilities.glob(pattern)]
    if program.name == "__main__.py":
        files += program.parent.glob("[!_]*.py")  # the package whose program it is
    sources = {}
    for file in files:
        name = ".".join(("plugins", *file.relative_to(PLUGINS).with_suffix("").parts)).removesuffix(".__init__")
        sources[name] = file.read_text()
    package = ".".join(program.resolve().parent.relative_to(PLUGINS.parent).parts)
    return f"""import importlib.abc, importlib.util, sys
sources = {sources!r}
class Library(importlib.abc.MetaPathFinder, importlib.abc.InspectLoader):
    def find_spec(self, name, path, target=None):
        return importlib.util.spec_from_loader(name, self) if name in sources or self.is_package(name) else None
    def is_package(self, name):
        return any(other.startswith(name + ".") for other in sources)
    def get_source(self, name):
        return sources.get(name, "")
sys.meta_path.insert(0, Library())
exec(compile({program.read_text()!r}, {program.name!r}, "exec"), {{"__name__": "__main__", "__package__": {package!r}}})
"""


def on_host(host: Host, program: Path, told: dict[str, Any], python: str = SYSTEM_PYTHON) -> Any:
    """Run a program on the host with root's rights, isolated from what the login can write; the finished command.

    It gets `told` as its only argument, packed.
    """
    words = (python, "-I", "-B", "-c", BOOTSTRAP, packed(travelling(program)), packed(json.dumps(told)))
    return host.run("sh -c %s sh" + " %s" * len(words), AS_ROOT, *words)


def settings(
    variables: dict[str, Any], chosen: Iterable[Check], environments: list[str] | None = None
) -> dict[str, Any]:
    """What the probe is told: collectors, the smoke programs, and where dlbox keeps things on this host."""

    def plain(name: str, default: str) -> str:
        value = variables.get(name, default)
        return default if not isinstance(value, str) or "{{" in value else value

    admins = variables.get("dlbox_admins") or []
    return {
        "collect": evaluate.collectors(chosen),
        "programs": {name: (HERE / "programs" / f"{name}.py").read_text() for name in ("smoke", "kernel")},
        "conda_root": plain("dlbox_conda_root", "/opt/conda"),
        "state_dir": plain("dlbox_state_dir", "/var/lib/dlbox"),
        "admins": [item["name"] for item in admins if isinstance(item, dict) and "name" in item],
        "environments": environments,
    }


def received(answer: object) -> dict[str, Any]:
    """The evidence that a host sent, if it has the frame that all rely on; what is in it is the checks' to read.

    Raises HostUnreachable: what lacks it did not come from the probe.
    """
    frame: dict[str, tuple[type, ...]] = {"errors": (dict,), "root": (bool,), "time": (int, float)}
    given = answer if isinstance(answer, dict) else {}
    for key, types in frame.items():
        if not isinstance(given.get(key), types):
            raise HostUnreachable(f"its answer is not the probe's: no proper {key!r} in it")
    return given


@contextlib.contextmanager
def unusable_answer() -> Iterator[None]:
    """Whatever one host's answer leads to is that host's failure alone. Raises HostUnreachable for any exception."""
    try:
        yield
    except HostUnreachable:
        raise
    except Exception as error:
        raise HostUnreachable(f"its answer cannot be used: {type(error).__name__}: {str(error)[:200]}") from error


def evidence(host: Host, told: dict[str, Any], python: str = SYSTEM_PYTHON) -> dict[str, Any]:
    """Send the probe, read its answer: one round trip. Raises HostUnreachable."""
    try:
        done = on_host(host, PLUGINS / "module_utils/probe/__main__.py", told, python)
    except Exception as error:  # the backends raise what their transport raises, with the whole command in the text
        told_why = re.search(r"_stderr=b'(.*?)(?:\\r)?(?:\\n)?'\)$", str(error), re.DOTALL)
        raise HostUnreachable(
            told_why.group(1) if told_why else f"{type(error).__name__}: {str(error)[:200]}"
        ) from error
    for line in done.stdout.splitlines():
        if line.startswith(MARK):
            return received(json.loads(line[len(MARK) :]))
    raise HostUnreachable((done.stderr.strip().splitlines() or [f"no answer, code {done.rc}"])[-1])


def hosts(inventories: list[str], pattern: str) -> tuple[Any, list[str]]:
    """(testinfra's view of the inventory, names of the hosts that match). Raises HostUnreachable with a sentence."""
    missing = [path for path in inventories if not Path(path).exists()]
    if missing:
        raise HostUnreachable(f"-i {missing[0]}: no such inventory")
    # Through the environment, because testinfra's own option takes only one inventory.
    os.environ["ANSIBLE_INVENTORY"] = ",".join(str(Path(path).resolve()) for path in inventories)
    from testinfra.utils.ansible_runner import AnsibleRunner  # late: --help must not wait for it

    try:
        found = AnsibleRunner()
        names = found.get_hosts(pattern)
    except (RuntimeError, AssertionError, ValueError) as error:
        raise HostUnreachable(f"the inventory cannot be read: {str(error)[-400:]}") from error
    if not names:
        raise HostUnreachable(f"--host {pattern}: no such host in {os.environ['ANSIBLE_INVENTORY']}")
    return found, names


def interpreter(variables: dict[str, Any]) -> str:
    """The host's own Python: the absolute path that the inventory gives, without options, or the system's."""
    given = str(variables.get("ansible_python_interpreter", "")).split()
    return given[0] if given and given[0].startswith("/") else SYSTEM_PYTHON


def connection_of(variables: dict[str, Any]) -> str:
    """Ansible's connection for a host, without the collection's name: ssh, local, docker."""
    name = str(variables.get("ansible_connection", "ssh")).rsplit(".", 1)[-1]
    return {"smart": "ssh", "paramiko_ssh": "ssh"}.get(name, name)


def context(
    host: Host,
    name: str,
    variables: dict[str, Any],
    chosen: list[Check],
    look: bool = True,
    environments: list[str] | None = None,
) -> Context:
    """Everything that the checks look at, from inside and (look) from outside."""
    before = time.time()
    inside = evidence(host, settings(variables, chosen, environments), interpreter(variables))
    seen = Context(inside, {}, variables)
    if look:
        seen.outside.update(outside.look(connection_of(variables), name, variables, seen))
    seen.outside["clock_offset"] = inside["time"] - before
    return seen
