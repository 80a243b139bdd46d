"""What is written into the audit log of what people look at and take away."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fastapi import Request
from sqlalchemy import Engine

from churnml.database.audit import audit
from churnml.service.access import caller_of
from churnml.service.clock import asked_at


def viewed(request: Request, customer_id: str) -> None:
    """Keep that a person looked at a customer.

    A key that reads the records of a CRM system day and night leaves no entry of each: the log would hold nothing else.
    What a key does besides reading does leave one.
    """
    viewed_all(request, [customer_id])


def viewed_all(request: Request, customer_ids: Sequence[str]) -> None:
    """Keep that a person looked at some customers, an entry for each."""
    caller = caller_of(request)
    if caller is not None and caller.kind != "key":
        engine: Engine = request.app.state.engine
        with engine.begin() as connection:
            for customer in customer_ids:
                audit(connection, caller, "customer.viewed", {"customer_id": customer}, at=asked_at(request))


def note(request: Request, what: str, about: Mapping[str, str | int]) -> None:
    """Keep what the caller of a request did, in a transaction of its own: for what changes nothing else.

    What does change something calls `database.audit` in the transaction of the change.
    """
    caller = caller_of(request)
    if caller is not None:
        engine: Engine = request.app.state.engine
        with engine.begin() as connection:
            audit(connection, caller, what, about, at=asked_at(request))
