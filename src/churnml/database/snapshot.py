"""The whole SQL database as it stood at one instant, as one SQLite file; and back again, into either kind of database.

One form for both: what was kept in a file can be put on a server and the other way round, and a file of an older
version is brought to the present one by the migrations that every file goes through.
"""

from __future__ import annotations

import importlib
import pkgutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlalchemy import JSON, Connection, Engine, Select, Table, Text, cast, func, inspect, select, text

from churnml.database.dialect import append, is_server, take_turn
from churnml.database.engine import SCHEMA_REVISION, open_engine
from churnml.database.tables import metadata
from churnml.database.tables_access import audit_head, keep_log_again, let_log_be_replaced
from churnml.errors import DependencyError, UsageError

Tick = Callable[[int, int], None]
_AT_ONCE = 1_000
_VERSION = "alembic_version"


def copy_out(engine: Engine, target: Path) -> None:
    """Write all that the database holds at this instant into a new SQLite file, while others go on writing.

    SQLite copies its own pages, in one step that sees one state; of a PostgreSQL every table is read in one transaction
    that sees one state.
    """
    with engine.connect() as connection:
        if not is_server(connection):
            driver: Any = connection.connection.driver_connection  # Any: the driver's own connection type
            with closing(sqlite3.connect(target)) as copy:
                driver.backup(copy)
    if engine.dialect.name == "postgresql":
        copied = open_engine(target)
        with engine.connect().execution_options(isolation_level="REPEATABLE READ") as source, copied.begin() as into:
            let_log_be_replaced(into)
            for table in _tables(source):
                _copy(source, into, table)
        copied.dispose()
    with closing(sqlite3.connect(target)) as copy:
        copy.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        copy.execute("PRAGMA journal_mode=DELETE")  # so that one file is all of it
    target.with_name(f"{target.name}.lock").unlink(missing_ok=True)


def copy_in(source: Path, engine: Engine, *, replace: bool = False) -> None:
    """Put all that an SQLite file of ours holds on a PostgreSQL, all at once or not at all.

    Parameters
    ----------
    source : Path
        From `copy_out`; an older one is brought to the present schema first, so give a copy.
    replace : bool, default False
        Whether what is there already goes.

    Raises
    ------
    UsageError
        If something is there already and `replace` is false.
    """
    held = open_engine(source)
    with held.connect() as reading, engine.begin() as into:
        take_turn(into)
        tables = _tables(reading)
        held_by = [table for table in tables if table is not audit_head]  # which every database has, from the first
        if not replace and any(into.execute(select(table).limit(1)).first() is not None for table in held_by):
            raise UsageError(
                "the database must be empty to restore into, found rows in it; name another database, or give --replace"
            )
        let_log_be_replaced(into)
        into.execute(text(f"TRUNCATE {', '.join(_quoted(table.name) for table in tables)}"))
        for table in tables:
            _copy(reading, into, table)
            _count_on(into, table)
        keep_log_again(into)
    held.dispose()


def revision_of(file: Path) -> str:
    """Return the schema of an SQLite file of ours.

    Raises
    ------
    DependencyError
        If it is no database of ours, or damaged.
    """
    try:
        with closing(sqlite3.connect(f"file:{file}?mode=ro&immutable=1".replace("#", "%23"), uri=True)) as copy:
            found = copy.execute(f"SELECT version_num FROM {_VERSION}").fetchone()
            whole = copy.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.Error as error:
        raise DependencyError(
            f"{file.name} of the backup is no database of ours: {error}; take another backup"
        ) from error
    if found is None or whole != ("ok",):
        raise DependencyError(f"{file.name} of the backup is damaged; take another backup")
    return str(found[0])


def is_known(revision: str) -> bool:
    """Tell whether a schema is the present one or an older one."""
    return revision <= SCHEMA_REVISION


def _tables(connection: Connection) -> list[Table]:
    """Return the tables in an order in which rows find what they refer to; all of them, or none is copied."""
    for module in pkgutil.iter_modules([str(Path(__file__).parent)]):  # each part of the house declares its own
        if module.name.startswith("tables_"):
            importlib.import_module(f"churnml.database.{module.name}")
    unknown = set(inspect(connection).get_table_names()) - set(metadata.tables) - {_VERSION}
    if unknown:
        raise DependencyError(
            f"the database must hold nothing but churnml's tables, found {', '.join(sorted(unknown))}; give churnml a "
            "database of its own"
        )
    return metadata.sorted_tables


def _copy(source: Connection, into: Connection, table: Table) -> None:
    rows = source.execution_options(yield_per=_AT_ONCE).execute(_as_kept(table))
    append(into, table, [column.name for column in table.columns], (tuple(row) for row in rows))


def _as_kept(table: Table) -> Select[Any]:  # Any: columns of any type
    """Return the question for all rows of a table; JSON as the text that it is, for either database keeps that."""
    return select(*(cast(one, Text) if isinstance(one.type, JSON) else one for one in table.columns))


def _count_on(connection: Connection, table: Table) -> None:
    """Let a table whose rows are numbered by the server go on after the last number that was brought."""
    column = table.autoincrement_column
    if column is None or connection.dialect.name != "postgresql":
        return
    named = func.pg_get_serial_sequence(_quoted(table.name), column.name)
    last = connection.execute(select(func.max(column))).scalar()
    if last is not None and connection.execute(select(named)).scalar() is not None:
        connection.execute(select(func.setval(named, last)))


def _quoted(name: str) -> str:
    return f'"{name}"'
