"""One table from one file: CSV or Parquet, columns already named as in the contract."""

from __future__ import annotations

import csv
from functools import partial
from itertools import takewhile
from pathlib import Path

import duckdb

from churnml.errors import DataRefusedError, UsageError
from churnml.events.sources import ROW, Source

_SEPARATORS = ",;\t|"
_CHUNK = 1 << 22


def file_source(table: str, path: Path, time_zone: str) -> Source:
    """Return the source that reads `path` into `table`.

    Raises
    ------
    UsageError
        If the file does not exist, is not a regular file, or is of a kind we do not read.
    """
    if not path.is_file():
        raise UsageError(f"{path} is not a file; name a CSV or Parquet file to ingest into `{table}`")
    readers = {".csv": _csv, ".tsv": _csv, ".txt": _csv, ".parquet": _parquet, ".pq": _parquet}
    if path.suffix.lower() not in readers:
        raise UsageError(f"{path.name}: the name must end in .csv, .tsv, .txt, .parquet or .pq, found {path.suffix!r}")
    rows = partial(readers[path.suffix.lower()], path)
    return Source(table, path.name, (path,), f"{table}:{time_zone}", time_zone, rows)


def _parquet(path: Path, connection: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyRelation:
    try:
        relation = connection.read_parquet(str(path), file_row_number=True)
        return _numbered(relation, "file_row_number + 1")
    except duckdb.Error as error:
        raise DataRefusedError(
            f"{path.name}: expected a whole Parquet file, found one that cannot be read "
            f"({told_by(error)}); export it again and compare its size"
        ) from error


def _csv(path: Path, connection: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyRelation:
    """Read every value as text: the contract decides what it is, not a sniffer's guess."""
    _check_bytes(path)
    header, separator = _header(path)
    relation = connection.read_csv(
        str(path),
        auto_detect=False,
        header=True,
        columns=dict.fromkeys(header, "VARCHAR"),
        delimiter=separator,
        quotechar='"',
        escapechar='"',
        parallel=False,  # keeps the rows in the order of the file, so that their numbers are the reader's
    )
    return _numbered(relation, "row_number() OVER ()")


def _numbered(relation: duckdb.DuckDBPyRelation, number: str) -> duckdb.DuckDBPyRelation:
    """Return the rows with their numbers; a column of the file that bears the number's name stays behind."""
    names = [name.replace('"', '""') for name in relation.columns if name.lower() not in {ROW, "file_row_number"}]
    return relation.project(", ".join([*(f'"{name}"' for name in names), f"{number} AS {ROW}"]))


def _header(path: Path) -> tuple[list[str], str]:
    # what is not UTF-8 is replaced here, and refused with its line by the reader of the rows
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as handle:
        first = handle.readline()
        if not first.strip():
            raise DataRefusedError(f"{path.name}: expected a header line with column names, found an empty file")
        separator = max(_SEPARATORS, key=first.count)
        handle.seek(0)
        names = [name.strip() for name in next(csv.reader(handle, delimiter=separator))]
    folded = [name.casefold() for name in names]  # DuckDB tells no difference between `Amount` and `amount`
    twice = sorted({name for name in names if folded.count(name.casefold()) > 1})
    if twice or "" in names:
        raise DataRefusedError(
            f"{path.name}: each column of the header needs its own name, found "
            f"{'`' + twice[0] + '` twice' if twice else 'one without a name'}; rename it in the file"
        )
    return names, separator


def _check_bytes(path: Path) -> None:
    """Refuse what the CSV reader would swallow in silence: an open quote, a NUL byte, another encoding."""
    quotes = 0
    with path.open("rb") as handle:
        while chunk := handle.read(_CHUNK):
            if b"\x00" in chunk:
                raise DataRefusedError(f"{path.name}: expected text, found a NUL byte; export it again as UTF-8 CSV")
            quotes += chunk.count(b'"')
    if quotes % 2:
        raise DataRefusedError(
            f'{path.name}: every quoted value must be closed, found an odd number of quotes ("); '
            "look for a value that holds one and double it"
        )


def told_by(error: Exception) -> str:
    """Return what a library says went wrong, without its advice and without the row, which may be personal."""
    before_advice = takewhile(lambda line: not line.startswith("Possible"), str(error).splitlines())
    lines = [line.strip() for line in before_advice if line.strip()] or [type(error).__name__]
    return "; ".join(dict.fromkeys((lines[0], lines[-1])))  # between the two stands the row
