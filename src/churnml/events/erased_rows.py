"""Rows of customers who were erased do not land: not as rows, not in quarantine, not in a report; they are counted."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterator

import duckdb
import pyarrow as pa

Among = Callable[[Collection[str]], frozenset[str]]
"""Which of some ids belong to customers who were erased."""
_APART = re.compile(r"[\s,;|\"'<>(){}\[\]]+")


def nobody(_ids: Collection[str]) -> frozenset[str]:
    """Return that none of some customers was erased."""
    return frozenset()


def drop_erased(connection: duckdb.DuckDBPyConnection, table: str, columns: Collection[str], among: Among) -> int:
    """Remove staged rows of customers who were erased, and return how many.

    A row that is to be set aside is theirs as well where any value of it, or any word of a record that is no row, is
    their id: it may stand in another column, or with blanks around it.
    """
    gone = 0
    if "customer_id" in columns:
        asked = connection.execute(f"SELECT DISTINCT trim(customer_id) FROM {table} WHERE customer_id IS NOT NULL")
        erased = among(frozenset(one for (one,) in asked.fetchall()))
        gone += _delete(connection, table, "trim(customer_id)", sorted(erased), pa.string())
    marked = connection.execute(f"SELECT rowid, said FROM {table} WHERE said IS NOT NULL AND broken > 0").fetchall()
    words = {place: frozenset(words_of(said)) for place, said in marked}
    erased = among(frozenset().union(*words.values())) if words else frozenset()
    theirs = [place for place, said in words.items() if said & erased]
    return gone + _delete(connection, table, "rowid", theirs, pa.int64())


def words_of(told: str) -> Iterator[str]:
    """Yield what may be an id in a row that is kept as JSON: each text of it, and each word of those."""
    for text in _texts(json.loads(told)):
        yield text.strip()
        yield from _APART.split(text)


def _texts(value: object) -> Iterator[str]:
    match value:
        case dict():
            for each in value.values():
                yield from _texts(each)
        case list():
            for each in value:
                yield from _texts(each)
        case str() | int():
            yield str(value)


def _delete(
    connection: duckdb.DuckDBPyConnection, table: str, column: str, values: Collection[object], kind: pa.DataType
) -> int:
    if not values:
        return 0
    connection.register("whose", pa.table({"one": pa.array(list(values), kind)}))
    before = connection.execute(f"SELECT count(*) FROM {table}").fetchall()[0][0]
    connection.execute(f"DELETE FROM {table} WHERE {column} IN (SELECT one FROM whose)")
    left = connection.execute(f"SELECT count(*) FROM {table}").fetchall()[0][0]
    connection.unregister("whose")
    return int(before - left)
