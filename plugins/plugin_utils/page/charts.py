"""Geometry of the bar charts: what the template draws, in the units of its view box.

Not a plotting library: its picture has fixed colours and a fixed width, and these charts follow the reader's light or
dark colours, a phone and paper, in a page without scripts.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ..bench import history

WIDTH = 640  # of the view box; the page scales it to the column
LABEL, BAR, GAP = 24, 12, 12  # heights of a row's line of text and of its bar, and the space below them


@dataclass(frozen=True)
class Bar:
    """One bar: `kind` is cpu, gpu or before; `low` and `high` are the ends of its whisker."""

    label: str
    text: str
    kind: str
    y: float
    width: float
    low: float
    high: float


@dataclass(frozen=True)
class Chart:
    """One chart: its bars share a unit and a scale that begins at zero."""

    title: str
    unit: str
    bars: tuple[Bar, ...]
    height: float

    @property
    def words(self) -> str:
        """The chart in words, for those who do not see it."""
        return f"{self.title}, in {self.unit}: " + "; ".join(f"{bar.label} {bar.text}" for bar in self.bars)


def chart(title: str, unit: str, rows: Iterable[tuple[str, history.Figure, str, str]]) -> Chart | None:
    """A chart of (label, figure, kind, note after the value) rows; None when there is none."""
    given = list(rows)
    if not given:
        return None
    most = max(figure.high for _label, figure, _kind, _note in given) or 1.0
    scale = WIDTH / most
    bars = []
    for index, (label, figure, kind, note) in enumerate(given):
        text = f"{history.rounded(figure.median)} {unit}" + (f" ({note})" if note else "")
        y = index * (LABEL + BAR + GAP)
        bars.append(Bar(label, text, kind, y, max(2.0, figure.median * scale), figure.low * scale, figure.high * scale))
    return Chart(title, unit, tuple(bars), len(given) * (LABEL + BAR + GAP))


def charts(record: dict[str, Any] | None, before: dict[str, Any] | None) -> list[Chart]:
    """CPU against GPU for each kind of figure, and beside a figure that changed, the last run's."""
    if not record:
        return []
    changes = {change.figure.name: change for change in history.compare(record, before)}
    titles = {
        "LeNet": "Training LeNet",
        "energy": "Energy of training",
        "matmul": "Matrix multiplication",
        "copies": "Copies of memory",
        "all-reduce": "All GPUs together (all-reduce)",
    }
    found = []
    for group, title in titles.items():
        figures = [figure for figure in history.figures(record) if figure.group == group]
        for unit in dict.fromkeys(figure.unit for figure in figures):
            rows = []
            for figure in (item for item in figures if item.unit == unit):
                kind = "cpu" if ", CPU" in figure.label else "gpu"
                change = changes.get(figure.name)
                note = f"{change.ratio - 1:+.0%}" if change and change.certain else ""
                rows.append((figure.label, figure, kind, note))
                if change and change.certain:
                    rows.append((f"{figure.label}, last run", change.before, "before", ""))
            made = chart(title, unit, rows)
            if made:
                found.append(made)
    return found
