"""The pages for people: all are in the index, links lead somewhere, and the files and tests that they name exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[2]
INDEX = TOP / "docs/README.md"
CONTRIBUTING = TOP / "CONTRIBUTING.md"
PAGES = sorted(
    [*TOP.glob("*.md"), *(TOP / "docs").rglob("*.md"), *(TOP / "roles").glob("*/README.md"), TOP / "data/README.md"]
)
# An inventory's files and ignored folders are the owner's: pages may name some that are not there.
PATH = re.compile(
    r"`((?:dlbox|site\.yml|galaxy\.yml|[.]ci/run|(?:benchmarks|collections|data|docs|molecule|playbooks|plugins"
    r"|roles|scripts|tests)/[^\s`:]*?)(?:::(\w+))?)`"
)
# A name in capitals stands for any: roles/ROLE/meta/main.yml. README and the like are themselves.
ANY = re.compile(r"\b(?!README)[A-Z]{2,}\b")


def text(page: Path) -> str:
    """A page without its blocks of code."""
    whole = re.sub(r"(?ms)^ *```.*?^ *```$", "", page.read_text(encoding="utf-8"))
    return re.sub(r"(?m)^(?: {4}|\t)(?! *[-|]).*$", "", whole)


def name(page: Path) -> str:
    return str(page.relative_to(TOP))


def links(page: Path) -> list[str]:
    return re.findall(r"\]\((?!https?:)([^)\s]+)\)", text(page))


def anchors(page: Path) -> set[str]:
    titles = re.findall(r"(?m)^#+ (.+)$", text(page))
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def test_the_index_lists_every_page() -> None:
    listed = {(INDEX.parent / link).resolve() for link in links(INDEX)}
    assert {page for page in PAGES if page.is_relative_to(TOP / "docs")} - {INDEX} - listed == set()


def test_contributing_links_every_page_for_contributors() -> None:
    listed = {(TOP / link).resolve() for link in links(CONTRIBUTING)}
    assert set((TOP / "docs/contributing").glob("*.md")) - listed == set()


def test_the_glossary_is_short() -> None:
    rows = re.search(r"## Glossary\n(.*?)\n## ", CONTRIBUTING.read_text(encoding="utf-8"), re.DOTALL)
    assert rows is not None
    terms = re.findall(r"(?m)^\| (?!term)(\w[^|]*?) \|", rows.group(1))
    assert 10 <= len(terms) <= 20 and len(set(terms)) == len(terms)


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_lead_to_pages_and_their_headings(page: Path) -> None:
    for link in links(page):
        file, _, anchor = link.partition("#")
        target = page.parent / file if file else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_files_and_tests_that_a_page_names_exist(page: Path) -> None:
    for path, test in PATH.findall(text(page)):
        file = path.partition("::")[0].rstrip("/")
        found = list(TOP.glob(ANY.sub("*", file)))
        assert found, path
        assert not test or f"def {test}(" in found[0].read_text(encoding="utf-8"), path


@pytest.mark.parametrize("page", sorted((TOP / "docs/contributing").glob("*.md")), ids=name)
def test_a_page_for_contributors_has_files_a_proof_and_tests(page: Path) -> None:
    named = [path for path, _test in PATH.findall(text(page))]
    assert len(named) >= 5 and any(path.startswith(("tests/", "molecule/")) for path in named)
    whole = page.read_text(encoding="utf-8")
    assert "Prove it" in whole and "Held by" in whole and "./dlbox " in whole


def test_the_page_on_runs_that_change_nothing_names_every_module() -> None:
    """A module that is new is compared with it, or runs only where something differs: the page says which."""
    modules = {file.stem for file in (TOP / "plugins/modules").glob("*.py")}
    assert modules <= set(re.findall(r"`(\w+)`", (TOP / "docs/no-change.md").read_text()))
