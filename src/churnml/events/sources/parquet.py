"""Parquet: the rows of a file with the types they have there, numbered from one.

The other readers also end here: what they take out of a workbook or a database they keep as Parquet in the scratch
folder, so that nothing is asked for twice and the order stands.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from pathlib import Path

import duckdb

from churnml.errors import ChurnmlError, DataRefusedError
from churnml.events.sources import ROW, Rows
from churnml.events.sources.opening import exact_name

LONGEST_ROW = 16 << 20
"""Bytes of one row of text; a longer one is refused."""

_PLACE = "file_row_number"


def parquet_rows(path: Path, connection: duckdb.DuckDBPyConnection, scratch: Path) -> Rows:
    """Return the rows of a Parquet file, with its own types; nested columns stay nested.

    The file is read through once here, so that damage is found before anything is done with its rows.

    Parameters
    ----------
    path : Path
        The file.
    connection : DuckDBPyConnection
        Where the rows are seen.
    scratch : Path
        Not used: the file itself is read.

    Raises
    ------
    DataRefusedError
        If it is no Parquet file, or is damaged or cut short, or a column has no name of its own.
    """
    del scratch
    try:
        names = _top_names(path, connection)
        rows = numbered(path, connection, names)
        rows.aggregate("max(hash(COLUMNS(*)))").fetchall()  # decodes every value
    except duckdb.Error as error:
        raise DataRefusedError(
            f"{path.name}: expected a whole Parquet file, found {_what_is_wrong(path, error)}; "
            "export or copy it again and compare its size"
        ) from error
    check_names(path.name, names)
    return Rows(rows, notes=left_out(names))


def numbered(path: Path, connection: duckdb.DuckDBPyConnection, names: Iterable[str] = ()) -> duckdb.DuckDBPyRelation:
    """Return the rows of a Parquet file with their place, 1 for the first, as `source_row`.

    Parameters
    ----------
    path : Path
        The file.
    connection : DuckDBPyConnection
        Where the rows are seen.
    names : iterable of str
        The file's columns, where one of them may be called like DuckDB's own number of a row.
    """
    own = _PLACE in {name.casefold() for name in names}
    relation = connection.read_parquet(exact_name(path), file_row_number=not own)
    number = "row_number() OVER ()" if own else f"{_PLACE} + 1"
    hidden = {ROW} if own else {ROW, _PLACE}
    kept = [quoted(name) for name in relation.columns if name.casefold() not in hidden]
    return relation.project(", ".join([*kept, f"{number} AS {ROW}"]))


def left_out(names: Iterable[str]) -> tuple[str, ...]:
    """Return the note that a column called like the number of a row stays behind, where there is one."""
    taken = [name for name in names if name.casefold() == ROW]
    return tuple(f"its own column `{name}` was left out: rows are numbered by their place" for name in taken)


def check_names(origin: str, names: Iterable[str], refusal: type[ChurnmlError] = DataRefusedError) -> None:
    """Check that each column has a name of its own, whatever its case.

    Raises
    ------
    ChurnmlError
        The `refusal`, if a name is empty, or two differ in nothing but capitals.
    """
    seen: dict[str, str] = {}
    for name in names:
        before = seen.setdefault(name.casefold(), name)  # DuckDB tells no difference between `Amount` and `amount`
        if not name.strip() or before is not name:
            found = f"`{before}` and `{name}`" if name.strip() else "one without a name"
            raise refusal(f"{origin}: each column needs a name of its own, found {found}; rename it there")


def csv_texts(path: Path, width: int) -> str:
    """Return the SQL that reads a CSV of our own making as columns of text, `c1`, `c2` and so on.

    What stands in quotes is a value; what does not is NULL.
    """
    columns = ", ".join(f"c{place}: 'VARCHAR'" for place in range(1, width + 1))
    # without `new_line` DuckDB takes the line end it finds first, be it inside a value
    return f"""
        read_csv({literal(exact_name(path))}, columns = {{{columns}}}, auto_detect = false, header = false, delim = ',',
            quote = '"', escape = '"', nullstr = '', allow_quoted_nulls = false, new_line = '\\n', parallel = false,
            max_line_size = {LONGEST_ROW})
    """


def scratch_file(scratch: Path, suffix: str = ".parquet") -> Path:
    """Return the path of a file that is not there yet in the folder for intermediate files."""
    return scratch / f"{uuid.uuid4().hex}{suffix}"


def quoted(name: str) -> str:
    """Return a name as SQL takes it, whatever it holds."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Return a text as SQL takes it where it takes no parameter."""
    return "'" + text.replace("'", "''") + "'"


def _top_names(path: Path, connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Return the names of the columns as the file has them; DuckDB would rename the second `amount` in silence."""
    schema = connection.execute("SELECT name, num_children FROM parquet_schema(?)", [exact_name(path)]).fetchall()
    names, inside = [], 0  # the schema is a tree, written parents first
    for name, children in schema[1:]:
        if not inside:
            names.append(str(name))
        inside = max(inside - 1, 0) + (children or 0)
    return names


def _what_is_wrong(path: Path, error: duckdb.Error) -> str:
    if "at least one non-root column" in str(error):
        return "one without columns"
    with path.open("rb") as handle:
        begins = handle.read(4) == b"PAR1"
        handle.seek(-min(4, path.stat().st_size), 2)
        ends = handle.read(4) == b"PAR1"
    if begins and ends:
        return "one that is damaged inside"
    return "one whose end is missing" if begins else "a file of another kind under that name"
