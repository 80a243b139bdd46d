"""What the service reads: the current run, its records, and where in the list a reader stands."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import Engine, func, select

from churnml.database import Catalogue, Records, Workspace
from churnml.database.records import Page
from churnml.database.tables import records
from churnml.errors import DependencyError, NotFoundError, UsageError
from churnml.measures.names import MEASURES
from churnml.measures.paths import read_path
from churnml.wording import Text

Band = Literal["high", "medium", "low"]
BANDS: tuple[Band, ...] = ("high", "medium", "low")
Place = tuple[float, str]
"""Where in a list a record stands: by what it is sorted, and whose it is."""
Record = dict[str, Any]  # Any: a record is JSON; `api/shapes.py` says what stands in it
NO_RUN = "there are no decision records yet; run `churnml demo`, or `churnml ingest`, `churnml train`, `churnml score`"
NOT_MEASURED = "{name} was not measured yet; run `churnml measure {name}`, or `churnml report` for all measures"
NO_DATA = "nothing has landed yet; run `churnml demo`, or `churnml ingest` with your own tables"
_EXPORT_PAGE = 2_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Filters:
    """Which part of the at-risk list is wanted; an empty field wants all."""

    bands: tuple[str, ...] = ()
    actions: tuple[str, ...] = ()
    stages: tuple[str, ...] = ()
    segments: tuple[str, ...] = ()

    @property
    def each(self) -> tuple[tuple[str, ...], ...]:
        """What is kept, in the order in which records are asked for it."""
        return self.bands, self.actions, self.stages, self.segments


@dataclass(frozen=True)
class CurrentRun:
    """The finished run whose records are served."""

    run_id: str
    model_version: str | None
    finished_at: int
    summary: dict[str, Any]  # Any: the summary is JSON, shaped by the verb

    @property
    def time_zone(self) -> str:
        """The zone in which days are told; UTC where the run does not say."""
        name = str(self.summary.get("time_zone") or "UTC")
        try:
            return ZoneInfo(name).key
        except (ZoneInfoNotFoundError, ValueError):
            return "UTC"


@dataclass(frozen=True)
class Landing:
    """The latest landing: its report, and when it was done, microseconds UTC."""

    report: dict[str, Any]  # Any: the report is JSON; `events/reporting.py` shapes it
    landed_at: int | None

    @property
    def landed_on(self) -> str | None:
        """When it was done, as ISO 8601 in UTC."""
        return None if self.landed_at is None else _day_and_time(self.landed_at)


@dataclass(frozen=True)
class Measured:
    """What was measured last of one side of the customer base."""

    run_id: str
    measured_at: str
    """when it was done, as ISO 8601 in UTC"""
    body: dict[str, Any]  # Any: the body is JSON, as `churnml measure NAME --json` prints it


@dataclass(frozen=True)
class Slice:
    """A page of the at-risk list: its records, how many came before them, how many there are, and what follows."""

    records: list[Record]
    before: int
    total: int
    next_cursor: str | None


class Readings:
    """Answers the questions of API and pages from the database.

    Parameters
    ----------
    engine : sqlalchemy.Engine
        From `open_engine`.
    workspace : Workspace
        Where measures keep the paths of customers.
    """

    def __init__(self, engine: Engine, workspace: Workspace) -> None:
        self._engine = engine
        self._workspace = workspace
        self._records = Records(engine)
        self._catalogue = Catalogue(engine)
        self._actions_of = lru_cache(maxsize=4)(self._read_actions)

    def find_run(self) -> CurrentRun | None:
        """Return the run whose records are served, or None before the first."""
        current = self._records.current_run()
        for verb in ("assign", "score"):
            run = self._catalogue.last_run(verb)
            if run is not None and run.run_id == current:
                return CurrentRun(run.run_id, run.bundle, run.finished_at or 0, run.summary)
        return None

    def run(self) -> CurrentRun:
        """Return the run whose records are served.

        Raises
        ------
        DependencyError
            If no run has finished yet.
        """
        found = self.find_run()
        if found is None:
            raise DependencyError(NO_RUN)
        return found

    def find_landing(self) -> Landing | None:
        """Return the latest landing, or None before the first."""
        report = self._catalogue.report()
        if report is None:
            return None
        times = self._catalogue.landed_at()
        batch_id = report.get("batch_id", max(times, default=1))  # reports of earlier versions do not name it
        return Landing(report | {"batch_id": batch_id}, times.get(batch_id))

    def landing(self) -> Landing:
        """Return the latest landing.

        Raises
        ------
        NotFoundError
            If nothing has landed yet.
        """
        found = self.find_landing()
        if found is None:
            raise NotFoundError(NO_DATA)
        return found

    def measured_names(self) -> list[str]:
        """Return which sides of the customer base were measured, in the order of `MEASURES`."""
        found = self._catalogue.finished(MEASURES)
        return [name for name in MEASURES if name in found]

    def find_measured(self, name: str) -> Measured | None:
        """Return what was measured last under a name of `MEASURES`, or None before the first time."""
        run = self._catalogue.last_run(name)
        return None if run is None else Measured(run.run_id, _day_and_time(run.finished_at or 0), run.summary)

    def measured(self, name: str) -> Measured:
        """Return what was measured last under a name of `MEASURES`.

        Raises
        ------
        DependencyError
            If it was not measured yet.
        """
        found = self.find_measured(name)
        if found is None:
            raise DependencyError(NOT_MEASURED.format(name=name))
        return found

    def customer(self, customer_id: str) -> Record:
        """Return the record of one customer, with their path through the stages.

        Raises
        ------
        NotFoundError
            If the current run has no such customer.
        DependencyError
            If no run has finished yet.
        """
        found = self._records.get([customer_id]).get(customer_id)
        if found is None:
            cutoff = self.run().summary.get("cutoff", "an unknown time")
            raise NotFoundError(f"no customer `{customer_id}` in the records as of {cutoff}; ids are compared as text")
        stays = read_path(self._workspace, self._catalogue, customer_id) or ()
        return found | {"lifecycle_path": [asdict(stay) for stay in stays]}

    def refusing(self, customer_ids: Sequence[str]) -> frozenset[str]:
        """Return who of some customers refuses to be profiled."""
        return frozenset(one for one in customer_ids if self._catalogue.refuses(one))

    def customers(self, customer_ids: Sequence[str]) -> tuple[list[Record], list[str]]:
        """Return the records found and the ids not found, each once, in the order asked for."""
        self.run()
        wanted = list(dict.fromkeys(customer_ids))
        found = self._records.get(wanted)
        return [found[one] for one in wanted if one in found], [one for one in wanted if one not in found]

    def at_risk(self, run: CurrentRun, filters: Filters, limit: int, cursor: str | None = None) -> Slice:
        """Return the part of the list that follows `cursor`, greatest value at risk first.

        Raises
        ------
        UsageError
            If the cursor is not one of ours, or belongs to an earlier run.
        """
        return _slice(run, cursor, lambda after: self._records.page(limit, after, *filters.each))

    def whole_list(self, run: CurrentRun, filters: Filters) -> Iterator[Record]:
        """Give the whole list record by record, reading it in pages so that memory stays small."""
        return _whole(run, lambda after: self._records.page(_EXPORT_PAGE, after, *filters.each))

    def prospects(self, run: CurrentRun, limit: int, cursor: str | None = None) -> Slice:
        """Return the part of the prospects that follows `cursor`, the likeliest to become customers first.

        Raises
        ------
        UsageError
            As `at_risk`.
        """
        return _slice(run, cursor, lambda after: self._records.prospects(limit, after))

    def all_prospects(self, run: CurrentRun) -> Iterator[Record]:
        """Give the prospects record by record, reading them in pages so that memory stays small."""
        return _whole(run, lambda after: self._records.prospects(_EXPORT_PAGE, after))

    def actions(self, run: CurrentRun) -> dict[str, Text]:
        """Return the actions that the run suggests to anyone, with their names, by key."""
        return self._actions_of(run.run_id)

    def _read_actions(self, run_id: str) -> dict[str, Text]:
        query = (
            select(func.min(records.c.body))
            .where(records.c.run_id == run_id, records.c.action.is_not(None))
            .group_by(records.c.action)
            .order_by(records.c.action)
        )
        with self._engine.connect() as connection:
            bodies = [json.loads(body) for body in connection.execute(query).scalars()]
        return {body["action"]: _text(body.get("action_label"), body["action"]) for body in bodies}


def _day_and_time(instant: int) -> str:
    return (_EPOCH + timedelta(microseconds=instant)).isoformat()


def _text(label: dict[str, str] | None, fallback: str) -> Text:
    return Text(label["en"], label["zh"]) if label else Text(fallback, fallback)


def _slice(run: CurrentRun, cursor: str | None, read: Callable[[Place | None], Page]) -> Slice:
    """Return the page that follows a cursor; the first where there is none."""
    after, before = (None, 0) if cursor is None else _read_cursor(cursor, run.run_id)
    page = read(after)
    _same_run(page.records, run)
    following = page.next_cursor and _write_cursor(run.run_id, page.next_cursor, before + len(page.records))
    return Slice(page.records, before, page.total, following)


def _whole(run: CurrentRun, read: Callable[[Place | None], Page]) -> Iterator[Record]:
    """Give every record of a list, page after page."""
    page = read(None)
    while True:
        _same_run(page.records, run)
        yield from page.records
        if page.next_cursor is None:
            return
        page = read(page.next_cursor)


def _same_run(found: list[Record], run: CurrentRun) -> None:
    if found and found[0]["run_id"] != run.run_id:
        raise DependencyError("a newer run appeared while the list was being read; ask again from the start")


def _write_cursor(run_id: str, after: Place, position: int) -> str:
    return base64.urlsafe_b64encode(json.dumps([run_id, *after, position]).encode()).decode().rstrip("=")


def _read_cursor(cursor: str, run_id: str) -> tuple[Place, int]:
    try:
        of_run, value, customer, before = _unpack(cursor)
    except (ValueError, TypeError, RecursionError) as error:
        raise UsageError("`cursor` is not one that this list gave out; leave it out to start from the top") from error
    if of_run != run_id:
        raise UsageError("`cursor` belongs to an earlier run; leave it out to start from the top of the new list")
    return (value, customer), before


def _unpack(cursor: str) -> tuple[str, float, str, int]:
    padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
    match json.loads(base64.b64decode(padded, altchars=b"-_", validate=True)):
        case [str(run_id), float(value), str(customer), int(before)] if math.isfinite(value) and 0 <= before < 2**53:
            customer.encode()  # half a surrogate pair is no text
            return run_id, value, customer, before
    raise ValueError(cursor)
