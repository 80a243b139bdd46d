"""A DuckDB file: what a query gives, asked in a walled-off DuckDB that can read that file and nothing else."""

from __future__ import annotations

import re
from contextlib import closing
from pathlib import Path

import duckdb

from churnml.errors import ChurnmlError, ConfigError, DataRefusedError, DependencyError, UsageError, nearest
from churnml.events.sources import ROW, Rows
from churnml.events.sources.parquet import check_names, left_out, literal, numbered, quoted, scratch_file
from churnml.events.sources.standing import standing

_TEXT_ONLY = ("HUGEINT", "BIGNUM", "BIT", "TIME WITH TIME ZONE")  # Parquet would round these, or cannot hold them
_SHOWN = 8
_PLAIN = re.compile(r"[a-z_][a-z0-9_]*")


def duckdb_rows(path: Path, connection: duckdb.DuckDBPyConnection, scratch: Path, *, query: str) -> Rows:
    """Return what a query on a DuckDB file gives, in the order in which it gives it, with its own types.

    The query runs once, read-only, in a DuckDB of its own that reaches no other file and no network; integers beyond
    64 bits come as text, exactly.

    Parameters
    ----------
    path : Path
        The file.
    connection : DuckDBPyConnection
        Where the rows are seen; its limits of memory and threads hold for the query, too.
    scratch : Path
        A folder for intermediate files.
    query : str
        One SELECT, WITH, FROM, TABLE or VALUES; names are those of the file.

    Raises
    ------
    UsageError
        If there is no such file.
    ConfigError
        If the query is not one that reads, or asks for what is not there.
    DataRefusedError
        If the file is no DuckDB database, is damaged, or comes from another version of DuckDB.
    DependencyError
        If another program has it open for writing.
    """
    read = scratch_file(scratch)
    with closing(_open(path)) as database:
        _wall_off(database, connection, scratch)
        try:
            statement = _only_statement(database, query, path.name)
            names = _store(database, statement, path.name, read)
        except duckdb.Error as error:
            raise _explained(error, database, path.name) from error
    return Rows(numbered(read, connection, names), notes=left_out(names))


def tables_of(path: Path, connection: duckdb.DuckDBPyConnection, scratch: Path) -> list[str]:
    """Return the tables and views of a DuckDB file as a query names them, those of the usual schema by name alone.

    Raises
    ------
    DataRefusedError
        If the file is no DuckDB database, is damaged, or comes from another version of DuckDB.
    DependencyError
        If another program has it open for writing.
    """
    with closing(_open(path)) as database:
        _wall_off(database, connection, scratch)
        try:
            found = database.execute(
                "SELECT table_schema, table_name FROM information_schema.tables "
                "WHERE table_catalog = current_database() ORDER BY table_schema <> 'main', table_schema, table_name"
            ).fetchall()
        except duckdb.Error as error:
            raise _explained(error, database, path.name) from error
    return [_as_named(name) if schema == "main" else f"{_as_named(schema)}.{_as_named(name)}" for schema, name in found]


def _as_named(name: str) -> str:
    """Return a name as a query may bear it: in quotes unless it is plain and no word of SQL."""
    words = duckdb.tokenize(name)
    plain = _PLAIN.fullmatch(name) and [kind for _, kind in words] == [duckdb.token_type.identifier]
    return name if plain else quoted(name)


def queried(
    relation: duckdb.DuckDBPyRelation, connection: duckdb.DuckDBPyConnection, scratch: Path, *, query: str, origin: str
) -> Rows:
    """Return what a query gives over rows that it calls `source`, behind the same wall.

    It may ask `standing`, too, for the customers of earlier landings.

    Parameters
    ----------
    relation : DuckDBPyRelation
        The rows.
    query : str
        One SELECT, WITH, FROM or VALUES.
    origin : str
        What messages call the rows.

    Raises
    ------
    ConfigError
        If the query is not one that reads, or asks for what is not there.
    """
    given, read = scratch_file(scratch), scratch_file(scratch)
    relation.write_parquet(str(given.resolve()))
    with closing(duckdb.connect()) as database:
        _wall_off(database, connection, scratch)
        database.execute(f"CREATE VIEW source AS SELECT * FROM read_parquet({literal(str(given.resolve()))})")
        if "standing" in query.casefold():  # most queries ask for no customers, of whom there may be millions
            met = scratch_file(scratch)
            connection.sql(standing(connection)).write_parquet(str(met.resolve()))
            database.execute(f"CREATE VIEW standing AS SELECT * FROM read_parquet({literal(str(met.resolve()))})")
        try:
            names = _store(database, _only_statement(database, query, origin), origin, read)
        except duckdb.Error as error:
            told = str(error).splitlines()[0].partition(": ")[2] or str(error)
            columns = ", ".join(f"`{name}`" for name in relation.columns if name != ROW)
            raise ConfigError(
                f"{origin}: the `query` must be one SELECT over `source`, whose columns are {columns}; "
                f"found that {told}"
            ) from error
    return Rows(numbered(read, connection, names), notes=left_out(names))


