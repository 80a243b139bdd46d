"""`sources.yaml` carried out: each entry becomes the sources of one table, with the contract's names.

`declared.py` says what may stand there; here a file, a folder, a query or a known export gives rows, and each of our
columns takes its values from one of theirs, from a constant, or from a list that says ours for each of theirs.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import duckdb

from churnml.errors import ConfigError, DataRefusedError, UsageError, nearest
from churnml.events.schema import TABLES
from churnml.events.sources import ROW, TRUTH, Format, Reader, Rows, Source
from churnml.events.sources.declared import Declared, From, read_declared
from churnml.events.sources.delimited_numbers import numbers_in, written_numbers
from churnml.events.sources.duckdb_file import duckdb_rows, queried
from churnml.events.sources.files import expand, open_rows
from churnml.events.sources.opening import require_file
from churnml.events.sources.postgres import postgres_rows
from churnml.events.sources.presets import INSTALLED, PRESETS, OpenRows, preset_sources


def sources_of(path: Path, time_zone: str) -> list[Source]:
    """Return the sources that a `sources.yaml` declares; each file of a folder or pattern is one of its own.

    Parameters
    ----------
    path : Path
        The `sources.yaml`; what it names is relative to its folder.
    time_zone : str
        The workspace's, for entries that name none.

    Raises
    ------
    ConfigError
        If it says something it cannot, or names a variable of the environment that is not set.
    UsageError
        If it names files that are not there.
    """
    found: list[Source] = []
    for number, entry in enumerate(read_declared(path), start=1):
        make = {"preset": _of_preset, "file": _of_files, "duckdb": _of_duckdb, "postgres": _of_postgres}[entry.kind]
        found += make(entry, path.absolute().parent, entry.time_zone or time_zone, f"{path.name}: source {number}")
    return found


def _of_files(entry: Declared, base: Path, zone: str, where: str) -> list[Source]:
    del where  # what `expand` cannot find it names itself
    opened = _opener(entry)
    paths = expand(entry.file, base)
    return [_source(entry, _name(path, base), (path,), zone, partial(opened, path)) for path in paths]


def _opener(entry: Declared) -> OpenRows:
    """Return what opens one file as the entry says it is written."""

    def opened(path: Path, connection: duckdb.DuckDBPyConnection, scratch: Path) -> Rows:
        return open_rows(path, connection, scratch, **entry.reading)

    return opened


def _of_duckdb(entry: Declared, base: Path, zone: str, where: str) -> list[Source]:
    path = base / entry.duckdb
    try:
        require_file(path)
    except UsageError as error:
        raise UsageError(f"{where}: `duckdb` must name a DuckDB file; {error}") from error
    reader = partial(duckdb_rows, path, query=entry.query)
    return [_source(entry, _name(path, base), (path,), zone, reader)]


def _of_postgres(entry: Declared, base: Path, zone: str, where: str) -> list[Source]:
    del base  # a database lies in no folder
    url = os.environ.get(entry.postgres, "")
    if not url:
        raise ConfigError(
            f"{where}: `postgres` names the environment variable {entry.postgres}, which is not set; "
            "set it to the URL, such as postgresql://reader@host/database"
        )
    reader = partial(postgres_rows, url, query=entry.query)
    return [_source(entry, f"PostgreSQL, {entry.postgres}, {entry.table}", (), zone, reader)]


def _of_preset(entry: Declared, base: Path, zone: str, where: str) -> list[Source]:
    if entry.preset in INSTALLED and not entry.files:
        return INSTALLED[entry.preset]()
    if entry.preset not in PRESETS:
        known = (*PRESETS, *INSTALLED)
        raise ConfigError(
            f"{where}: `preset` must be one of {', '.join(known)}; got `{entry.preset}`{nearest(entry.preset, known)}"
        )
    if not entry.files:
        roles = PRESETS[entry.preset].files
        raise ConfigError(
            f"{where}: the preset `{entry.preset}` reads {_listed(roles)}; "
            f"name its `files`, such as {{{next(iter(roles))}: export.csv}}"
        )
    files = {role: [path for one in named for path in expand(one, base)] for role, named in entry.files.items()}
    sources = preset_sources(PRESETS[entry.preset], files, zone, _opener(entry))
    said = json.dumps(entry.reading, sort_keys=True) if entry.reading else ""
    return [replace(source, mapping=f"{source.mapping}{said}") for source in sources]


def _name(path: Path, base: Path) -> str:
    return path.relative_to(base).as_posix() if path.is_relative_to(base) else path.name


def _source(entry: Declared, origin: str, files: tuple[Path, ...], zone: str, opened: Reader) -> Source:
    return Source(entry.table, origin, files, _canonical(entry, zone), zone, partial(_rows, entry, origin, opened))


def _canonical(entry: Declared, zone: str) -> str:
    """Return all that decides how a file is read; where it lies does not, and no more does the order of the keys."""
    said = entry.model_dump(exclude={"table", "file", "duckdb", "time_zone"}, exclude_defaults=True, by_alias=True)
    written = json.dumps(said, sort_keys=True, ensure_ascii=False)
    return f"{entry.table}:{zone}" + (f" {written}" if said else "")


def _rows(entry: Declared, origin: str, opened: Reader, connection: duckdb.DuckDBPyConnection, scratch: Path) -> Rows:
    rows = opened(connection, scratch)
    if entry.kind == "file" and entry.query:
        rows = rows.exact()
        given = queried(rows.relation, connection, scratch, query=entry.query, origin=origin)
        # a delimited text alone counts its records, and only there a number may be written in any way
        formats = (
            dict(rows.formats)
            if rows.records is None
            else {**written_numbers(numbers_in(given.relation)), **rows.formats}
        )
        formats = {name: replace(form, no_text=()) for name, form in formats.items()}  # its rows are others
        rows = replace(rows, relation=given.relation, formats=formats, notes=(*rows.notes, *given.notes), records=None)
    return mapped(rows, entry, origin)


@dataclass(frozen=True)
class _Taken:
    """What becomes of the columns of a file: SQL by our name, and those that nothing uses."""

    theirs: dict[str, str]
    unused: list[str]


def mapped(rows: Rows, entry: Declared, origin: str) -> Rows:
    """Return the rows of a reader under the contract's names; columns that nothing uses keep theirs.

    Raises
    ------
    DataRefusedError
        If the entry names a column that the source does not have.
    """
    taken = _taken(rows.relation.columns, entry, origin)
    drops = [column for column in entry.columns.values() if column.otherwise == "drop"]
    rows = rows.exact() if drops else rows
    relation = _without_dropped(rows.relation, drops)
    parts = [
        f"{_quoted(theirs)} AS {_quoted(ours)}" for ours, theirs in taken.theirs.items() if ours not in entry.columns
    ]
    parts += [f"{_value(column)} AS {_quoted(ours)}" for ours, column in entry.columns.items()]
    ours = {name.casefold() for name in (*taken.theirs, *entry.columns)}
    parts += [f"{_quoted(name)} AS {_quoted(_visible(name, ours))}" for name in taken.unused]
    parts += [ROW] if ROW in relation.columns else []
    formats = {ours: _format(entry, entry.columns.get(ours), rows, theirs) for ours, theirs in taken.theirs.items()}
    formats |= {ours: _own(column, Format()) for ours, column in entry.columns.items() if ours not in formats}
    notes = [f"rows are left out where `{one.source}` is none of {_listed(one.values)}, as declared" for one in drops]
    plain = Format()
    declared = {ours: one for ours, one in formats.items() if one != plain}
    records = None if drops else rows.records  # rows left out on purpose are no longer missed
    relation = relation.project(", ".join(parts))
    again = rows.careful
    careful = None if again is None else lambda: mapped(again(), entry, origin)
    notes = [*rows.notes, *notes]
    return replace(rows, relation=relation, formats=declared, notes=tuple(notes), records=records, careful=careful)


def _taken(found: Iterable[str], entry: Declared, origin: str) -> _Taken:
    names = [name for name in found if name != ROW]
    named = {ours: column.source for ours, column in entry.columns.items() if column.source}
    for theirs in (*named.values(), *entry.leave_out):
        if theirs not in names:
            raise DataRefusedError(
                f"{origin}: the column `{theirs}`, which sources.yaml names for `{entry.table}`, is not there; "
                f"found {_listed(names)}{_near(theirs, names) or '; name one of those'}"
            )
    free = [name for name in names if name not in {*named.values(), *entry.leave_out}]
    bearing = {name: name for name in free if name in TABLES[entry.table].names and name not in entry.columns}
    return _Taken(named | bearing, [name for name in free if name not in bearing])


def _near(word: str, names: list[str]) -> str:
    """Return which column was probably meant; capitals apart comes first."""
    same = next((name for name in names if name.casefold() == word.casefold()), None)
    return f"; did you mean `{same}`?" if same else nearest(word, names)


def _without_dropped(relation: duckdb.DuckDBPyRelation, drops: list[From]) -> duckdb.DuckDBPyRelation:
    """Return the rows without those declared to be left out; the others keep the numbers they had."""
    if not drops:
        return relation
    if ROW not in relation.columns:
        relation = relation.project(f"*, row_number() OVER () AS {ROW}")
    kept = [f"{_text(one)} IN ({', '.join(map(_literal, one.values))})" for one in drops]
    return relation.filter(" AND ".join(kept))


def _value(column: From) -> str:
    """Return SQL that gives one of our columns."""
    if column.constant is not None:
        return f"nullif({_literal(column.constant)}, '')"
    if not column.values:
        return _quoted(column.source)
    cases = " ".join(f"WHEN {_literal(theirs)} THEN {_literal(ours)}" for theirs, ours in column.values.items())
    other = f"ELSE {_quoted(column.source)}::VARCHAR " if column.otherwise == "keep" else ""
    return f"nullif(CASE {_text(column)} {cases} {other}END, '')"


def _text(column: From) -> str:
    return f"coalesce({_quoted(column.source)}::VARCHAR, '')"  # an empty value can be given a meaning as well


def _visible(name: str, ours: set[str]) -> str:
    """Return the name of an unused column, changed only where DuckDB would take it for one of ours."""
    return f"{name} (in the file)" if name.casefold() in ours else name


def _format(entry: Declared, column: From | None, rows: Rows, theirs: str) -> Format:
    found = rows.formats.get(theirs, Format())
    base = found.marked(entry.decimal, entry.thousands)
    return base if column is None else _own(column, base)


def _own(column: From, base: Format) -> Format:
    """Return a format with what is said of this one column above it."""
    no_text = tuple(one for one in base.no_text if not column.values or one[0] != TRUTH)  # `values` says what true is
    return replace(
        base.marked(column.decimal, column.thousands),
        no_text=no_text,
        instant=column.format or base.instant,
        unit=column.unit or base.unit,
        time_zone=column.time_zone or base.time_zone,
    )


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names) or "none"
