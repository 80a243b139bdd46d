"""JSON lines: one object per line, each value as the text that was written; DuckDB does the parsing."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from churnml.errors import DataRefusedError
from churnml.events.sources import ROW, TRUTH, Format, Rows
from churnml.events.sources.opening import exact_name
from churnml.events.sources.parquet import check_names, left_out, literal, quoted, scratch_file

_LONGEST = 8 << 20  # bytes of one line
_MOST_COLUMNS = 1_000
_BATCH = 50_000  # lines held at once, or
_BATCH_BYTES = 16 << 20
_SCHEMA = pa.schema([(ROW, pa.int64()), ("line", pa.string())])
_BOM = b"\xef\xbb\xbf"

# DuckDB gives a number as it would write it itself: 1.10 as 1.1, and no more than 17 digits. Lines that hold such a
# number are parsed with their numbers made texts, which a mark tells apart. The first pattern may find too many lines,
# that costs time only; the second takes whole texts first, so that no digit inside one is touched.
_LOSSY = r"[:,\[]\s*-?(?:[0-9]+\.[0-9]*0|[0-9.]+[eE][-+]?[0-9]+|[0-9.]{17,}|0\.000[0-9]*|0)\s*[,}\]]"
_TEXT_OR_NUMBER = r'("(?:[^"\\]|\\.)*")|(-?[0-9][-+0-9.eE]*)'
_MARK = "\ue000#"

# only a line with such a value can hold one that is no text; that a text may look like it costs time only
_NO_TEXT = r":\s*[\[{tf]"
_KINDS = {"ARRAY": "a list", "OBJECT": "an object", "BOOLEAN": TRUTH}

_FAULTS = {
    "broken": (
        'each line must hold one whole JSON object, such as {"customer_id": "00123"}',
        "write each object on a line of its own (`jq -c .` does that), and mend what is broken",
    ),
    "twice": ("an object may use a name once", "rename one of them, or drop it"),
    "nameless": ("each value of an object needs a name", "give it one"),
}


def jsonlines_rows(path: Path, connection: duckdb.DuckDBPyConnection, scratch: Path) -> Rows:
    """Return the rows of a file with one JSON object per line, or of one JSON array of objects.

    Every value is the text that was written (`9007199254740993`, `1.10`); objects and arrays within are JSON text, and
    the formats tell in which rows such stand; `null` and what is missing are empty. The columns are all names of the
    first level, in the order in which they first occur. `source_row` is the number of the line, blank ones counted, or
    the element's place in the array.

    Parameters
    ----------
    path : Path
        The file, in UTF-8.
    connection : DuckDBPyConnection
        Where the rows are seen.
    scratch : Path
        A folder for intermediate files.

    Raises
    ------
    DataRefusedError
        If it is not UTF-8, holds no object at all, or the length of a line or the number of names is beyond measure.
    """
    lines, read = scratch_file(scratch), scratch_file(scratch)
    array = _begins_an_array(path)
    if array:
        _store_array(path, connection, lines)
    else:
        _store_lines(path, lines)
    names, faults = _shapes(connection, lines)
    own = [name for name in names if name.casefold() != ROW]
    if not names and faults:
        _refuse_all_broken(connection, lines, path.name)
    _check_found(own, path.name)
    connection.execute(f"COPY ({_values(own, lines, faults=faults)}) TO {literal(str(read))}")
    rejected = _rejected(connection, lines) if faults else ""
    lines.unlink()
    notes = ("the file is one JSON array; rows are numbered by their place in it",) if array else ()
    kept = connection.read_parquet(str(read))
    return Rows(
        kept.project(", ".join([*map(quoted, own), ROW])),
        formats=_no_texts(connection, own, read),
        notes=(*notes, *left_out(names)),
        rejected=rejected,
    )


def _no_texts(connection: duckdb.DuckDBPyConnection, names: list[str], read: Path) -> dict[str, Format]:
    """Return, for each column that holds lists, objects or truths somewhere, where those are."""
    rows, kinds = f"read_parquet({literal(str(read))})", quoted(_kinds_of(names))
    shapes = f"SELECT DISTINCT {kinds} AS kinds FROM {rows} WHERE {kinds} IS NOT NULL"
    each = f"SELECT unnest(kinds) AS kind, generate_subscripts(kinds, 1) AS place FROM ({shapes})"
    found = set(connection.execute(f"SELECT DISTINCT place, kind FROM ({each})").fetchall())
    told = {
        name: tuple(
            (words, f"SELECT {ROW} FROM {rows} WHERE {kinds}[{place}] = '{kind}'")
            for kind, words in _KINDS.items()
            if (place, kind) in found
        )
        for place, name in enumerate(names, start=1)
    }
    return {name: Format(no_text=where) for name, where in told.items() if where}


def _kinds_of(names: list[str]) -> str:
    """Return the name under which the kinds of all values are kept beside them: one that is no value's."""
    return max((name for name in names if name.casefold().startswith("kinds")), key=len, default="") + "kinds"


