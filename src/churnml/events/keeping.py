"""What measures keep of single customers: Parquet files sorted by `customer_id`, with nobody who is gone or refuses.

They can be made again from the landed rows, so they are no part of what landed; but they tell of persons. Whoever
refuses to be profiled is taken out when the refusal lands, whoever is forgotten with everything else, and a measure
that began before either writes nothing of them, for it looks again under the lock under which it writes.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from churnml.database import Catalogue, Workspace

ROWS_PER_GROUP = 20_000
"""Few enough that the group of one customer is read in milliseconds."""


def file_of(workspace: Workspace, name: str) -> Path:
    """Return where a measure keeps what it knows of single customers; there may be nothing yet."""
    return workspace.measures / f"{name}.parquet"


def keep(workspace: Workspace, catalogue: Catalogue, name: str, rows: pa.Table) -> None:
    """Put rows in the place of those that were kept, of whoever is still a customer and does not refuse.

    Parameters
    ----------
    rows : pyarrow.Table
        With a text column `customer_id`; the rows of a customer stay in their order.
    """
    with workspace.locked("paths"):  # not that of measures, which whoever writes may hold already
        _sweep(workspace)
        there = pc.is_in(rows.column("customer_id"), value_set=_customers(workspace, catalogue))
        refusing = pa.array(sorted(catalogue.refusing()), pa.string())
        may = pc.and_(there, pc.invert(pc.is_in(rows.column("customer_id"), value_set=refusing)))
        turn = pa.array(range(len(rows)), pa.int64())
        order = pc.sort_indices(
            pa.table({"who": rows.column("customer_id"), "turn": turn}).filter(may),
            sort_keys=[("who", "ascending"), ("turn", "ascending")],
        )
        _write(workspace, file_of(workspace, name), rows.filter(may).take(order))


def of_customer(workspace: Workspace, catalogue: Catalogue, name: str, customer_id: str) -> pa.Table | None:
    """Return what is kept of one customer: no rows if nothing is, or if they refuse; None if nobody's is."""
    path = file_of(workspace, name)
    if not path.exists():
        return None
    found = pq.read_table(path, filters=[("customer_id", "=", customer_id)])
    return found.slice(0, 0) if catalogue.refuses(customer_id) else found


def forget(workspace: Workspace, whom: Iterable[str]) -> int:
    """Take customers out of everything that measures keep, and return how many rows went."""
    ids, gone = pa.array(sorted(whom), pa.string()), 0
    if not len(ids) or not workspace.measures.exists():
        return 0
    with workspace.locked("paths"):
        _sweep(workspace)
        for path in workspace.measures.glob("*.parquet"):
            theirs = pc.is_in(pq.read_table(path, columns=["customer_id"]).column(0), value_set=ids)
            count = pc.sum(theirs).as_py() or 0
            if count:
                _write(workspace, path, pq.read_table(path).filter(pc.invert(theirs)))
            gone += count
    return gone


def _customers(workspace: Workspace, catalogue: Catalogue) -> pa.ChunkedArray:
    files = [workspace.root / part.path for part in catalogue.parts("customers")]
    return pa.chunked_array(
        [chunk for file in files for chunk in pq.read_table(file, columns=["customer_id"]).column(0).chunks],
        pa.string(),
    )


def _sweep(workspace: Workspace) -> None:
    """Remove the drafts of writers that were killed; whoever holds the lock is alone."""
    for draft in workspace.measures.glob(".*.parquet.*"):
        draft.unlink()


def _write(workspace: Workspace, path: Path, rows: pa.Table) -> None:
    with workspace.atomically(path) as draft:
        pq.write_table(rows, draft, row_group_size=ROWS_PER_GROUP, compression="zstd")