def _open(path: Path) -> duckdb.DuckDBPyConnection:
    if not path.is_file():
        raise UsageError(f"{path} is not a file; name the DuckDB file that the query is to read")
    try:
        return duckdb.connect(str(path), read_only=True)
    except duckdb.Error as error:
        raise _cannot_open(path, str(error)) from error


def _cannot_open(path: Path, told: str) -> ChurnmlError:
    if "set lock" in told or "different configuration" in told:
        return DependencyError(
            f"{path.name} is open for writing in another program; close it there, or ingest a copy of the file"
        )
    with path.open("rb") as handle:
        head = handle.read(20)
    if head[8:12] != b"DUCK":
        return DataRefusedError(
            f"{path.name}: expected a DuckDB database, found a file of another kind under that name"
        )
    return DataRefusedError(
        f"{path.name}: the database is damaged, or another version of DuckDB wrote it (its storage version is "
        f"{int.from_bytes(head[12:20], 'little')}, DuckDB here is {duckdb.__version__}); copy it again, or export the "
        "table as Parquet with the version that wrote it"
    )


def _wall_off(database: duckdb.DuckDBPyConnection, limits: duckdb.DuckDBPyConnection, scratch: Path) -> None:
    """Let the query reach its own database and the scratch folder alone, within the limits of the main connection."""
    found = limits.execute("SELECT current_setting('memory_limit'), current_setting('threads')").fetchall()
    memory, threads = found[0]
    database.execute(f"SET memory_limit = {literal(memory)}")
    database.execute(f"SET threads = {int(threads)}")
    database.execute(f"SET temp_directory = {literal(str(scratch.resolve()))}")
    database.execute(f"SET allowed_directories = [{literal(str(scratch.resolve()))}]")
    database.execute("SET enable_external_access = false")
    database.execute("SET lock_configuration = true")


def _only_statement(database: duckdb.DuckDBPyConnection, query: str, origin: str) -> str:
    statements = database.extract_statements(query)
    if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
        found = f"{len(statements)} statements" if len(statements) != 1 else statements[0].type.name
        raise ConfigError(
            f"the query on {origin} must be one SELECT that reads, found {found}; mend it in sources.yaml"
        )
    text = query.encode()  # DuckDB counts bytes
    ends = (place for place, _ in duckdb.tokenize(query) if text[place : place + 1] == b";")
    return text[: next(ends, len(text))].decode()


def _store(database: duckdb.DuckDBPyConnection, statement: str, origin: str, target: Path) -> list[str]:
    """Keep what the statement gives, in its order; return its names."""
    rows = database.sql(statement)
    check_names(f"the query on {origin}", rows.columns, ConfigError)
    columns = [
        f"{quoted(name)}::VARCHAR AS {quoted(name)}" if any(word in str(kind) for word in _TEXT_ONLY) else quoted(name)
        for name, kind in zip(rows.columns, rows.types, strict=True)
    ]
    database.sql(f"SELECT {', '.join(columns)} FROM ({statement}\n)").write_parquet(str(target.resolve()))
    return rows.columns


def _explained(error: duckdb.Error, database: duckdb.DuckDBPyConnection, origin: str) -> ChurnmlError:
    """Say in a line why the query fails, and what there is instead."""
    told = str(error).splitlines()[0].removesuffix("!")
    if "Corrupt" in told or isinstance(error, (duckdb.IOException, duckdb.FatalException, duckdb.InternalException)):
        return DataRefusedError(f"{origin}: the database is damaged inside; copy it again, and compare its size")
    near = ""
    if isinstance(error, duckdb.CatalogException) and "Table with name " in told:
        tables = [name for (name,) in database.execute("SHOW TABLES").fetchall()]
        asked = told.split("Table with name ")[1].split()[0]
        near = f"; the file holds {', '.join(tables[:_SHOWN]) or 'no tables'}{nearest(asked, tables)}"
    return ConfigError(f"the query on {origin} cannot be run: {told}{near}; mend it in sources.yaml")
