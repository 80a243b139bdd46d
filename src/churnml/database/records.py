"""Decision records at rest: written by a run, invisible until the run is done, then read by id or page by page."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, and_, bindparam, delete, func, insert, or_, select, update

from churnml.database.tables import records, runs

Record = Mapping[str, Any]  # Any: a record is JSON; `scoring/records.py` says what stands in it
_INDEXED = (
    "customer_id",
    "churn_probability",
    "value_at_risk",
    "conversion_probability",
    "risk_band",
    "lifecycle_stage",
    "segment",
    "action",
    "clv",
    "expected_net_value",
    "arm",
    "no_action_because",
)
_DERIVED = ("last_order_at", "reason_group")
_CHUNK = 5_000
_EPOCH, _MICROSECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(microseconds=1)


@dataclass(frozen=True)
class Page:
    """One page of a list, and the cursor of the next (None on the last)."""

    records: list[dict[str, Any]]
    next_cursor: tuple[float, str] | None
    total: int


class Records:
    """The decision records, run by run, and those of the run that is served.

    Parameters
    ----------
    engine : sqlalchemy.Engine
        From `open_engine`.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def write(self, run_id: str, bodies: Iterable[Record]) -> int:
        """Store the records of a run that is still running, and return how many there were.

        A few thousand a transaction, and none open while the next are made: a landing need not wait for a million
        records. Nobody sees them before the run is done.
        """
        with self.engine.begin() as connection:
            connection.execute(delete(records).where(records.c.run_id == run_id))
        count, rows = 0, (_row(run_id, body) for body in bodies)
        while chunk := list(islice(rows, _CHUNK)):
            with self.engine.begin() as connection:
                connection.execute(insert(records), chunk)
            count += len(chunk)
        return count

    def current_run(self) -> str | None:
        """Return the id of the run that is served: the latest assignment, or before the first one the latest scores.

        New scores alone do not displace a list that people work from, nor the marks of who is held out.
        """
        query = select(runs.c.run_id).where(runs.c.verb.in_(("score", "assign")), runs.c.state == "done")
        query = query.order_by(runs.c.verb)  # `assign` stands before `score`
        with self.engine.connect() as connection:
            return connection.execute(query.order_by(runs.c.finished_at.desc()).limit(1)).scalar()

    def get(self, customer_ids: Sequence[str]) -> dict[str, dict[str, Any]]:
        """Return the current record of each customer who has one, by id."""
        run_id = self.current_run()
        query = select(records.c.customer_id, records.c.body).where(
            records.c.run_id == run_id, records.c.customer_id.in_(list(customer_ids))
        )
        with self.engine.connect() as connection:
            return {row.customer_id: json.loads(row.body) for row in connection.execute(query)}

    def of_run(self, run_id: str) -> list[dict[str, Any]]:  # Any: JSON
        """Return every record of one run, ordered by customer."""
        query = select(records.c.body).where(records.c.run_id == run_id).order_by(records.c.customer_id)
        with self.engine.connect() as connection:
            return [json.loads(body) for body in connection.execute(query).scalars()]

    def fields(self, run_id: str, names: Sequence[str]) -> list[tuple[Any, ...]]:  # Any: JSON
        """Return some fields of every record of one run: the customer, and each field that is a word or a number."""
        asked = (func.json_extract(records.c.body, f"$.{name}") for name in names)
        query = select(records.c.customer_id, *asked).where(records.c.run_id == run_id)
        with self.engine.connect() as connection:
            return [tuple(row) for row in connection.execute(query)]

    def page(
        self,
        limit: int,
        after: tuple[float, str] | None = None,
        bands: Sequence[str] = (),
        actions: Sequence[str] = (),
        stages: Sequence[str] = (),
        segments: Sequence[str] = (),
    ) -> Page:
        """Return the customers of the population by value at risk, greatest first.

        Parameters
        ----------
        limit : int
            Records on the page.
        after : tuple of (value_at_risk, customer_id), optional
            The cursor of the page before.
        bands, actions, stages, segments : sequence of str
            Keep only these; empty keeps all.
        """
        kept = {"risk_band": bands, "action": actions, "lifecycle_stage": stages, "segment": segments}
        return self._page(records.c.value_at_risk, self._at_risk(kept), limit, after)

    def prospects(self, limit: int, after: tuple[float, str] | None = None) -> Page:
        """Return the prospects and trials, the likeliest to become customers first.

        Parameters
        ----------
        limit : int
            Records on the page.
        after : tuple of (conversion_probability, customer_id), optional
            The cursor of the page before.
        """
        by = records.c.conversion_probability
        return self._page(by, and_(records.c.run_id == self.current_run(), by.is_not(None)), limit, after)

    def _page(
        self, by: ColumnElement[float], wanted: ColumnElement[bool], limit: int, after: tuple[float, str] | None
    ) -> Page:
        query = select(by.label("sorted_by"), records.c.customer_id, records.c.body).where(wanted)
        if after is not None:
            value, customer = after
            query = query.where(or_(by < value, and_(by == value, records.c.customer_id > customer)))
        query = query.order_by(by.desc(), records.c.customer_id).limit(limit + 1)
        with self.engine.connect() as connection:
            rows = connection.execute(query).all()
            total = connection.execute(select(func.count()).select_from(records).where(wanted)).scalar_one()
        shown = rows[:limit]
        more = (shown[-1].sorted_by, shown[-1].customer_id) if len(rows) > limit else None
        return Page([json.loads(row.body) for row in shown], more, total)

    def _at_risk(self, kept: Mapping[str, Sequence[str]]) -> Any:  # Any: SQLAlchemy's boolean clause
        wanted = [records.c.run_id == self.current_run(), records.c.value_at_risk.is_not(None)]
        wanted += [records.c[name].in_(list(words)) for name, words in kept.items() if words]
        return and_(*wanted)


