"""Records made anew in the run that is served: of customers of whom something has arrived since it was done."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select, update

from churnml.database.dialect import insert_or_ignore, take_turn
from churnml.database.outbox import post_bands
from churnml.database.records import blank, changed, row_of
from churnml.database.tables import records, refusals, runs
from churnml.database.tables_arrivals import replaced
from churnml.database.tombstones import erased_among

Record = Mapping[str, Any]  # Any: JSON
FRESH, SCORED_AT = "fresh", "scored_at"


def refresh(
    connection: Connection, run_id: str, bodies: Iterable[Record], kept: Collection[str], scored_at: str
) -> int:
    """Put records in the place of those of a run that are older, and return how many there were.

    What the run itself said is kept aside, once. What it decided for a customer stays as it is; a customer it did not
    know gets a record with nothing decided.

    Parameters
    ----------
    run_id : str
        The run that is served.
    bodies : iterable of mapping
        The new records.
    kept : collection of str
        The fields that stay: those in which a decision is told.
    scored_at : str
        When they were made, ISO 8601; with it the record says that it is fresh.
    """
    take_turn(connection)
    changed(connection, [run_id])  # the first statement writes: nothing read after it can be stale
    new = {body["customer_id"]: body for body in bodies}
    for customer in erased_among(connection, new.keys()):  # since their rows were read
        del new[customer]
    if connection.execute(select(runs.c.run_id).where(runs.c.run_id == run_id, runs.c.state == "done")).first() is None:
        return 0
    theirs = (records.c.run_id == run_id) & records.c.customer_id.in_(list(new))
    query = select(records.c.customer_id, records.c.body).where(theirs)
    standing = {row.customer_id: row.body for row in connection.execute(query)}
    stands = {customer: json.loads(body) for customer, body in standing.items()}
    newer = [one for one in new.values() if _is_newer(one, stands.get(one["customer_id"]))]
    for body in newer:
        before = stands.get(body["customer_id"], {})
        decided = {name: before[name] for name in kept if name in before}
        row = row_of(run_id, {**body, **decided, "run_id": run_id, FRESH: True, SCORED_AT: scored_at})
        _put(connection, row, standing.get(body["customer_id"]))
    refusing = select(refusals.c.customer_id)
    blank(connection, theirs & records.c.customer_id.in_(refusing))
    _tell(connection, run_id, newer, stands, scored_at)
    return len(newer)


def _tell(
    connection: Connection, run_id: str, newer: Iterable[Record], stands: Mapping[str, Record], scored_at: str
) -> None:
    """Tell the endpoints that ask for it whose band is another by now; who refuses to be profiled has none."""
    bands = {one["customer_id"]: one.get("risk_band") for one in newer}
    refusing = set(
        connection.execute(select(refusals.c.customer_id).where(refusals.c.customer_id.in_(bands))).scalars()
    )
    moved = [
        (customer, band, stands.get(customer, {}).get("risk_band"))
        for customer, band in sorted(bands.items())
        if customer not in refusing
    ]
    about = {"cutoff": scored_at, "model_version": next((one.get("model_version") for one in newer), None)}
    at = round(_instant(scored_at) * 1_000_000)
    post_bands(connection, about | {"run_id": run_id}, moved, at=at)


def _put(connection: Connection, row: dict[str, Any], before: str | None) -> None:  # Any: JSON
    """Put a record in the place of one, which is kept aside the first time, or where there was none."""
    if before is None:
        connection.execute(insert(records), row)
        return
    aside = {"run_id": row["run_id"], "customer_id": row["customer_id"], "body": before}
    insert_or_ignore(connection, replaced, [aside])
    same = (records.c.run_id == row["run_id"]) & (records.c.customer_id == row["customer_id"])
    now = row["churn_probability"]
    change = None if now is None else now - records.c.probability_before
    connection.execute(update(records).where(same).values(**row, probability_change=change))


def _is_newer(new: Record, stands: Record | None) -> bool:
    """Tell whether a record is of a later cutoff than the one that stands, by the instants they name."""
    return stands is None or _instant(stands["cutoff"]) < _instant(new["cutoff"])


def _instant(told: str) -> float:
    return datetime.fromisoformat(told).timestamp()


def originals(connection: Connection, run_id: str) -> dict[str, dict[str, Any]]:  # Any: JSON
    """Return the records as a run made them, of the customers whose records were made anew since, by id."""
    query = select(replaced.c.customer_id, replaced.c.body).where(replaced.c.run_id == run_id)
    return {row.customer_id: json.loads(row.body) for row in connection.execute(query)}
