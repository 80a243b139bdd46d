"""Pictures of a measure as a grid: from where to where, and value against risk."""

from __future__ import annotations

from collections.abc import Iterator

from churnml.charts import Cell, grid
from churnml.service.pages.measures.figures import Figures, Json, number
from churnml.service.pages.measures.picture import Draw, Picture, picture, worded
from churnml.wording import Text

_TIERS = {
    "high": Text("High value", "高价值"),
    "mid": Text("Medium value", "中价值"),
    "low": Text("Low value", "低价值"),
}
_RISKS = {
    "low": Text("Low risk", "低风险"),
    "medium": Text("Medium risk", "中风险"),
    "high": Text("High risk", "高风险"),
}


def matrix(down: str, across: str, value: str) -> Draw:
    """Return what draws a grid of one column against another."""

    def draw(figures: Figures) -> Iterator[Picture]:
        for part, of in figures.parts():
            yield picture(of, part, field_grid(of, down, across, value))

    return draw


def field_grid(figures: Figures, down: str, across: str, value: str) -> str:
    """Return a grid of the values of one column against another, as SVG."""
    rows, over = worded(figures, down), worded(figures, across)
    found = {(str(row[down]), str(row[across])): row for row in figures.rows}
    most = max((abs(number(row, value) or 0.0) for row in figures.rows), default=0.0) or 1.0

    def cell(key: tuple[str, str]) -> Cell:
        row = found.get(key)
        figure = None if row is None else number(row, value)
        return Cell(None, "") if row is None or figure is None else Cell(abs(figure) / most, figures.say(row, value))

    cells = [[cell((one, other)) for other in over] for one in rows]
    return grid(list(rows.values()), list(over.values()), cells, figures.title)


def value_risk(figures: Figures) -> Iterator[Picture]:
    """Draw thirds of value against bands of risk; who is in neither stands in the table alone."""
    for part, of in figures.parts():
        found = {str(row["segment"]): row for row in of.rows if row["share"] is not None}
        most = max((float(row["share"]) for row in found.values()), default=0.0) or 1.0
        cells = [[_share(of, found.get(f"{tier}_value_{band}_risk"), most) for band in _RISKS] for tier in _TIERS]
        down, across = ([text.to(of.language) for text in one.values()] for one in (_TIERS, _RISKS))
        yield picture(of, part, grid(down, across, cells, of.title))


def _share(figures: Figures, row: Json | None, most: float) -> Cell:
    if row is None:
        return Cell(None, "")
    said = f"{figures.say(row, 'share')} · {figures.say(row, 'customers')}"
    return Cell(float(row["share"]) / most, said)
