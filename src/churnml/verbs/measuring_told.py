"""What a measure found, as tables in a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import takewhile
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text as Line

from churnml.measures.cells import cell_of
from churnml.wording import Language, Text

Json = dict[str, Any]  # Any: JSON

_MOST_ROWS = 40
_MOST_COLUMNS = 9
_ENDS = ("_low", "_high")
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
    for columns in _folded(measure["columns"]):
        table = Table(box=None, pad_edge=False)
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


def _folded(columns: Json) -> Iterator[Json]:
    """Yield the columns as one table, or as several where they are too many for the width of a terminal.

    Each begins with the words by which rows are told apart; an estimate and the ends of its interval stay together.
    """
    lead = list(takewhile(lambda name: columns[name]["unit"] in _WORDS, columns))
    groups: list[list[str]] = []
    for name in list(columns)[len(lead) :]:
        if groups and f"_{name}".endswith(_ENDS):
            groups[-1].append(name)
        else:
            groups.append([name])
    chosen = list(lead)
    for group in groups:
        if len(chosen) > len(lead) and len(chosen) + len(group) > _MOST_COLUMNS:
            yield {name: columns[name] for name in chosen}
            chosen = list(lead)
        chosen += group
    yield {name: columns[name] for name in chosen}
