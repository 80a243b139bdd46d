"""Writing what is handed over: as many files as the tool's limits ask for, each with its header."""

from __future__ import annotations

import csv
import io
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import IO, Any

from churnml.errors import DependencyError
from churnml.service.exports import safe
from churnml.service.handoff.columns import Chosen, Value
from churnml.service.handoff.shapes import Shape
from churnml.service.readings import Record
from churnml.service.workbooks import Column, Kind, write_workbook
from churnml.wording import Language, Text

Passed = Iterable[tuple[Record, str | None]]
"""Records that are handed over, with the e-mail address where one is needed."""
Part = tuple[int, bytes]
"""Which file, from 1, and what comes next in it."""

_CHUNK = 1 << 16
_HYPER_ROWS = 50_000
_KINDS: dict[str, Kind] = {"money": "money", "probability": "number", "day": "day", "text": "text", "truth": "text"}


def file_parts(shape: Shape, columns: Sequence[Chosen], passed: Passed, language: Language) -> Iterator[Part]:
    """Give the bytes of one file after the other; the first is there even if nobody is handed over.

    Parameters
    ----------
    columns : sequence of Chosen
        From `chosen_columns`.
    passed : iterable of (record, address)
        From `Sorter.passing`.
    language : {"en", "zh"}
        Of the sentences.

    Raises
    ------
    DependencyError
        If a Tableau extract is wanted and pantab is not installed.
    """
    rows = ([one.field.value(record, language, mail) for one in columns] for record, mail in passed)
    if shape.kind == "csv":
        return _csv(shape, columns, rows)
    if shape.kind == "xlsx":
        return _xlsx(shape, columns, rows, language)
    return _hyper(columns, rows)


def _csv(shape: Shape, columns: Sequence[Chosen], rows: Iterable[Sequence[Value]]) -> Iterator[Part]:
    head = _line(shape, [one.header for one in columns])
    head = (b"\xef\xbb\xbf" if shape.byte_order_mark else b"") + head
    part, written, size, waiting = 1, 0, len(head), [head]
    for row in rows:
        line = _line(shape, [_text(shape, one, value) for one, value in zip(columns, row, strict=True)])
        if written == shape.most_rows or size + len(line) > shape.most_bytes:
            yield part, b"".join(waiting)
            part, written, size, waiting = part + 1, 0, len(head), [head]
        waiting.append(line)
        written, size = written + 1, size + len(line)
        if len(waiting) > 500:
            yield part, b"".join(waiting)
            waiting = []
    yield part, b"".join(waiting)


def _line(shape: Shape, cells: Sequence[str]) -> bytes:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator=shape.line_end).writerow(cells)
    return buffer.getvalue().encode()


def _text(shape: Shape, column: Chosen, value: Value) -> str:
    """Return a value as the tool reads it; no text but the key, which was looked at before, can begin a formula."""
    if value is None or value == "":
        return shape.empty
    match column.field.kind:
        case "truth":
            return shape.yes if value else shape.no
        case "money":
            return f"{value:.2f}"
        case "probability":
            return f"{value:.4f}"
        case "day":
            return str(value)
    told = "".join(letter for letter in str(value) if letter not in shape.forbidden)
    told = _cut(told, shape.longest_text)
    return told if column.name in {"customer_id", "email"} else str(safe(told))


def _cut(told: str, longest: int | None) -> str:
    return told if longest is None else told.encode()[:longest].decode(errors="ignore")


def _xlsx(
    shape: Shape, columns: Sequence[Chosen], rows: Iterable[Sequence[Value]], language: Language
) -> Iterator[Part]:
    titles = [Column(Text(one.header, one.header), _KINDS[one.field.kind]) for one in columns]
    left, part, more = iter(rows), 0, True
    while more:
        part += 1
        cells = ([_cell(shape, value) for value in row] for row in islice(left, shape.most_rows))
        with tempfile.TemporaryFile() as file:
            write_workbook(file, titles, cells, (), language)
            for chunk in _bytes_of(file):
                yield part, chunk
        following = next(left, None)
        more = following is not None
        left = chain([following], left) if following is not None else left


def _cell(shape: Shape, value: Value) -> str | float | None:
    return (shape.yes if value else shape.no) if isinstance(value, bool) else value


def _bytes_of(file: IO[bytes]) -> Iterator[bytes]:
    file.seek(0)
    while chunk := file.read(_CHUNK):
        yield chunk


def _hyper(columns: Sequence[Chosen], rows: Iterable[Sequence[Value]]) -> Iterator[Part]:
    """Give a Tableau extract with the one table `at_risk`, written some rows at a time."""
    try:
        import pantab  # noqa: PLC0415  # an extra that few need
    except ImportError as error:
        raise DependencyError(
            "a Tableau extract needs pantab, found none; run `pip install 'churnml[tableau]'`, or take `--to excel`, "
            "which Tableau reads as well"
        ) from error
    with tempfile.TemporaryDirectory() as folder:
        file, left, mode = Path(folder) / "at-risk.hyper", iter(rows), "w"
        while (some := list(islice(left, _HYPER_ROWS))) or mode == "w":
            # Tableau's engine writes a log with names of ours; it goes with the folder
            pantab.frame_to_hyper(
                _table(columns, some), file, table="at_risk", table_mode=mode, process_params={"log_dir": folder}
            )
            mode = "a"
        with file.open("rb") as made:
            for chunk in _bytes_of(made):
                yield 1, chunk


def _table(columns: Sequence[Chosen], rows: Sequence[Sequence[Value]]) -> Any:  # Any: pyarrow is untyped
    import pyarrow as pa  # noqa: PLC0415

    kinds = {"text": pa.string(), "money": pa.float64(), "probability": pa.float64(), "truth": pa.bool_()}
    made = {}
    for place, one in enumerate(columns):
        values = [row[place] for row in rows]
        kind = kinds.get(one.field.kind)
        made[one.header] = pa.array(values, pa.string()).cast(pa.date32()) if kind is None else pa.array(values, kind)
    return pa.table(made)
