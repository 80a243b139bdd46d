"""What to do next: a few things that wait, the most pressing first, each with how many there are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Connection, func, select

from churnml.database.lists import Wanted
from churnml.database.tables import records
from churnml.database.tables_cases import cases
from churnml.service.data_health import TableHealth, Watched
from churnml.service.overview.news import Calls, Landed
from churnml.service.overview.saved import Saved
from churnml.service.overview.scores import Scores
from churnml.service.readings import CurrentRun, Readings

Kind = Literal[
    "late_data",
    "train_again",
    "measure_effect",
    "old_list",
    "nobodys",
    "calls_due",
    "rows_refused",
    "look_at_model",
    "measure_kpis",
]
MOST = 3


@dataclass(frozen=True)
class Step:
    """Something that waits.

    Parameters
    ----------
    count : int
        How many tables, campaigns, customers or rows.
    about : list of str
        Their names, where they have some that are ours to tell.
    """

    kind: Kind
    count: int
    about: list[str]


def steps_of(
    tables: Iterable[TableHealth],
    watched: Watched | None,
    saved: Saved,
    scores: Scores,
    nobodys: int,
    calls: Calls,
    landed: Landed,
    *,
    kpis: bool,
) -> list[Step]:
    """Return the three most pressing things that wait.

    What spoils every figure comes first, then what pays, then what can wait.

    Parameters
    ----------
    scores : Scores
        Of which an older list may be what people work from.
    nobodys : int
        Customers at high risk whom nobody looks after.
    kpis : bool
        Whether the figures of the business were measured.
    """
    late = [one.table for one in tables if one.late]
    due = [one.name for one in saved.campaigns if one.to_measure]
    verdict = watched.verdict if watched else "fine"
    found: Sequence[Step] = [
        Step("late_data", len(late), late),
        Step("train_again", int(verdict == "train"), []),
        Step("measure_effect", len(due), due),
        Step("old_list", int(scores.listed is not None), []),
        Step("nobodys", nobodys, []),
        Step("calls_due", calls.due, []),
        Step("rows_refused", landed.refused, []),
        Step("look_at_model", int(verdict == "look"), []),
        Step("measure_kpis", int(not kpis), []),
    ]
    return [one for one in found if one.count][:MOST]


def nobodys(connection: Connection, reader: Readings, run: CurrentRun) -> int:
    """Return how many customers at high risk, who may be approached, nobody looks after.

    How many there are is counted once as long as the records stay; whom somebody looks after are few, and looked up.
    """
    wanted = Wanted(bands=("high",), arms=("treated", "none") if run.summary.get("budget") is not None else ())
    theirs = (records.c.run_id == run.run_id) & (records.c.customer_id == cases.c.customer_id)
    query = select(func.count()).select_from(cases.join(records, theirs))
    query = query.where(cases.c.owner.is_not(None), records.c.risk_band == "high", records.c.value_at_risk.is_not(None))
    if wanted.arms:
        query = query.where(records.c.arm.in_(wanted.arms))
    return max(reader.count_at_risk(run, wanted) - int(connection.execute(query).scalar_one()), 0)
