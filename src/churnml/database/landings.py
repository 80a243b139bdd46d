"""What landed lately and when: the reports of the last batches, and how fresh each table is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, select

from churnml.database.tables import batches, parts

Json = dict[str, Any]  # Any: JSON; `events/reporting.py` shapes a report
_DAY = 86_400_000_000


@dataclass(frozen=True)
class Batch:
    """A landing: when it was done, microseconds UTC, and its report."""

    batch_id: int
    landed_at: int
    report: Json


@dataclass(frozen=True)
class Freshness:
    """How far a table reaches.

    Parameters
    ----------
    rows : int
        That count.
    last_at : int
        The latest `occurred_at`, microseconds UTC.
    landed_at : int
        When rows of it landed last, microseconds UTC.
    landed_on : list of int
        The days on which rows of it landed, counted from 1970-01-01 UTC, the latest first. Of what came in by the API
        some are missing, for its parts are merged.
    """

    table: str
    rows: int
    last_at: int
    landed_at: int
    landed_on: list[int]


def last_batches(connection: Connection, most: int, since: int | None = None) -> list[Batch]:
    """Return the latest landings, the latest first.

    Parameters
    ----------
    since : int, optional
        Only those that landed at this instant or later, microseconds UTC.
    """
    query = select(batches).order_by(batches.c.batch_id.desc()).limit(most)
    if since is not None:
        query = query.where(batches.c.landed_at >= since)
    return [Batch(row.batch_id, row.landed_at, row.report) for row in connection.execute(query)]


def batch_of(connection: Connection, batch_id: int) -> Batch | None:
    """Return one landing, or None."""
    row = connection.execute(select(batches).where(batches.c.batch_id == batch_id)).first()
    return None if row is None else Batch(row.batch_id, row.landed_at, row.report)


def freshness(connection: Connection) -> list[Freshness]:
    """Return how far each table reaches that has landed, by its name."""
    totals = func.sum(parts.c.rows), func.max(parts.c.last_at), func.max(batches.c.landed_at)
    landed = parts.join(batches, batches.c.batch_id == parts.c.batch_id)
    query = select(parts.c.table_name, *totals).select_from(landed).group_by(parts.c.table_name)
    day = (batches.c.landed_at // _DAY).label("day")
    each_day = select(parts.c.table_name, day).select_from(landed).distinct().order_by(day.desc())
    days: dict[str, list[int]] = {}
    for table, on in connection.execute(each_day):
        days.setdefault(table, []).append(int(on))
    found = connection.execute(query.order_by(parts.c.table_name))
    return [Freshness(table, int(rows), last, landed_at, days[table]) for table, rows, last, landed_at in found]


def counted_since(connection: Connection, since: int) -> int:
    """Return how many landings there were from an instant on, microseconds UTC."""
    return int(connection.execute(select(func.count()).where(batches.c.landed_at >= since)).scalar_one())
