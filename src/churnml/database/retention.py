"""Letting go of what is old: the records of runs that nobody is served by any more, a few thousand at a time."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, and_, delete, exists, func, select, text, update

from churnml.database.dialect import is_server, take_turn
from churnml.database.records import changed
from churnml.database.tables import assignments, records, runs

VACUUMED = "vacuumed_at"
"""The field of a run's summary that says when its records went."""
_CHUNK = 5_000


def droppable(engine: Engine, run_id: str) -> tuple[int, int]:
    """Return how many records of a run may go, and how many bytes they hold: those that no assignment rests on."""
    query = select(func.count(), func.coalesce(func.sum(func.length(records.c.body)), 0)).where(_goes(run_id))
    with engine.connect() as connection:
        count, size = connection.execute(query).one()
    return int(count), int(size)


def drop(engine: Engine, run_id: str, now: int) -> int:
    """Remove the records of a run that may go, and return how many went; its summary stays, and says when.

    A few thousand a transaction, so that nobody waits long; what is stopped on the way is done again by the next.
    """
    with engine.begin() as connection:
        take_turn(connection)
        summary: dict[str, Any] = connection.execute(select(runs.c.summary).where(runs.c.run_id == run_id)).scalar_one()
        connection.execute(update(runs).where(runs.c.run_id == run_id).values(summary=summary | {VACUUMED: now}))
        changed(connection, [run_id])
    gone = 0
    while True:
        few = select(records.c.customer_id).where(_goes(run_id)).order_by(records.c.customer_id).limit(_CHUNK)
        with engine.begin() as connection:
            theirs = and_(records.c.run_id == run_id, records.c.customer_id.in_(few))
            dropped = connection.execute(delete(records).where(theirs)).rowcount
        gone += dropped
        if not dropped:
            return gone


def compact(engine: Engine) -> None:
    """Give the disk back what was let go of; whoever reads goes on reading.

    SQLite writes the file anew, 5 s for a million records; PostgreSQL marks the room as free and counts its rows anew.
    """
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if is_server(connection):
            connection.execute(text("VACUUM (ANALYZE)"))
        else:
            connection.execute(text("VACUUM"))
            connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))  # as far as nobody reads it


def size_of(connection: Connection) -> int:
    """Return the bytes that the database takes on its disk, its log left out."""
    if is_server(connection):
        return int(connection.execute(text("SELECT pg_database_size(current_database())")).scalar_one())
    pages, page = (connection.execute(text(f"PRAGMA {name}")).scalar_one() for name in ("page_count", "page_size"))
    return int(pages) * int(page)


def _goes(run_id: str) -> ColumnElement[bool]:
    """Return which records of a run may go: an effect is told by those of whom something was assigned."""
    rests = exists().where(assignments.c.run_id == records.c.run_id, assignments.c.customer_id == records.c.customer_id)
    return and_(records.c.run_id == run_id, ~rests)
