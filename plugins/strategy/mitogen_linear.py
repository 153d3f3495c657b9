"""mitogen_linear as mitogen has it, with eight differences.

Python starts in / on a host: mitogen starts it in the login's folder, also root's, which would import a `base64.py`
that lies there. What a login starts by sudo stands where it stands itself.

A host that does not answer any more is given up after 45 seconds, as without mitogen, and not after five minutes. The
message about a connection that ended asks for no report to mitogen's authors.

The conda modules run in a process of their own: they load an engine that starts threads, and set a umask and their
environment; the next task would have that, too. The others leave nothing behind (tests/unit/test_mitogen.py), and what
they import is compiled on the host once and not for each task.

What such a module imports from the collection is loaded before an asynchronous task begins: that leaves its connection,
and an import that it makes afterwards would wait for ever.

The folders of the collections are looked up once: mitogen does so for every module, in that task's new process, where
it takes Ansible 30 ms and, from 2.21 on, a warning of a collection of its own that has no version.

What mitogen says of an asynchronous task are truth values: from core 2.21 on Ansible warns of its numbers.

Filters and tests are loaded before the first task, and not by each.

Results are remembered from run to run. To learn what a module needs on the host, mitogen compiles the module and
everything it imports, ansible's own helpers among them, and it strips the comments from what it sends. With some twenty
modules that is a third of the controller's work, and comes to the same in every run. Kept by the source's checksum, in
a file that may be deleted at any time.
"""

from __future__ import annotations

import ast
import functools
import gc
import hashlib
import importlib.util
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ansible_mitogen.connection
import ansible_mitogen.mixins
import ansible_mitogen.module_finder
import ansible_mitogen.planner
import mitogen
import mitogen.imports
import mitogen.master
import mitogen.minify
import mitogen.parent
from ansible.plugins.loader import filter_loader, test_loader
from ansible.utils.collection_loader import AnsibleCollectionConfig
from ansible_mitogen.plugins.strategy.mitogen_linear import StrategyModule

__all__ = ["StrategyModule"]

#: Another Python or mitogen may come to another result.
MAKER = importlib.util.MAGIC_NUMBER + repr(mitogen.__version__).encode()
FILE = Path(__file__).resolve().parents[2] / ".cache" / f"mitogen-{hashlib.sha256(MAKER).hexdigest()[:12]}.jsonl"


class Memory:
    """What functions of a source text returned, in a file with a line for each: checksum and result as JSON."""

    def __init__(self, file: Path) -> None:
        """Read what earlier runs have written; a line that one of them did not finish is left out."""
        self.file = file
        self.known: dict[str, Any] = {}
        try:
            lines = file.read_bytes().splitlines()
        except OSError:
            lines = []
        for line in lines:
            try:
                key, result = json.loads(line)
                self.known[key] = result
            except (TypeError, ValueError):
                continue

    def kept(self, work: Callable[..., Any]) -> Callable[..., Any]:
        """Return ``work``, a function of a source text, that does the same work once only."""

        @functools.wraps(work)
        def wrapper(source: bytes | str) -> Any:
            text = source.encode() if isinstance(source, str) else source
            key = hashlib.sha256(work.__name__.encode() + b" " + text).hexdigest()
            if key not in self.known:
                self.known[key] = work(source)
                self.append(key)
            return self.known[key]

        return wrapper

    def append(self, key: str) -> None:
        """Write one line, in one go, so that two runs at a time do not write into each other's."""
        try:
            self.file.parent.mkdir(exist_ok=True)
            with self.file.open("ab", buffering=0) as file:
                file.write(b"\n" + json.dumps([key, self.known[key]]).encode())
        except OSError:
            pass  # a folder that is not ours to write to only costs the time


def imports(source: bytes) -> list[Any]:
    """Return what mitogen reads from a source file's code: level, module and names of each import."""
    return list(codeobj_imports(compile(source, "<source>", "exec", dont_inherit=True)))


memory = Memory(FILE)
codeobj_imports = mitogen.imports.codeobj_imports
mitogen.imports.codeobj_imports = memory.kept(imports)
# Both compile only to ask the above, which compiles by itself where it has to. A name in a module is found before the
# built-in one; a mitogen that works otherwise does not look for it.
ansible_mitogen.module_finder.compile = mitogen.master.compile = lambda source, *_: source
mitogen.minify.minimize_source = memory.kept(mitogen.minify.minimize_source)

boot_command = mitogen.parent.Connection.get_boot_command
FIRST = "import binascii,os,select,zlib;"


def boot_command_in_root_folder(connection: mitogen.parent.Connection) -> list[str]:
    """Return mitogen's command that starts a Python, with a change into / before its second stage."""
    words = [str(word) for word in boot_command(connection)]
    changed = [word.replace(FIRST, FIRST + "os.chdir('/');") for word in words]
    if changed == words:
        raise RuntimeError(f"mitogen {mitogen.__version__} starts Python in another way: use ANSIBLE_STRATEGY=linear")
    return changed


