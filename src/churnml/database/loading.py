"""Very many rows at once, of which nobody hears before a later transaction says that they count."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any

from sqlalchemy import Connection, Engine, Table, text

from churnml.database.dialect import Values, append, is_server

AT_ONCE = 20_000
"""Rows a transaction. An index in the order of some figure is touched in every page by each: the fewer, the cheaper."""
_LOADING = {"synchronous": 1, "cache_size": -256 * 1024, "wal_autocheckpoint": 32_000}
_HASTE = text("SET LOCAL synchronous_commit = off")
_LIGHT = text(
    "SELECT set_config('default_toast_compression', 'lz4', true) FROM pg_settings "
    "WHERE name = 'default_toast_compression' AND 'lz4' = ANY(enumvals)"
)


def load(engine: Engine, table: Table, names: Sequence[str], rows: Iterable[Values]) -> int:
    """Insert very many rows, `AT_ONCE` of them a transaction, and return how many there were.

    No transaction is open while the next rows are made. None of these waits for the disk: whichever is the next that
    does, and be it another's, takes them along, since either database writes its log in one order. So a power cut may
    take rows, but never those of which a later transaction has said that they are whole.

    Parameters
    ----------
    names : sequence of str
        The columns, in the order of each row's values; see `dialect.append`.
    """
    count, rest = 0, iter(rows)
    with engine.connect() as connection, _loading(connection):
        while chunk := list(islice(rest, AT_ONCE)):
            with connection.begin():
                if is_server(connection):
                    connection.execute(_HASTE)
                    connection.execute(_LIGHT)  # texts of 3 KB are compressed; lz4 takes a fraction of what pglz does
                count += append(connection, table, names, chunk)
    return count


@contextmanager
def _loading(connection: Connection) -> Iterator[None]:
    """Hold the indexes that grow in memory, 256 MB; leave up to 500 MB in SQLite's log before it is put in its place.

    A page of an index that many transactions change is so put in its place once for several of them.
    """
    if is_server(connection):
        yield
        return
    driver: Any = connection.connection.driver_connection  # Any: the driver's own connection type
    before = {name: driver.execute(f"PRAGMA {name}").fetchone()[0] for name in _LOADING}
    _set(driver, _LOADING)
    try:
        yield
    finally:
        _set(driver, before)


def _set(driver: Any, pragmas: dict[str, int]) -> None:  # Any: the driver's own connection type
    for name, value in pragmas.items():
        driver.execute(f"PRAGMA {name}={value}")
