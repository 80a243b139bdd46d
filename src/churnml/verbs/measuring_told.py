"""What a measure found, as tables in a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, Group, RenderableType
from rich.table import Table
from rich.text import Text as Line

from churnml.measures.cells import cell_of
from churnml.wording import Language, Text

Json = dict[str, Any]  # Any: JSON

_MOST_ROWS = 40
_BETWEEN = 2
_LONGEST_WORD, _NARROWEST_LEAD = 14, 12
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
    yield _Figures(measure, currency, language)
    if len(measure["rows"]) > _MOST_ROWS:
        yield Line(_MORE.to(language).format(rows=len(measure["rows"]) - _MOST_ROWS), style="dim")
    for remark in measure["remarks"]:
        yield Line(remark[language], style="yellow")


@dataclass(frozen=True)
class _Figures:
    """The rows of a measure as one table, or several below each other where a terminal is too narrow for one.

    Figures are never cut: each column is as wide as its widest, and where words do not fit they go on below.
    """

    measure: Json
    currency: str
    language: Language

    def __rich_console__(self, _console: Console, options: ConsoleOptions) -> Iterator[Table]:
        columns, rows = self.measure["columns"], self.measure["rows"][:_MOST_ROWS]
        cells = {name: [self._cell(row, name) for row in rows] for name in columns}
        lead = _lead(columns)
        most = max(options.max_width // (2 * max(len(lead), 1)), _NARROWEST_LEAD)
        widths = {name: self._width(name, cells[name], most) for name in columns}
        for chosen in _folded(columns, widths, options.max_width):
            table = Table(box=None, pad_edge=False)
            for name in chosen:
                words = columns[name]["unit"] in _WORDS
                table.add_column(
                    Line(columns[name]["title"][self.language]),
                    justify="left" if words else "right",
                    width=widths[name],
                    overflow="fold",
                )
            for row in zip(*(cells[name] for name in chosen), strict=True):
                table.add_row(*(Line(cell) for cell in row))
            yield table

    def _cell(self, row: Json, name: str) -> str:
        return cell_of(row, name, self.measure["columns"][name], self.currency, self.language)

    def _width(self, name: str, cells: Sequence[str], most: int) -> int:
        """Return how wide a column must be: figures whole, words up to the most."""
        about = self.measure["columns"][name]
        longest = max((cell_len(word) for word in about["title"][self.language].split()), default=0)
        widest = max(map(cell_len, cells), default=0)
        return max(min(longest, _LONGEST_WORD), min(widest, most) if about["unit"] == "word" else widest)


def _lead(columns: Json) -> list[str]:
    """Return the words by which rows are told apart."""
    return list(takewhile(lambda name: columns[name]["unit"] in _WORDS, columns))


def _folded(columns: Json, widths: Mapping[str, int], room: int) -> Iterator[list[str]]:
    """Yield the names of the columns of one table, or of several where they are too wide for a terminal together.

    Each begins with the words by which rows are told apart; an estimate and the ends of its interval stay together,
    unless even these do not fit.
    """
    lead = _lead(columns)
    groups: list[list[str]] = []
    for name in list(columns)[len(lead) :]:
        if groups and f"_{name}".endswith(_ENDS):
            groups[-1].append(name)
        else:
            groups.append([name])

    def fits(*names: str) -> bool:
        return sum(widths[name] + _BETWEEN for name in names) - _BETWEEN <= room

    chosen = list(lead)
    for group in (part for whole in groups for part in ([whole] if fits(*lead, *whole) else [[one] for one in whole])):
        if len(chosen) > len(lead) and not fits(*chosen, *group):
            yield chosen
            chosen = list(lead)
        chosen += group
    yield chosen
