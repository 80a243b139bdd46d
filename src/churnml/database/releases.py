"""How money that assignments hold is given back: at expiry, after a run that stopped, on refusal, on erasure.

Every function works within the transaction of its caller.
"""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import ColumnElement, Connection, and_, delete, exists, func, or_, select, update

from churnml.database.dialect import take_turn
from churnml.database.tables import assignments, campaigns, outcomes

_CHUNK = 5_000


def take(connection: Connection) -> None:
    """Take the ledger for writing, waiting for whoever has it, until the transaction ends.

    Nothing may be read before it in its transaction. In SQLite any statement that writes takes the whole database, so
    that nothing read afterwards can be stale; in PostgreSQL it is the turn that others wait for.
    """
    take_turn(connection)
    connection.execute(update(campaigns).values(name=campaigns.c.name))


def release(connection: Connection, which: ColumnElement[bool]) -> int:
    """Give back what some assignments still reserve, and return how many millionths; the ledger is taken."""
    holding = and_(which, assignments.c.reserved > 0)
    held = func.sum(assignments.c.reserved)
    sums = connection.execute(select(assignments.c.campaign, held).where(holding).group_by(assignments.c.campaign))
    given_back = {campaign: int(amount) for campaign, amount in sums.all()}  # PostgreSQL adds integers to a decimal
    if given_back:
        connection.execute(update(assignments).where(holding).values(reserved=0))
    for campaign, amount in given_back.items():
        connection.execute(
            update(campaigns).where(campaigns.c.name == campaign).values(reserved=campaigns.c.reserved - amount)
        )
    return sum(given_back.values())


def expire(connection: Connection, now: int) -> int:
    """Release what is past its time, and return how many assignments that closed."""
    take(connection)
    over = and_(assignments.c.expires_at <= now, or_(assignments.c.reserved > 0, assignments.c.state == "open"))
    closed = connection.execute(select(func.count()).select_from(assignments).where(over)).scalar_one()
    if closed:
        unheard = and_(assignments.c.expires_at <= now, assignments.c.state == "open")
        release(connection, assignments.c.expires_at <= now)
        connection.execute(update(assignments).where(unheard).values(state="expired"))
    return int(closed)


def withdraw(connection: Connection, which: ColumnElement[bool]) -> int:
    """Take back assignments that nothing was heard of, and return how many; who has an outcome stays as they are."""
    take(connection)
    unheard = and_(which, ~exists().where(outcomes.c.assignment_id == assignments.c.assignment_id))
    release(connection, unheard)
    return connection.execute(delete(assignments).where(unheard)).rowcount


def blank_choices(connection: Connection, theirs: ColumnElement[bool]) -> None:
    """Take out of some assignments what was chosen and why: their customers refuse to be profiled.

    What nobody has carried out must not be any more, so its reserve is given back; what may still be redeemed stays
    reserved. What happened is a fact like an order, no profile, and stays.
    """
    take(connection)
    chosen = and_(theirs, assignments.c.arm.is_not(None))
    release(connection, and_(chosen, assignments.c.state == "open"))
    nothing = dict.fromkeys(("action", "arm", "propensity", "drawn_by", "channel", "details"))
    connection.execute(update(assignments).where(chosen).values(**nothing, state="refused"))


def forget(connection: Connection, customer_ids: Collection[str]) -> int:
    """Remove what was assigned to some customers and what came of it; what that cost stays spent.

    It returns how many assignments went.
    """
    take(connection)
    whom, gone = sorted(customer_ids), 0
    for start in range(0, len(whom), _CHUNK):
        theirs = assignments.c.customer_id.in_(whom[start : start + _CHUNK])
        release(connection, theirs)
        ids = select(assignments.c.assignment_id).where(theirs)
        connection.execute(delete(outcomes).where(outcomes.c.assignment_id.in_(ids)))
        gone += connection.execute(delete(assignments).where(theirs)).rowcount
    return gone
