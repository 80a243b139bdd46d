"""A program of its own that takes one sheet out of a workbook: `python workbook.py BOOK SHEET TARGET`.

A sheet is laid out in memory cell by cell, empty ones too, so a file of a few kB can ask for any amount of it, and what
reads it then ends the whole process. So this runs apart, within limits, without the rest of churnml; `excel.py` starts
it. It writes the rows as CSV, every value in quotes, the number of the row last, and tells on standard output, as JSON,
what it found.
"""

from __future__ import annotations

import csv
import datetime as dt
import json
import re
import resource
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any
from xml.etree import ElementTree as ET

MEMORY_BYTES = 800 << 20
_WHOLE = 1e21  # beyond, a number is written with its exponent
_PIECE = 4 << 20

_ERROR = re.compile(rb'<(?:\w+:)?c\s[^>]*\bt="e"[^>]*>.*?</(?:\w+:)?c>', re.DOTALL)
_AT = re.compile(rb'\br="([A-Z]+)([0-9]+)"')
_VALUE = re.compile(rb"<(?:\w+:)?v>([^<]*)<")
_UNCALCULATED = re.compile(
    rb'<c\s(?![^>]*\bt="str")[^>]*>(?:<f\s[^>]*/>|<f[^>]*>[^<]*</f>)(?:<v\s*/>|<v>\s*</v>)?</c>', re.DOTALL
)


@dataclass
class Found:
    """What the program tells.

    Parameters
    ----------
    trouble : str
        Why there are no rows: `password`, `damaged`, `which` sheet, `missing` sheet, `empty` or `unnamed`.
    sheets : list of str
        The sheets one can read, in their order; `hidden` ones are told apart.
    sheet : str
        The one that was read.
    names : list of str
        Its columns.
    header : int
        The row in which they are named, as the workbook numbers rows.
    numeric : list of str
        Columns in which a number stands.
    uncalculated : int
        Formulas without a value, read as empty.
    first_uncalculated : str
        The cell of the first of them.
    blind : bool
        Whether formula errors look like empty cells, in kinds of workbook other than .xlsx.
    where : str
        The cell that is in trouble.
    """

    trouble: str = ""
    sheets: list[str] = field(default_factory=list)
    hidden: list[str] = field(default_factory=list)
    sheet: str = ""
    names: list[str] = field(default_factory=list)
    header: int = 0
    numeric: list[str] = field(default_factory=list)
    uncalculated: int = 0
    first_uncalculated: str = ""
    blind: bool = False
    where: str = ""


def take(path: Path, asked: str, target: Path) -> Found:
    """Write the rows of one sheet to `target` and tell what was found; an empty name asks for the only sheet."""
    import python_calamine as calamine  # noqa: PLC0415  # after the limits are set

    try:
        with calamine.CalamineWorkbook.from_path(path) as book:
            kinds = [(sheet.name, sheet.visible, sheet.typ) for sheet in book.sheets_metadata]
            tables = [(name, seen) for name, seen, kind in kinds if kind == calamine.SheetTypeEnum.WorkSheet]
            shown = [name for name, seen in tables if seen == calamine.SheetVisibleEnum.Visible]
            found = Found(sheets=shown, hidden=[name for name, _ in tables if name not in shown])
            if not asked and len(shown) != 1:
                found.trouble = "which"
            elif asked and asked not in {name for name, _ in tables}:
                found.trouble = "missing"
            else:
                found.sheet = asked or shown[0]
                _write(book.get_sheet_by_name(found.sheet), _unseen(path, found), target, found)
    except calamine.PasswordError:
        return Found(trouble="password")
    except (calamine.CalamineError, zipfile.BadZipFile, ET.ParseError, OSError, EOFError):
        return Found(trouble="damaged")
    return found


