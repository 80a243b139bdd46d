"""What is known of campaigns beside their money: which run chose and measured each, and how far each is carried out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from churnml.database.tables import assignments, parts, runs


@dataclass(frozen=True)
class Progress:
    """How many assignments of an action in an arm stand so, and what their outcomes cost.

    Parameters
    ----------
    action, arm : str or None
        None for those who refuse to be profiled since.
    state : str
        Of the ledger (docs/ledger.md).
    cost : int
        Millionths of a currency unit.
    """

    action: str | None
    arm: str | None
    state: str
    customers: int
    cost: int


def latest_runs(connection: Connection, verb: str, of: str | None = None) -> dict[str | None, str]:
    """Return the latest finished run of a verb by the campaign that its summary names; None stands for all together.

    Parameters
    ----------
    of : str, optional
        Only runs whose summary says they are of this, such as `effect`.
    """
    campaign = runs.c.summary["campaign"].as_string().label("campaign")
    query = select(runs.c.run_id, campaign).where(runs.c.verb == verb, runs.c.state == "done")
    if of is not None:
        query = query.where(runs.c.summary["of"].as_string() == of)
    found: dict[str | None, str] = {}
    for row in connection.execute(query.order_by(runs.c.finished_at.desc())):
        found.setdefault(row.campaign, row.run_id)
    return found


def progress_of(connection: Connection, campaign: str) -> list[Progress]:
    """Return how far the assignments of a campaign are, by action, arm and state."""
    kinds = (assignments.c.action, assignments.c.arm, assignments.c.state)
    sums = (func.count(), func.sum(assignments.c.cost))
    query = select(*kinds, *sums).where(assignments.c.campaign == campaign).group_by(*kinds)
    return [Progress(row[0], row[1], row[2], int(row[3]), int(row[4] or 0)) for row in connection.execute(query)]


def landed_until(connection: Connection, tables: Sequence[str]) -> int | None:
    """Return the instant of the last row of the first of some tables that has any, microseconds UTC."""
    query = select(parts.c.table_name, func.max(parts.c.last_at)).where(parts.c.table_name.in_(tables))
    found = {row[0]: int(row[1]) for row in connection.execute(query.group_by(parts.c.table_name))}
    return next((found[name] for name in tables if name in found), None)
