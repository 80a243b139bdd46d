"""What had left the workspace before somebody was erased, as the audit log and the outbox tell it: out of our reach.

It is asked before anything of the customers goes: afterwards nothing tells any more in which run they stood.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, func, select

from churnml.database.instants import iso
from churnml.database.tables import records
from churnml.database.tables_access import audit_entries
from churnml.database.tables_push import deliveries, message_customers

LEAVING = ("list.exported", "records.exported", "features.exported", "digest.sent", "backup.made")
"""Deeds of the audit log by which something that tells of customers leaves."""
PUSHED = "webhook.sent"
"""What was delivered to a webhook; the outbox tells it, as long as it keeps messages."""
_AT_ONCE = 500


@dataclass(frozen=True)
class HandedOut:
    """What was handed out alike, however often.

    Parameters
    ----------
    what : str
        The deed, one of `LEAVING` or `PUSHED`.
    form : str
        In which form, or to which webhook; empty where there is but one.
    by : str
        Who did it, as the audit log calls them.
    times : int
        How often.
    first_at, last_at : str
        ISO 8601, UTC.
    """

    what: str
    form: str
    by: str
    times: int
    first_at: str
    last_at: str


def handed_out(connection: Connection, customer_ids: Collection[str]) -> list[dict[str, Any]]:  # Any: JSON
    """Return what may have told others of some customers, as plain data, by deed, form and who did it.

    A list may have held them if they stood in the run that it was made from; of a run whose records have gone since
    nobody can say, so it counts. A backup and a table of features may hold whoever was known.

    Parameters
    ----------
    customer_ids : collection of str
        Of whom there still is what is kept.
    """
    whom = sorted(customer_ids)
    left = [*_logged(connection, _runs_of(connection, whom)), *_pushed(connection, whom)]
    alike = groupby(sorted(left), key=lambda one: (one[0], one[1], one[2]))
    return [asdict(_summed(what, form, by, [one[3] for one in every])) for (what, form, by), every in alike]


def _summed(what: str, form: str, by: str, instants: Sequence[int]) -> HandedOut:
    return HandedOut(what, form, by, len(instants), iso(min(instants)), iso(max(instants)))


def _logged(connection: Connection, theirs: frozenset[str]) -> Iterator[tuple[str, str, str, int]]:
    columns = (audit_entries.c.what, audit_entries.c.about, audit_entries.c.kind, audit_entries.c.name)
    query = select(*columns, audit_entries.c.at).where(audit_entries.c.what.in_(LEAVING))
    standing: dict[str, bool] = {}
    for what, about, kind, name, at in connection.execute(query).all():
        told = json.loads(about)
        run = str(told.get("run", ""))
        if run and run not in standing:
            standing[run] = run in theirs or not _is_kept(connection, run)
        if standing.get(run, True) and told.get("customers_named") != 0:
            yield what, str(told.get("format", "")), f"{kind} {name}", at


def _runs_of(connection: Connection, whom: Sequence[str]) -> frozenset[str]:
    found: set[str] = set()
    for start in range(0, len(whom), _AT_ONCE):
        some = records.c.customer_id.in_(whom[start : start + _AT_ONCE])
        found.update(connection.execute(select(records.c.run_id).where(some).distinct()).scalars())
    return frozenset(found)


def _is_kept(connection: Connection, run_id: str) -> bool:
    return connection.execute(select(records.c.run_id).where(records.c.run_id == run_id).limit(1)).first() is not None


def _pushed(connection: Connection, whom: Sequence[str]) -> Iterator[tuple[str, str, str, int]]:
    """Yield, by webhook, when messages that told of the customers were delivered."""
    met: set[int] = set()
    for start in range(0, len(whom), _AT_ONCE):
        some = message_customers.c.customer_id.in_(whom[start : start + _AT_ONCE])
        told = select(message_customers.c.message_id).where(some)
        sent = (deliveries.c.state == "delivered") & deliveries.c.message_id.in_(told)
        at = func.coalesce(deliveries.c.settled_at, 0)
        query = select(deliveries.c.delivery_id, deliveries.c.endpoint_id, at).where(sent)
        for delivery, endpoint, settled_at in connection.execute(query).all():
            if delivery not in met:
                met.add(delivery)
                yield PUSHED, endpoint, "service churnml", settled_at
