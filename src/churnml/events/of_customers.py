"""Some customers of a store alone, their rows read into memory: what is asked when a few of many have changed."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from churnml.events.held_rows import bucket_of
from churnml.events.point_in_time import Store, whole
from churnml.events.schema import TABLES, Table


def of_customers(store: Store, customer_ids: Collection[str]) -> Store:
    """Return a store of one block that holds the rows of some customers, those of their former contracts included.

    A contract may have come from another customer, or gone to one; they are held too, so that it ends where it ended.
    """
    ids = frozenset(customer_ids)
    if "subscriptions" in store.tables:
        ids |= _sharing_contracts(store, ids)
    held = {name: _Held(TABLES[name], [_rows(store, name, ids)]) for name in store.tables}
    return replace(store, blocks=1, held=held)


class _Held:
    """Rows of one table, read already."""

    def __init__(self, table: Table, pieces: Sequence[pa.Table]) -> None:
        self.table = table
        self.rows = pa.concat_tables(pieces).unify_dictionaries().combine_chunks()

    def __call__(self, need: Sequence[str], dated: bool) -> pa.Table:  # noqa: FBT001  # the shape of `Held`
        names = list(dict.fromkeys((*need, *(["landed_at"] if dated else []))))
        return whole(self.rows, self.table, names)


def _rows(store: Store, name: str, ids: frozenset[str]) -> pa.Table:
    """Read the rows of some customers from every part of a table, each with when it landed."""
    buckets = sorted({bucket_of(one) for one in ids})
    whose = pc.field("bucket").isin(buckets) & pc.field("customer_id").isin(sorted(ids))
    pieces = []
    for part in store.parts:
        if part.table_name == name:
            rows = _read(store.root / part.path, whose, plain_ids=name == "customers")
            landed = pa.array(np.full(len(rows), store.landings[part.batch_id], dtype=np.int64))
            pieces.append(rows.append_column("landed_at", landed))
    return pa.concat_tables(pieces, promote_options="default")  # an earlier version had fewer columns


def _read(path: Path, whose: pc.Expression, *, plain_ids: bool) -> pa.Table:
    schema = pq.read_schema(path)
    texts = [
        one.name for one in schema if pa.types.is_string(one.type) and not (plain_ids and one.name == "customer_id")
    ]
    rows = pq.read_table(path, filters=whose)
    for name in texts:
        place = rows.schema.get_field_index(name)
        rows = rows.set_column(place, name, rows.column(place).dictionary_encode())
    return rows


def _sharing_contracts(store: Store, ids: frozenset[str]) -> frozenset[str]:
    """Return who else ever had a contract of these customers."""
    files = [store.root / part.path for part in store.parts if part.table_name == "subscriptions"]
    whose = [pq.read_table(file, columns=["customer_id", "row_key"]) for file in files]
    rows = pa.concat_tables(whose)
    theirs = rows.filter(pc.is_in(rows.column("customer_id"), value_set=pa.array(sorted(ids), pa.string())))
    shared = rows.filter(pc.is_in(rows.column("row_key"), value_set=theirs.column("row_key").combine_chunks()))
    return frozenset(shared.column("customer_id").to_pylist())
