"""From the files of a known export to sources: each file becomes a view, and the queries run over the views."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import duckdb

from churnml.errors import DataRefusedError, UsageError, nearest
from churnml.events.sources import ROW, Rows, Source
from churnml.events.sources.presets.preset import Filling, Preset, Shape
from churnml.events.sources.standing import standing

_SHOWN = 30

OpenRows = Callable[[Path, duckdb.DuckDBPyConnection, Path], Rows]
"""Opens one file by its kind, with a connection and a folder for intermediate files."""


def preset_sources(
    preset: Preset, files: Mapping[str, Sequence[Path]], time_zone: str, open_rows: OpenRows
) -> list[Source]:
    """Return one source for each table that the given files of an export can fill.

    Parameters
    ----------
    preset : Preset
        The export.
    files : mapping of str to sequence of Path
        Its files by role; several of one role count as one file, their rows numbered on.
    time_zone : str
        The IANA zone of times without an offset, where the export does not fix it.
    open_rows : callable
        Opens one file: ``open_rows(path, connection, scratch)`` gives its `Rows`.

    Returns
    -------
    list of Source
        Tables whose files are not given are left out.

    Raises
    ------
    UsageError
        If a role is unknown, or the files fill no table.
    """
    given = {role: tuple(paths) for role, paths in files.items() if paths}
    known = ", ".join(f"`{role}`" for role in preset.files)
    for role in given:
        if role not in preset.files:
            raise UsageError(f"the preset `{preset.name}` reads {known}, got `{role}`{nearest(role, preset.files)}")
    zone = preset.time_zone or time_zone
    filled = {name: filling for name, filling in preset.tables.items() if set(filling.roles) <= set(given)}
    if not filled:
        found = ", ".join(f"`{role}`" for role in given) or "none"
        raise UsageError(f"the preset `{preset.name}` reads {known}, and what is given fills no table: {found}")
    return [_source(preset, name, filling, given, zone, open_rows) for name, filling in filled.items()]


def _source(
    preset: Preset,
    table: str,
    filling: Filling,
    given: Mapping[str, tuple[Path, ...]],
    zone: str,
    open_rows: OpenRows,
) -> Source:
    taken = {role: given[role] for role in (*filling.roles, *filling.helped_by) if role in given}
    paths = tuple(path for role in taken.values() for path in role)
    digest = hashlib.sha256(repr((filling, preset.formats)).encode()).hexdigest()[:16]
    roles = ", ".join(f"{role} {len(paths)}" for role, paths in taken.items())
    rows = partial(_rows, preset, filling, taken, zone, open_rows)
    return Source(table, _origin(taken), paths, f"{preset.name}:{table}:{zone} {digest} ({roles})", zone, rows)


def _origin(taken: Mapping[str, tuple[Path, ...]]) -> str:
    """Name the file whose rows are numbered, the first of its role."""
    first, *more = next(iter(taken.values()))
    return f"{first.name} and {len(more)} more" if more else first.name


def _rows(
    preset: Preset,
    filling: Filling,
    taken: Mapping[str, tuple[Path, ...]],
    zone: str,
    open_rows: OpenRows,
    connection: duckdb.DuckDBPyConnection,
    scratch: Path,
) -> Rows:
    views, notes, rejected = {}, [], ""
    for role in (*filling.roles, *filling.helped_by):
        reading = Reading(preset, role, connection, scratch, open_rows)
        views[role] = reading.view(taken.get(role, ()))
        notes += reading.notes
        if role == filling.roles[0]:
            rejected = reading.rejected
        elif reading.rejected:
            ((count,),) = connection.execute(f"SELECT count(*) FROM {reading.rejected}").fetchall()
            notes.append(f"records of the {role} file that are no rows, left out: {count:,}")
    inside = ", ".join(f"{role} AS NOT MATERIALIZED (FROM {view})" for role, view in views.items())
    known = f"standing AS NOT MATERIALIZED ({standing(connection)})"
    over = f"WITH settings AS (SELECT {_literal(zone)} AS time_zone), {known}, {inside}"
    if filling.notes:
        notes += [str(text) for (text,) in connection.execute(f"{over} {_from(filling.notes)}").fetchall() if text]
    relation = connection.sql(f"{over} {_from(filling.query)}")
    formats = {name: form for name, form in preset.formats.items() if name in relation.columns}
    return Rows(relation, formats, tuple(dict.fromkeys(notes)), rejected)


class Reading:
    """The files of one role on their way into one view; they leave notes, and records that are no rows.

    Attributes
    ----------
    notes : list of str
        What was found out about the files rather than declared.
    rejected : str
        The temporary table of records that are no rows; empty where there are none.
    """

    def __init__(
        self,
        preset: Preset,
        role: str,
        connection: duckdb.DuckDBPyConnection,
        scratch: Path,
        open_rows: OpenRows,
    ) -> None:
        self.preset, self.role = preset, role
        self.connection, self.scratch, self.open_rows = connection, scratch, open_rows
        self.notes: list[str] = []
        self.rejected = ""

    def view(self, paths: Sequence[Path]) -> str:
        """Return the name of a view that holds the rows of the files, one after the other."""
        if not paths:
            names = (*self.preset.files[self.role], *self.preset.optional.get(self.role, ()))
            empty = ", ".join(self._empty(name) for name in names)
            return self._named(f"SELECT {empty}, 0::BIGINT AS {ROW}, NULL::VARCHAR AS file_time WHERE false")
        parts, rejects, starts, before = [], [], [], 0
        for path in paths:
            rows = self.open_rows(path, self.connection, self.scratch).exact()
            self.notes += [f"{path.name}: {note}" for note in rows.notes] if len(paths) > 1 else rows.notes
            part = self._named_rows(rows.relation, path, before)
            parts.append(f"FROM {part}")
            if rows.rejected:
                rejects.append(f"SELECT * REPLACE ({ROW} + {before} AS {ROW}) FROM {rows.rejected}")
            starts.append(f"{path.name} from {before + 1:,}")
            if len(starts) < len(paths):
                before = self._last(part, rejects, before)
        if len(paths) > 1:
            listed = ", ".join(starts[:_SHOWN]) + (", …" if len(starts) > _SHOWN else "")
            self.notes.append(f"rows are numbered through {len(paths)} files: {listed}")
        if rejects:
            self.rejected = f"rejected_{uuid.uuid4().hex}"
            self.connection.execute(f"CREATE TEMP TABLE {self.rejected} AS {' UNION ALL BY NAME '.join(rejects)}")
        return self._named(" UNION ALL BY NAME ".join(parts))

    def _named(self, query: str) -> str:
        name = f"preset_{uuid.uuid4().hex}"  # of its own, so that another source on this connection changes nothing
        self.connection.execute(f"CREATE TEMP VIEW {name} AS {query}")
        return name

    def _named_rows(self, relation: duckdb.DuckDBPyRelation, path: Path, before: int) -> str:
        """Name the rows of one file: the columns the preset knows, as its queries expect them."""
        types = dict(zip(relation.columns, relation.types, strict=True))
        spelt = {name.casefold(): name for name in types}
        names = [*self._required(path, types, spelt), *self.preset.optional.get(self.role, ())]
        columns = [
            f"{self._value(name, spelt[name.casefold()], types)} AS {_quoted(name)}"
            if name.casefold() in spelt
            else self._empty(name)
            for name in names
        ]
        number = ROW if ROW in types else "row_number() OVER ()"
        written = datetime.fromtimestamp(path.stat().st_mtime, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        view = f"preset_{uuid.uuid4().hex}"
        placed = [*columns, f"{number} + {before} AS {ROW}", f"{_literal(written)} AS file_time"]
        relation.project(", ".join(placed)).create_view(view)
        return view

    def _required(self, path: Path, found: Mapping[str, object], spelt: Mapping[str, str]) -> tuple[str, ...]:
        required = self.preset.files[self.role]
        for name in required:
            if name.casefold() not in spelt:
                names = [other for other in found if other != ROW]
                listed = ", ".join(f"`{other}`" for other in names[:_SHOWN]) + (", …" if len(names) > _SHOWN else "")
                raise DataRefusedError(
                    f"{path.name}: the {self.role} file of the preset `{self.preset.name}` needs the column `{name}`, "
                    f"found {listed or 'none'}{nearest(name, names) or '.'} Export it with all its columns, or map it "
                    "by hand in sources.yaml"
                )
        return required

    def _value(self, name: str, spelt: str, types: Mapping[str, duckdb.sqltypes.DuckDBPyType]) -> str:
        column, kind = _quoted(spelt), types[spelt]
        if name in self.preset.nested:
            return _shaped(column, kind, self.preset.nested[name])
        if self.preset.typed:
            return column
        return f"nullif({column}{'' if kind.id == 'varchar' else '::VARCHAR'}, '')"

    def _empty(self, name: str) -> str:
        kind = _type(self.preset.nested[name]) if name in self.preset.nested else "VARCHAR"
        return f"NULL::{kind} AS {_quoted(name)}"

    def _last(self, part: str, rejects: Sequence[str], before: int) -> int:
        """Return the number of the last record of a file, be it a row or not."""
        counted = " UNION ALL ".join([f"SELECT {ROW} FROM {part}", *(f"SELECT {ROW} FROM ({one})" for one in rejects)])
        ((last,),) = self.connection.execute(f"SELECT max({ROW}) FROM ({counted})").fetchall()
        return int(last or before)


def _shaped(column: str, kind: duckdb.sqltypes.DuckDBPyType, shape: Shape) -> str:
    """Return SQL for a nested column: from JSON text, from a list, or from a list as BigQuery may wrap it."""
    if kind.id == "varchar":
        return f"json_transform({column}::JSON, {_literal(json.dumps(shape))})"
    if kind.id == "struct" and [name for name, _ in kind.children] == ["list"]:
        column = f"list_transform({column}.list, lambda one: one.element)"
    return f"{column}::{_type(shape)}"


def _type(shape: Shape) -> str:
    if isinstance(shape, str):
        return shape
    if isinstance(shape, list):
        return f"{_type(shape[0])}[]"
    return f"STRUCT({', '.join(f'{_quoted(name)} {_type(one)}' for name, one in shape.items())})"


def _from(query: str) -> str:
    return f"SELECT * FROM ({query})"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
