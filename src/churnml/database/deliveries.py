"""Deliveries: what each endpoint is still to get, who of several processes sends it, and what became of it.

An endpoint is sent to in turns, and a turn is leased: of all processes that serve a workspace one at a time sends to
it. Whoever dies in a turn leaves the delivery waiting, and once the lease has run out somebody sends the same message
again, under the same id.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Connection, and_, delete, exists, func, or_, select, update

from churnml.database.audit import Answerable, audit
from churnml.database.endpoints import Endpoint, Why, known
from churnml.database.erasures import must_empty
from churnml.database.instants import iso
from churnml.database.tables import assignments
from churnml.database.tables_push import deliveries, endpoints, message_customers, messages
from churnml.errors import GoneError, NotFoundError

State = Literal["waiting", "delivered", "failed"]
LEASE = 120_000_000
"""How long a turn may go without a sign of life, microseconds: far longer than one attempt takes."""
FAILING = 5 * 86_400_000_000
"""For how long an endpoint may fail without a success before it is disabled, microseconds."""
_DAY = 86_400_000_000
_LISTED = {"band.changed", "action.assigned"}
_ERASED = "customer.erased"
_AT_ONCE = 500


@dataclass(frozen=True)
class Turn:
    """Leave to send to an endpoint."""

    lease: str
    endpoint_id: str


@dataclass(frozen=True)
class Due:
    """A delivery whose time has come."""

    delivery_id: int
    message_id: str
    attempts: int
    """before this one"""
    body: str


@dataclass(frozen=True)
class Attempt:
    """What became of one attempt.

    Parameters
    ----------
    status : int or None
        Of the answer, where there was one.
    problem : str or None
        Why it failed; None where it was delivered.
    retry_at : int or None
        When it is tried again, microseconds UTC; None where it is given up.
    rests_until : int, default 0
        Nothing else is sent to the endpoint before.
    """

    status: int | None
    problem: str | None
    retry_at: int | None = None
    rests_until: int = 0


@dataclass(frozen=True)
class Delivery:
    """What an endpoint was, or is to be, sent, and what became of it."""

    delivery_id: int
    message_id: str
    event: str
    made_at: int
    state: State
    attempts: int
    next_at: int | None
    tried_at: int | None
    status: int | None
    problem: str | None
    settled_at: int | None


def take_turns(connection: Connection, now: int, most: int, busy: Collection[str] = ()) -> list[Turn]:
    """Lease some endpoints that something is due for, those first whose turn is longest ago.

    Parameters
    ----------
    busy : collection of str
        Endpoints that this process is sending to.
    """
    due = exists().where(
        deliveries.c.endpoint_id == endpoints.c.endpoint_id,
        deliveries.c.state == "waiting",
        deliveries.c.next_at <= now,
    )
    free = and_(endpoints.c.state == "enabled", endpoints.c.leased_until <= now, endpoints.c.rests_until <= now)
    query = select(endpoints.c.endpoint_id).where(free, due).order_by(endpoints.c.turn_at, endpoints.c.created_at)
    found = [one for one in connection.execute(query).scalars() if one not in busy][:most]
    turns = [Turn(uuid.uuid4().hex, one) for one in found]
    return [turn for turn in turns if _leased(connection, turn, now)]


def _leased(connection: Connection, turn: Turn, now: int) -> bool:
    """Take one turn, unless somebody else has taken it since we looked."""
    free = (endpoints.c.endpoint_id == turn.endpoint_id) & (endpoints.c.leased_until <= now)
    taken = {"lease": turn.lease, "leased_until": now + LEASE, "turn_at": now}
    return connection.execute(update(endpoints).where(free).values(**taken)).rowcount == 1


def next_due(connection: Connection, turn: Turn, now: int) -> tuple[Endpoint, Due] | None:
    """Go on with a turn: return what is due next; None where nothing is, or where the turn is no longer ours."""
    mine = (endpoints.c.endpoint_id == turn.endpoint_id) & (endpoints.c.lease == turn.lease)
    mine &= (endpoints.c.state == "enabled") & (endpoints.c.rests_until <= now)
    if connection.execute(update(endpoints).where(mine).values(leased_until=now + LEASE)).rowcount != 1:
        return None
    while True:
        waits = (deliveries.c.endpoint_id == turn.endpoint_id) & (deliveries.c.state == "waiting")
        columns = (deliveries.c.delivery_id, deliveries.c.attempts, messages)
        query = select(*columns).join(messages).where(waits, deliveries.c.next_at <= now)
        row = connection.execute(query.order_by(deliveries.c.next_at, deliveries.c.delivery_id).limit(1)).first()
        if row is None:
            return None
        body = _body(connection, row.message_id, row.event, row.made_at, row.body)
        if body is not None:
            return known(connection, turn.endpoint_id), Due(row.delivery_id, row.message_id, row.attempts, body)
        # nobody whom it told of is left: it tells nothing
        connection.execute(delete(deliveries).where(deliveries.c.delivery_id == row.delivery_id))


def settle(
    connection: Connection, endpoint_id: str, due: Due, attempt: Attempt, now: int, *, worker: Answerable
) -> None:
    """Note what became of an attempt, and disable the endpoint if it is gone, or has failed for five days.

    Parameters
    ----------
    worker : Answerable
        Who answers for disabling it.
    """
    over = attempt.problem is None or attempt.retry_at is None
    said = {"attempts": due.attempts + 1, "tried_at": now, "status": attempt.status, "problem": attempt.problem}
    if over:
        said |= {"state": "failed" if attempt.problem else "delivered", "settled_at": now}
    else:
        said |= {"next_at": attempt.retry_at}
    this = (deliveries.c.delivery_id == due.delivery_id) & (deliveries.c.state == "waiting")
    connection.execute(update(deliveries).where(this).values(**said))
    theirs = endpoints.c.endpoint_id == endpoint_id
    if attempt.problem is None:
        connection.execute(update(endpoints).where(theirs).values(failing_since=None, delivered_at=now, rests_until=0))
        _let_go_of_erased(connection, due.message_id, now)
        return
    since = func.coalesce(endpoints.c.failing_since, now)
    connection.execute(update(endpoints).where(theirs).values(failing_since=since, rests_until=attempt.rests_until))
    failing = select(endpoints.c.failing_since).where(theirs)
    if attempt.problem == "gone":
        disable(connection, endpoint_id, "gone", now, worker)
    elif (connection.execute(failing).scalar() or now) <= now - FAILING:
        disable(connection, endpoint_id, "failing", now, worker)


def disable(connection: Connection, endpoint_id: str, why: Why, now: int, worker: Answerable) -> None:
    """Send nothing to an endpoint any more until somebody enables it."""
    enabled = (endpoints.c.endpoint_id == endpoint_id) & (endpoints.c.state == "enabled")
    if connection.execute(update(endpoints).where(enabled).values(state="disabled", why=why)).rowcount:
        audit(connection, worker, "webhook.disabled", {"webhook": endpoint_id, "why": why}, at=now)


def end_turn(connection: Connection, turn: Turn) -> None:
    """Let others have the turn."""
    mine = (endpoints.c.endpoint_id == turn.endpoint_id) & (endpoints.c.lease == turn.lease)
    connection.execute(update(endpoints).where(mine).values(lease=None, leased_until=0))


def of_endpoint(connection: Connection, endpoint_id: str, limit: int, before: int | None = None) -> list[Delivery]:
    """Return deliveries of an endpoint, the latest first, from below a number on."""
    columns = (
        deliveries.c.delivery_id, messages.c.message_id, messages.c.event, messages.c.made_at, deliveries.c.state,
        deliveries.c.attempts, deliveries.c.next_at, deliveries.c.tried_at, deliveries.c.status, deliveries.c.problem,
        deliveries.c.settled_at,
    )  # fmt: skip
    query = select(*columns).join(messages).where(deliveries.c.endpoint_id == endpoint_id)
    if before is not None:
        query = query.where(deliveries.c.delivery_id < before)
    found = connection.execute(query.order_by(deliveries.c.delivery_id.desc()).limit(limit))
    return [Delivery(*row) for row in found]


def resend(connection: Connection, caller: Answerable, endpoint_id: str, delivery_id: int, *, at: int) -> Delivery:
    """Let a delivery be tried anew at once, from the beginning of the schedule, under its id.

    Raises
    ------
    NotFoundError
        If the endpoint has no such delivery.
    GoneError
        If what it told is no longer kept.
    """
    found = of_endpoint(connection, endpoint_id, 1, delivery_id + 1)
    if not found or found[0].delivery_id != delivery_id:
        raise NotFoundError(f"the webhook has no delivery {delivery_id}; GET …/deliveries lists those of 30 days")
    message = connection.execute(select(messages).where(messages.c.message_id == found[0].message_id)).one()
    if _body(connection, *message) is None:
        raise GoneError(
            "what this message told has been forgotten with the customers it told of; nothing is to be sent"
        )
    again = {"state": "waiting", "attempts": 0, "next_at": at, "settled_at": None}
    connection.execute(update(deliveries).where(deliveries.c.delivery_id == delivery_id).values(**again))
    audit(connection, caller, "webhook.resent", {"webhook": endpoint_id, "delivery": delivery_id}, at=at)
    return of_endpoint(connection, endpoint_id, 1, delivery_id + 1)[0]


def told(delivery: Delivery) -> dict[str, Any]:  # Any: JSON
    """Return a delivery as the API tells it."""
    instants = ("made_at", "next_at", "tried_at", "settled_at")
    at = {name: None if getattr(delivery, name) is None else iso(getattr(delivery, name)) for name in instants}
    return vars(delivery) | at | ({} if delivery.state == "waiting" else {"next_at": None})


def purge(connection: Connection, now: int, delivered_days: int, failed_days: int, *, dry_run: bool = False) -> int:
    """Remove messages that were delivered so long ago, and those that were not and are older; return how many.

    A message goes when no endpoint has a younger delivery of it.
    """
    delivered = and_(deliveries.c.state == "delivered", deliveries.c.settled_at < now - delivered_days * _DAY)
    failed = and_(deliveries.c.state == "failed", deliveries.c.settled_at < now - failed_days * _DAY)
    old = messages.c.made_at < now - failed_days * _DAY
    stays = exists().where(deliveries.c.message_id == messages.c.message_id, ~or_(delivered, failed))
    waits = exists().where(
        deliveries.c.message_id == messages.c.message_id,
        deliveries.c.state == "waiting",
        deliveries.c.next_at > now - failed_days * _DAY,
    )
    gone = list(connection.execute(select(messages.c.message_id).where(or_(~stays, and_(old, ~waits)))).scalars())
    if not dry_run:
        for start in range(0, len(gone), _AT_ONCE):
            some = gone[start : start + _AT_ONCE]
            for table in (deliveries, message_customers, messages):
                connection.execute(delete(table).where(table.c.message_id.in_(some)))
    return len(gone)


def _body(connection: Connection, message_id: str, event: str, made_at: int, data: str | None) -> str | None:
    """Return what is sent of a message, None where nothing of it is left to tell."""
    if data is None:
        return None
    told: dict[str, Any] = json.loads(data)  # Any: JSON
    if event in _LISTED:
        listed = _bands(connection, message_id) if event == "band.changed" else _actions(connection, message_id)
        if not listed:
            return None
        told["customers"] = listed
    return json.dumps({"type": event, "timestamp": iso(made_at), "data": told}, separators=(",", ":"))


def _bands(connection: Connection, message_id: str) -> Sequence[dict[str, Any]]:  # Any: JSON
    table = message_customers
    query = select(table.c.customer_id, table.c.band, table.c.before).where(table.c.message_id == message_id)
    return [dict(row) for row in connection.execute(query.order_by(table.c.customer_id)).mappings()]


def _actions(connection: Connection, message_id: str) -> Sequence[dict[str, Any]]:  # Any: JSON
    """Return what was assigned and still is to be done: what was taken back since is not told."""
    names = ("customer_id", "assignment_id", "action", "channel", "expires_at")
    same = assignments.c.assignment_id == message_customers.c.assignment_id
    query = select(*(assignments.c[name] for name in names)).join(message_customers, same)
    open_ones = (message_customers.c.message_id == message_id) & (assignments.c.state == "open")
    found = connection.execute(query.where(open_ones).order_by(assignments.c.customer_id)).mappings()
    return [{**row, "expires_at": iso(row["expires_at"])} for row in found]


def _let_go_of_erased(connection: Connection, message_id: str, now: int) -> None:
    """Forget whom an erasure was about once every endpoint has been told; whoever erases empties the bytes."""
    waits = exists().where(deliveries.c.message_id == message_id, deliveries.c.state == "waiting")
    this = (messages.c.message_id == message_id) & (messages.c.event == _ERASED)
    if connection.execute(update(messages).where(this, ~waits).values(body=None)).rowcount:
        must_empty(connection, now)
