"""Mitogen finds a module's helpers by their absolute imports only; what it would not send, a host would lack."""

from __future__ import annotations

import ast
import runpy
from pathlib import Path

import pytest
from ansible.module_utils import basic

finder = pytest.importorskip("ansible_mitogen.module_finder", reason="mitogen is optional")

PLUGINS = Path(__file__).resolve().parents[2] / "plugins"
MODULES = sorted((PLUGINS / "modules").glob("*.py"))
SEARCH = [str(PLUGINS / "module_utils"), str(Path(basic.__file__).parent)]


def needed(file: Path) -> set[Path]:
    """The files of ours that ``file`` imports by relative imports."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            folder = file.parents[node.level - 1]
            base = folder.joinpath(*(node.module or "").split(".")) if node.module else folder
            candidates = [base.with_suffix(".py"), *(base / f"{alias.name}.py" for alias in node.names)]
            found |= {candidate for candidate in candidates if candidate.exists()}
    return found


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.stem)
def test_everything_a_module_imports_is_sent(module: Path) -> None:
    sent = {Path(path) for _, path, _ in finder.scan(f"ansible.modules.{module.stem}", str(module), SEARCH)}
    ours = {path for path in sent if PLUGINS in path.parents}
    missing = {need for path in ours for need in needed(path)} - ours
    assert not missing


def test_the_strategy_compiles_each_source_once_and_sends_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    def scans() -> list[list[tuple[str, str, bool]]]:
        return [finder.scan(f"ansible.modules.{module.stem}", str(module), SEARCH) for module in MODULES]

    plain = scans()
    monkeypatch.setattr(finder, "compile", compile, raising=False)  # undone afterwards, whatever the plugin sets
    runpy.run_path(str(PLUGINS / "strategy/mitogen_linear.py"))
    assert scans() == plain
    seen = finder.compile.cache_info()
    assert seen.hits > seen.misses
