"""A ledger to try things on: a workspace with a run, and reservations written in few words."""

from dataclasses import replace

from sqlalchemy import func, select

from churnml.database import Catalogue, Ledger, Outcome, Reservation, assignment_id
from churnml.database.tables import assignments, campaigns

DAY = 86_400_000_000
CUTOFF = 1_000 * DAY
NOW = CUTOFF + DAY // 2
LATER = NOW + 30 * DAY
A_COUPON = Reservation("c1", "coupon", "treated", 0.9, "choice", "email", 5_000_000, LATER, settles="redeemed")
A_CALL = replace(A_COUPON, action="call", channel="phone", settles="carried_out")


def some(count, *, like=A_CALL, first=0, controls=()):
    """Return as many reservations, of customers c0, c1 … from the first on; those numbered so are controls."""
    return [
        replace(like, customer_id=f"c{number}", arm="control" if number in controls else "treated")
        for number in range(first, first + count)
    ]


def begun(engine, budget=20_000_000, campaign="spring"):
    """Return a ledger in which a campaign is open, and the id of a run."""
    ledger = Ledger(engine)
    ledger.open(campaign, budget, NOW)
    return ledger, Catalogue(engine).start("assign", "", NOW)


def outcome(customer, kind, cost=None, *, amount=None, at=NOW + DAY, campaign="spring"):
    """Return an outcome of a customer's assignment; money in millionths."""
    return Outcome(assignment_id(campaign, customer), at, kind, cost, amount)


def sums_of(engine):
    """Return by campaign what its assignments reserve and cost, summed row by row."""
    query = select(assignments.c.campaign, func.sum(assignments.c.reserved), func.sum(assignments.c.cost))
    with engine.connect() as connection:
        rows = connection.execute(query.group_by(assignments.c.campaign)).all()
    return {name: (int(reserved), int(cost)) for name, reserved, cost in rows}


def balances(engine):
    """Tell whether every campaign says of itself what its assignments sum up to."""
    with engine.connect() as connection:
        told = {row.name: (row.reserved, row.spent) for row in connection.execute(select(campaigns))}
    summed = sums_of(engine)
    return all(summed.get(name, (0, 0)) == money for name, money in told.items())
