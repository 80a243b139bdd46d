"""Delimited text (CSV, TSV, …): every value as the text it is, whatever encoding, separator and line ends it has.

DuckDB reads the file. Its count of rows is compared with an independent count of the records, which
`delimited_structure.py` takes; where the two differ, or DuckDB stumbles, each record is looked at by itself, and those
that are no rows are handed over with their number, the rule they break and the remedy.
"""

from __future__ import annotations

import csv
import io
import re
import shutil
import uuid
from contextlib import suppress
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import duckdb

from churnml.errors import ConfigError, DataRefusedError
from churnml.events.sources import DATA_ERRORS, ROW, Format, Rows
from churnml.events.sources.delimited_numbers import in_doubt, numbers_in, told, written_numbers
from churnml.events.sources.delimited_structure import LONGEST, Layout, Survey, records, separate, survey
from churnml.events.sources.encoding import as_utf8
from churnml.events.sources.opening import exact_name, look_at

_SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "vertical bar"}
_NONE = "\x1f"  # parts the values of a text of one column: a character that text does not hold
_SAMPLE_RECORDS = 100
_MOST_COLUMNS = 500
_NEARLY_ALL = 0.8  # of the lines below a title are rows; others may be blank lines of a report, or its foot
_SHOWN = 80
_SEP_LINE = re.compile(rb"(?:\xef\xbb\xbf)?\"?sep=(?P<mark>[,;|\t])\"?(?P<end>\r?\n)", re.IGNORECASE)
_LINE_ENDS = {  # a lone CR, as old Macs wrote, it cannot be told
    "\n": duckdb.CSVLineTerminator.LINE_FEED,
    "\r\n": duckdb.CSVLineTerminator.CARRIAGE_RETURN_LINE_FEED,
}
# what DuckDB raises where a text is not laid out as it should be
_NOT_LAID_OUT = (duckdb.InvalidInputException, duckdb.ConversionException, duckdb.OutOfRangeException)


def delimited_rows(
    path: Path,
    connection: duckdb.DuckDBPyConnection,
    scratch: Path,
    *,
    encoding: str | None = None,
    delimiter: str | None = None,
    quote: str | None = None,
    decimal: str | None = None,
    thousands: str | None = None,
) -> Rows:
    """Return the rows of a delimited text, every value as text; what is not declared is found out and noted.

    Parameters
    ----------
    path : Path
        The file; its first record names the columns.
    connection : DuckDBPyConnection
        Where the rows are seen.
    scratch : Path
        A folder for intermediate files.
    encoding : str, optional
        Such as ``utf-8``, ``gb18030`` or ``cp1252``.
    delimiter : str, optional
        What parts values, one character.
    quote : str, optional
        What encloses values that hold a separator, one character, ``"`` by default; ``none`` if nothing does.
    decimal, thousands : str, optional
        How numbers are written.

    Returns
    -------
    Rows
        In the order of the file. Records that are no rows stand in the table `rejected`; only then the rows bear
        their number.

    Raises
    ------
    UsageError
        If there is no such file or it may not be read.
    ConfigError
        If an option is none there can be.
    DataRefusedError
        If the file is no text in a readable encoding, has no proper header, or holds a quote that is never closed.
    """
    look_at(path)
    declared = _declared_numbers(path.name, decimal, thousands)
    layout = _declared_layout(path.name, delimiter, quote)
    text, noted = as_utf8(path, scratch, encoding)
    text, said = _without_sep_line(text, scratch)
    layout = replace(
        layout, end=_line_end(text, layout.quote), delimiter=layout.delimiter if delimiter else said or ","
    )
    found = survey(text, layout)
    layout, separated = (layout, "") if delimiter or said else _with_separator(text, layout)
    separated = f"its first line `sep={said}` says what parts the values" if said else separated
    names, renamed = _header(text, layout)
    if delimiter:
        _check_declared(layout, names)
    if found.line_end in _LINE_ENDS:
        rows = Rows(_read_whole(connection, text, layout, names, found), records=found.records - 1)
    else:
        rows = _read_apart(connection, text, layout, names, scratch)
    try:
        numbers = numbers_in(rows.relation)
    except DATA_ERRORS:  # it stumbles over the sample already
        rows = _read_apart(connection, text, layout, names, scratch)
        numbers = numbers_in(rows.relation)
    formats = written_numbers(numbers, declared)
    ends = "lines end in both ways, some in CR LF and some in LF; both were read" if not found.line_end else ""
    empty = "it has a header, but no rows" if not rows.records else ""
    notes = (
        noted,
        separated,
        renamed,
        ends,
        empty,
        *(() if declared else (*told(formats), *in_doubt(numbers, formats))),
    )
    whole = replace(rows, formats=formats, notes=tuple(filter(None, notes)))
    if ROW in rows.relation.columns:
        return whole

    def careful() -> Rows:
        return replace(whole, **_apart(_read_apart(connection, text, layout, names, scratch)))

    return replace(whole, careful=careful)


