"""Decision records at rest: written by a run, invisible until the run is done, then read by id, or as lists.py does."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import chain
from typing import Any

from pydantic_core import to_json
from sqlalchemy import ColumnElement, Connection, Engine, bindparam, delete, select, update

from churnml.database.comparison import probabilities_of, run_before
from churnml.database.loading import load
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
    "rung",
    "clv",
    "expected_net_value",
    "arm",
    "no_action_because",
)
_DERIVED = ("last_order_at", "reason_group")
_COLUMNS = ("run_id", *_INDEXED, *_DERIVED, "probability_before", "probability_change", "body")
NO_PROFILING = "no_profiling"
"""The rung of those who refuse to be profiled."""
_CHUNK = 5_000
_DAYS = 10_000
_EPOCH, _MICROSECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(microseconds=1)


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

        Some thousands a transaction, and none open while the next are made: a landing need not wait for a million
        records. Nobody sees them before the run is done. Beside each is kept how likely the run before took them to
        leave.
        """
        with self.engine.begin() as connection:
            connection.execute(delete(records).where(records.c.run_id == run_id))
        rest = iter(bodies)
        first = next(rest, None)
        if first is None:
            return 0
        before = self._before(run_id, first)
        every = chain([first], rest)
        rows = ((run_id, *_listed(body), *_compared(body, before), _written(body)) for body in every)
        return load(self.engine, records, _COLUMNS, rows)

    def _before(self, run_id: str, body: Record) -> dict[str, float]:
        """Return the churn probabilities of the run before the one that a record is of, and keep which run that is."""
        cutoff, horizon = body.get("cutoff"), body.get("horizon_days")
        if cutoff is None or horizon is None:
            return {}
        with self.engine.begin() as connection:
            before = run_before(connection, cutoff, horizon)
            connection.execute(update(runs).where(runs.c.run_id == run_id).values(compared_with=before))
        with self.engine.connect() as connection:
            return {} if before is None else probabilities_of(connection, before)

    def current_run(self) -> str | None:
        """Return the id of the run that is served: the latest assignment, or before the first one the latest scores.

        New scores alone do not displace a list that people work from, nor the marks of who is held out.
        """
        return self.current()[0]

    def current(self) -> tuple[str | None, int]:
        """Return the run that is served, and how often its records have changed since it was done."""
        query = select(runs.c.run_id, runs.c.changes).where(runs.c.verb.in_(("score", "assign")))
        query = query.where(runs.c.state == "done").order_by(runs.c.verb)  # `assign` stands before `score`
        with self.engine.connect() as connection:
            found = connection.execute(query.order_by(runs.c.finished_at.desc()).limit(1)).first()
        return (None, 0) if found is None else (found.run_id, found.changes)

    def get(self, customer_ids: Sequence[str]) -> dict[str, dict[str, Any]]:
        """Return the current record of each customer who has one, by id."""
        run_id = self.current_run()
        query = select(records.c.customer_id, records.c.body).where(
            records.c.run_id == run_id, records.c.customer_id.in_(list(customer_ids))
        )
        with self.engine.connect() as connection:
            return {row.customer_id: json.loads(row.body) for row in connection.execute(query)}

    def some_of_run(self, run_id: str, customer_ids: Sequence[str]) -> dict[str, dict[str, Any]]:  # Any: JSON
        """Return the record that each of some customers has in one run, by id."""
        found: dict[str, dict[str, Any]] = {}  # Any: JSON
        for start in range(0, len(customer_ids), _CHUNK):
            theirs = records.c.customer_id.in_(customer_ids[start : start + _CHUNK])
            query = select(records.c.customer_id, records.c.body).where(records.c.run_id == run_id, theirs)
            with self.engine.connect() as connection:
                found |= {row.customer_id: json.loads(row.body) for row in connection.execute(query)}
        return found

    def of_run(self, run_id: str) -> list[dict[str, Any]]:  # Any: JSON
        """Return every record of one run, ordered by customer."""
        query = select(records.c.body).where(records.c.run_id == run_id).order_by(records.c.customer_id)
        with self.engine.connect() as connection:
            return [json.loads(body) for body in connection.execute(query).scalars()]

    def texts(self, run_id: str) -> Iterator[tuple[str, str]]:
        """Give every customer of one run, in the order of their ids, with their record as it is kept: JSON."""
        query = select(records.c.customer_id, records.c.body).where(records.c.run_id == run_id)
        with self.engine.connect().execution_options(yield_per=_CHUNK) as connection:
            for row in connection.execute(query.order_by(records.c.customer_id)):
                yield row.customer_id, row.body

    def fields(self, run_id: str, names: Sequence[str]) -> list[tuple[Any, ...]]:  # Any: JSON
        """Return some fields of every record of one run: the customer, and each field that is a word or a number."""
        held = [records.c[name] for name in names if name in _INDEXED]
        columns = held if len(held) == len(names) else [records.c.body]
        query = select(records.c.customer_id, *columns).where(records.c.run_id == run_id)
        with self.engine.connect().execution_options(yield_per=_CHUNK) as connection:
            found = connection.execute(query)
            if columns is held:
                return [tuple(row) for row in found]
            bodies = ((customer, json.loads(body)) for customer, body in found)
            return [(customer, *(body.get(name) for name in names)) for customer, body in bodies]


