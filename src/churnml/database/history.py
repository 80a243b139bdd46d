"""What was run, and what campaigns hold: read for those who watch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, func, or_, select

from churnml.database.catalogue import Run
from churnml.database.tables import assignments, campaigns, runs

RunPlace = tuple[int, str]
"""Where in the list of runs one stands: when it began, microseconds UTC, and its id."""


@dataclass(frozen=True)
class CampaignTold:
    """A campaign, its money in millionths of a currency unit, and how many customers are in it.

    Parameters
    ----------
    opened_at : int
        Microseconds UTC.
    arms, states : dict of str to int
        Assignments by arm, and by state of the ledger (docs/ledger.md); who refuses to be profiled has no arm any more.
    """

    name: str
    budget: int
    reserved: int
    spent: int
    opened_at: int
    arms: dict[str, int]
    states: dict[str, int]


def runs_page(
    connection: Connection,
    limit: int,
    after: RunPlace | None = None,
    verbs: Sequence[str] = (),
    states: Sequence[str] = (),
) -> tuple[list[Run], RunPlace | None]:
    """Return up to `limit` runs, the latest begun first, without their summaries, and the place of the last.

    Parameters
    ----------
    after : tuple of (int, str), optional
        The place of the page before.
    verbs, states : sequence of str
        Keep only these; empty keeps all.
    """
    names = [column for column in runs.c if column.name != "summary"]
    wanted: list[ColumnElement[bool]] = [
        runs.c[name].in_(list(among)) for name, among in (("verb", verbs), ("state", states)) if among
    ]
    if after is not None:
        begun, run_id = after
        same = and_(runs.c.started_at == begun, runs.c.run_id > run_id)
        wanted.append(or_(runs.c.started_at < begun, same))
    query = select(*names).where(*wanted).order_by(runs.c.started_at.desc(), runs.c.run_id).limit(limit + 1)
    rows = connection.execute(query).mappings().all()
    found = [Run(**_known(row), summary={}) for row in rows[:limit]]
    return found, (found[-1].started_at, found[-1].run_id) if len(rows) > limit else None


def run_of(connection: Connection, run_id: str) -> Run | None:
    """Return one run with its summary, or None."""
    row = connection.execute(select(runs).where(runs.c.run_id == run_id)).mappings().first()
    return None if row is None else Run(**_known(row), summary=row["summary"])


def campaigns_told(connection: Connection) -> list[CampaignTold]:
    """Return the campaigns, the latest opened first."""
    counts: dict[str, tuple[dict[str, int], dict[str, int]]] = {}
    grouped = select(assignments.c.campaign, assignments.c.arm, assignments.c.state, func.count().label("customers"))
    for row in connection.execute(grouped.group_by(assignments.c.campaign, assignments.c.arm, assignments.c.state)):
        arms, states = counts.setdefault(row.campaign, ({}, {}))
        if row.arm is not None:
            arms[row.arm] = arms.get(row.arm, 0) + row.customers
        states[row.state] = states.get(row.state, 0) + row.customers
    query = select(campaigns).order_by(campaigns.c.opened_at.desc(), campaigns.c.name)
    return [_campaign(row, *counts.get(row["name"], ({}, {}))) for row in connection.execute(query).mappings()]


def _campaign(row: Any, arms: dict[str, int], states: dict[str, int]) -> CampaignTold:  # Any: a row's mapping
    money = {name: row[name] for name in ("budget", "reserved", "spent")}
    return CampaignTold(row["name"], **money, opened_at=row["opened_at"], arms=arms, states=states)


def _known(row: Any) -> dict[str, Any]:  # Any: a row's mapping, and its values
    return {name: row[name] for name in Run.__dataclass_fields__ if name != "summary"}