def _write(sheet: Any, errors: dict[int, dict[int, str]], target: Path, found: Found) -> None:  # Any: untyped library
    left = sheet.start[1] if sheet.start else 0
    numeric: set[int] = set()
    with target.open("w", encoding="utf-8", newline="") as file:
        write = csv.writer(file, quoting=csv.QUOTE_ALL, lineterminator="\n").writerow
        for number, cells in enumerate(sheet.iter_rows(), start=1):
            texts = [_text(cell) for cell in cells]
            for column, error in errors.get(number, {}).items():
                texts[column - left] = error
            if not any(texts):
                continue
            if not found.header:
                found.header, columns = number, [" ".join(text.split()) for text in texts]
                named = [place for place, name in enumerate(columns) if name]
                unnamed = [place for place, name in enumerate(columns) if not name]
                continue
            if stray := [place for place in unnamed if texts[place]]:
                found.trouble, found.where = "unnamed", f"{_letters(left + stray[0])}{number}"
                return
            numeric.update(place for place in named if type(cells[place]) in {int, float})
            write([*(texts[place] for place in named), number - found.header])
    if not found.header:
        found.trouble = "empty"
        return
    found.names = [columns[place] for place in named]
    found.numeric = [columns[place] for place in sorted(numeric)]


def _text(cell: Any) -> str:  # Any: what a cell may hold
    """Return a cell's value as text: an id without `.0`, a time in ISO 8601."""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < _WHOLE else repr(cell)
    if isinstance(cell, dt.datetime):
        return cell.isoformat(sep=" ")
    if isinstance(cell, dt.timedelta):
        minutes, seconds = divmod(round(cell.total_seconds()), 60)
        return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}"
    return cell.isoformat() if isinstance(cell, (dt.date, dt.time)) else str(cell)


def _unseen(path: Path, found: Found) -> dict[int, dict[int, str]]:
    """Return the formula errors by row and column, which calamine gives as empty cells; count uncalculated formulas."""
    errors: dict[int, dict[int, str]] = {}
    if path.suffix.lower() != ".xlsx":
        found.blind = True
        return errors
    with zipfile.ZipFile(path) as archive, archive.open(_part(archive, found.sheet)) as handle:
        for rows in _whole_rows(handle):
            for cell in _ERROR.findall(rows):
                at, value = _AT.search(cell), _VALUE.search(cell)
                if at is None:
                    found.blind = True
                    continue
                text = value[1].decode() if value and value[1] else "#ERROR"
                errors.setdefault(int(at[2]), {})[_column(at[1])] = text
            cells = _UNCALCULATED.findall(rows)
            found.uncalculated += len(cells)
            if cells and not found.first_uncalculated and (at := _AT.search(cells[0])):
                found.first_uncalculated = (at[1] + at[2]).decode()
    return errors


def _part(archive: zipfile.ZipFile, sheet: str) -> str:
    """Return the name of the file that holds a sheet."""
    book = ET.fromstring(archive.read("xl/workbook.xml"))  # noqa: S314  # expat bounds entities, we memory
    links = ET.fromstring(archive.read("xl/_rels/workbook.xml.rels"))  # noqa: S314
    named = next(node for node in book.iter() if node.tag.endswith("}sheet") and node.get("name") == sheet)
    key = next(value for name, value in named.items() if name.endswith("}id"))
    target = next(str(node.get("Target")) for node in links if node.get("Id") == key)
    return target.lstrip("/") if target.startswith("/") else str(PurePosixPath("xl") / target)


def _whole_rows(handle: Any) -> Iterator[bytes]:  # Any: a file of the archive
    rest = b""
    while piece := handle.read(_PIECE):
        rest += piece
        end = rest.rfind(b"</") if len(rest) > 8 * _PIECE else rest.rfind(b"row>")
        if end > 0:
            yield rest[:end]
            rest = rest[end:]
    yield rest


def _column(letters: bytes) -> int:
    """Return the place of a column, 0 for A."""
    place = 0
    for letter in letters:
        place = place * 26 + letter - 64
    return place - 1


def _letters(place: int) -> str:
    """Return how a workbook calls a column, A for 0."""
    name = ""
    place += 1
    while place:
        place, last = divmod(place - 1, 26)
        name = chr(65 + last) + name
    return name


def main(book: str, sheet: str, target: str) -> None:
    """Take the sheet and tell of it, within the limits."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    sys.stdout.write(json.dumps(asdict(take(Path(book), sheet, Path(target)))))


if __name__ == "__main__":
    main(*sys.argv[1:])
