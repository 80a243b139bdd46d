"""What the service reads: the current run, its records, and where in the list a reader stands."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import Connection, Engine, func, select

from churnml.database import Catalogue, Records, Workspace, lists
from churnml.database.cases import Case, cases_of
from churnml.database.comparison import Compared, compared_with
from churnml.database.history import run_of
from churnml.database.lists import ListPage, Place, Wanted
from churnml.database.tables import records
from churnml.errors import DependencyError, NotFoundError
from churnml.measures.names import MEASURES
from churnml.measures.paths import Stay, read_path
from churnml.service import cursors
from churnml.service.cursors import Cursor, asked_for
from churnml.wording import Text

Band = Literal["high", "medium", "low"]
BANDS: tuple[Band, ...] = ("high", "medium", "low")
Record = dict[str, Any]  # Any: a record is JSON; `api/shapes.py` says what stands in it
NO_RUN = "there are no decision records yet; run `churnml demo`, or `churnml ingest`, `churnml train`, `churnml score`"
NOT_MEASURED = "{name} was not measured yet; run `churnml measure {name}`, or `churnml report` for all measures"
NO_EFFECT = "no effect was measured yet; run `churnml measure effect` once windows of assignments have closed"
NO_DATA = "nothing has landed yet; run `churnml demo`, or `churnml ingest` with your own tables"
_EXPORT_PAGE = 2_000
_EFFECT = "effect"  # what `churnml measure effect` marks its runs by
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class CurrentRun:
    """The finished run whose records are served."""

    run_id: str
    model_version: str | None
    finished_at: int
    summary: dict[str, Any]  # Any: the summary is JSON, shaped by the verb
    compared: Compared | None = None
    """the run before, of whose churn probabilities those of this one are told as a change"""

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
        return None if self.landed_at is None else instant_told(self.landed_at)


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
        self._counted = lru_cache(maxsize=1_000)(self._count)

    def find_run(self) -> CurrentRun | None:
        """Return the run whose records are served, or None before the first."""
        current = self._records.current_run()
        if current is None:
            return None
        with self._engine.connect() as connection:
            run = run_of(connection, current)  # by its id: a newer one may be done by now
            compared = compared_with(connection, current)
        return None if run is None else CurrentRun(run.run_id, run.bundle, run.finished_at or 0, run.summary, compared)

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

    def champion(self) -> str | None:
        """Return the model in service, or None before the first."""
        return self._catalogue.alias("champion")

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
        return None if run is None else Measured(run.run_id, instant_told(run.finished_at or 0), run.summary)

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

    def effect(self, campaign: str | None = None) -> Measured:
        """Return what `churnml measure effect` found last of a campaign, or of all together.

        Raises
        ------
        NotFoundError
            If it was measured, but not of this.
        DependencyError
            If it was not measured yet.
        """
        done = [run for run in self._catalogue.runs("measure") if run.summary.get("of") == _EFFECT]
        for run in done:
            if run.summary.get("campaign") == campaign:
                return Measured(run.run_id, instant_told(run.finished_at or 0), run.summary)
        if not done:
            raise DependencyError(NO_EFFECT)
        measured = ", ".join(dict.fromkeys(run.summary.get("campaign") or "all together" for run in done))
        asked = f"campaign `{campaign}`" if campaign else "all campaigns together"
        raise NotFoundError(f"no effect of {asked} was measured; measured were: {measured}")

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
        return with_path(found, read_path(self._workspace, self._catalogue, customer_id) or ())

    def find(self, customer_id: str) -> Record | None:
        """Return the record of one customer, or None where the current run has none."""
        return self._records.get([customer_id]).get(customer_id)

    def records_of(self, customer_ids: Sequence[str]) -> dict[str, Record]:
        """Return the record of each of some customers whom the current run has, by id."""
        return self._records.get(customer_ids) if customer_ids else {}

    def refusing(self, customer_ids: Sequence[str]) -> frozenset[str]:
        """Return who of some customers refuses to be profiled."""
        return frozenset(one for one in customer_ids if self._catalogue.refuses(one))

    def customers(self, customer_ids: Sequence[str]) -> tuple[list[Record], list[str]]:
        """Return the records found and the ids not found, each once, in the order asked for."""
        self.run()
        wanted = list(dict.fromkeys(customer_ids))
        found = self._records.get(wanted)
        return [found[one] for one in wanted if one in found], [one for one in wanted if one not in found]

    def at_risk(self, run: CurrentRun, wanted: Wanted, limit: int, cursor: str | None = None) -> Slice:
        """Return the part of the list that follows `cursor`.

        Raises
        ------
        UsageError
            If the cursor is not one of ours, belongs to an earlier run, or was given out for another list.
        """
        asked = asked_for("at-risk", wanted)
        since = None if cursor is None else cursors.read(cursor, run.run_id, asked)
        with self._engine.connect() as connection:
            total = self._total(connection, run, wanted, wanted.seen_by) if since is None else since.total
            page = lists.list_page(connection, run.run_id, wanted, limit, since.place if since else None)
            found = _with_cases(connection, page.records)
        return _slice(run, asked, since, found, page.following, total)

    def count_at_risk(self, run: CurrentRun, wanted: Wanted) -> int:
        """Return how many customers the list holds."""
        with self._engine.connect() as connection:
            return self._total(connection, run, wanted, wanted.seen_by)

    def _total(self, connection: Connection, run: CurrentRun, wanted: Wanted | None, seen_by: str | None = None) -> int:
        """Return the length of a list; what does not depend on cases is counted once as long as the records stay."""
        if wanted is not None and wanted.asks_of_cases:
            return lists.count(connection, run.run_id, wanted)
        everybody = None if wanted is None else replace(wanted, sort="value_at_risk", ascending=False, seen_by=None)
        total = self._counted(run.run_id, lists.changes(connection, run.run_id), everybody)
        return total if seen_by is None else total - lists.count_of_others(connection, run.run_id, everybody, seen_by)

    def _count(self, run_id: str, _changes: int, wanted: Wanted | None) -> int:
        with self._engine.connect() as connection:
            if wanted is None:
                return lists.count_prospects(connection, run_id)
            return lists.count(connection, run_id, wanted)

    def whole_list(self, run: CurrentRun, wanted: Wanted) -> Iterator[Record]:
        """Give the whole list record by record, reading it in pages so that memory stays small."""

        def read(connection: Connection, after: Place | None) -> ListPage:
            page = lists.list_page(connection, run.run_id, wanted, _EXPORT_PAGE, after)
            return replace(page, records=_with_cases(connection, page.records))

        return self._whole(read)

    def _whole(self, read: Callable[[Connection, Place | None], ListPage]) -> Iterator[Record]:
        """Give every record of a list, page after page."""
        after: Place | None = None
        while True:
            with self._engine.connect() as connection:  # let go between pages: a reader may be slow
                page = read(connection, after)
            yield from page.records
            after = page.following
            if after is None:
                return

    def prospects(self, run: CurrentRun, limit: int, cursor: str | None = None, seen_by: str | None = None) -> Slice:
        """Return the part of the prospects that follows `cursor`, the likeliest to become customers first.

        With `seen_by`, of those alone whose case this person holds, or nobody.

        Raises
        ------
        UsageError
            As `at_risk`.
        """
        asked = asked_for("prospects", seen_by)
        since = None if cursor is None else cursors.read(cursor, run.run_id, asked)
        with self._engine.connect() as connection:
            total = self._total(connection, run, None, seen_by) if since is None else since.total
            page = lists.prospects_page(connection, run.run_id, limit, since.place if since else None, seen_by)
        return _slice(run, asked, since, page.records, page.following, total)

    def all_prospects(self, run: CurrentRun, seen_by: str | None = None) -> Iterator[Record]:
        """Give the prospects record by record, reading them in pages so that memory stays small."""
        run_id, most = run.run_id, _EXPORT_PAGE
        return self._whole(lambda connection, after: lists.prospects_page(connection, run_id, most, after, seen_by))

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


def with_path(record: Record, stays: Sequence[Stay]) -> Record:
    """Return a record as it is told alone: with the customer's path through the stages."""
    return record | {"lifecycle_path": [asdict(stay) for stay in stays]}


def instant_told(instant: int) -> str:
    """Return microseconds UTC as ISO 8601."""
    return (_EPOCH + timedelta(microseconds=instant)).isoformat()


def _text(label: dict[str, str] | None, fallback: str) -> Text:
    return Text(label["en"], label["zh"]) if label else Text(fallback, fallback)


def _with_cases(connection: Connection, found: list[Record]) -> list[Record]:
    """Return records with what a team does about each customer beside them; null where there is no case."""
    standing = cases_of(connection, [one["customer_id"] for one in found])
    return [one | {"case": _case(standing.get(one["customer_id"]))} for one in found]


def _case(one: Case | None) -> Record | None:
    if one is None:
        return None
    days = {name: str(day) if (day := getattr(one, name)) else None for name in ("follow_up_on", "snoozed_until")}
    return {"status": one.status, "owner": one.owner, **days, "version": one.version}


def _slice(
    run: CurrentRun, asked: str, since: Cursor | None, found: list[Record], following: Place | None, total: int
) -> Slice:
    """Return what was found as a page that leads to the next."""
    before = since.before if since else 0
    cursor = Cursor(following, before + len(found), total) if following else None
    return Slice(found, before, total, cursors.write(run.run_id, asked, cursor) if cursor else None)
