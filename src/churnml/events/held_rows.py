"""Rows in memory, behind the same wall as those that have landed: a store of what one request tells.

Nothing of it is kept. `history` reads it as it reads files, so that a customer in a request and the same customer in
the workspace have the same facts, to the last bit.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from churnml.database import Part
from churnml.events.landing import BUCKETS
from churnml.events.point_in_time import Store
from churnml.events.row_values import Value
from churnml.events.schema import TABLES, Column, Table

Typed = Mapping[str, Value]

_ALWAYS = 2**62
"""When a refusal was said whose date cannot be read: it holds."""
_KINDS: dict[str, pa.DataType] = {"number": pa.float64(), "boolean": pa.bool_()}
_TEXTS = pa.dictionary(pa.int32(), pa.string())


def held_store(
    rows: Mapping[str, Sequence[Typed]],
    tables: Iterable[str],
    time_zone: str,
    learned_at: int,
    refusing: frozenset[str] = frozenset(),
) -> Store:
    """Return a store of rows that hold the contract.

    Parameters
    ----------
    rows : mapping of str to sequence of mapping
        Typed rows by table, from `check_row`.
    tables : iterable of str
        The tables that count as landed, with rows or without: features need them to be there.
    time_zone : str
        The workspace's.
    learned_at : int
        Microseconds UTC: when rows were learned that leave open when they came to know a fact without a date.
    refusing : frozenset of str
        Customers who refuse to be profiled.
    """
    names = sorted({*tables, *(name for name, some in rows.items() if some)})
    held = {name: _Rows(TABLES[name], rows.get(name, ()), learned_at) for name in names}
    parts = tuple(one.part for one in held.values())
    return Store(Path(), parts, time_zone, 1, refusing, {0: learned_at}, dict[str, Callable[..., pa.Table]](held))


def refusing_profiling(consents: Sequence[Typed]) -> frozenset[str]:
    """Return who refuses to be profiled, by typed rows of `consents`: the latest word counts, and of two a refusal."""
    last: dict[str, tuple[int, bool]] = {}
    for row in consents:
        if row["purpose"] == "profiling":
            said = (int(row.get("occurred_at", _ALWAYS)), not row["granted"])
            last[str(row["customer_id"])] = max(said, last.get(str(row["customer_id"]), said))
    return frozenset(customer for customer, (_, refuses) in last.items() if refuses)


class _Rows:
    """The rows of one table, made into columns as they are asked for, each once: several ask for the same."""

    def __init__(self, table: Table, rows: Sequence[Typed], landed_at: int) -> None:
        self.table = table
        self._landed_at = landed_at
        self._held: dict[str, pa.Array] = {}
        self.rows = sorted(rows, key=lambda row: _place(table, row)) if len(rows) > 1 else rows
        at = [int(row["occurred_at"]) for row in rows]
        late = [max(int(row.get("ingested_at", then)) - then, 0) for row, then in zip(rows, at, strict=True)]
        self.part = Part(0, table.name, "", len(rows), min(at, default=0), max(at, default=0), max(late, default=0), "")

    def __call__(self, need: Sequence[str], dated: bool) -> pa.Table:  # noqa: FBT001  # the shape of `Held`
        names = list(dict.fromkeys(need))
        columns = [self._held[name] if name in self._held else self._kept(name) for name in names]
        if dated:
            names.append("landed_at")
            columns.append(pa.array(np.full(len(self.rows), self._landed_at)))
        return pa.Table.from_arrays(columns, names)

    def _kept(self, name: str) -> pa.Array:
        self._held[name] = column = self._column(name)
        return column

    def _column(self, name: str) -> pa.Array:
        if name == "bucket":
            return pa.array([bucket_of(str(row["customer_id"])) for row in self.rows], pa.int32())
        if name == "row_key":
            return pa.array([_key(self.table, row) for row in self.rows], pa.int64())
        if name == "ingested_at":
            return pa.array([row.get(name, row["occurred_at"]) for row in self.rows], pa.int64())
        values = [row.get(name) for row in self.rows]
        column = self.table.column(name)
        if column.kind in {"text", "json"}:
            plain = name == "customer_id" and self.table.name == "customers"
            return pa.array(values, pa.string() if plain else _TEXTS)
        return pa.array(values, _KINDS.get(column.kind, pa.int64()))


def _place(table: Table, row: Typed) -> tuple[int, str, int, int]:
    """Return where a row stands among those of its table, as on disk: by bucket, customer, time and key."""
    customer = str(row["customer_id"])
    return bucket_of(customer), customer, int(row["occurred_at"]), _key(table, row)


@lru_cache(maxsize=4_096)
def bucket_of(customer_id: str) -> int:
    """Return the bucket of a customer, as `landing` deals them."""
    return _hashed(customer_id) % BUCKETS


def _hashed(text: str) -> int:
    """Return what DuckDB calls `md5_number_lower` of a text."""
    return int.from_bytes(hashlib.md5(text.encode(), usedforsecurity=False).digest()[8:], "little")


def _key(table: Table, row: Typed) -> int:
    """Return the row's key as a landing hashes it."""
    return _hashed("\x1f".join(_written(row.get(name)) for name in table.key)) >> 1


def _written(value: Value | None) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def repeated(table: Table, rows: Sequence[Typed]) -> tuple[list[Typed], tuple[int, str] | None]:
    """Return rows without those that say nothing new, and the first that contradicts another: its place, and in what.

    Two rows under one key are one thing told twice. They may differ in a later fact that one of them leaves empty, and
    where a table has versions, in everything if they were learned at different times; else they contradict each other.
    """
    seen: dict[tuple[Any, ...], list[Typed]] = {}  # Any: values of a key
    kept = list[Typed]()
    later = {name for dated in table.later.values() for name in dated}
    for place, row in enumerate(rows):
        key = _identity(table, row)
        before = seen.setdefault(key, [])
        differing = next((name for one in before if (name := _contradicted(table, one, row))), None)
        if differing is not None:
            return kept, (place, differing)
        if any(row == one for one in before) or (before and not _tells_more(before, row, later)):
            continue
        before.append(row)
        kept.append(row)
    return kept, None


def _identity(table: Table, row: Typed) -> tuple[Any, ...]:  # Any: as above
    names = (*table.key, "occurred_at", "ingested_at") if table.versioned else table.key
    return tuple(row.get(name) for name in names)


def _contradicted(table: Table, before: Typed, row: Typed) -> str | None:
    both = (column for column in table.columns if column.name in before and column.name in row)
    return next((one.name for one in both if _must_agree(one) and before[one.name] != row[one.name]), None)


def _must_agree(column: Column) -> bool:
    return column.name != "ingested_at" and not column.may_change


def _tells_more(before: Sequence[Typed], row: Typed, later: set[str]) -> bool:
    return any(name in row and all(name not in one for one in before) for name in later)


__all__ = ["bucket_of", "held_store", "repeated"]
