"""PostgreSQL: what a query gives, streamed out of the server as text that is exact, then read by DuckDB.

The session can only read, is called `churnml` in the server's list, and is cut after a time whether the server answers
or not. The URL holds a password, so no message repeats it.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Timer
from typing import TYPE_CHECKING

import duckdb

from churnml.errors import ChurnmlError, ConfigError, DataRefusedError, DependencyError
from churnml.events.sources import Rows
from churnml.events.sources.parquet import (
    LONGEST_ROW,
    check_names,
    csv_texts,
    left_out,
    literal,
    numbered,
    quoted,
    scratch_file,
)

if TYPE_CHECKING:
    import psycopg

_SHAPE = "postgresql://user:password@host:5432/database"
_SERVER_TROUBLE = ("08", "53", "55", "57", "58", "XX")  # classes of SQLSTATE: connection, resources, shutdown, damage
_ASKED_TOO_LONG = "57014"


@dataclass(frozen=True)
class _Place:
    """The server, as messages name it, and how long we wait for it."""

    name: str
    connect_seconds: int
    statement_seconds: int


def postgres_rows(
    url: str,
    connection: duckdb.DuckDBPyConnection,
    scratch: Path,
    *,
    query: str,
    connect_seconds: int = 10,
    statement_seconds: int = 600,
) -> Rows:
    """Return what a query on a PostgreSQL server gives, every value as text, in the order in which it gives it.

    Numbers keep all their digits, times with a zone come in UTC with their offset, truths as `true` and `false`;
    NULL and the empty text stay two things.

    Parameters
    ----------
    url : str
        Such as ``postgresql://user:password@host:5432/database``.
    connection : DuckDBPyConnection
        Where the rows are seen.
    scratch : Path
        A folder for intermediate files.
    query : str
        One SELECT, WITH, TABLE or VALUES.
    connect_seconds, statement_seconds : int
        How long to wait for the server to let us in, and for the whole of the query.

    Raises
    ------
    ConfigError
        If the URL is none, or the query is not one that reads, or asks for what is not there.
    DataRefusedError
        If what the server sends cannot be read, such as a row beyond all measure.
    DependencyError
        If psycopg is not installed, or the server is not there, does not let us in, or stops answering.
    """
    texts, read = scratch_file(scratch, ".csv"), scratch_file(scratch)
    with _connected(url, connect_seconds, statement_seconds) as (session, place):
        names, sent = _fetch(session, query, place, texts)
    columns = ", ".join(f"c{place} AS {quoted(name)}" for place, name in enumerate(names, start=1))
    try:
        connection.execute(f"COPY (SELECT {columns} FROM {csv_texts(texts, len(names))}) TO {literal(str(read))}")
    except duckdb.Error as error:
        raise DataRefusedError(
            f"the query on {place.name} gives text that cannot be read: not UTF-8, or a row of more than "
            f"{LONGEST_ROW >> 20} MB; leave such a column out of the query"
        ) from error
    texts.unlink()
    rows = numbered(read, connection, names)
    _check_count(rows, sent, place)
    return Rows(rows, notes=left_out(names))


@contextmanager
def _connected(url: str, connect: int, statement: int) -> Iterator[tuple[psycopg.Connection, _Place]]:
    """Give a session that reads; hang up when its time is over, as a frozen server keeps no time of its own."""
    try:
        import psycopg  # noqa: PLC0415  # an extra: most companies bring files
        from psycopg.conninfo import conninfo_to_dict  # noqa: PLC0415
    except ImportError as error:
        raise DependencyError("PostgreSQL needs psycopg; run `pip install 'churnml[postgres]'`") from error
    try:
        said = conninfo_to_dict(url)
    except psycopg.Error:
        raise ConfigError(f"the URL of the database must look like {_SHAPE}; set its variable anew") from None
    place = _Place(f"{said.get('host') or 'localhost'}:{said.get('port') or 5432}", connect, statement)
    try:
        session = psycopg.connect(url, connect_timeout=connect, application_name="churnml", client_encoding="UTF8")
    except psycopg.Error as error:
        raise DependencyError(f"PostgreSQL at {place.name} {_why_not(error, place)}") from error
    with closing(session), _hung_up_after(session, connect + statement):
        session.read_only = True
        try:
            yield session, place
        except psycopg.Error as error:
            raise _explained(error, place) from error


@contextmanager
def _hung_up_after(session: psycopg.Connection, seconds: float) -> Iterator[None]:
    with socket.socket(fileno=socket.dup(session.fileno())) as line:
        timer = Timer(seconds, line.shutdown, [socket.SHUT_RDWR])
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            timer.join()


def _fetch(session: psycopg.Connection, query: str, place: _Place, target: Path) -> tuple[list[str], int]:
    """Keep the rows as CSV; return the names of their columns and how many rows the server sent."""
    source = f"FROM ({query.strip().removesuffix(';')}\n) AS asked"  # the line end closes a remark
    cursor = session.cursor()
    cursor.execute(f"SET LOCAL statement_timeout = {place.statement_seconds * 1000}".encode())
    cursor.execute("SET LOCAL TimeZone = 'UTC'; SET LOCAL DateStyle = 'ISO'")
    # a prepared statement is a single one: nothing can follow the query, here or below
    cursor.execute(f"SELECT * {source} LIMIT 0".encode(), prepare=True, binary=True)
    names = [column.name for column in cursor.description or ()]
    check_names(f"the query on {place.name}", names, ConfigError)
    if not names:
        raise ConfigError(f"the query on {place.name} gives no columns; name some")
    columns = ", ".join(f"{quoted(name)}::text" for name in names)
    copying = f"COPY (SELECT {columns} {source}) TO STDOUT (FORMAT csv, FORCE_QUOTE *)"
    with target.open("wb") as file, cursor.copy(copying.encode()) as copy:
        for piece in copy:
            file.write(piece)
    return names, cursor.rowcount


def _check_count(rows: duckdb.DuckDBPyRelation, sent: int, place: _Place) -> None:
    counted = rows.aggregate("count(*)").fetchall()
    if counted != [(sent,)]:
        raise DataRefusedError(
            f"the query on {place.name} gave {sent:,} rows, but {counted[0][0]:,} could be read; nothing of it was kept"
        )


def _why_not(error: psycopg.Error, place: _Place) -> str:
    """Say why the server did not let us in; libpq's own words name host and user, never the password."""
    told = str(error)
    if refused := re.search(r"FATAL:\s*(.+)", told):
        return f"did not let us in: {refused[1]}; mend the URL in its variable"
    if "resolve host" in told:
        return "is not known by that name; mend the URL in its variable, or ask who runs your network"
    if "timeout" in told:
        return f"did not answer within {place.connect_seconds} seconds; see that it runs and lets this machine in"
    reason = told.rpartition("failed: ")[2].splitlines() or ["no connection"]
    return f"cannot be reached ({reason[0]}); see that it runs and lets this machine in"


def _explained(error: psycopg.Error, place: _Place) -> ChurnmlError:
    """Say in a line why the query failed."""
    told, hint = error.diag.message_primary, error.diag.message_hint
    if error.sqlstate == _ASKED_TOO_LONG:
        return DependencyError(
            f"PostgreSQL at {place.name} did not finish the query within {place.statement_seconds} seconds; "
            "ask for less, or at a quieter time"
        )
    if error.sqlstate and not error.sqlstate.startswith(_SERVER_TROUBLE):
        advice = f" ({hint})" if hint else ""
        return ConfigError(
            f"the query on {place.name} must be one SELECT that reads what is there; the server says: {told}{advice}; "
            "mend it in sources.yaml"
        )
    because = f": {told}" if told else ""
    return DependencyError(
        f"PostgreSQL at {place.name} broke off, or did not answer any more, while the query ran{because}; "
        "nothing was kept, so try again"
    )
