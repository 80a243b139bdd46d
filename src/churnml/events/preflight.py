"""What a workspace would be good for, before a minute is spent on training: customers, span, what is missing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt

from churnml.database import Part
from churnml.events.checking import Checked
from churnml.events.clock import DAY
from churnml.events.lateness import DAY_BEGUN, MOST_DAYS, usual_days
from churnml.events.reporting import TableReport
from churnml.events.schema import ONE_OF, REQUIRED

Json = dict[str, Any]  # Any: JSON
Instants = npt.NDArray[np.int64]

_APART_DAYS, _STRAY_DAYS, _STRAY_SHARE = 400, 30, 0.001
_TOO_MANY = 0.01


def preflight(
    connection: duckdb.DuckDBPyConnection,
    landed: Mapping[str, Sequence[str]],
    checked: Sequence[Checked],
    parts: Sequence[Part],
    reports: Sequence[TableReport],
) -> Json:
    """Return what stands and what would come on top.

    Parameters
    ----------
    landed : mapping of str to sequence of str
        The Parquet files that count already, by table.
    checked : sequence of Checked
        What was just checked, staged in `connection`.
    parts : sequence of Part
        What counts already.
    reports : sequence of TableReport
        What was just checked.

    Returns
    -------
    dict
        `rows` by table, `first_at` and `last_at` of what tells of churn (orders, else subscriptions) in microseconds
        UTC, `span_days`, `missing_tables`: those without which nothing goes, `lateness_days`: how late news of orders
        usually are, and `cautions`: in words, what makes the history less than it looks.
    """
    rows: dict[str, int] = {}
    for name, count in [*((p.table_name, p.rows) for p in parts), *((r.table, r.landed) for r in reports)]:
        rows[name] = rows.get(name, 0) + count
    main = next((name for name in ONE_OF if rows.get(name)), None)
    missing = [name for name in REQUIRED if not rows.get(name)]
    tables = {name: _all(name, landed, checked) for name in ("customers", *ONE_OF) if rows.get(name)}
    begins, ends, cautions = (None, None, list[str]()) if main is None else _history(connection, main, tables[main])
    if {"customers", "orders"} <= set(tables):
        cautions += _after_their_orders(connection, tables)
    return {
        "rows": {name: count for name, count in rows.items() if count},
        "first_at": begins,
        "last_at": ends,
        "span_days": None if begins is None or ends is None else (ends - begins) // DAY + 1,
        "missing_tables": missing + ([" or ".join(ONE_OF)] if main is None else []),
        "lateness_days": _lateness_days(connection, tables["orders"]) if "orders" in tables else 0,
        "cautions": cautions,
    }


def _all(name: str, landed: Mapping[str, Sequence[str]], checked: Sequence[Checked]) -> str:
    """Return SQL for the customers and clocks of every row of a table that stands or would land."""
    columns = "SELECT customer_id, occurred_at, ingested_at FROM"
    files = ", ".join("'" + file.replace("'", "''") + "'" for file in landed.get(name, []))
    pieces = [f"{columns} read_parquet([{files}])"] if files else []
    pieces += [
        f"{columns} (SELECT {one.selected()} FROM {one.name} WHERE broken = 0)"
        for one in checked
        if one.table.name == name
    ]
    return f"({' UNION ALL '.join(pieces)})"


def _history(connection: duckdb.DuckDBPyConnection, name: str, table: str) -> tuple[int | None, int | None, list[str]]:
    """Return the first and the last instant of what counts as history, and in words what does not."""
    days = connection.execute(f"""
        SELECT min(occurred_at), max(occurred_at), count(*), late
        FROM (SELECT occurred_at, ingested_at - occurred_at > {MOST_DAYS * DAY} AS late FROM {table})
        GROUP BY late, occurred_at // {DAY} ORDER BY 1
    """).fetchall()
    known, total = [day[:3] for day in days if not day[3]], sum(day[2] for day in days)
    late, cautions = total - sum(day[2] for day in known), []
    if late > _TOO_MANY * total:
        cautions.append(
            f"{late:,} of {total:,} rows of `{name}` were learned more than {MOST_DAYS} days after they happened and "
            "are no history: no cutoff before that sees them; land history with --backfill"
        )
    if not known:
        return None, None, cautions
    first, last, rows = (np.array(one, dtype=np.int64) for one in zip(*known, strict=True))
    kept = _densest(first, last, rows)
    if apart := int(rows.sum() - rows[kept].sum()):
        cautions.append(
            f"{apart:,} of {rows.sum():,} rows of `{name}` lie far in time from all others and are no history: "
            "correct their dates"
        )
    return int(first[kept][0]), int(last[kept][-1]), cautions


def _densest(first: Instants, last: Instants, rows: Instants) -> slice:
    """Return the days that make up the history: one placeholder of 1900 does not make it a century long.

    Of parts that lie more than 400 days apart (a shop of one season a year has gaps of nearly a year) the one of most
    rows counts; and of that not the ends that hold less than a thousandth of its rows and lie more than 30 days off.
    """
    gaps = first[1:] - last[:-1]
    edges = [0, *(np.flatnonzero(gaps > _APART_DAYS * DAY) + 1).tolist(), len(rows)]
    spans = list(pairwise(edges))
    begin, end = max(spans, key=lambda span: int(rows[span[0] : span[1]].sum()))
    before = np.cumsum(rows[begin:end])
    off, stray = gaps[begin : end - 1] > _STRAY_DAYS * DAY, _STRAY_SHARE * before[-1]
    heads = np.flatnonzero(off & (before[:-1] <= stray))
    tails = np.flatnonzero(off & (before[-1] - before[:-1] <= stray))
    return slice(begin + (int(heads[-1]) + 1 if len(heads) else 0), begin + int(tails[0]) + 1 if len(tails) else end)


def _lateness_days(connection: duckdb.DuckDBPyConnection, orders: str) -> int:
    """Return what `usual_lateness_days` will say once these rows have landed: labels wait for so long."""
    counted = connection.execute(f"""
        SELECT {DAY_BEGUN}, count(*), min(delay), max(delay)
        FROM (SELECT ingested_at - occurred_at AS delay FROM {orders}) WHERE delay > 0 GROUP BY 1
    """).fetchall()
    return usual_days(counted)


def _after_their_orders(connection: duckdb.DuckDBPyConnection, tables: Mapping[str, str]) -> list[str]:
    """Say if many customers came, by what `customers` says, more than a day after they first ordered."""
    # one grouping by customer, which DuckDB takes to disk where it must: a join held all orders in memory
    ((customers, after),) = connection.execute(f"""
        SELECT count(*), count(*) FILTER (first_order < since) FROM (
            SELECT min(came) - {DAY} AS since, min(ordered) AS first_order FROM (
                SELECT customer_id, occurred_at AS came, NULL::BIGINT AS ordered FROM {tables["customers"]}
                UNION ALL SELECT customer_id, NULL, occurred_at FROM {tables["orders"]}
            ) GROUP BY customer_id HAVING count(came) > 0
        )
    """).fetchall()
    words = (
        f"{after:,} of {customers:,} customers come after their first order and count as customers only from then on: "
        "say in `occurred_at` of `customers` when they first came"
    )
    return [words] if after > _TOO_MANY * customers else []
