"""What was run, what it said of itself, and what campaigns hold: read for those who watch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, select

from churnml.database.catalogue import Run
from churnml.database.latest import Place, latest_page
from churnml.database.tables import assignments, campaigns, runs


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
    after: Place | None = None,
    verbs: Sequence[str] = (),
    states: Sequence[str] = (),
) -> tuple[list[Run], Place | None]:
    """Return up to `limit` runs, the latest begun first, without their summaries, and the place of the last.

    Parameters
    ----------
    after : tuple of (int, str), optional
        The place of the page before.
    verbs, states : sequence of str
        Keep only these; empty keeps all.
    """
    columns = [column for column in runs.c if column.name != "summary"]
    among = {runs.c.verb: verbs, runs.c.state: states}
    found, last = latest_page(connection, columns, (runs.c.started_at, runs.c.run_id), limit, after, among)
    return [Run(**_known(row), summary={}) for row in found], last


def run_of(connection: Connection, run_id: str) -> Run | None:
    """Return one run with its summary, or None."""
    row = connection.execute(select(runs).where(runs.c.run_id == run_id)).mappings().first()
    return None if row is None else Run(**_known(row), summary=row["summary"])


@dataclass(frozen=True)
class RunSaid:
    """Some of what a finished run says of itself."""

    run_id: str
    bundle: str | None
    finished_at: int
    said: dict[str, Any]  # Any: JSON


def runs_said(connection: Connection, verb: str, names: Sequence[str], most: int) -> list[RunSaid]:
    """Return some fields of the summaries of the latest finished runs of a verb, the latest first.

    Parameters
    ----------
    names : sequence of str
        The fields; of a run that lacks one, it is None.
    most : int
        So many runs at most.
    """
    told = [runs.c.summary[name].label(f"said_{place}") for place, name in enumerate(names)]
    query = select(runs.c.run_id, runs.c.bundle, runs.c.finished_at, *told)
    query = query.where(runs.c.verb == verb, runs.c.state == "done").order_by(runs.c.finished_at.desc()).limit(most)
    return [
        RunSaid(run_id, bundle, finished_at or 0, dict(zip(names, values, strict=True)))
        for run_id, bundle, finished_at, *values in connection.execute(query)
    ]


@dataclass(frozen=True)
class Money:
    """The money of a campaign, millionths of a currency unit."""

    name: str
    budget: int
    reserved: int
    spent: int


def campaign_money(connection: Connection) -> list[Money]:
    """Return the money of each campaign, the latest opened first; nobody is counted for it."""
    columns = (campaigns.c[name] for name in ("name", "budget", "reserved", "spent"))
    query = select(*columns).order_by(campaigns.c.opened_at.desc(), campaigns.c.name)
    return [Money(*row) for row in connection.execute(query)]


def last_run_of(connection: Connection, verb: str, bundle: str) -> Run | None:
    """Return the run of a verb that was finished last with a model, with its summary, or None."""
    query = select(runs).where(runs.c.verb == verb, runs.c.bundle == bundle, runs.c.state == "done")
    row = connection.execute(query.order_by(runs.c.finished_at.desc()).limit(1)).mappings().first()
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
