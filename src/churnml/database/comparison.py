"""A run beside the one before it: how likely each customer was to leave when they were scored last.

It is kept beside a record and not in it: what a record says depends on what was known at its cutoff alone, so that it
can be made again bit for bit.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, select

from churnml.database.tables import records, runs

_CHUNK = 20_000


@dataclass(frozen=True)
class Compared:
    """The run with which another is compared, and its cutoff, ISO 8601."""

    run_id: str
    cutoff: str


def run_before(connection: Connection, cutoff: str, horizon_days: int) -> str | None:
    """Return the run of the latest cutoff before another; None where there is none to compare with.

    Of several of one cutoff it is the one that was finished last. One that looks ahead as many days counts alone, since
    the chance to leave within 60 days is no lower than within 30; and one whose records have been let go does not.

    Parameters
    ----------
    cutoff : str
        ISO 8601.
    horizon_days : int
    """
    told = (runs.c.summary["cutoff"].as_string().label("cutoff"), runs.c.summary["horizon_days"].as_integer())
    query = select(runs.c.run_id, *told).where(runs.c.verb.in_(("score", "assign")), runs.c.state == "done")
    found = [
        (_instant(of), run_id)
        for run_id, of, ahead in connection.execute(query.order_by(runs.c.finished_at))
        if of is not None and ahead == horizon_days and _instant(of) < _instant(cutoff)
    ]
    latest_last = sorted(found, key=lambda one: one[0])  # of one cutoff, in the order in which they were finished
    return next((run_id for _, run_id in reversed(latest_last) if _scored_anyone(connection, run_id)), None)


def probabilities_of(connection: Connection, run_id: str) -> dict[str, float]:
    """Return the churn probability of everyone whom a run scored, by customer; an index alone answers it."""
    scored = select(records.c.customer_id, records.c.churn_probability)
    scored = scored.where(records.c.run_id == run_id, records.c.churn_probability.is_not(None))
    found = connection.execution_options(yield_per=_CHUNK).execute(scored)
    return {customer_id: chance for customer_id, chance in found}  # noqa: C416  # by name each row costs twice that


def compared_with(connection: Connection, run_id: str) -> Compared | None:
    """Return with which run one was compared when it was written; None for the first, and for those of before 0022."""
    earlier = runs.alias()
    query = select(earlier.c.run_id, earlier.c.summary["cutoff"].as_string().label("cutoff"))
    query = query.join(runs, runs.c.compared_with == earlier.c.run_id).where(runs.c.run_id == run_id)
    row = connection.execute(query).first()
    return None if row is None else Compared(row.run_id, row.cutoff)


def _scored_anyone(connection: Connection, run_id: str) -> bool:
    scored = records.c.churn_probability.is_not(None)
    return (
        connection.execute(select(records.c.run_id).where(records.c.run_id == run_id, scored).limit(1)).first()
        is not None
    )


def _instant(told: str) -> float:
    moment = datetime.fromisoformat(told)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
