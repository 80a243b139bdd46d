"""How to reach a customer, as the latest version that was learned tells it: the only reader of personal columns.

No feature, measure, record or report is made of these; they leave the workspace by the route that asks for them alone.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow.compute as pc
import pyarrow.parquet as pq

from churnml.database import Part
from churnml.events.held_rows import bucket_of
from churnml.events.schema import TABLES

_PERSONAL = tuple(column.name for column in TABLES["customers"].columns if column.personal)
_CLOCKS = ("ingested_at", "occurred_at")


@dataclass(frozen=True)
class ContactDetails:
    """How to address and reach a customer, and who looks after them; None where nothing is told."""

    display_name: str | None = None
    phone: str | None = None
    email: str | None = None
    owner: str | None = None


def contact_details(
    root: Path, parts: Sequence[Part], customer_ids: Collection[str], now: int
) -> dict[str, ContactDetails]:
    """Return the contact details of each of some customers who was known at an instant, by id.

    Parameters
    ----------
    root : Path
        The workspace.
    parts : sequence of Part
        Those of `customers` that count.
    now : int
        Microseconds UTC; versions learned later are not seen.
    """
    buckets = sorted({bucket_of(one) for one in customer_ids})
    whose = pc.field("bucket").isin(buckets) & pc.field("customer_id").isin(sorted(set(customer_ids)))
    latest: dict[str, tuple[tuple[int, ...], ContactDetails]] = {}
    for part in parts if buckets else ():
        names = pq.read_schema(root / part.path).names
        clocks = [name for name in _CLOCKS if name in names]
        told = [name for name in _PERSONAL if name in names]
        for row in pq.read_table(root / part.path, columns=["customer_id", *clocks, *told], filters=whose).to_pylist():
            when = (row[clocks[0]], row[clocks[-1]], part.batch_id)
            before = latest.get(row["customer_id"])
            if when[0] <= now and (before is None or when >= before[0]):
                latest[row["customer_id"]] = (when, ContactDetails(**{name: row[name] for name in told}))
    return {customer: details for customer, (_, details) in latest.items()}
