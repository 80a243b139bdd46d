"""Calls: each try to reach a customer by telephone, by whom, when, and what came of it.

A case tells of the latest call alone; how a day went, and what a customer was told before, is told by these.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, fields

from sqlalchemy import Connection, delete, func, insert, select

from churnml.database.cases import CallResult
from churnml.database.tables_cases import calls


@dataclass(frozen=True)
class Call:
    """A call that was made.

    Parameters
    ----------
    called_by : str
        As a case and the audit log call them.
    called_at : int
        Microseconds UTC.
    result : str
        One of `cases.CALL_RESULTS`.
    """

    call_id: int
    customer_id: str
    called_by: str
    called_at: int
    result: CallResult


def add_call(connection: Connection, customer_id: str, result: CallResult, who: str, at: int) -> Call:
    """Keep that somebody called a customer, and return the call."""
    row = {"customer_id": customer_id, "called_by": who, "called_at": at, "result": result}
    number = connection.execute(insert(calls).returning(calls.c.call_id), row).scalar_one()
    return Call(number, customer_id, who, at, result)


def calls_to(connection: Connection, customer_id: str, limit: int) -> list[Call]:
    """Return the calls to a customer, the latest first."""
    query = select(*_COLUMNS).where(calls.c.customer_id == customer_id)
    return [Call(*row) for row in connection.execute(query.order_by(calls.c.call_id.desc()).limit(limit))]


def calls_between(connection: Connection, start: int, end: int, who: str | None = None) -> Counter[CallResult]:
    """Return how many calls of each result were made in a time, its end left out, by somebody or by all."""
    made = (calls.c.called_at >= start) & (calls.c.called_at < end)
    query = select(calls.c.result, func.count().label("made")).where(made).group_by(calls.c.result)
    if who is not None:
        query = query.where(calls.c.called_by == who)
    return Counter({row.result: int(row.made) for row in connection.execute(query)})


def forget(connection: Connection, customer_id: str) -> int:
    """Remove the calls to a customer, and return how many there were."""
    return connection.execute(delete(calls).where(calls.c.customer_id == customer_id)).rowcount


_COLUMNS = tuple(calls.c[field.name] for field in fields(Call))
