"""What dlbox changes in mitogen, and that mitogen finds what dlbox's modules import."""

from __future__ import annotations

import ast
import configparser
import gc
import importlib
import json
import os
import re
import runpy
import subprocess
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import MagicMock

import pytest
from ansible.module_utils import basic
from ansible.plugins.loader import filter_loader, test_loader
from ansible.utils.collection_loader import AnsibleCollectionConfig
from ansible_collections.dlbox.workstation.plugins.module_utils.umask import with_umask

mitogen = pytest.importorskip("mitogen", reason="mitogen is optional")
finder = pytest.importorskip("ansible_mitogen.module_finder", reason="mitogen is optional")
connection = pytest.importorskip("ansible_mitogen.connection", reason="mitogen is optional")
CONNECTION_METHOD = connection.CONNECTION_METHOD
mixins = pytest.importorskip("ansible_mitogen.mixins", reason="mitogen is optional")
planner = pytest.importorskip("ansible_mitogen.planner", reason="mitogen is optional")
for needed_part in ("imports", "master", "minify", "parent", "ssh"):
    importlib.import_module(f"mitogen.{needed_part}")

PROJECT = Path(__file__).resolve().parents[2]
PLUGINS = PROJECT / "plugins"
OURS = "ansible_collections.dlbox.workstation.plugins."
MODULES = sorted(file.stem for file in (PLUGINS / "modules").glob("*.py") if file.stem != "machine_plan")
CORE = Path(basic.__file__).parent
CORES = ("command", "service_facts", "systemd_service")


def needed(file: Path) -> set[str]:
    """The modules of ours that ``file`` imports, also within a function, which mitogen does not look into."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            folder = file.parents[node.level - 1]
            base = folder.joinpath(*(node.module or "").split("."))
            places = [base, *(base / alias.name for alias in node.names)]
            found |= {
                OURS + ".".join(place.relative_to(PLUGINS).parts)
                for place in places
                if place.with_suffix(".py").exists() or (place / "__init__.py").exists()
            }
    return found


def file_of(name: str) -> Path:
    place = PLUGINS.joinpath(*name.removeprefix(OURS).split("."))
    return place / "__init__.py" if place.is_dir() else place.with_suffix(".py")


@pytest.mark.parametrize("module", MODULES)
def test_mitogen_finds_what_a_module_imports(module: str) -> None:
    """A host asks for what it imports by name; the controller has to find the text of each."""
    names, open_names = {OURS + f"modules.{module}"}, {OURS + f"modules.{module}"}
    while open_names:
        open_names = {need for name in open_names for need in needed(file_of(name))} - names
        names |= open_names
    for name in sorted(names):
        importlib.import_module(name)
        path, source, _ = mitogen.master.ModuleFinder().get_module_source(name)
        assert source is not None and Path(path).resolve() == file_of(name), name


@pytest.fixture
def strategy(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """Our strategy's names; what it sets in mitogen and in this process is undone afterwards."""
    for module, name in (
        (finder, "compile"),
        (mitogen.master, "compile"),
        (mitogen.imports, "codeobj_imports"),
        (mitogen.minify, "minimize_source"),
        (mitogen.parent.Connection, "get_boot_command"),
        (planner.NewStylePlanner, "should_fork"),
        (planner.NewStylePlanner, "get_module_map"),
        (planner, "_load_collections"),
        (mixins.ActionModuleMixin, "_postprocess_response"),
    ):
        monkeypatch.setattr(module, name, getattr(module, name, compile), raising=False)
    monkeypatch.setitem(CONNECTION_METHOD, "ssh", CONNECTION_METHOD["ssh"])
    # Where Ansible runs, it has told them by now.
    paths = [str(PLUGINS.parent / "collections")]
    monkeypatch.setattr(type(AnsibleCollectionConfig), "collection_paths", property(lambda _: paths))
    for plugins in (filter_loader, test_loader):
        monkeypatch.setattr(plugins, "all", list)
        monkeypatch.setattr(plugins, "get", lambda name: None)
    threshold = gc.get_threshold()
    yield runpy.run_path(str(PLUGINS / "strategy/mitogen_linear.py"))
    gc.set_threshold(*threshold)
    gc.unfreeze()


