"""The report page as a person opens it from disk: in headless Chromium, light, dark, on a phone, on paper.

Screenshots lie in $DLBOX_SHOTS when it is set, to be looked at.
"""

from __future__ import annotations

import importlib.resources
import itertools
import os
import re
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.dlbox.workstation.plugins.plugin_utils.page import kept, page
from page_sample import CHECKS, DATA

PROJECT = Path(__file__).resolve().parents[3]

WIDTHS = {"desktop": (1280, 900), "phone": (360, 740)}


@pytest.fixture(scope="session")
def axe() -> str:
    """axe-core's script, as the pinned PyPI package carries it."""
    return importlib.resources.files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def pages(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The index, a machine with a failure, one where all is well, one that was never asked."""
    fine = {
        **DATA,
        "host": "fine",
        "plan": {},
        "bench_before": None,
        "checks": [c for c in CHECKS if c["result"] == "ok"],
    }
    folder = tmp_path_factory.mktemp("pages")
    return page.write(folder, [DATA, fine, kept.load(folder, "new")])


def opened(browser: Any, path: Path, width: str = "desktop", scheme: str = "light") -> tuple[Any, list[str], list[str]]:
    """(page, console messages and errors, requests) of a page opened from disk; CSP is off for axe's own script."""
    size = dict(zip(("width", "height"), WIDTHS[width], strict=True))
    context = browser.new_context(viewport=size, color_scheme=scheme, bypass_csp=True)
    tab = context.new_page()
    said: list[str] = []
    asked: list[str] = []
    tab.on("console", lambda message: said.append(message.text))
    tab.on("pageerror", lambda error: said.append(str(error)))
    tab.on("request", lambda request: asked.append(request.url))
    tab.goto(path.as_uri())
    return tab, said, asked


def pairs(line: list[dict[str, Any]]) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Neighbours on one line, from left to right."""
    ordered = sorted(line, key=lambda text: text["left"])
    return list(itertools.pairwise(ordered))


CASES = [(0, "index"), (1, "box"), (2, "fine"), (3, "new")]
LOOKS = [("desktop", "light"), ("desktop", "dark"), ("phone", "light"), ("phone", "dark")]


@pytest.mark.parametrize(("width", "scheme"), LOOKS)
@pytest.mark.parametrize(("number", "name"), CASES)
def test_a_page_is_quiet_accessible_and_fits(
    browser: Any, pages: list[Path], axe: str, number: int, name: str, width: str, scheme: str
) -> None:
    """Nothing in the console, one request (the file), nothing wider than the window, no complaint of axe-core."""
    tab, said, asked = opened(browser, pages[number], width, scheme)
    try:
        assert said == []
        assert asked == [pages[number].as_uri()]
        wide = tab.evaluate("document.documentElement.scrollWidth")
        assert wide <= WIDTHS[width][0], f"{wide} px wide in a window of {WIDTHS[width][0]}"
        tab.evaluate("document.querySelectorAll('details').forEach(part => part.open = true)")
        tab.evaluate(axe)
        found = tab.evaluate("axe.run().then(answer => answer.violations.map(v => v.id + ': ' + v.nodes[0].html))")
        assert found == []
        if os.environ.get("DLBOX_SHOTS"):
            shot = Path(os.environ["DLBOX_SHOTS"]) / f"{name}-{width}-{scheme}.png"
            tab.screenshot(path=shot, full_page=True)
    finally:
        tab.context.close()


def test_dark_and_light_differ(browser: Any, pages: list[Path]) -> None:
    """The page follows the system's colour scheme."""
    colours = set()
    for scheme in ("light", "dark"):
        tab, _said, _asked = opened(browser, pages[1], "desktop", scheme)
        colours.add(tab.evaluate("getComputedStyle(document.body).backgroundColor"))
        tab.context.close()
    assert len(colours) == 2


@pytest.mark.parametrize("width", ["desktop", "phone"])
def test_labels_of_charts_are_readable(browser: Any, pages: list[Path], width: str) -> None:
    """No text of a chart leaves its drawing or runs into its neighbour, and none is smaller than 10 px."""
    tab, _said, _asked = opened(browser, pages[1], width)
    try:
        texts = tab.evaluate(
            """[...document.querySelectorAll('svg text')].map(text => {
              const inner = text.getBoundingClientRect(), outer = text.ownerSVGElement.getBoundingClientRect();
              return {words: text.textContent, over: inner.right - outer.right, height: inner.height,
                      left: inner.left, right: inner.right, top: Math.round(inner.top)};
            })"""
        )
        lines = {}
        for text in texts:
            lines.setdefault(text["top"], []).append(text)
        beside = [pair for line in lines.values() for pair in pairs(line)]
        assert [pair for pair in beside if pair[0]["right"] > pair[1]["left"]] == []
        assert len(texts) > 20
        assert [text for text in texts if text["over"] > 1 or text["height"] < 10] == []
    finally:
        tab.context.close()


def test_a_host_prints_on_one_page(browser: Any, pages: list[Path]) -> None:
    """A4 paper, with everything that needs the owner and all charts."""
    tab, _said, _asked = opened(browser, pages[1])
    try:
        paper = tab.pdf(prefer_css_page_size=True)
    finally:
        tab.context.close()
    if os.environ.get("DLBOX_SHOTS"):
        (Path(os.environ["DLBOX_SHOTS"]) / "box.pdf").write_bytes(paper)
    assert len(re.findall(rb"/Type\s*/Page\b", paper)) == 1


def test_the_index_leads_to_a_host_and_back(browser: Any, pages: list[Path]) -> None:
    """The links work from disk."""
    tab, said, _asked = opened(browser, pages[0])
    try:
        tab.click("a:text-is('box')")
        assert tab.title().startswith("box: ")
        tab.click("text=All hosts")
        assert tab.title() == "dlbox: 3 hosts"
        assert said == []
    finally:
        tab.context.close()