def _declared_layout(name: str, delimiter: str | None, quote: str | None) -> Layout:
    parts = {"\\t": "\t", "tab": "\t"}.get(delimiter or ",", delimiter or ",")  # YAML reads an unquoted \t as written
    encloses = "" if quote == "none" else '"' if quote is None else quote
    if len(parts) != 1 or parts in '\r\n" ':
        raise ConfigError(f"{name}: `delimiter` must be one character such as , ; | or a tab, found {delimiter!r}")
    if len(encloses) > 1 or not encloses.isascii() or encloses in {parts, " ", "\r", "\n"}:
        raise ConfigError(f"{name}: `quote` must be one character such as \" or ', or `none`, found {quote!r}")
    return Layout(name, parts, encloses)


def _declared_numbers(name: str, decimal: str | None, thousands: str | None) -> Format | None:
    if not decimal and not thousands:
        return None
    mark = decimal or ("," if thousands == "." else ".")
    if mark not in {".", ","} or mark == thousands or not re.fullmatch(r"[^\w\r\n]?", thousands or ""):
        raise ConfigError(
            f"{name}: `decimal` must be a point or a comma and `thousands` another mark, "
            f"found {mark!r} and {thousands or ''!r}"
        )
    return Format(decimal=mark, thousands=thousands or "")


def _line_end(text: Path, quote: str) -> str:
    """Return the last character of a line: CR where the text has no LF outside quotes, as on old Macs."""
    with text.open("rb") as handle:
        start = handle.read(LONGEST)
    if quote:
        start = re.sub(b"%b[^%b]*%b" % ((re.escape(quote.encode()),) * 3), b"", start)
    return "\r" if b"\r" in start and b"\n" not in start else "\n"


def _with_separator(text: Path, layout: Layout) -> tuple[Layout, str]:
    """Return the layout with the separator by which header and first rows have most often equally many values."""
    widths = {mark: _first_widths(text, replace(layout, delimiter=mark)) for mark in _SEPARATORS}
    fits = {mark: (found.count(found[0]) / len(found), found[0]) for mark, found in widths.items() if found[0] > 1}
    best = [mark for mark, fit in fits.items() if fit == max(fits.values())]
    if len(best) > 1:
        raise DataRefusedError(
            f"{layout.name}: one character must part the values, found that "
            f"{' and '.join(_SEPARATORS[mark] for mark in best)} fit equally well; declare `delimiter` in sources.yaml"
        )
    if best:
        note = "" if best == [","] else f"values parted by a {_SEPARATORS[best[0]]}"
        return replace(layout, delimiter=best[0]), note
    _refuse_title(text, layout, widths)
    broken = next((mark for mark, found in widths.items() if not found[0]), None)  # its reader tells what is
    return replace(layout, delimiter=broken or _NONE), "no separator in the header: read as one column"


def _refuse_title(text: Path, layout: Layout, widths: dict[str, list[int]]) -> None:
    """Refuse a text whose first line holds one value, and nearly all others as many more: it is no header."""
    below = {mark: others for mark, (first, *others) in widths.items() if first == 1 and others}
    usual = {mark: max(set(others), key=others.count) for mark, others in below.items()}
    many = {one for one in usual if usual[one] > 1 and below[one].count(usual[one]) >= _NEARLY_ALL * len(below[one])}
    if many:
        mark = max(many, key=lambda one: (below[one].count(usual[one]), usual[one]))
        title, _ = next(records(text, replace(layout, delimiter=mark)))
        raise DataRefusedError(
            f"{layout.name}: the first line must hold the names of the columns, found `{title[:_SHOWN]}`, while the "
            f"lines below it have {usual[mark]} values each; delete what stands above the line with the names"
        )


def _check_declared(layout: Layout, names: list[str]) -> None:
    held = next((word for mark, word in _SEPARATORS.items() if len(names) == 1 and mark in names[0]), "")
    if held:
        raise DataRefusedError(
            f"{layout.name}: the header must hold the `delimiter` that sources.yaml declares, {layout.delimiter!r}, "
            f"found the one column `{names[0][:_SHOWN]}`; it looks parted by a {held}: declare that, or leave "
            "`delimiter` out"
        )


def _without_sep_line(text: Path, scratch: Path) -> tuple[Path, str]:
    """Return the text with its first line blank and what that line says, where it is `sep=;` as Excel writes it."""
    with text.open("rb") as handle:
        first = handle.readline(32)
        said = _SEP_LINE.fullmatch(first)
        if not said:
            return text, ""
        target = (
            scratch / f"{uuid.uuid4().hex}.csv"
        )  # a blank line, so that messages number the others as the file does
        with target.open("wb") as copy:
            copy.write(said["end"])
            shutil.copyfileobj(handle, copy)
    return target, said["mark"].decode()


def _first_widths(text: Path, layout: Layout) -> list[int]:
    """Return how many values each of the first records has; of a header that cannot be read, none."""
    widths: list[int] = []
    with suppress(DataRefusedError):  # by the wrong separator a quote may seem open; by the right one it is told
        for _, values in islice(records(text, layout), _SAMPLE_RECORDS):
            widths.append(values)  # what comes before an error counts
    return widths or [0]


