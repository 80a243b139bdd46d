"""Who is to be left in peace: customers held out of every campaign, and controls from whom an action is withheld."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection, or_, select

from churnml.database.tables import assignments, records, runs

HELD_OUT = "held_out"
_CHUNK = 500


@dataclass(frozen=True)
class Withheld:
    """An assignment of a control that still runs."""

    assignment_id: str
    customer_id: str
    action: str
    cutoff: int
    state: str


def withheld_of(connection: Connection, customer_ids: Collection[str], at: int) -> dict[str, list[Withheld]]:
    """Return what is withheld at an instant from each customer who is a control, by id.

    Parameters
    ----------
    at : int
        Microseconds UTC; assignments whose time is over do not count.
    """
    whom = sorted(set(customer_ids))
    found: dict[str, list[Withheld]] = {}
    names = ("assignment_id", "customer_id", "action", "cutoff", "state")
    for start in range(0, len(whom), _CHUNK):
        query = select(*(assignments.c[name] for name in names)).where(
            assignments.c.customer_id.in_(whom[start : start + _CHUNK]),
            assignments.c.arm == "control",
            or_(assignments.c.expires_at > at, assignments.c.state == "breach"),
        )
        for row in connection.execute(query.order_by(assignments.c.assignment_id)):
            found.setdefault(row.customer_id, []).append(Withheld(*row))
    return found


def held_out_of(connection: Connection, customer_ids: Collection[str]) -> set[str]:
    """Return who of some customers is held out of every campaign, by the latest run that assigned."""
    query = select(runs.c.run_id).where(runs.c.verb == "assign", runs.c.state == "done")
    run_id = connection.execute(query.order_by(runs.c.finished_at.desc()).limit(1)).scalar()
    whom, found = sorted(set(customer_ids)), set[str]()
    for start in range(0, len(whom), _CHUNK):
        theirs = records.c.customer_id.in_(whom[start : start + _CHUNK])
        query = select(records.c.customer_id, records.c.body).where(records.c.run_id == run_id, theirs)
        rows = connection.execute(query).all()
        found |= {row.customer_id for row in rows if json.loads(row.body).get("no_action_because") == HELD_OUT}
    return found
