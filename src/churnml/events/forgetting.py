"""Forget customers: rewrite every file of this folder's keeping that holds them, and every report that shows them.

New files are written beside the old, the catalogue is turned to them in one transaction, and only then the old are
removed; whoever is killed in between leaves either all of the old state or all of the new, and a file nobody counts.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from churnml.database import Catalogue, Part, Workspace
from churnml.database.catalogue import relative
from churnml.database.workspace import digest_of_file
from churnml.events import quarantine
from churnml.events.landing import sweep

Json = dict[str, Any]  # Any: JSON


@dataclass(frozen=True)
class Forgotten:
    """What was removed: rows by table, rows of the quarantine, and reports that were rewritten."""

    rows: dict[str, int]
    quarantined: int
    reports: int


def forget(workspace: Workspace, catalogue: Catalogue, customer_ids: Iterable[str]) -> Forgotten:
    """Remove every trace of some customers from tables, quarantine and reports; doing it twice changes nothing.

    Parameters
    ----------
    customer_ids : iterable of str
        Whom to forget.

    Returns
    -------
    Forgotten
        How much of each there was.
    """
    whom = frozenset(customer_ids)
    with workspace.locked("ingest"):
        sweep(workspace, catalogue)  # what an erasure that was killed had rewritten and not yet removed
        rewritten: dict[str, Part | None] = {}
        rows: dict[str, int] = {}
        for part in catalogue.parts():
            gone, new = _without(workspace, part, whom)
            if gone:
                rewritten[part.path] = new
                rows[part.table_name] = rows.get(part.table_name, 0) + gone
        reports = {number: _cleaned(report, whom) for number, report in catalogue.reports().items()}
        changed = {number: new for number, (new, dropped) in reports.items() if dropped}
        catalogue.rewrite(rewritten, changed)
        sweep(workspace, catalogue)
        return Forgotten(rows, quarantine.forget(workspace, whom), len(changed))


def _without(workspace: Workspace, part: Part, whom: frozenset[str]) -> tuple[int, Part | None]:
    """Write a part anew without some customers; return how many rows went, and the new part, None if none is left.

    The row groups stay where they are, so that blocks are read as before.
    """
    path = workspace.root / part.path
    ids = pa.array(sorted(whom), pa.string())
    old = pq.ParquetFile(path)
    theirs = sum(
        len(_of(old.read_row_group(group, columns=["customer_id"]), ids)) for group in range(old.num_row_groups)
    )
    if theirs in {0, part.rows}:
        return theirs, None
    target, span = _next(path), list[int]()
    texts = [field.name for field in old.schema_arrow if pa.types.is_string(field.type)]
    with workspace.atomically(target) as draft:
        with pq.ParquetWriter(draft, old.schema_arrow, use_dictionary=texts, dictionary_pagesize_limit=1 << 24) as out:
            for group in range(old.num_row_groups):
                kept = _of(old.read_row_group(group), ids, others=True)
                if len(kept):
                    out.write_table(kept, row_group_size=len(kept))
                    span += pc.min_max(kept.column("occurred_at")).as_py().values()
        digest = digest_of_file(draft)
    rows, where = part.rows - theirs, relative(target, workspace.root)
    return theirs, replace(part, path=where, rows=rows, first_at=min(span), last_at=max(span), digest=digest)


def _of(table: pa.Table, ids: pa.Array, *, others: bool = False) -> pa.Table:
    """Return the rows of some customers, or of all others."""
    theirs = pc.is_in(table.column("customer_id"), value_set=ids)
    return table.filter(pc.invert(theirs) if others else theirs)


def _next(path: Path) -> Path:
    """Return the name of the next writing of a part: 000001.parquet, then 000001-2.parquet, and so on."""
    stem, _, number = path.stem.partition("-")
    return path.with_name(f"{stem}-{int(number or 1) + 1}{path.suffix}")


def _cleaned(report: Json, whom: frozenset[str]) -> tuple[Json, bool]:
    """Return a report without the examples of some customers, and whether it had any."""
    new, dropped = json.loads(json.dumps(report)), False
    for finding in (finding for table in new.get("tables", ()) for finding in table.get("findings", ())):
        stays = [row for row in finding["examples"] if not quarantine.names(row, whom)]
        dropped |= len(stays) < len(finding["examples"])
        finding["examples"] = stays
    return new, dropped