def _begins_an_array(path: Path) -> bool:
    with path.open("rb") as handle:
        head = handle.read(4096).removeprefix(_BOM).lstrip()
    return head.startswith(b"[")


def _store_array(path: Path, connection: duckdb.DuckDBPyConnection, target: Path) -> None:
    source = f"read_json_objects({literal(exact_name(path))}, format = 'array', maximum_object_size = {_LONGEST})"
    number = f"SELECT row_number() OVER () AS {ROW}, json::VARCHAR AS line FROM {source}"
    try:
        connection.execute(f"COPY ({number}) TO {literal(str(target))}")
    except duckdb.Error as error:
        raise DataRefusedError(
            f"{path.name}: begins like a JSON array, but is not one whole array of objects in UTF-8; export it again, "
            "best with one object per line (`jq -c '.[]'` makes that of an array)"
        ) from error


def _store_lines(path: Path, target: Path) -> None:
    """Keep the lines that are not blank, with their numbers."""
    with path.open("rb") as handle, _writer(target) as writer:
        numbers: list[int] = []
        texts: list[bytes] = []
        size = 0
        for number, text in _lines(handle, path.name):
            numbers.append(number)
            texts.append(text)
            size += len(text)
            if len(texts) == _BATCH or size > _BATCH_BYTES:
                writer.write_batch(_batch(numbers, texts, path.name))
                numbers, texts, size = [], [], 0
        writer.write_batch(_batch(numbers, texts, path.name))


def _writer(target: Path) -> pq.ParquetWriter:
    # a dictionary of lines, each of its own, would only cost time
    return pq.ParquetWriter(str(target), _SCHEMA, compression="lz4", use_dictionary=False)


def _lines(handle: BinaryIO, origin: str) -> Iterator[tuple[int, bytes]]:
    number = 0
    while line := handle.readline(_LONGEST + 1):
        number += 1
        if len(line) > _LONGEST:
            raise DataRefusedError(
                f"{origin}: line {number} is longer than {_LONGEST >> 20} MB; write each object on a line of its own "
                "(`jq -c .` does that), and leave out what is no data of a customer"
            )
        text = (line.removeprefix(_BOM) if number == 1 else line).strip()
        if text:
            yield number, text


def _batch(numbers: list[int], texts: list[bytes], origin: str) -> pa.RecordBatch:
    try:
        lines = pa.array(texts, pa.binary()).cast(pa.string())
    except pa.ArrowInvalid as error:
        number = next(number for number, text in zip(numbers, texts, strict=True) if not _is_utf8(text))
        raise DataRefusedError(
            f"{origin}: line {number} is not UTF-8 text, which JSON must be; export the file again as UTF-8"
        ) from error
    return pa.record_batch([pa.array(numbers, pa.int64()), lines], schema=_SCHEMA)


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


def _named(lines: Path) -> str:
    """Return the query that adds to each line the names it uses, or nothing where it is no object."""
    is_object = "CASE WHEN json_valid(line) THEN json_type(line) = 'OBJECT' END"
    return f"SELECT *, CASE WHEN {is_object} THEN json_keys(line) END AS names FROM read_parquet({literal(str(lines))})"


def _judged(rows: str) -> str:
    """Return the query that adds what is wrong with the names of each row, or an empty text."""
    return f"""
        SELECT *, CASE
            WHEN names IS NULL THEN 'broken'
            WHEN len(names) <> len(list_distinct(names)) THEN 'twice'
            WHEN list_contains(names, '') THEN 'nameless'
            ELSE '' END AS fault
        FROM ({rows})
    """


