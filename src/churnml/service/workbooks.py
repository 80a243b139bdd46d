"""Lists as workbooks for people: headers in both languages that stay in sight, real numbers and dates, a filter.

Written row by row through temporary files, so that memory does not grow with the list. No cell is a formula: texts are
written as texts, whatever they begin with.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import IO, Any, Literal

from churnml.wording import Language, Text

Cell = str | float | int | None
Kind = Literal["text", "long", "money", "share", "number", "day"]
"""What a column holds: `long` is a sentence, `day` ISO 8601."""

SHEET_ROWS = 1_048_575
"""Rows that a sheet holds below its header; Excel's own limit."""
_WIDTHS: dict[Kind, float] = {"text": 18, "long": 44, "money": 14, "share": 11, "number": 11, "day": 12}
_FORMATS: dict[Kind, str] = {"money": "#,##0.00", "share": "0.0%", "number": "#,##0.##", "day": "yyyy-mm-dd"}
_CHUNK = 1 << 16
_OPTIONS = {"constant_memory": True, "strings_to_numbers": False, "strings_to_formulas": False}
_LIST, _ABOUT = Text("List", "名单"), Text("About", "说明")


@dataclass(frozen=True)
class Column:
    """A column of a list: its title in both languages, and what it holds."""

    title: Text
    kind: Kind


def workbook_chunks(
    columns: Sequence[Column],
    rows: Iterable[Sequence[Cell]],
    about: Sequence[tuple[Text, str]],
    language: Language,
) -> Iterator[bytes]:
    """Give a list as the bytes of an .xlsx file; parameters as `write_workbook`."""
    with tempfile.TemporaryFile() as file:
        write_workbook(file, columns, rows, about, language)
        file.seek(0)
        while chunk := file.read(_CHUNK):
            yield chunk


def write_workbook(
    file: IO[bytes],
    columns: Sequence[Column],
    rows: Iterable[Sequence[Cell]],
    about: Sequence[tuple[Text, str]],
    language: Language,
) -> int:
    """Write a list as an .xlsx file and return how many rows it has.

    Parameters
    ----------
    file : binary file
        Where it goes.
    rows : iterable of sequences
        A cell for each column; more than `SHEET_ROWS` go on on a further sheet.
    about : sequence of (Text, str)
        What the second sheet says: names in both languages, and values.
    language : {"en", "zh"}
        Which language stands first.
    """
    import xlsxwriter  # noqa: PLC0415  # a service that starts does without it

    with xlsxwriter.Workbook(file, _OPTIONS | {"strings_to_urls": False}) as book:
        look = _Look(book, columns, language)
        sheet, row, written = look.sheet(1), 0, 0
        for cells in rows:
            if row == SHEET_ROWS:
                look.close(sheet, row)
                sheet, row = look.sheet(2 + written // SHEET_ROWS), 0
            row, written = row + 1, written + 1
            for place, (column, cell) in enumerate(zip(columns, cells, strict=True)):
                look.write(sheet, row, place, column.kind, cell)
        look.close(sheet, row)
        if about:
            look.about(about)
    return written


class _Look:
    """The sheets of a book and how their cells look."""

    def __init__(self, book: Any, columns: Sequence[Column], language: Language) -> None:  # Any: untyped library
        self._book, self._columns, self._language = book, columns, language
        self._head = book.add_format({"bold": True, "text_wrap": True, "valign": "top", "bottom": 1})
        self._formats = {kind: book.add_format({"num_format": told}) for kind, told in _FORMATS.items()}
        self._wrapped = book.add_format({"text_wrap": True, "valign": "top"})

    def sheet(self, number: int) -> Any:  # Any: untyped library
        """Return a further sheet of the list, with its header."""
        name = self._both(_LIST, " ")
        sheet = self._book.add_worksheet(name if number == 1 else f"{name} {number}")
        sheet.freeze_panes(1, 1)
        for place, column in enumerate(self._columns):
            sheet.set_column(place, place, _WIDTHS[column.kind])
            sheet.write_string(0, place, self._both(column.title), self._head)
        return sheet

    def close(self, sheet: Any, rows: int) -> None:  # Any: untyped library
        """Let people filter what the sheet holds."""
        sheet.autofilter(0, 0, rows, len(self._columns) - 1)

    def write(self, sheet: Any, row: int, place: int, kind: Kind, cell: Cell) -> None:  # Any: untyped library
        """Write one cell as what it is; nothing where nothing is told."""
        if cell is None or cell == "":
            return
        if isinstance(cell, str) and kind == "day":
            sheet.write_datetime(row, place, _day(cell), self._formats[kind])
        elif isinstance(cell, str):
            sheet.write_string(row, place, cell)
        else:
            sheet.write_number(row, place, cell, self._formats.get(kind))

    def about(self, told: Sequence[tuple[Text, str]]) -> None:
        """Add the sheet that says what the list is."""
        sheet = self._book.add_worksheet(self._both(_ABOUT, " "))
        sheet.set_column(0, 0, 30)
        sheet.set_column(1, 1, 90)
        for row, (name, value) in enumerate(told):
            sheet.write_string(row, 0, self._both(name), self._head)
            sheet.write_string(row, 1, value, self._wrapped)

    def _both(self, text: Text, between: str = "\n") -> str:
        first = text.to(self._language)
        other = text.to("en" if self._language == "zh" else "zh")
        return first if first == other else f"{first}{between}{other}"


def _day(told: str) -> date:
    return datetime.fromisoformat(told).date()