def scans() -> list[list[tuple[str, str, bool]]]:
    return [
        finder.scan(f"ansible.modules.{name}", str(CORE.parent / f"modules/{name}.py"), [str(CORE)]) for name in CORES
    ]


PLAIN = scans()
SOURCE = b"import json\nfrom os import path, sep\n"


def memory(strategy: dict[str, Any], file: Path, work: Any) -> Any:
    """A function that remembers in a file of its own."""
    return strategy["Memory"](file).kept(work)


def as_json(value: Any) -> Any:
    return json.loads(json.dumps(value))


def test_mitogen_sends_the_same_with_it(strategy: dict[str, Any]) -> None:
    assert scans() == PLAIN
    assert scans() == PLAIN, "also from memory"


def test_what_was_worked_out_is_remembered_by_the_next_run(strategy: dict[str, Any], tmp_path: Path) -> None:
    worked: list[bytes] = []

    def work(source: bytes) -> Any:
        worked.append(source)
        return strategy["imports"](source)

    for _ in range(2):
        function = memory(strategy, tmp_path / "made" / "kept.jsonl", work)
        assert as_json(function(SOURCE)) == as_json(function(SOURCE)) == as_json(strategy["imports"](SOURCE))
    assert worked == [SOURCE]
    function(SOURCE + b"import ast\n")
    assert len(worked) == 2, "another source is another question"


@pytest.mark.parametrize("spoilt", [b'\n["abc", ', b"\n\xff\xfe", b"\n[1]", b"\nnull"])
def test_a_line_that_was_not_finished_is_no_answer(strategy: dict[str, Any], tmp_path: Path, spoilt: bytes) -> None:
    file = tmp_path / "kept.jsonl"
    memory(strategy, file, len)(b"before")
    with file.open("ab") as out:
        out.write(spoilt)
    memory(strategy, file, len)(b"afterwards")
    assert sorted(strategy["Memory"](file).known.values()) == [6, 10]


