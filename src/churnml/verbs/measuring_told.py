"""What a measure found, as tables in a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text as Line

from churnml.measures.cells import cell_of
from churnml.wording import Language, Text

Json = dict[str, Any]  # Any: JSON

_MOST_ROWS = 40
_WORDS = {"word", "day"}
_MORE = Text(
    "… and {rows} more rows: --json or --report FILE.html has them all", "……另有 {rows} 行：见 --json 或 --report"
)
_WHOM = Text("{population}, {begin} to {end}, from {sources}", "{population}，{begin} 至 {end}，来源：{sources}")


def told(body: Json, language: Language) -> RenderableType:
    """Return every measure of a body as a table, with its definition above and its remarks below."""
    return Group(*(part for one in body["measures"] for part in _one(one, body["currency"], language)))


def _one(measure: Json, currency: str, language: Language) -> Iterator[RenderableType]:
    whom = _WHOM.to(language).format(
        population=measure["population"][language],
        begin=measure["begin"],
        end=measure["end"],
        sources=", ".join(measure["sources"]),
    )
    yield Line(f"\n{measure['title'][language]}", style="bold")
    yield Line(measure["definition"][language], style="dim")
    yield Line(whom, style="dim")
    table, columns = Table(box=None, pad_edge=False), measure["columns"]
    for about in columns.values():
        table.add_column(Line(about["title"][language]), justify="left" if about["unit"] in _WORDS else "right")
    for row in measure["rows"][:_MOST_ROWS]:
        cells = (cell_of(row, name, one, currency, language) for name, one in columns.items())
        table.add_row(*(Line(text) for text in cells))
    yield table
    if len(measure["rows"]) > _MOST_ROWS:
        yield Line(_MORE.to(language).format(rows=len(measure["rows"]) - _MOST_ROWS), style="dim")
    for remark in measure["remarks"]:
        yield Line(remark[language], style="yellow")
