"""What SQLite and PostgreSQL say differently: keeping a row that may be there, taking turns, and many rows at once."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from itertools import islice
from typing import Any

from sqlalchemy import Connection, Table, Text, text
from sqlalchemy.dialects import postgresql, sqlite

from churnml.errors import DependencyError

Row = Mapping[str, Any]  # Any: SQL values
Values = tuple[Any, ...]  # Any: SQL values
_TURN = 4_807_526_976
"""The number of our advisory lock on PostgreSQL; any would do that nobody else uses in this database."""
_AT_ONCE = 5_000
_MARK, _TEXT_MARK = "?", "CAST(? AS TEXT)"  # which leaves a text as it is, and makes one of its bytes


def is_server(connection: Connection) -> bool:
    """Tell whether a connection leads to a PostgreSQL."""
    return connection.dialect.name == "postgresql"


def insert_or_ignore(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Insert rows, and leave those as they stand whose key is there already."""
    if rows:
        connection.execute(_insert(connection, table).on_conflict_do_nothing(), list(rows))


def insert_or_update(
    connection: Connection, table: Table, rows: Sequence[Row], index: Sequence[str], changed: Sequence[str]
) -> None:
    """Insert rows; of those whose key is there already, change some columns to what the new row says.

    Parameters
    ----------
    index : sequence of str
        The columns of the key.
    changed : sequence of str
        The columns that take the new values.
    """
    if rows:
        asked = _insert(connection, table)
        new = {name: asked.excluded[name] for name in changed}
        connection.execute(asked.on_conflict_do_update(index_elements=list(index), set_=new), list(rows))


def take_turn(connection: Connection) -> None:
    """Wait until no other transaction has the turn, and keep it until this one ends; take it before anything is read.

    In SQLite whoever writes has the whole database, so the first statement that writes does the same, and this does
    nothing there.
    """
    if is_server(connection):
        connection.execute(text("SELECT pg_advisory_xact_lock(:turn)"), {"turn": _TURN})


def append(connection: Connection, table: Table, names: Sequence[str], rows: Iterable[Values]) -> int:
    """Insert many rows the fastest way there is, within the transaction of the caller; return how many there were.

    SQLite's own driver takes them one after the other into one prepared statement, PostgreSQL by COPY. SQLAlchemy's
    insert costs several times as much: it looks at every value of every row.

    Parameters
    ----------
    names : sequence of str
        The columns, in the order of each row's values; texts, numbers and None. A long text may be given in UTF-8, as
        bytes: both databases keep it so, and it need not be decoded and encoded once more.
    """
    columns = ", ".join(f'"{name}"' for name in names)
    if is_server(connection):
        return _copy(connection, f'COPY "{table.name}" ({columns}) FROM STDIN', rows)
    marks = ", ".join(_TEXT_MARK if isinstance(table.c[name].type, Text) else _MARK for name in names)
    return _insert_each(connection, f'INSERT INTO "{table.name}" ({columns}) VALUES ({marks})', rows)


def _insert_each(connection: Connection, asked: str, rows: Iterable[Values]) -> int:
    driver: Any = connection.connection.driver_connection  # Any: the driver's own connection type
    if not driver.in_transaction:
        connection.exec_driver_sql("BEGIN IMMEDIATE")  # who finds the database taken is told so here
    count, rest = 0, iter(rows)
    try:
        while chunk := list(islice(rest, _AT_ONCE)):
            driver.executemany(asked, chunk)
            count += len(chunk)
    except sqlite3.OperationalError as error:
        raise DependencyError(
            f"the workspace's database cannot be written to: {error}; see that its disk has room"
        ) from error
    return count


def _copy(connection: Connection, asked: str, rows: Iterable[Values]) -> int:
    import psycopg  # noqa: PLC0415  # an extra

    driver: Any = connection.connection.driver_connection  # Any: the driver's own connection type
    count = 0
    try:
        with driver.cursor() as cursor:
            cursor.adapters.register_dumper(bytes, _as_they_are())
            with cursor.copy(asked) as copy:
                for count, row in enumerate(rows, start=1):  # noqa: B007  # how many there were
                    copy.write_row(row)
    except psycopg.OperationalError as error:
        raise DependencyError("PostgreSQL broke off while rows were written; see that it runs and has room") from error
    except psycopg.Error as error:  # whose own words show the values
        raise psycopg.DataError(error.diag.message_primary or "rows were refused") from None
    return count


@cache
def _as_they_are() -> Any:  # Any: a class of psycopg, which is an extra
    """Return what hands the bytes of a text on as they are; `server_engine` has told the server that it is UTF-8."""
    from psycopg.adapt import Dumper  # noqa: PLC0415  # an extra

    class Utf8(Dumper):
        oid = 25  # text

        def dump(self, obj: bytes) -> bytes:
            return obj

    return Utf8


def _insert(connection: Connection, table: Table) -> Any:  # Any: the insert of one dialect or the other
    return postgresql.insert(table) if is_server(connection) else sqlite.insert(table)