def _shapes(connection: duckdb.DuckDBPyConnection, lines: Path) -> tuple[list[str], bool]:
    """Return the names of the first level as they first occur, and whether any line is at fault."""
    each = f"SELECT names, min({ROW}) AS seen FROM ({_named(lines)}) GROUP BY names"  # few, so cheap to judge
    connection.execute(f"CREATE OR REPLACE TEMP TABLE json_shapes AS {_judged(each)}")
    found = connection.execute(
        f"""
        SELECT name FROM (
            SELECT unnest(names) AS name, generate_subscripts(names, 1) AS place, seen FROM json_shapes WHERE fault = ''
        ) GROUP BY name ORDER BY min((seen, place)) LIMIT {_MOST_COLUMNS + 1}
        """
    ).fetchall()
    faults = connection.execute("SELECT count(*) FROM json_shapes WHERE fault <> ''").fetchall()
    connection.execute("DROP TABLE json_shapes")
    return [str(name) for (name,) in found], faults != [(0,)]


def _check_found(names: list[str], origin: str) -> None:
    if not names:
        raise DataRefusedError(
            f"{origin}: expected a JSON object on each line, such as "
            '{"customer_id": "00123"}, found none; `jq -c .` writes each object on a line of its own'
        )
    if len(names) > _MOST_COLUMNS:
        raise DataRefusedError(
            f"{origin}: the objects use more than {_MOST_COLUMNS:,} different names, so names hold data; "
            'write such pairs as {"attribute": ..., "value": ...}'
        )
    check_names(origin, names)


def _refuse_all_broken(connection: duckdb.DuckDBPyConnection, lines: Path, origin: str) -> None:
    """Refuse a file in which no line is a row, unless it holds no object at all."""
    judged = f"SELECT {ROW}, fault FROM ({_judged(_named(lines))}) WHERE fault NOT IN ('', 'broken')"
    first = connection.execute(f"{judged} ORDER BY {ROW} LIMIT 1").fetchone()
    if first is not None:
        rule, remedy = _FAULTS[first[1]]
        raise DataRefusedError(
            f"{origin}: {rule}, found that no line does right, the first of them line {first[0]:,}; {remedy}"
        )


def _values(names: list[str], lines: Path, *, faults: bool) -> str:
    """Return the query that gives a column for each name."""
    paths = ", ".join(literal("/" + name.replace("~", "~0").replace("/", "~1")) for name in names)
    marked = f"regexp_replace(line, {literal(_TEXT_OR_NUMBER)}, '\\1' || chr(1) || '\\2' || chr(2), 'g')"
    marked = f"replace(replace({marked}, chr(1) || chr(2), ''), chr(1), '\"{_MARK}')"  # JSON holds no raw chr(1)
    lossy = f"regexp_matches(line, {literal(_LOSSY)}) AND NOT contains(line, '{_MARK}')"
    text = f"CASE WHEN lossy THEN replace({marked}, chr(2), '\"') ELSE line END"
    plain = f"""regexp_replace(value[{{place}}], '"?{_MARK}([^"]*)"?', '\\1', 'g')"""
    sound = f"({_judged(_named(lines))}) WHERE fault = ''" if faults else f"read_parquet({literal(str(lines))})"
    columns = [
        f"CASE WHEN lossy THEN {plain.format(place=place)} ELSE value[{place}] END AS {quoted(name)}"
        for place, name in enumerate(names, start=1)
    ]
    kinds, may_hold = quoted(_kinds_of(names)), f"regexp_matches(line, {literal(_NO_TEXT)})"
    return f"""
        SELECT {", ".join([*columns, ROW, kinds])} FROM (
            SELECT {ROW}, lossy, json_extract_string({text}, [{paths}]) AS value,
                   CASE WHEN {may_hold} THEN json_type(line, [{paths}]) END AS {kinds}
            FROM (SELECT *, {lossy} AS lossy FROM {sound})
        )
    """


def _rejected(connection: duckdb.DuckDBPyConnection, lines: Path) -> str:
    """Keep the lines that are no rows, with what is wrong; return the name of their table."""
    name = f"rejected_{uuid.uuid4().hex}"
    rule, remedy = (
        f"CASE fault {' '.join(f'WHEN {literal(k)} THEN {literal(said[part])}' for k, said in _FAULTS.items())} END"
        for part in (0, 1)
    )
    connection.execute(
        f"CREATE TEMP TABLE {name} AS SELECT {ROW}, left(line, 1000) AS found, {rule} AS rule, {remedy} AS remedy "
        f"FROM ({_judged(_named(lines))}) WHERE fault <> '' ORDER BY {ROW}"
    )
    return name
