"""What to do next: a few things that wait, the most pressing first, each with how many there are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Connection

from churnml.database import lists
from churnml.database.lists import APPROACHED, Wanted
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

    How many there are was counted where the run was written, and of an earlier version's run is counted once; whom
    somebody looks after is counted from their cases.
    """
    assigned = run.summary.get("budget") is not None
    open_to = run.summary.get("high_open") if assigned else run.summary.get("bands", {}).get("high", 0)
    if open_to is None:
        open_to = reader.count_at_risk(run, Wanted(bands=("high",), arms=APPROACHED))
    held = lists.held_by_standing(connection, run.run_id)
    arms = APPROACHED if assigned else {arm for _, arm in held}
    return max(int(open_to) - sum(count for (band, arm), count in held.items() if band == "high" and arm in arms), 0)
