"""What a workspace would be good for, before a minute is spent on training: customers, span, what is missing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from churnml.database import Part
from churnml.events.clock import DAY
from churnml.events.reporting import TableReport
from churnml.events.schema import ONE_OF, REQUIRED

Json = dict[str, Any]  # Any: JSON


def preflight(parts: Sequence[Part], reports: Sequence[TableReport]) -> Json:
    """Return what stands and what would come on top.

    Parameters
    ----------
    parts : sequence of Part
        What counts already.
    reports : sequence of TableReport
        What was just checked.

    Returns
    -------
    dict
        `rows` by table, `first_at` and `last_at` of what tells of churn (orders, else subscriptions) in microseconds
        UTC, `span_days`, and `missing_tables`: those without which nothing goes.
    """
    rows: dict[str, int] = {}
    for name, count in [*((p.table_name, p.rows) for p in parts), *((r.table, r.landed) for r in reports)]:
        rows[name] = rows.get(name, 0) + count
    main = next((name for name in ONE_OF if rows.get(name)), None)
    spans = [(part.first_at, part.last_at) for part in parts if part.table_name == main]
    spans += [(r.first_at, r.last_at) for r in reports if r.table == main and r.first_at is not None and r.last_at]
    begins, ends = min((one for one, _ in spans), default=None), max((one for _, one in spans), default=None)
    missing = [name for name in REQUIRED if not rows.get(name)]
    return {
        "rows": {name: count for name, count in rows.items() if count},
        "first_at": begins,
        "last_at": ends,
        "span_days": None if begins is None or ends is None else (ends - begins) // DAY + 1,
        "missing_tables": missing + ([" or ".join(ONE_OF)] if main is None else []),
    }
