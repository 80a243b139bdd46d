"""The connection to the SQL database, brought to the current schema when it is opened."""

from __future__ import annotations

import fcntl
import sqlite3
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, ExceptionContext, create_engine, event, inspect, text
from sqlalchemy.exc import SQLAlchemyError

from churnml.database.deadlines import current, keep_deadlines, passed
from churnml.database.dialect import take_turn
from churnml.database.server import name_of, server_engine
from churnml.errors import DependencyError, DiskFullError

SCHEMA_REVISION = "0022"
SERVICE_SECONDS = 1.5
"""How long the service waits for its database before it says that there is none: its answer is due within two."""
NO_ROOM = "there is no room left on the disk of the database; nothing was written: make room, then do the same again"
_TAKEN = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_VERB_SECONDS = 60.0


def open_engine(where: Path | URL, *, patience_seconds: float = _VERB_SECONDS) -> Engine:
    """Open the SQL database at `where`, making or migrating it as needed.

    Of several that open it at once, one at a time looks and makes: SQLite turns a database to its write-ahead log only
    while nobody else looks at it, and does not wait for that; and two migrations at once would break each other.

    Parameters
    ----------
    where : Path or sqlalchemy.URL
        An SQLite file, or a PostgreSQL as `server.named_server` gives it; a workspace's is `Workspace.database`.
    patience_seconds : float
        How long to wait for whoever writes, longer than any transaction of ours takes; and for a server to answer.

    Raises
    ------
    DependencyError
        If the file is not a database, the server is not there, or either was made by a newer churnml. The engine raises
        it as well, whenever others hold the database for longer than it waits, or the server is gone.
    """
    return _open_file(where, patience_seconds) if isinstance(where, Path) else _open_server(where, patience_seconds)


def _open_file(path: Path, patience_seconds: float) -> Engine:
    # errors never name the values of a statement, which are reports and records: personal data
    waits = {"connect_args": {"timeout": patience_seconds}, "pool_timeout": patience_seconds}
    engine = create_engine(f"sqlite:///{path}", hide_parameters=True, **waits)
    event.listen(engine, "connect", _set_pragmas)
    event.listen(engine, "handle_error", _tell_what_broke)
    keep_deadlines(engine)
    try:
        with path.with_name(f"{path.name}.lock").open("w") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            if _revision(engine) != SCHEMA_REVISION:
                with engine.begin() as connection:
                    _migrate(connection, str(path))
    except (SQLAlchemyError, OSError) as error:
        told = getattr(error, "orig", None) or error
        raise DependencyError(f"{path} cannot be opened as a database: {told}; restore it or move it away") from error
    return engine


def _open_server(url: URL, patience_seconds: float) -> Engine:
    engine = server_engine(url, patience_seconds)
    if _revision(engine) != SCHEMA_REVISION:
        patient = server_engine(url, max(patience_seconds, _VERB_SECONDS))
        try:
            with patient.begin() as connection:
                take_turn(connection)
                _migrate(connection, name_of(url))
        except BaseException:
            engine.dispose()
            raise
        finally:
            patient.dispose()
    return engine


def _set_pragmas(connection: Any, _record: object) -> None:  # Any: the driver's own connection type
    """Write-ahead log: readers never wait for the writer; foreign keys are off in SQLite unless asked for.

    Synchronous: what has landed is acknowledged, so it must outlive a power cut, which the default of a write-ahead log
    does not promise. It costs a disk flush for each transaction, and a landing is one. Secure: what is blanked or
    purged is overwritten, not only let go. Pages of 16 KB, of a database that is new: a record takes 3 KB, and four to
    a page cost a third less to write than one. Cache, 64 MB: an index of a million records is walked in memory.
    """
    for pragma in ("page_size=16384", "journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON"):
        connection.execute(f"PRAGMA {pragma}")
    connection.execute("PRAGMA cache_size=-65536")


def _tell_what_broke(context: ExceptionContext) -> None:
    """Turn what SQLite says of time, of room and of others into words; the one place for all statements."""
    error = context.original_exception
    if not isinstance(error, sqlite3.OperationalError):
        return
    kind, deadline = error.sqlite_errorcode & 0xFF, current()
    if kind == sqlite3.SQLITE_INTERRUPT and deadline is not None and passed():
        raise deadline.error() from error
    if kind == sqlite3.SQLITE_FULL:
        raise DiskFullError(NO_ROOM) from error
    if kind in _TAKEN:
        raise DependencyError(
            "the workspace's database must be free to write to, found another process writing for longer than we wait; "
            "let that process end, then do the same again"
        ) from error


def _revision(engine: Engine) -> str | None:
    with engine.connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def _migrate(connection: Connection, name: str) -> None:
    # imported here: Alembic costs 0.3 s, and an up-to-date database never needs it
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415
    from alembic.util import CommandError  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise DependencyError(
            f"{name} has a schema this version does not know; use a newer churnml, or roll back as docs/operations.md "
            "says"
        ) from error
