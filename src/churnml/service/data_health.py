"""How it stands with the data: how fresh each table is, what landed lately, what waits, and what the watch says.

Everything is read from what landings and `churnml monitor` left behind; nothing is computed anew.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import Connection, Engine

from churnml.database import Catalogue, Workspace
from churnml.database.arrivals import Arrivals
from churnml.database.landings import Batch, Freshness, batch_of, freshness, last_batches
from churnml.errors import NotFoundError
from churnml.events import quarantine
from churnml.events.clock import DAY
from churnml.service.readings import Landing, instant_told

Json = dict[str, Any]  # Any: JSON
SHOWN_LANDINGS = 30
_GAPS, _FEWEST_GAPS = 20, 4
_ARRIVED = "arrivals"
"""The origin of what came in by the API."""


@dataclass(frozen=True)
class TableHealth:
    """How fresh a table is.

    Parameters
    ----------
    last_event_at, last_landing_at : str
        ISO 8601, UTC.
    age_days : int
        Since the day on which rows of it landed last, by UTC.
    usual_days : int or None
        The most days between two with a landing lately; None where there were too few to say.
    late : bool
        Whether it has been without one for longer.
    """

    table: str
    rows: int
    last_event_at: str
    last_landing_at: str
    age_days: int
    usual_days: int | None
    late: bool


@dataclass(frozen=True)
class LandingTold:
    """What became of one landing; rows over all its sources."""

    batch_id: int
    landed_at: str
    tables: list[str]
    by_api: bool
    read: int
    landed: int
    known: int
    set_aside: int
    warned: int
    rows_kept: bool
    """whether the file with what was set aside or warned about is still there"""


@dataclass(frozen=True)
class Reason:
    """Why rows that came in by the API were set aside, and how many."""

    table: str
    column: str
    rule: str
    remedy: str
    rows: int


@dataclass(frozen=True)
class Waiting:
    """How it stands with what came in by the API; of what was set aside, the last 30 days."""

    waiting: int
    oldest_at: str | None
    refused: int
    reasons: list[Reason]


@dataclass(frozen=True)
class Watched:
    """What `churnml monitor` said last."""

    verdict: Literal["fine", "look", "train"]
    reasons: list[str]
    model_version: str | None
    watched_at: str
    up_to: str
    """the day of the data at which it looked"""


@dataclass(frozen=True)
class DataHealth:
    """All of it."""

    tables: list[TableHealth]
    landings: list[LandingTold]
    arrivals: Waiting
    watched: Watched | None


def data_health(engine: Engine, workspace: Workspace, now: int) -> DataHealth:
    """Return how it stands with the data of a workspace.

    Parameters
    ----------
    now : int
        Microseconds UTC.
    """
    with engine.connect() as connection:
        batches = last_batches(connection, SHOWN_LANDINGS)
        tables = table_health(connection, now)
    return DataHealth(
        tables=tables,
        landings=[_landing(workspace, one) for one in batches],
        arrivals=waiting(Arrivals(engine)),
        watched=watched(Catalogue(engine)),
    )


def table_health(connection: Connection, now: int) -> list[TableHealth]:
    r"""Return how fresh each table is.

    A table is late once it has been without a landing for more days than between any of the last :math:`n + 1` days
    with one, :math:`n \le 20`. Were these gaps exchangeable, that would happen by chance with probability
    :math:`1 / (n + 1)` at most.

    Parameters
    ----------
    now : int
        Microseconds UTC.

    References
    ----------
    Vovk, V., Gammerman, A. & Shafer, G. (2005). Algorithmic Learning in a Random World, section 2.2: the rank of the
    last of n + 1 exchangeable values is uniform.
    """
    return [_table(one, now) for one in freshness(connection)]


def waiting(arrivals: Arrivals) -> Waiting:
    """Return how it stands with what came in by the API."""
    found = arrivals.standing()
    reasons = [_reason(*one) for one in found.reasons]
    oldest = None if found.oldest_at is None else instant_told(found.oldest_at)
    return Waiting(found.waiting, oldest, found.refused, reasons)


def _reason(table: str, problem: Mapping[str, str], rows: int) -> Reason:
    column, rule, remedy = (problem.get(name, "") for name in ("column", "rule", "remedy"))
    return Reason(table, column, rule, remedy, rows)


def watched(catalogue: Catalogue) -> Watched | None:
    """Return what `churnml monitor` said last, or None before the first time."""
    run = catalogue.last_run("monitor")
    if run is None:
        return None
    said = run.summary
    at = instant_told(run.finished_at or 0)
    return Watched(said["verdict"], list(said["reasons"]), said.get("model_version"), at, said["now"])


def landing_of(engine: Engine, batch_id: int) -> Landing:
    """Return the report of one landing.

    Raises
    ------
    NotFoundError
        If there was none of that number.
    """
    with engine.connect() as connection:
        found = batch_of(connection, batch_id)
    if found is None:
        raise NotFoundError(f"there was no landing no. {batch_id}; /v1/data/health lists the latest")
    return Landing(found.report | {"batch_id": batch_id}, found.landed_at)


def rows_of(engine: Engine, workspace: Workspace, batch_id: int) -> Path:
    """Return the file with every row of a landing that was set aside or warned about.

    Raises
    ------
    NotFoundError
        If there was no such landing, or no such row, or the file is gone, as it is after a while.
    """
    landing_of(engine, batch_id)
    file = quarantine.file_of(workspace, batch_id)
    if not file.is_file():
        raise NotFoundError(
            f"landing no. {batch_id} has no file of rows set aside: there were none, or they are older than "
            f"{quarantine.KEPT_DAYS} days"
        )
    return file


def _table(one: Freshness, now: int) -> TableHealth:
    gaps = [later - earlier for later, earlier in pairwise(one.landed_on)][:_GAPS]
    usual, age = max(gaps) if len(gaps) >= _FEWEST_GAPS else None, max(now // DAY - one.landed_at // DAY, 0)
    return TableHealth(
        table=one.table,
        rows=one.rows,
        last_event_at=instant_told(one.last_at),
        last_landing_at=instant_told(one.landed_at),
        age_days=age,
        usual_days=usual,
        late=usual is not None and age > usual,
    )


def _landing(workspace: Workspace, one: Batch) -> LandingTold:
    tables: Sequence[Json] = one.report.get("tables", [])
    counts = {name: sum(int(of.get(name, 0)) for of in tables) for name in ("read", "landed", "skipped", "quarantined")}
    findings = [finding for of in tables for finding in of.get("findings", [])]
    return LandingTold(
        batch_id=one.batch_id,
        landed_at=instant_told(one.landed_at),
        tables=list(dict.fromkeys(of["table"] for of in tables)),
        by_api=bool(tables) and all(of.get("origin") == _ARRIVED for of in tables),
        read=counts["read"],
        landed=counts["landed"],
        known=counts["skipped"],
        set_aside=counts["quarantined"],
        warned=sum(int(of["count"]) for of in findings if of["kind"] == "warning"),
        rows_kept=bool(findings) and quarantine.file_of(workspace, one.batch_id).is_file(),
    )
