"""Rows that have arrived: kept before they are acknowledged, then landed, and marked so."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Connection, Engine, delete, func, insert, select, update

from churnml.database.tables_arrivals import arrivals, replaced

State = Literal["waiting", "landed", "refused"]
KEPT_DAYS = 30
"""For so long one can ask what became of a row."""
_DAY = 86_400_000_000


@dataclass(frozen=True)
class Arrival:
    """One row that waits.

    Parameters
    ----------
    arrival_id : int
        In order of arrival.
    table : str
        Of the contract.
    row : dict
        As it was posted.
    arrived_at : int
        Microseconds UTC.
    """

    arrival_id: int
    table: str
    row: dict[str, Any]  # Any: JSON
    arrived_at: int


@dataclass(frozen=True)
class Standing:
    """How it stands with what has arrived.

    Parameters
    ----------
    waiting, refused : int
        Rows that wait to be landed, and those that were set aside in the days that are kept.
    oldest_at : int or None
        When the first of those that wait arrived, microseconds UTC.
    reasons : list of (str, dict, int)
        Of what was set aside last: the table, its problem, and how many rows have it; the most frequent first.
    """

    waiting: int
    refused: int
    oldest_at: int | None
    reasons: list[tuple[str, dict[str, str], int]]


@dataclass(frozen=True)
class Settled:
    """What became of one row of a batch; `problem` has column, rule and remedy of one that was set aside."""

    place: int
    table: str
    state: State
    problem: dict[str, str] | None


def keep(
    connection: Connection,
    batch: str,
    table: str,
    rows: Iterable[tuple[int, str, Mapping[str, object]]],
    brought_by: str,
    now: int,
) -> None:
    """Keep rows until they are landed; they are there for good once the transaction is committed.

    Parameters
    ----------
    batch : str
        What is posted together.
    rows : mapping of int to mapping
        By their place in the request.
    customers : sequence of str
        Whose each is, in the same order.
    brought_by : str
        Whoever posted them, as the audit log calls them.
    now : int
        Microseconds UTC. Each row counts as learned a microsecond after the one before it, so that of two versions of
        one thing the later in the request is the newer.
    """
    kept = [
        {
            "batch": batch,
            "place": place,
            "table_name": table,
            "customer_id": customer,
            "body": json.dumps(row, separators=(",", ":")),
            "state": "waiting",
            "brought_by": brought_by,
            "arrived_at": now + place,
        }
        for place, customer, row in rows
    ]
    if kept:
        connection.execute(insert(arrivals), kept)


def forget_arrivals(connection: Connection, customer_ids: Iterable[str]) -> int:
    """Remove what has arrived of some customers, and what runs said of them before their records were made anew.

    It returns how many rows went.
    """
    return sum(
        connection.execute(delete(table).where(table.c.customer_id == customer)).rowcount
        for customer in customer_ids
        for table in (arrivals, replaced)
    )


class Arrivals:
    """The arrivals of a workspace; each method is one transaction.

    Parameters
    ----------
    engine : sqlalchemy.Engine
        From `open_engine`.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def waiting(self, most: int) -> list[Arrival]:
        """Return the rows that wait, the first to arrive first."""
        query = select(arrivals).where(arrivals.c.state == "waiting").order_by(arrivals.c.arrival_id).limit(most)
        with self.engine.connect() as connection:
            found = connection.execute(query).all()
        return [Arrival(row.arrival_id, row.table_name, json.loads(row.body), row.arrived_at) for row in found]

    def count_waiting(self) -> int:
        """Return how many rows wait."""
        query = select(func.count()).select_from(arrivals).where(arrivals.c.state == "waiting")
        with self.engine.connect() as connection:
            return int(connection.execute(query).scalar_one())

    def standing(self, most: int = 1_000) -> Standing:
        """Return how many rows wait and were set aside, and why the last of the latter were.

        Parameters
        ----------
        most : int
            So many of those that were set aside are looked at.
        """
        by_state = select(func.count(), func.min(arrivals.c.arrived_at))
        aside = select(arrivals.c.table_name, arrivals.c.problem).where(arrivals.c.state == "refused")
        with self.engine.connect() as connection:
            waiting, oldest = connection.execute(by_state.where(arrivals.c.state == "waiting")).one()
            refused = connection.execute(select(func.count()).where(arrivals.c.state == "refused")).scalar_one()
            last = connection.execute(aside.order_by(arrivals.c.arrival_id.desc()).limit(most)).all()
        counts = Counter((row.table_name, tuple(sorted((row.problem or {}).items()))) for row in last)
        reasons = [(table, dict(problem), count) for (table, problem), count in counts.most_common()]
        return Standing(int(waiting), int(refused), oldest, reasons)

    def settle(
        self, landed: Collection[int], refused: Mapping[int, Mapping[str, str]], landing: int | None, now: int
    ) -> None:
        """Mark rows as landed or set aside, and let go of what they said: it stands elsewhere now.

        Parameters
        ----------
        landing : int or None
            The batch that brought them; None where nothing was new.
        """
        with self.engine.begin() as connection:
            for some in _portions(sorted(landed)):
                told = update(arrivals).values(state="landed", body=None, settled_at=now, landing=landing)
                connection.execute(told.where(arrivals.c.arrival_id.in_(some)))
            for number, problem in refused.items():
                told = update(arrivals).values(state="refused", body=None, settled_at=now, problem=dict(problem))
                connection.execute(told.where(arrivals.c.arrival_id == number))

    def landings(self) -> frozenset[int]:
        """Return the batches that landed what arrived in the last 30 days."""
        query = select(arrivals.c.landing).where(arrivals.c.landing.is_not(None)).distinct()
        with self.engine.connect() as connection:
            return frozenset(connection.execute(query).scalars())

    def of_batch(self, batch: str) -> list[Settled]:
        """Return what became of each row that was kept of a batch, in their order; nothing if there is none such."""
        columns = (arrivals.c.place, arrivals.c.table_name, arrivals.c.state, arrivals.c.problem)
        query = select(*columns).where(arrivals.c.batch == batch).order_by(arrivals.c.place, arrivals.c.arrival_id)
        with self.engine.connect() as connection:
            return [Settled(*row) for row in connection.execute(query)]

    def purge(self, now: int) -> int:
        """Remove what was settled more than 30 days ago, and return how many rows went."""
        old = (arrivals.c.state != "waiting") & (arrivals.c.settled_at < now - KEPT_DAYS * _DAY)
        with self.engine.begin() as connection:
            return connection.execute(delete(arrivals).where(old)).rowcount


def _portions(numbers: Sequence[int], size: int = 500) -> list[Sequence[int]]:
    return [numbers[start : start + size] for start in range(0, len(numbers), size)]
