"""The outbox: what has happened is written down in the transaction of the deed, for every endpoint that asked for it.

A deed that is undone leaves no message, and a deed that stands always leaves one, whoever dies in between. Where no
endpoint asks for an event, nothing is written. A message that lists customers holds their ids apart from its body, so
that one of them can be taken out of it before it is sent.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
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
    null,
    select,
)

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


def announce_run(connection: Connection, run_id: str, summary: Json, *, at: int) -> None:
    """Tell of a run that is done: of `score` whose band has changed, of `assign` what was assigned, and a new list.

    Best as the last statements of the transaction that makes the run count.
    """
    verb = connection.execute(select(runs.c.verb).where(runs.c.run_id == run_id)).scalar_one()
    about = {name: summary.get(name) for name in ("cutoff", "model_version")} | {"run_id": run_id}
    if verb == "score":
        _bands_of_run(connection, run_id, about, at)
    if verb == "assign":
        told = about | {"campaign": summary.get("campaign")}
        _post_listed(connection, "action.assigned", told, at, lambda message: _assigned(run_id, message))
    if verb == "assign" or (verb == "score" and not _was_assigned(connection)):
        counts = {name: summary.get(name) for name in ("customers", "population", "bands")}
        post(connection, "list.ready", about | {"verb": verb} | counts, at=at)


def post_bands(
    connection: Connection, about: Json, changes: Iterable[tuple[str, str | None, str | None]], *, at: int
) -> None:
    """Tell of bands that changed between two runs: of each customer the band now and the band before."""
    moved = [one for one in changes if one[1] != one[2]]
    wanting = _wanting(connection, "band.changed") if moved else []
    if not wanting:
        return
    name = f"msg_{uuid.uuid4().hex}"
    rows = [
        {"message_id": f"{name}_{place // MOST_CUSTOMERS}", "customer_id": customer, "band": band, "before": before}
        for place, (customer, band, before) in enumerate(moved)
    ]
    connection.execute(insert(message_customers), rows)
    _keep(connection, "band.changed", _parts(name, about, len(rows)), wanting, at)


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


def _post_listed(
    connection: Connection, event: Event, about: Json, at: int, query: Callable[[str], Select[Any]]
) -> None:  # Any: of five columns
    """Tell of many customers, some hundreds a message; which, is asked and written within the database.

    Parameters
    ----------
    query : callable
        Takes the beginning of the messages' names and returns the rows to be written, as a select.
    """
    wanting = _wanting(connection, event)
    if not wanting:
        return
    name = f"msg_{uuid.uuid4().hex}"
    columns = ["message_id", "customer_id", "band", "before", "assignment_id"]
    kept = insert(message_customers).from_select(columns, query(name)).execution_options(preserve_rowcount=True)
    count = connection.execute(kept).rowcount
    if count:
        _keep(connection, event, _parts(name, about, count), wanting, at)


def _parts(name: str, about: Json, count: int) -> dict[str, Json]:
    """Return the body of each message of a series that tells of so many customers."""
    parts = ceil(count / MOST_CUSTOMERS)
    return {f"{name}_{part}": {**about, "part": part + 1, "parts": parts} for part in range(parts)}


def _numbered(name: str, by: ColumnElement[str]) -> ColumnElement[str]:
    """Return the name of the message in which a row stands, by its place in the order of a column."""
    place = cast(func.row_number().over(order_by=by), BigInteger) - 1
    return literal(f"{name}_").concat(cast(place // MOST_CUSTOMERS, String(16)))


def _bands_of_run(connection: Connection, run_id: str, about: Json, at: int) -> None:
    before = select(runs.c.run_id).where(runs.c.verb == "score", runs.c.state == "done", runs.c.run_id != run_id)
    previous = connection.execute(before.order_by(runs.c.finished_at.desc()).limit(1)).scalar()
    if previous is not None:
        _post_listed(connection, "band.changed", about, at, lambda name: _moved(run_id, previous, name))


def _moved(run_id: str, previous: str, name: str) -> Select[Any]:  # Any: of five columns
    """Return the rows of those whose band is another than in the run before; who had none before, had none."""
    old = records.alias("old")
    same = (old.c.run_id == previous) & (old.c.customer_id == records.c.customer_id)
    moved = (
        records.c.run_id == run_id,
        records.c.risk_band.is_distinct_from(old.c.risk_band),
        records.c.rung.is_distinct_from(_NO_PROFILING),
    )
    by = records.c.customer_id
    query = select(_numbered(name, by), by, records.c.risk_band, old.c.risk_band.label("before"), null())
    return query.select_from(records.outerjoin(old, same)).where(*moved)


def _assigned(run_id: str, name: str) -> Select[Any]:  # Any: of five columns
    """Return the rows of those whom a run assigned something to be done; of controls nothing is told."""
    by = assignments.c.customer_id
    query = select(_numbered(name, by), by, null(), null(), assignments.c.assignment_id)
    return query.where(assignments.c.run_id == run_id, assignments.c.arm == "treated")


def _was_assigned(connection: Connection) -> bool:
    """Tell whether the list comes from an assignment, which new scores alone do not displace."""
    done = select(runs.c.run_id).where(runs.c.verb == "assign", runs.c.state == "done").limit(1)
    return connection.execute(done).first() is not None
