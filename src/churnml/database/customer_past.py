"""What was said of one customer before, and what was decided: scores by cutoff, assignments by campaign."""

from __future__ import annotations

import json
from dataclasses import dataclass

from sqlalchemy import Connection, select

from churnml.database.tables import assignments, records, runs


@dataclass(frozen=True)
class Score:
    """A score of one cutoff.

    Parameters
    ----------
    cutoff : str
        ISO 8601.
    churn_probability, value_at_risk : float or None
        None where the run did not score them.
    risk_band : str or None
        As the model of that run draws bands.
    """

    cutoff: str
    churn_probability: float | None
    value_at_risk: float | None
    risk_band: str | None
    model_version: str | None


def scores_of(connection: Connection, customer_id: str, limit: int) -> list[Score]:
    """Return how a customer was scored at each cutoff, the earliest first; of the latest cutoffs up to a limit.

    Several runs of one cutoff count once: the one that was finished last.
    """
    columns = (records.c.body, records.c.churn_probability, records.c.value_at_risk, records.c.risk_band)
    query = (
        select(*columns)
        .join(runs, runs.c.run_id == records.c.run_id)
        .where(records.c.customer_id == customer_id, runs.c.state == "done")
        .order_by(runs.c.finished_at)
    )
    by_cutoff: dict[str, Score] = {}
    for row in connection.execute(query):
        body = json.loads(row.body)
        told = (row.churn_probability, row.value_at_risk, row.risk_band, body.get("model_version"))
        by_cutoff[body["cutoff"]] = Score(body["cutoff"], *told)
    return [by_cutoff[cutoff] for cutoff in sorted(by_cutoff)[-limit:]]


@dataclass(frozen=True)
class Assigned:
    """What a campaign assigned to a customer, and what came of it.

    Parameters
    ----------
    arm : str or None
        `treated` or `control`; None of who refuses to be profiled.
    state : str
        Of the ledger, docs/ledger.md.
    cutoff : int
        Of the scores it was decided by, microseconds UTC.
    """

    campaign: str
    action: str | None
    arm: str | None
    state: str
    cutoff: int


def assigned_to(connection: Connection, customer_id: str, limit: int) -> list[Assigned]:
    """Return what campaigns assigned to a customer, the latest first."""
    names = ("campaign", "action", "arm", "state", "cutoff")
    query = select(*(assignments.c[name] for name in names)).where(assignments.c.customer_id == customer_id)
    query = query.order_by(assignments.c.cutoff.desc(), assignments.c.campaign).limit(limit)
    return [Assigned(*row) for row in connection.execute(query)]
