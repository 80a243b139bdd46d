"""Consents told to the service: what is taken back holds from its acknowledgement, before the row has landed.

Once it has landed, the consents that stand speak for themselves. Every function works within the transaction of its
caller.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, delete, exists, insert, select, update

from churnml.database.dialect import take_turn
from churnml.database.outbox import withhold
from churnml.database.records import blank, changed, row_of
from churnml.database.releases import blank_choices, release, take
from churnml.database.tables import assignments, records
from churnml.database.tables_arrivals import arrivals
from churnml.database.tables_consents import told_consents
from churnml.database.tables_push import message_customers

NO_CONSENT = "no_consent"
"""Why nothing is done about a customer who took back that they may be approached."""
WITHHELD: dict[str, str | None] = {
    **dict.fromkeys(("action", "action_label", "action_script", "action_cost", "expected_net_value", "effect_source")),
    "no_action_because": NO_CONSENT,
}
"""What their record says then; the arm they were drawn into stays."""
_NO_CHANNEL = "none"
_KEPT = 30 * 86_400_000_000
"""How long a word is kept that has landed, microseconds: longer than any run takes that began before it was told."""


@dataclass(frozen=True)
class Told:
    """A consent given or taken back, as it was told.

    Parameters
    ----------
    place : int
        Of its row among those that arrived with it.
    purpose : {'marketing', 'profiling'}
        What for.
    channel : str
        In small letters; empty for all.
    said_at : int
        When the customer said so, microseconds UTC.
    """

    place: int
    customer_id: str
    purpose: str
    channel: str
    granted: bool
    said_at: int


def acknowledge(connection: Connection, batch: str, told: Sequence[Told], now: int) -> None:
    """Let what customers take back hold from this transaction on; what they give holds from its landing.

    Who takes back that they may be profiled is blanked in every record, as at a landing; of who takes back that they
    may be approached, by a channel or at all, no open action by it is shown any more, and its reserve is given back.

    Parameters
    ----------
    batch : str
        Under which the rows themselves are kept among the arrivals.
    """
    take_turn(connection)
    connection.execute(delete(told_consents).where(~_waits(), told_consents.c.told_at < now - _KEPT))
    if told:
        connection.execute(insert(told_consents), [vars(one) | {"batch": batch, "told_at": now} for one in told])
    refusing = [one.customer_id for one in told if one.purpose == "profiling" and not one.granted]
    if refusing:
        # who has said since that they may be is not among those who refuse
        theirs = pending_refusals().where(told_consents.c.batch == batch)
        blank(connection, records.c.customer_id.in_(theirs))
        blank_choices(connection, assignments.c.customer_id.in_(theirs))
        withhold(connection, message_customers.c.customer_id.in_(theirs))
    withdraw_actions(connection, [one for one in told if one.purpose == "marketing" and not one.granted])


def pending_refusals() -> Select[tuple[str]]:
    """Return the query of those who told the service that they refuse to be profiled, and whose word has not landed."""
    later = told_consents.alias("later")
    overruled = exists().where(
        later.c.customer_id == told_consents.c.customer_id,
        later.c.purpose == "profiling",
        later.c.granted,
        later.c.said_at > told_consents.c.said_at,
    )
    profiling = and_(told_consents.c.purpose == "profiling", ~told_consents.c.granted)
    return select(told_consents.c.customer_id).where(profiling, _waits(), ~overruled)


def pending_withdrawals(connection: Connection, since: int | None = None) -> list[Told]:
    """Return who took back that they may be approached, where the word has not landed; or all told since an instant."""
    later = told_consents.alias("later")
    overruled = exists().where(
        later.c.customer_id == told_consents.c.customer_id,
        later.c.purpose == "marketing",
        later.c.channel == told_consents.c.channel,
        later.c.granted,
        later.c.said_at > told_consents.c.said_at,
    )
    recent = _waits() if since is None else told_consents.c.told_at >= since
    names = ("place", "customer_id", "purpose", "channel", "granted", "said_at")
    query = select(*(told_consents.c[name] for name in names))
    query = query.where(told_consents.c.purpose == "marketing", ~told_consents.c.granted, recent, ~overruled)
    return [Told(*row) for row in connection.execute(query)]


def withdraw_actions(connection: Connection, told: Collection[Told]) -> int:
    """Close what is open for customers by the channels on which they may no longer be approached; return how much.

    They stay in the arm that they were drawn into, for effects are analysed as intended; nothing more is reserved.
    """
    if not told:
        return 0
    take(connection)
    channels: dict[str, set[str]] = {}
    for one in told:
        channels.setdefault(one.customer_id, set()).add(one.channel)
    columns = (assignments.c.assignment_id, assignments.c.customer_id, assignments.c.channel)
    query = select(*columns).where(assignments.c.customer_id.in_(list(channels)), assignments.c.channel.is_not(None))
    closed = [row.assignment_id for row in connection.execute(query) if _closes(channels[row.customer_id], row.channel)]
    mine = assignments.c.assignment_id.in_(closed)
    release(connection, and_(mine, assignments.c.state == "open"))
    connection.execute(update(assignments).where(mine, assignments.c.state == "open").values(state="not_delivered"))
    _hide(connection, channels, frozenset(closed))
    return len(closed)


def forget(connection: Connection, customer_id: str) -> int:
    """Remove what one customer told, and return how many rows went."""
    return connection.execute(delete(told_consents).where(told_consents.c.customer_id == customer_id)).rowcount


def _waits() -> ColumnElement[bool]:
    return exists().where(
        arrivals.c.batch == told_consents.c.batch,
        arrivals.c.place == told_consents.c.place,
        arrivals.c.state == "waiting",
    )


def _closes(withdrawn: Collection[str], channel: str) -> bool:
    plain = channel.strip().casefold()
    return plain != _NO_CHANNEL and ("" in withdrawn or plain in withdrawn)


def _hide(connection: Connection, customers: Collection[str], closed: Collection[str]) -> None:
    """Take the action out of the records that show one of these assignments, and say why there is none."""
    query = select(records.c.run_id, records.c.customer_id, records.c.body)
    for row in connection.execute(query.where(records.c.customer_id.in_(list(customers)))).all():
        body: dict[str, Any] = json.loads(row.body)  # Any: a record is JSON
        if body.get("assignment_id") in closed and body.get("action") is not None:
            here = and_(records.c.run_id == row.run_id, records.c.customer_id == row.customer_id)
            connection.execute(update(records).where(here).values(**row_of(row.run_id, body | WITHHELD)))
            changed(connection, {row.run_id})