def _compared(body: Record, before: Mapping[str, float]) -> tuple[float | None, float | None]:
    """Return what the run before took the chance of a customer's leaving for, and by how much it is another now."""
    then, now = before.get(body["customer_id"]), body.get("churn_probability")
    return then, None if then is None or now is None else now - then


def listed_by(body: Record) -> dict[str, Any]:  # Any: what columns hold
    """Return what a record is filtered and sorted by, by column."""
    return dict(zip((*_INDEXED, *_DERIVED), _listed(body), strict=True))


def _listed(body: Record) -> tuple[Any, ...]:  # Any: what columns hold
    last, reasons = body.get("last_order_on"), body.get("reasons")
    derived = (None if last is None else _microseconds(last), reasons[0]["group"] if reasons else None)
    return (*map(body.get, _INDEXED), *derived)


@lru_cache(maxsize=_DAYS)
def _microseconds(instant: str) -> int:
    """Return an instant in ISO 8601 as microseconds UTC, which sort whatever its offset."""
    moment = datetime.fromisoformat(instant)
    return (moment.replace(tzinfo=moment.tzinfo or UTC) - _EPOCH) // _MICROSECOND


def row_of(run_id: str, body: Record) -> dict[str, Any]:
    """Return a record's row, but for what the run before said of its customer."""
    return {"run_id": run_id, **listed_by(body), "body": _written(body).decode()}


def _written(body: Record) -> bytes:
    """Return a record as JSON in UTF-8, in a quarter of the time that Python's own encoder takes.

    Raises
    ------
    ValueError
        If a number is not finite: JSON has none such.
    """
    told = to_json(body, inf_nan_mode="constants")
    # only a word in quotes may say so; Python's own encoder, slow and strict, tells the two apart
    doubtful = b"NaN" in told or b"Infinity" in told
    return json.dumps(body, ensure_ascii=False, allow_nan=False).encode() if doubtful else told


_STAYS = ("customer_id", "cutoff", "run_id", "model_version", "horizon_days", "population_days", "clv_days", "currency")


def blank(connection: Connection, theirs: ColumnElement[bool]) -> None:
    """Take everything out of some records but that there is one: their customers refuse to be profiled.

    Parameters
    ----------
    theirs : sqlalchemy clause
        Which records; those that are blank already cost nothing.
    """
    scored = records.c.rung.is_distinct_from(NO_PROFILING)
    found = connection.execute(select(records.c.run_id, records.c.body).where(theirs, scored)).all()
    if found:
        changes = [{f"new_{name}": value for name, value in _bare(*row).items()} for row in found]
        the_same = (records.c.run_id == bindparam("new_run_id"), records.c.customer_id == bindparam("new_customer_id"))
        change: dict[str, Any] = {
            name: bindparam(f"new_{name}") for name in ("body", *_INDEXED, *_DERIVED)
        }  # Any: SQLAlchemy's
        change |= {"probability_before": None, "probability_change": None}
        connection.execute(update(records).where(*the_same).values(**change), changes)
        changed(connection, {row.run_id for row in found})


def changed(connection: Connection, run_ids: Iterable[str] | None = None) -> None:
    """Note that records of some runs, or of any, are no longer as they were: what was counted of them is void."""
    which = update(runs) if run_ids is None else update(runs).where(runs.c.run_id.in_(list(run_ids)))
    connection.execute(which.values(changes=runs.c.changes + 1))


def _bare(run_id: str, body: str) -> dict[str, Any]:
    whole = json.loads(body)
    bare = {name: value if name in _STAYS else [] if isinstance(value, list) else None for name, value in whole.items()}
    bare |= {"satisfaction_from": "none"} if "satisfaction_from" in whole else {}
    return row_of(run_id, bare | {"rung": NO_PROFILING})
