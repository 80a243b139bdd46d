"""How to reach one customer, as the latest version that was learned tells it: the only reader of personal columns.

No feature, measure, record or report is made of these; they leave the workspace by the route that asks for them alone.
"""

from __future__ import annotations

from collections.abc import Sequence
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


def contact_details(root: Path, parts: Sequence[Part], customer_id: str, now: int) -> ContactDetails | None:
    """Return the contact details of a customer as they were known at an instant; None of nobody known then.

    Parameters
    ----------
    root : Path
        The workspace.
    parts : sequence of Part
        Those of `customers` that count.
    now : int
        Microseconds UTC; versions learned later are not seen.
    """
    whose = (pc.field("bucket") == bucket_of(customer_id)) & (pc.field("customer_id") == customer_id)
    known: list[tuple[tuple[int, ...], ContactDetails]] = []
    for part in parts:
        names = pq.read_schema(root / part.path).names
        clocks = [name for name in _CLOCKS if name in names]
        told = [name for name in _PERSONAL if name in names]
        for row in pq.read_table(root / part.path, columns=[*clocks, *told], filters=whose).to_pylist():
            when = tuple(row[name] for name in clocks)
            known.append(((when[0], when[-1], part.batch_id), ContactDetails(**{name: row[name] for name in told})))
    seen = [one for one in known if one[0][0] <= now]
    return max(seen, key=lambda one: one[0])[1] if seen else None
