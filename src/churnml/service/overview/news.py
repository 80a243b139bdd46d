"""What has come to pass since: what landed, which models moved, what the watch says, and how the calls went."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from churnml.database import Catalogue
from churnml.database.arrivals import Arrivals
from churnml.database.calls import calls_between
from churnml.database.cases import CALL_RESULTS, CallResult, held_by_anyone
from churnml.database.landings import counted_since, last_batches
from churnml.service.readings import instant_told

MOST_LANDINGS = 500
"""Whose rows are counted; those before them are counted as landings alone."""
_WEEK = 7


@dataclass(frozen=True)
class Landed:
    """What landed since the scores before.

    Parameters
    ----------
    since : str
        ISO 8601.
    rows, set_aside : int
        Of the latest landings, 500 at most: rows that landed, and rows that broke a rule.
    waiting, refused : int
        Of what came in by the API: rows that wait, and rows set aside in the last 30 days.
    """

    since: str
    landings: int
    rows: int
    set_aside: int
    waiting: int
    refused: int


@dataclass(frozen=True)
class ModelMoved:
    """That another model became the one in service."""

    model_version: str
    back: bool
    why: str
    moved_at: str


@dataclass(frozen=True)
class Calls:
    """How calling went: calls by result, and how many customers somebody looks after and is to call by today."""

    day: str
    yesterday: dict[str, int]
    week: dict[str, int]
    claimed: int
    due: int


def landed_since(connection: Connection, arrivals: Arrivals, since: int) -> Landed:
    """Return what landed from an instant on, microseconds UTC."""
    batches, standing = last_batches(connection, MOST_LANDINGS, since), arrivals.standing(most=0)
    tables = [table for one in batches for table in one.report.get("tables", [])]
    return Landed(
        since=instant_told(since),
        landings=counted_since(connection, since),
        rows=sum(int(table["landed"]) for table in tables),
        set_aside=sum(int(table["quarantined"]) for table in tables),
        waiting=standing.waiting,
        refused=standing.refused,
    )


def models_moved(catalogue: Catalogue, since: int) -> list[ModelMoved]:
    """Return which models became the one in service from an instant on, the latest first; not the very first."""
    moves = catalogue.moves("champion")
    later: Sequence[ModelMoved] = [
        ModelMoved(one.bundle, one.back, one.why, instant_told(one.moved_at))
        for one in moves[1:]
        if one.moved_at >= since
    ]
    return list(reversed(later))


def calls_of(connection: Connection, time_zone: str, now: int) -> Calls:
    """Return how calling went yesterday, and in the seven days that end today, by the days of a zone.

    Parameters
    ----------
    now : int
        Microseconds UTC.
    """
    zone = ZoneInfo(time_zone)
    today = datetime.fromtimestamp(now / 1e6, zone).date()

    def starts(days_ago: int) -> int:
        day = today - timedelta(days=days_ago)
        return int(datetime(day.year, day.month, day.day, tzinfo=zone).timestamp()) * 1_000_000

    yesterday = calls_between(connection, starts(1), starts(0))
    week = calls_between(connection, starts(_WEEK - 1), now + 1)
    held = held_by_anyone(connection, today)
    return Calls(today.isoformat(), _by_result(yesterday), _by_result(week), held.claimed, held.due)


def _by_result(made: Mapping[CallResult, int]) -> dict[str, int]:
    return {result: made[result] for result in CALL_RESULTS if made.get(result)}