def listed_by(body: Record) -> dict[str, Any]:  # Any: what columns hold
    """Return what a record is filtered and sorted by, by column."""
    last, reasons = body.get("last_order_on"), body.get("reasons")
    row = {name: body.get(name) for name in _INDEXED}
    return row | {
        "last_order_at": None if last is None else _microseconds(last),
        "reason_group": reasons[0]["group"] if reasons else None,
    }


def _microseconds(instant: str) -> int:
    """Return an instant in ISO 8601 as microseconds UTC, which sort whatever its offset."""
    moment = datetime.fromisoformat(instant)
    return (moment.replace(tzinfo=moment.tzinfo or UTC) - _EPOCH) // _MICROSECOND


def _row(run_id: str, body: Record) -> dict[str, Any]:
    row = listed_by(body)
    return row | {"run_id": run_id, "body": json.dumps(body, ensure_ascii=False, allow_nan=False)}


_STAYS = ("customer_id", "cutoff", "run_id", "model_version", "horizon_days", "population_days", "clv_days", "currency")


_NO_PROFILING = "no_profiling"


def blank(connection: Connection, theirs: ColumnElement[bool]) -> None:
    """Take everything out of some records but that there is one: their customers refuse to be profiled.

    Parameters
    ----------
    theirs : sqlalchemy clause
        Which records; those that are blank already cost nothing.
    """
    scored = func.json_extract(records.c.body, "$.rung").is_distinct_from(_NO_PROFILING)
    found = connection.execute(select(records.c.run_id, records.c.body).where(theirs, scored)).all()
    if found:
        changes = [{f"new_{name}": value for name, value in _bare(*row).items()} for row in found]
        the_same = (records.c.run_id == bindparam("new_run_id"), records.c.customer_id == bindparam("new_customer_id"))
        change: dict[str, Any] = {
            name: bindparam(f"new_{name}") for name in ("body", *_INDEXED, *_DERIVED)
        }  # Any: SQLAlchemy's
        connection.execute(update(records).where(*the_same).values(**change), changes)


def _bare(run_id: str, body: str) -> dict[str, Any]:
    whole = json.loads(body)
    bare = {name: value if name in _STAYS else [] if isinstance(value, list) else None for name, value in whole.items()}
    bare |= {"satisfaction_from": "none"} if "satisfaction_from" in whole else {}
    return _row(run_id, bare | {"rung": _NO_PROFILING})
