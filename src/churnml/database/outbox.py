"""The outbox: what has happened is written down in the transaction of the deed, for every endpoint that asked for it.

A deed that is undone leaves no message, and a deed that stands always leaves one, whoever dies in between. Where no
endpoint asks for an event, nothing is written. A message that lists customers holds their ids apart from its body, so
that one of them can be taken out of it before it is sent.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Mapping, Sequence
from math import ceil
from typing import Any, Literal, get_args

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Select,
    String,
    cast,
    delete,
    func,
    insert,
    literal,
    select,
)

from churnml.database.dialect import append
from churnml.database.tables import assignments, records, runs
from churnml.database.tables_push import deliveries, endpoints, message_customers, messages

Event = Literal["list.ready", "band.changed", "action.assigned", "customer.erased", "model.promoted"]
EVENTS: tuple[Event, ...] = get_args(Event)
TEST = "webhook.test"
"""What an endpoint gets when somebody tries it; nobody asks for it."""
MOST_CUSTOMERS = 500
"""In one message."""
_NO_PROFILING = "no_profiling"
Json = Mapping[str, Any]  # Any: JSON
Moved = tuple[str, str | None, str | None]
"""A customer, the band from now on, and the band before."""


def post(connection: Connection, event: Event, data: Json, *, at: int) -> None:
    """Keep a message about a deed for every endpoint that asks for such; within the transaction of the deed.

    Parameters
    ----------
    event : str
        One of `EVENTS`.
    data : mapping
        What is told: ids, numbers and words of ours, nothing personal.
    at : int
        When it was done, microseconds UTC.
    """
    wanting = _wanting(connection, event)
    if wanting:
        _keep(connection, event, {f"msg_{uuid.uuid4().hex}": data}, wanting, at)


def post_to(connection: Connection, endpoint_id: str, data: Json, *, at: int) -> int:
    """Keep a message by which one endpoint is tried, and return the number of its delivery."""
    message = f"msg_{uuid.uuid4().hex}"
    _keep(connection, TEST, {message: data}, [endpoint_id], at)
    query = select(deliveries.c.delivery_id).where(deliveries.c.message_id == message)
    return int(connection.execute(query).scalar_one())


def moved_bands(connection: Connection, run_id: str) -> list[Moved]:
    """Return whose band a run of `score` has changed since the one before, if an endpoint asks for that.

    It reads two runs, so ask it before the transaction that makes the run count: others write meanwhile.
    """
    of_score = (runs.c.verb == "score", runs.c.state == "done", runs.c.run_id != run_id)
    before = select(runs.c.run_id).where(*of_score).order_by(runs.c.finished_at.desc()).limit(1)
    previous = connection.execute(before).scalar()
    if previous is None or _verb(connection, run_id) != "score" or not _wanting(connection, "band.changed"):
        return []
    return [tuple(row) for row in connection.execute(_moved(run_id, previous))]


def announce_run(connection: Connection, run_id: str, summary: Json, moved: Sequence[Moved], *, at: int) -> None:
    """Tell of a run that is done: whose band it changed, what it assigned, and that there is a new list.

    Best as the last statements of the transaction that makes the run count.

    Parameters
    ----------
    moved : sequence of tuple
        From `moved_bands`.
    """
    verb = _verb(connection, run_id)
    about = {name: summary.get(name) for name in ("cutoff", "model_version")} | {"run_id": run_id}
    post_bands(connection, about, moved, at=at)
    if verb == "assign":
        _post_assigned(connection, run_id, about | {"campaign": summary.get("campaign")}, at)
    if verb == "assign" or (verb == "score" and not _was_assigned(connection)):
        counts = {name: summary.get(name) for name in ("customers", "population", "bands")}
        post(connection, "list.ready", about | {"verb": verb} | counts, at=at)


def post_bands(connection: Connection, about: Json, changes: Iterable[Moved], *, at: int) -> None:
    """Tell of bands that changed: of each customer the band now and the band before."""
    moved = [one for one in changes if one[1] != one[2]]
    wanting = _wanting(connection, "band.changed") if moved else []
    if not wanting:
        return
    name = f"msg_{uuid.uuid4().hex}"
    rows = ((f"{name}_{place // MOST_CUSTOMERS}", *one) for place, one in enumerate(moved))
    append(connection, message_customers, ("message_id", "customer_id", "band", "before"), rows)
    _keep(connection, "band.changed", _parts(name, about, len(moved)), wanting, at)


def forget(connection: Connection, customer_id: str) -> int:
    """Take a customer out of every message, sent or not, and return out of how many.

    That they were erased stays told: see `Deliveries` for when that is forgotten.
    """
    theirs = delete(message_customers).where(message_customers.c.customer_id == customer_id)
    return connection.execute(theirs).rowcount


def withhold(connection: Connection, theirs: ColumnElement[bool]) -> None:
    """Take out of the messages some customers, who refuse to be profiled.

    Parameters
    ----------
    theirs : sqlalchemy clause
        Over `message_customers`.
    """
    connection.execute(delete(message_customers).where(theirs))


def _wanting(connection: Connection, event: Event) -> Sequence[str]:
    """Return the endpoints that ask for an event and are enabled."""
    query = select(endpoints.c.endpoint_id, endpoints.c.events).where(endpoints.c.state == "enabled")
    return [row.endpoint_id for row in connection.execute(query) if event in row.events.split()]


def _keep(connection: Connection, event: str, bodies: Mapping[str, Json], wanting: Sequence[str], at: int) -> None:
    told = [
        {"message_id": name, "event": event, "made_at": at, "body": json.dumps(body, separators=(",", ":"))}
        for name, body in bodies.items()
    ]
    connection.execute(insert(messages), told)
    waiting = {"state": "waiting", "attempts": 0, "next_at": at}
    to_each = [waiting | {"message_id": name, "endpoint_id": one} for one in wanting for name in bodies]
    connection.execute(insert(deliveries), to_each)


def _post_assigned(connection: Connection, run_id: str, about: Json, at: int) -> None:
    """Tell of what a run assigned, some hundreds of customers a message; whom, is written within the database."""
    wanting = _wanting(connection, "action.assigned")
    if not wanting:
        return
    name = f"msg_{uuid.uuid4().hex}"
    columns = ["message_id", "customer_id", "assignment_id"]
    kept = insert(message_customers).from_select(columns, _assigned(run_id, name))
    count = connection.execute(kept.execution_options(preserve_rowcount=True)).rowcount
    if count:
        _keep(connection, "action.assigned", _parts(name, about, count), wanting, at)


def _parts(name: str, about: Json, count: int) -> dict[str, Json]:
    """Return the body of each message of a series that tells of so many customers."""
    parts = ceil(count / MOST_CUSTOMERS)
    return {f"{name}_{part}": {**about, "part": part + 1, "parts": parts} for part in range(parts)}


def _numbered(name: str, by: ColumnElement[str]) -> ColumnElement[str]:
    """Return the name of the message in which a row stands, by its place in the order of a column."""
    place = cast(func.row_number().over(order_by=by), BigInteger) - 1
    return literal(f"{name}_").concat(cast(place // MOST_CUSTOMERS, String(16)))


def _moved(run_id: str, previous: str) -> Select[Any]:  # Any: of three columns
    """Return the query of those whose band is another than in the run before; who had no record then, had none."""
    old = records.alias("old")
    same = (old.c.run_id == previous) & (old.c.customer_id == records.c.customer_id)
    moved = (
        records.c.run_id == run_id,
        records.c.risk_band.is_distinct_from(old.c.risk_band),
        records.c.rung.is_distinct_from(_NO_PROFILING),
    )
    query = select(records.c.customer_id, records.c.risk_band, old.c.risk_band)
    return query.select_from(records.outerjoin(old, same)).where(*moved).order_by(records.c.customer_id)


def _assigned(run_id: str, name: str) -> Select[Any]:  # Any: of three columns
    """Return the query of those whom a run assigned something to be done; of controls nothing is told."""
    by = assignments.c.customer_id
    query = select(_numbered(name, by), by, assignments.c.assignment_id)
    return query.where(assignments.c.run_id == run_id, assignments.c.arm == "treated")


def _verb(connection: Connection, run_id: str) -> str:
    verb: str = connection.execute(select(runs.c.verb).where(runs.c.run_id == run_id)).scalar_one()
    return verb


def _was_assigned(connection: Connection) -> bool:
    """Tell whether the list comes from an assignment, which new scores alone do not displace."""
    done = select(runs.c.run_id).where(runs.c.verb == "assign", runs.c.state == "done").limit(1)
    return connection.execute(done).first() is not None