mitogen.parent.Connection.get_boot_command = boot_command_in_root_folder

connect_ssh = ansible_mitogen.connection.CONNECTION_METHOD["ssh"]


def connect_ssh_and_ask_often(spec: Any) -> dict[str, Any]:
    """Return mitogen's arguments for an ssh connection, with the intervals of ansible.cfg where the owner set none."""
    made: dict[str, Any] = connect_ssh(spec)
    made["kwargs"]["keepalive_interval"] = spec.mitogen_ssh_keepalive_interval() or 15  # seconds
    made["kwargs"]["keepalive_count"] = spec.mitogen_ssh_keepalive_count() or 3
    return made


ansible_mitogen.connection.CONNECTION_METHOD["ssh"] = connect_ssh_and_ask_often

ansible_mitogen.connection.CallChain.call_aborted_msg = "the connection to the host ended while a command ran there: %s"

should_fork = ansible_mitogen.planner.NewStylePlanner.should_fork


def should_fork_ours(planner: ansible_mitogen.planner.NewStylePlanner) -> bool:
    """Return mitogen's answer, and yes for the conda modules of this collection."""
    return planner._inv.module_name.startswith("dlbox.workstation.conda_") or bool(should_fork(planner))


ansible_mitogen.planner.NewStylePlanner.should_fork = should_fork_ours

PLUGINS = Path(__file__).resolve().parents[1]


def imported(file: Path) -> set[Path]:
    """Return the collection's files that a file of plugins/ imports, also within a function."""
    found = set()
    for node in ast.walk(ast.parse(file.read_bytes())):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = file.parents[node.level - 1].joinpath(*(node.module or "").split("."))
            for place in (base, *(base / alias.name for alias in node.names)):
                found |= {path for path in (place.with_suffix(".py"), place / "__init__.py") if path.exists()}
    return found


def imported_names(file: Path) -> list[str]:
    """Return the full names of what a module of the collection imports from it, and of what that imports."""
    known: set[Path] = set()
    new = imported(file.resolve())
    while new:
        known |= new
        new = {need for path in new for need in imported(path)} - known
    parts = (
        (path.parent if path.name == "__init__.py" else path.with_suffix("")).relative_to(PLUGINS) for path in known
    )
    return sorted(".".join(("ansible_collections.dlbox.workstation.plugins", *part.parts)) for part in parts)


get_module_map = ansible_mitogen.planner.NewStylePlanner.get_module_map


def module_map_with_ours(planner: ansible_mitogen.planner.NewStylePlanner) -> dict[str, Any]:
    """Return what mitogen loads before a task, with this collection's part for an asynchronous one."""
    found: dict[str, Any] = get_module_map(planner)
    if not (planner._inv.wrap_async and planner._inv.module_name.startswith("dlbox.workstation.")):
        return found
    return {**found, "builtin": [*found["builtin"], *imported_names(Path(planner._inv.module_path))]}


ansible_mitogen.planner.NewStylePlanner.get_module_map = module_map_with_ours


def collection_folders(paths: list[str]) -> list[str]:
    """Return the folders of the collections below ``paths`` that have their metadata."""
    made = (Path(path, "ansible_collections").glob(f"*/*/{name}") for path in paths for name in METADATA)
    return sorted({str(file.parent) for files in made for file in files})


postprocess = ansible_mitogen.mixins.ActionModuleMixin._postprocess_response


def with_truth_values(action: ansible_mitogen.mixins.ActionModuleMixin, result: dict[str, Any]) -> dict[str, Any]:
    """Return what mitogen makes of a module's answer, with truth values where Ansible wants them."""
    data: dict[str, Any] = postprocess(action, result)
    numbers = {key: bool(data[key]) for key in ("started", "finished", "failed") if isinstance(data.get(key), int)}
    data.update(numbers)
    return data


ansible_mitogen.mixins.ActionModuleMixin._postprocess_response = with_truth_values

METADATA = ("MANIFEST.json", "galaxy.yml")
FOLDERS = collection_folders(AnsibleCollectionConfig.collection_paths)
ansible_mitogen.planner._load_collections = lambda invocation: invocation._extra_sys_paths.update(FOLDERS)

# Every task is templated in a new process, which would load these anew.
for loader in (filter_loader, test_loader):
    list(loader.all())
filter_loader.get("dlbox.workstation.plan_problems")  # all of ours: Ansible looks for one in all files
for profile in ("_module_legacy_c2m", "_module_legacy_m2c"):
    importlib.import_module(f"ansible.module_utils._internal._json._profiles.{profile}")

# What is loaded by now stays to the end. Looking through it for garbage, in the process of every task anew, would copy
# its memory, which the processes share.
gc.freeze()
gc.set_threshold(50_000)
