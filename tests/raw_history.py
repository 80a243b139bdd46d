"""What a company would send of some customers: the landed rows of a workspace, written as JSON again."""

from __future__ import annotations

import json
from collections.abc import Collection
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from churnml.events import TABLES, Store
from churnml.events.clock import moment
from churnml.events.schema import MONEY_SCALE


def raw_history(store: Store, customers: Collection[str]) -> dict[str, list[dict[str, Any]]]:
    """Return every row of some customers by table, as JSON holds it: money with a point, instants with an offset."""
    told: dict[str, list[dict[str, Any]]] = {}
    for part in store.parts:
        rows = pq.read_table(store.root / part.path)
        rows = rows.filter(pc.is_in(rows.column("customer_id"), value_set=pa.array(sorted(customers), pa.string())))
        told.setdefault(part.table_name, []).extend(_written(part.table_name, row) for row in rows.to_pylist())
    return {name: rows for name, rows in told.items() if rows}


def _written(table: str, row: dict[str, Any]) -> dict[str, Any]:
    columns = (column for column in TABLES[table].columns if row.get(column.name) is not None)
    return {column.name: _value(column.kind, row[column.name]) for column in columns}


def _value(kind: str, value: Any) -> Any:
    if kind == "instant":
        return moment(value).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    if kind == "money":
        return str(Decimal(value) / MONEY_SCALE)
    return json.loads(value) if kind == "json" else value