def _header(text: Path, layout: Layout) -> tuple[list[str], str]:
    """Return the names of the columns; one that bears the name of our own numbering is called otherwise, and noted."""
    first, values = next(records(text, layout), ("", 1))
    quoting = {"quotechar": layout.quote} if layout.quote else {"quoting": csv.QUOTE_NONE}
    lines = csv.reader(io.StringIO(first, newline=""), delimiter=layout.delimiter, skipinitialspace=True, **quoting)
    try:
        names = [name.strip() for name in next(lines, [])]
    except csv.Error:  # a name of more than 131,072 characters, or a line end in one
        values = 0
    if not values:
        raise DataRefusedError(
            f"{layout.name}: expected a header line with column names, found one whose quotes or line ends are broken; "
            "export the file again"
        )
    _check_names(names, layout.name)
    note = f"its column `{ROW}` is called `{ROW} (in the file)`, for rows are numbered under that name"
    ours = {name: f"{name} (in the file)" for name in names if name.casefold() == ROW}
    return [ours.get(name, name) for name in names], note if ours else ""


def _check_names(names: list[str], origin: str) -> None:
    if not names:
        raise DataRefusedError(f"{origin}: expected a header line with column names, found blank lines only")
    if len(names) > _MOST_COLUMNS:
        raise DataRefusedError(
            f"{origin}: a text may have at most {_MOST_COLUMNS:,} columns, found {len(names):,}; export those that are "
            "needed, or bring the table as Parquet"
        )
    folded = [name.casefold() for name in names]  # DuckDB tells no difference between `Amount` and `amount`
    twice = sorted({name for name in names if folded.count(name.casefold()) > 1})
    if "" in names:
        place = f"column {names.index('') + 1} of {len(names)} without a name"
        raise DataRefusedError(
            f"{origin}: each column of the header needs its own name, found {place}; name it in the file"
        )
    if twice:
        raise DataRefusedError(
            f"{origin}: each column of the header needs its own name, found `{twice[0]}` twice; rename it in the file"
        )


def _read_whole(
    connection: duckdb.DuckDBPyConnection, text: Path, layout: Layout, names: list[str], found: Survey
) -> duckdb.DuckDBPyRelation:
    """Return all records as rows, as DuckDB reads them; whoever stores them finds out whether it stumbles."""
    columns = dict.fromkeys(names, "VARCHAR")
    return _read(connection, text, layout, columns, header=True, line_end=found.line_end)


def _apart(rows: Rows) -> dict[str, Any]:  # Any: fields of Rows
    return {"relation": rows.relation, "records": rows.records, "rejected": rows.rejected, "careful": None}


def _read_apart(
    connection: duckdb.DuckDBPyConnection, text: Path, layout: Layout, names: list[str], scratch: Path
) -> Rows:
    """Return the records that are rows, numbered, and apart from them those that are none."""
    parted = separate(text, layout, len(names), scratch)
    columns = {ROW: "BIGINT"} | dict.fromkeys(names, "VARCHAR")
    relation = _read(connection, parted.rows, layout, columns)
    try:
        counted = _count(relation)
    except _NOT_LAID_OUT as error:
        raise _lost(layout.name, parted.n_rows, 0) from error
    if counted != parted.n_rows:
        raise _lost(layout.name, parted.n_rows, counted)
    rejected = _others(connection, parted.others) if parted.n_others else ""
    return Rows(relation, records=parted.n_rows + parted.n_others, rejected=rejected)


def _lost(name: str, expected: int, counted: int) -> DataRefusedError:
    return DataRefusedError(
        f"{name}: every record must come out as a row, found {expected:,} records but {counted:,} rows that can be "
        "read; nothing was kept. Export the file again, with values that hold quotes or line ends in quotes"
    )


def _others(connection: duckdb.DuckDBPyConnection, others: Path) -> str:
    table = f"rejected_{uuid.uuid4().hex}"
    columns = {ROW: "BIGINT", "found": "VARCHAR", "rule": "VARCHAR", "remedy": "VARCHAR"}
    relation = _read(connection, others, Layout(others.name), columns)
    relation.query("others", f"CREATE TEMP TABLE {table} AS SELECT * FROM others")
    return table


def _read(
    connection: duckdb.DuckDBPyConnection,
    text: Path,
    layout: Layout,
    columns: dict[str, str],
    *,
    header: bool = False,
    line_end: str = "\n",
) -> duckdb.DuckDBPyRelation:
    return connection.read_csv(
        exact_name(text),
        auto_detect=False,
        header=header,
        columns=columns,
        delimiter=layout.delimiter,
        quotechar=layout.quote,
        escapechar=layout.quote,
        lineterminator=_LINE_ENDS[line_end],  # else it takes the first CR or LF it meets, even in quotes
        compression="none",  # by its name a text might seem packed
        hive_partitioning=False,  # and its folder a value
    )


def _count(relation: duckdb.DuckDBPyRelation) -> int:
    ((counted,),) = relation.aggregate("count(*)").fetchall()
    return int(counted)
