"""What the database says of customers is removed, whichever table says it; within the transaction of the caller."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection

from sqlalchemy import Connection, delete, select, union

from churnml.database import calls, cases, consents, jobs, outbox, releases, requests, views
from churnml.database.arrivals import forget_arrivals
from churnml.database.audit import forget_pseudonym
from churnml.database.records import changed
from churnml.database.tables import assignments, records, refusals, runs
from churnml.database.tables_access import audit_pseudonyms
from churnml.database.tables_arrivals import arrivals, replaced
from churnml.database.tables_cases import calls as kept_calls
from churnml.database.tables_cases import case_notes
from churnml.database.tables_cases import cases as kept_cases
from churnml.database.tables_consents import told_consents
from churnml.database.tables_push import message_customers
from churnml.database.tombstones import erased_among, erased_since

_KEEPING = (
    records, assignments, refusals, arrivals, replaced, kept_cases, kept_calls, told_consents, message_customers,
    audit_pseudonyms,
)  # fmt: skip
_CHUNK = 500


def forget_rows(connection: Connection, customer_ids: Collection[str]) -> dict[str, int]:
    """Remove all that is said of some customers, and return how many rows went by place; those where none did left out.

    What their actions cost stays spent. The audit log stays whole, and names them to nobody. Of answers that are kept
    for who asks again, those that name them go.
    """
    gone: Counter[str] = Counter()
    if customer_ids:
        gone["assignments"] = releases.forget(connection, customer_ids)
    for customer in customer_ids:
        gone["refusals"] += connection.execute(delete(refusals).where(refusals.c.customer_id == customer)).rowcount
        notes = select(case_notes.c.text).where(case_notes.c.customer_id == customer)
        gone["answers"] += requests.forget(connection, customer, set(connection.execute(notes).scalars()))
        gone["cases"] += cases.forget(connection, customer)
        gone["calls"] += calls.forget(connection, customer)
        gone["consents"] += consents.forget(connection, customer)
        gone["views"] += views.forget(connection, customer)
        gone["messages"] += outbox.forget(connection, customer)
        gone["audit_names"] += forget_pseudonym(connection, customer)
        gone["records"] += connection.execute(delete(records).where(records.c.customer_id == customer)).rowcount
    gone["arrivals"] = forget_arrivals(connection, customer_ids)
    gone["jobs"] = jobs.forget(connection, customer_ids) if customer_ids else 0
    if gone["records"]:
        changed(connection)
    return {place: count for place, count in gone.items() if count}


def known_ids(connection: Connection) -> frozenset[str]:
    """Return every customer of whom the database says anything."""
    return frozenset(connection.execute(union(*(select(table.c.customer_id) for table in _KEEPING))).scalars())


def forget_erased_of_run(connection: Connection, run_id: str) -> list[str]:
    """Remove what a run wrote of customers who were erased while it went on, and return them; it had read them before.

    Raises
    ------
    UsageError
        If somebody was erased since, and the secret by which they would be known is missing or another.
    """
    began = connection.execute(select(runs.c.started_at).where(runs.c.run_id == run_id)).scalar_one()
    if not erased_since(connection, began):
        return []
    theirs = union(*(select(table.c.customer_id).where(table.c.run_id == run_id) for table in (records, assignments)))
    erased = sorted(erased_among(connection, frozenset(connection.execute(theirs).scalars())))
    if erased:
        releases.forget(connection, erased)
    for start in range(0, len(erased), _CHUNK):
        some = erased[start : start + _CHUNK]
        connection.execute(delete(records).where(records.c.customer_id.in_(some)))
    return erased


def forget_erased_arrivals(connection: Connection) -> int:
    """Remove rows that wait of customers who were erased while they were on their way, and return how many went."""
    waiting = select(arrivals.c.customer_id).where(arrivals.c.state == "waiting").distinct()
    erased = erased_among(connection, frozenset(connection.execute(waiting).scalars()))
    return forget_arrivals(connection, erased) if erased else 0


__all__ = ["forget_erased_arrivals", "forget_erased_of_run", "forget_rows", "known_ids"]