def test_a_folder_that_cannot_be_written_costs_only_the_time(strategy: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert memory(strategy, tmp_path / "file" / "kept.jsonl", len)(b"four") == 4


def test_what_is_sent_has_no_comments(strategy: dict[str, Any]) -> None:
    assert "said" not in mitogen.minify.minimize_source("x = 1\n\n\ny = 2  # said\n")


def test_python_leaves_the_logins_folder_before_it_imports(strategy: dict[str, Any]) -> None:
    """What lies there, a base64.py, is anybody's who can write it; sudo keeps the folder."""

    class Connection(mitogen.parent.Connection):  # type: ignore[misc]
        def __init__(self) -> None:
            self.options = mitogen.parent.Options(max_message_size=1, python_path=["python3"], remote_name="x")

        def get_preamble(self) -> bytes:
            return b""

    words = Connection().get_boot_command()
    assert words[:2] == ["python3", "-c"]
    # The first statements are mitogen's own and import nothing from there: it takes the folder off the path.
    assert words[2].startswith("import sys;sys.path=[p for p in sys.path if p];")
    assert 0 < words[2].index("os.chdir('/')") < words[2].index("exec(")


@pytest.mark.parametrize(("set_by_owner", "expected"), [(None, (15, 3)), (60, (60, 60))])
def test_a_host_that_does_not_answer_is_given_up_soon(
    strategy: dict[str, Any], set_by_owner: int | None, expected: tuple[int, int]
) -> None:
    spec = MagicMock()
    spec.private_key_file.return_value = spec.mitogen_ssh_compression.return_value = None
    spec.mitogen_ssh_keepalive_interval.return_value = set_by_owner
    spec.mitogen_ssh_keepalive_count.return_value = set_by_owner
    made = CONNECTION_METHOD["ssh"](spec)["kwargs"]
    assert (made["keepalive_interval"], made["keepalive_count"]) == expected
    assert made["hostname"] is spec.remote_addr.return_value


def effective(words: list[str]) -> dict[str, str]:
    """What ssh makes of its arguments: `ssh -G`, without the settings of this machine."""
    shown = subprocess.run(["ssh", "-G", "-F", "none", *words], text=True, capture_output=True, check=True).stdout
    return dict(line.split(" ", 1) for line in shown.splitlines() if " " in line)


def test_ssh_gives_a_dead_connection_up_after_45_seconds_with_mitogen_and_without(strategy: dict[str, Any]) -> None:
    spec = MagicMock()
    spec.private_key_file.return_value = spec.mitogen_ssh_compression.return_value = None
    spec.mitogen_ssh_keepalive_interval.return_value = spec.mitogen_ssh_keepalive_count.return_value = None
    made = CONNECTION_METHOD["ssh"](spec)["kwargs"]
    kept = {key: made[key] for key in ("keepalive_interval", "keepalive_count")}
    options = mitogen.ssh.Options(hostname="box", max_message_size=1, **kept)
    started = mitogen.ssh.Connection(options, MagicMock())
    started.get_preamble = lambda: b""  # what Python is given on the host
    words = [str(word) for word in started.get_boot_command()]
    plain = configparser.ConfigParser(interpolation=None)
    plain.read(PROJECT / "ansible.cfg")
    for arguments in (words[1 : words.index("box")], plain["ssh_connection"]["ssh_args"].split()):
        found = effective([*arguments, "box"])
        assert int(found["serveraliveinterval"]) * int(found["serveralivecountmax"]) == 45


def test_a_connection_that_ended_is_no_bug_to_be_filed(strategy: dict[str, Any]) -> None:
    message = connection.CallChain.call_aborted_msg % ("EOF on stream",)
    assert "ended while a command ran there: EOF" in message and "bug" not in message


@pytest.mark.parametrize(
    ("name", "forks"),
    [
        ("dlbox.workstation.conda_env", True),
        ("dlbox.workstation.host_files", False),
        ("ansible.builtin.command", False),
    ],
)
def test_conda_modules_run_in_a_process_of_their_own(
    strategy: dict[str, Any], name: str, forks: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What one sets, a umask or a variable of the environment, the next task would have, too."""
    monkeypatch.setattr(planner.NewStylePlanner, "get_module_map", lambda self: {"custom": [], "builtin": []})
    invocation = SimpleNamespace(module_name=name, task_vars={}, wrap_async=False)
    assert planner.NewStylePlanner(invocation).should_fork() is forks


def test_collections_are_found_as_ansible_finds_them(strategy: dict[str, Any], tmp_path: Path) -> None:
    """Without a collection of Ansible's own that has no metadata, of which it would warn in every task."""
    for name, file in (("a/one", "MANIFEST.json"), ("a/two", "galaxy.yml"), ("ansible/_protomatter", "README.md")):
        folder = tmp_path / "ansible_collections" / name
        folder.mkdir(parents=True)
        (folder / file).write_text("{}" if file == "MANIFEST.json" else "")
    found = strategy["collection_folders"]([str(tmp_path)])
    assert found == [str(tmp_path / "ansible_collections/a" / name) for name in ("one", "two")]
    invocation = SimpleNamespace(_extra_sys_paths=set())
    planner._load_collections(invocation)
    assert invocation._extra_sys_paths == {str(PLUGINS.parent / "collections/ansible_collections/dlbox/workstation")}


def test_an_asynchronous_task_is_told_of_in_truth_values(
    strategy: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Core 2.21 warns of a number; what else a module returns stays as it is."""
    answer = {"stdout": '{"started": 1, "finished": 0, "failed": 1, "rc": 1}'}
    action = SimpleNamespace(_parse_returned_data=lambda result, profile=None: json.loads(result["stdout"]))
    told = mixins.ActionModuleMixin._postprocess_response(action, answer)
    assert {key: told[key] for key in ("started", "finished", "failed")} == {
        "started": True, "finished": False, "failed": True,
    }  # fmt: skip
    assert told["finished"] is False and told["rc"] == 1 and told["rc"] is not True


@pytest.mark.parametrize("module", MODULES)
def test_an_asynchronous_module_has_what_it_imports_before_it_leaves_its_connection(
    module: str, strategy: dict[str, Any]
) -> None:
    """It would wait for ever for an import afterwards; conda_env did."""
    file = file_of(OURS + f"modules.{module}")
    names, open_names = set[str](), needed(file)
    while open_names:
        names |= open_names
        open_names = {need for name in open_names for need in needed(file_of(name))} - names
    link = PLUGINS.parent / "collections/ansible_collections/dlbox/workstation/plugins/modules" / file.name
    assert strategy["imported_names"](link) == sorted(names)


def test_only_an_asynchronous_module_of_ours_is_given_more(
    strategy: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(strategy["module_map_with_ours"].__globals__, "get_module_map", lambda self: {"builtin": ["x"]})
    path = str(PLUGINS / "modules/conda_env.py")
    for name, wrap_async, more in (("conda_env", True, True), ("conda_env", False, False)):
        invocation = SimpleNamespace(module_name=f"dlbox.workstation.{name}", wrap_async=wrap_async, module_path=path)
        found = planner.NewStylePlanner(invocation).get_module_map()["builtin"]
        assert found[0] == "x" and (OURS + "module_utils.conda.interpreter" in found) is more
    invocation = SimpleNamespace(module_name="ansible.builtin.apt", wrap_async=True, module_path=path)
    assert planner.NewStylePlanner(invocation).get_module_map() == {"builtin": ["x"]}


def changes_the_process(tree: ast.AST) -> set[str]:
    """What code sets in its own process that mitogen does not put back after a task."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            name = ast.unparse(node.func)
            if name in {"os.umask", "os.nice", "os.setuid", "os.setgid", "signal.signal", "signal.alarm"} or (
                name.startswith(("resource.setr", "locale.setlocale", "sys.path.", "threading.Thread"))
            ):
                found.add(name)
        elif isinstance(node, ast.Assign | ast.Global):
            text = ast.unparse(node)
            found |= {word for word in ("tempfile.tempdir", "sys.path", "global ") if text.startswith(word)}
        elif isinstance(node, ast.ImportFrom | ast.Import) and re.search(
            r"lru_cache|\bcache\b|rattler", ast.unparse(node)
        ):
            found.add(ast.unparse(node))
    return found


#: What does so in a child of its own, or puts it back itself.
IN_A_CHILD = {
    "run_as.py": {"os.umask", "os.setuid", "os.setgid"},
    "mok_enrolment.py": {"os.umask"},
    "umask.py": {"os.umask"},
}


def test_a_module_has_its_umask_and_the_process_its_own_again() -> None:
    seen = []

    @with_umask(0o027)
    def main() -> None:
        seen.append(os.umask(0o027))
        raise SystemExit(3)

    before = os.umask(0o022)
    try:
        with pytest.raises(SystemExit):
            main()
        assert seen == [0o027] and os.umask(0o022) == 0o022
    finally:
        os.umask(before)


@pytest.mark.parametrize("module", [name for name in MODULES if not name.startswith("conda_")])
def test_what_runs_in_mitogens_own_process_leaves_nothing_behind(module: str) -> None:
    """The next task would have it, too; only the conda modules get a process of their own."""
    files, open_files = set[Path](), {file_of(OURS + f"modules.{module}")}
    while open_files:
        files |= open_files
        open_files = {file_of(name) for file in open_files for name in needed(file)} - files
    for file in files:
        tree = ast.parse(file.read_bytes())
        assert changes_the_process(tree) - IN_A_CHILD.get(file.name, set()) == set(), file
