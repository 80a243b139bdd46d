"""Forget customers: rewrite every file of this folder's keeping that holds them, and what the database says of them.

New files are written beside the old, quarantine is rewritten, the catalogue is turned to the new in one transaction,
and only then the old files and the deleted bytes of the database are removed. Readers see a customer whole or not at
all. An erasure that is killed has removed some of it and says nothing: repeat it until it answers, for it looks at
everything again and goes on where the other was stopped.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from churnml.database import Catalogue, Part, Workspace
from churnml.events import keeping, quarantine
from churnml.events.landing import rewritten_part, sweep


@dataclass(frozen=True)
class Forgotten:
    """What was removed by this call: rows by table and of the quarantine, decision records, rows that measures keep.

    `reports` says how many were rewritten; `database` how many rows of the database went, by place, records included.
    """

    rows: dict[str, int]
    quarantined: int
    records: int
    reports: int
    measured: int
    database: dict[str, int]


def forget(
    workspace: Workspace, catalogue: Catalogue, customer_ids: Iterable[str], *, settle: bool = True
) -> Forgotten:
    """Remove every trace of some customers from tables, quarantine and database; doing it twice changes nothing.

    It waits for a landing, for a training on a feature table and for a measure, whose intermediate files hold rows too.

    Parameters
    ----------
    customer_ids : iterable of str
        Whom to forget.
    settle : bool, default True
        Whether the files of the database are rid of deleted bytes; whoever goes on deleting does it when done.

    Returns
    -------
    Forgotten
        How much of each there was.

    Raises
    ------
    DependencyError
        If others read the database for so long that deleted bytes could not be removed; repeat it then.
    """
    whom = frozenset(customer_ids)
    # in this order: a measure may make features while it goes on
    with workspace.locked("measures"), workspace.locked("features"), workspace.locked("ingest"):
        for whose in ("measures", "features", "spill"):
            for left_behind in workspace.root.glob(f".{whose}-*"):  # by one that was killed
                shutil.rmtree(left_behind, ignore_errors=True)
        sweep(workspace, catalogue)  # what an erasure that was killed had rewritten and not yet removed
        rewritten: dict[str, Part | None] = {}
        rows: dict[str, int] = {}
        for part in catalogue.parts():
            gone, new = _without(workspace, part, whom)
            if gone:
                rewritten[part.path] = new
                rows[part.table_name] = rows.get(part.table_name, 0) + gone
        quarantined = quarantine.forget(workspace, whom)
        theirs = partial(quarantine.names, customer_ids=whom)
        reports = {
            number: quarantine.without_examples(report, theirs) for number, report in catalogue.reports().items()
        }
        changed = {number: new for number, (new, dropped) in reports.items() if dropped}
        of_database = catalogue.rewrite(rewritten, changed, whom)
        measured = keeping.forget(workspace, whom)  # a measure that writes from here on finds them gone
        sweep(workspace, catalogue)
        if settle:
            catalogue.settle()
        return Forgotten(rows, quarantined, of_database.get("records", 0), len(changed), measured, of_database)


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
    return theirs, rewritten_part(workspace, part, lambda group: _of(group, ids, others=True))


def _of(table: pa.Table, ids: pa.Array, *, others: bool = False) -> pa.Table:
    """Return the rows of some customers, or of all others."""
    theirs = pc.is_in(table.column("customer_id"), value_set=ids)
    return table.filter(pc.invert(theirs) if others else theirs)
