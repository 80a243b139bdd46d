"""The scores of one cutoff after the other: what is at risk now, and what was before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection

from churnml.database.history import RunSaid, runs_said
from churnml.service.readings import CurrentRun, instant_told

Json = dict[str, Any]  # Any: JSON
Before = Literal["run_before", "week", "month"]
MOST_RUNS = 400
"""That are looked back at: a year of nights."""
_FIELDS = ("cutoff", "value_at_risk", "bands", "population", "currency", "time_zone", "turnover", "horizon_days")
_ABOUT: tuple[tuple[Before, int, int, int], ...] = (("week", 7, 4, 10), ("month", 28, 20, 42))
"""How many days back is wanted, and from how few to how many will do."""


@dataclass(frozen=True)
class Scored:
    """What the scores of a cutoff came to.

    Parameters
    ----------
    cutoff, finished_at : str
        ISO 8601.
    population, high, medium : int
        Customers: scored, at high and at medium risk.
    value_at_risk : float
        Money.
    """

    run_id: str
    cutoff: str
    finished_at: str
    model_version: str | None
    population: int
    value_at_risk: float
    high: int
    medium: int


@dataclass(frozen=True)
class Since:
    """What the scores came to some time before, and how much more it is now."""

    since: Before
    cutoff: str
    value_at_risk: float
    value_change: float
    high: int
    high_change: int
    other_model: bool
    """whether another model scored then, so that some of the change may come of that"""


@dataclass(frozen=True)
class Scores:
    """The latest scores and those before them.

    Parameters
    ----------
    since : list of Since
        Against the cutoff before, and against those of about a week and of about a month before, where there are any.
    turnover : dict or None
        What became of the band of high risk since the cutoff before, as `churnml score` tells it.
    history : list of Scored
        By cutoff, the earliest first; of one that was scored several times, the last.
    listed : str or None
        The cutoff of the list that people work from, where it is an older one.
    """

    now: Scored
    currency: str
    time_zone: str
    since: list[Since]
    turnover: Json | None
    history: list[Scored]
    listed: str | None


def scores_of(connection: Connection, served: CurrentRun) -> Scores:
    """Return the latest scores and those before them.

    Parameters
    ----------
    served : CurrentRun
        The run whose list people work from; where nothing but it tells of scores, it stands for them.
    """
    found = runs_said(connection, "score", _FIELDS, MOST_RUNS) or [
        RunSaid(
            served.run_id,
            served.model_version,
            served.finished_at,
            {name: served.summary.get(name) for name in _FIELDS},
        )
    ]
    by_cutoff = {_moment(one.said["cutoff"]): one for one in reversed(found)}
    every = [by_cutoff[cutoff] for cutoff in sorted(by_cutoff)]
    # to leave within 60 days is likelier than within 30: only scores that look as far ahead are compared
    kept = [one for one in every if one.said["horizon_days"] == every[-1].said["horizon_days"]]
    history = [_scored(one) for one in kept]
    now, said = history[-1], kept[-1].said
    return Scores(
        now=now,
        currency=str(said["currency"] or "USD"),
        time_zone=served.time_zone,
        since=_since(now, history[:-1]),
        turnover=said["turnover"],
        history=history,
        listed=_older(str(served.summary["cutoff"]), now.cutoff),
    )


def _since(now: Scored, earlier: Sequence[Scored]) -> list[Since]:
    """Return the comparisons that there are; no two of them with the same cutoff."""
    chosen: dict[Before, Scored] = {"run_before": earlier[-1]} if earlier else {}
    for name, days, fewest, most in _ABOUT:
        near = [one for one in earlier if fewest <= _days(one, now) <= most and one not in chosen.values()]
        if near:
            chosen[name] = min(near, key=lambda one: abs(_days(one, now) - days))
    return [_compared(name, one, now) for name, one in chosen.items()]


def _compared(name: Before, was: Scored, now: Scored) -> Since:
    return Since(
        since=name,
        cutoff=was.cutoff,
        value_at_risk=was.value_at_risk,
        value_change=now.value_at_risk - was.value_at_risk,
        high=was.high,
        high_change=now.high - was.high,
        other_model=was.model_version != now.model_version,
    )


def _scored(one: RunSaid) -> Scored:
    bands = one.said["bands"] or {}
    return Scored(
        run_id=one.run_id,
        cutoff=str(one.said["cutoff"]),
        finished_at=instant_told(one.finished_at),
        model_version=one.bundle,
        population=int(one.said["population"] or 0),
        value_at_risk=float(one.said["value_at_risk"] or 0.0),
        high=int(bands.get("high", 0)),
        medium=int(bands.get("medium", 0)),
    )


def _older(listed: str, latest: str) -> str | None:
    return listed if _moment(listed) < _moment(latest) else None


def _days(one: Scored, now: Scored) -> float:
    return (_moment(now.cutoff) - _moment(one.cutoff)).total_seconds() / 86_400


def _moment(told: str) -> datetime:
    return datetime.fromisoformat(told)
