"""Mitogen finds a module's helpers by their absolute imports only; what it would not send, a host would lack."""

from __future__ import annotations

import ast
import gc
import importlib
import json
import runpy
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import pytest
from ansible.module_utils import basic

mitogen = pytest.importorskip("mitogen", reason="mitogen is optional")
finder = pytest.importorskip("ansible_mitogen.module_finder", reason="mitogen is optional")
CONNECTION_METHOD = pytest.importorskip("ansible_mitogen.connection", reason="mitogen is optional").CONNECTION_METHOD
for needed_part in ("imports", "master", "minify", "parent"):
    importlib.import_module(f"mitogen.{needed_part}")

PLUGINS = Path(__file__).resolve().parents[2] / "plugins"
MODULES = sorted((PLUGINS / "modules").glob("*.py"))
OURS = "ansible.module_utils."
SEARCH = [str(PLUGINS / "module_utils"), str(Path(basic.__file__).parent)]


def needed(file: Path) -> set[Path]:
    """The files of ours that ``file`` imports, also within a function, which mitogen does not look into."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        absolute = isinstance(node, ast.ImportFrom) and not node.level and (node.module or "").startswith(OURS)
        if isinstance(node, ast.ImportFrom) and (node.level or absolute):
            folder = PLUGINS / "module_utils" if absolute else file.parents[node.level - 1]
            module = (node.module or "").removeprefix(OURS)
            base = folder.joinpath(*module.split(".")) if module else folder
            candidates = [base.with_suffix(".py"), *(base / f"{alias.name}.py" for alias in node.names)]
            found |= {candidate for candidate in candidates if candidate.exists()}
    return found


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.stem)
def test_everything_a_module_imports_is_sent(module: Path) -> None:
    sent = {Path(path) for _, path, _ in finder.scan(f"ansible.modules.{module.stem}", str(module), SEARCH)}
    ours = {path for path in sent if PLUGINS in path.parents}
    missing = {need for path in ours for need in needed(path)} - ours
    assert not missing


@pytest.fixture
def strategy(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """Our strategy's names; what it sets in mitogen and in this process is undone afterwards."""
    for module, name in (
        (finder, "compile"),
        (mitogen.master, "compile"),
        (mitogen.imports, "codeobj_imports"),
        (mitogen.minify, "minimize_source"),
        (mitogen.parent.Connection, "get_boot_command"),
    ):
        monkeypatch.setattr(module, name, getattr(module, name, compile), raising=False)
    monkeypatch.setitem(CONNECTION_METHOD, "ssh", CONNECTION_METHOD["ssh"])
    threshold = gc.get_threshold()
    yield runpy.run_path(str(PLUGINS / "strategy/mitogen_linear.py"))
    gc.set_threshold(*threshold)
    gc.unfreeze()


def scans() -> list[list[tuple[str, str, bool]]]:
    return [finder.scan(f"ansible.modules.{module.stem}", str(module), SEARCH) for module in MODULES]


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
