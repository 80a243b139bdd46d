"""Many small parts become one: what landings of a few seconds each leave behind, so that reading does not slow down.

The files that were merged go an hour later: whoever began to read them may end.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from churnml.database import Catalogue, Part, Workspace
from churnml.database.catalogue import relative
from churnml.database.workspace import digest_of_file
from churnml.events.clock import HOUR
from churnml.events.landing import next_path
from churnml.events.schema import TABLES

MOST = 32
"""So many small parts of a table may stand beside each other."""
SMALL = 20_000
"""Rows; a part that has more has been merged often enough."""
_ORDER = [(name, "ascending") for name in ("bucket", "customer_id", "occurred_at", "row_key", "ingested_at")]


def merge_small(
    workspace: Workspace, catalogue: Catalogue, batches: Collection[int], now: int, most: int = MOST
) -> int:
    """Merge the small parts that some batches brought, of each table that has too many; return how many files went.

    Parameters
    ----------
    batches : collection of int
        Those that landed what came in by API.
    now : int
        Microseconds UTC.
    most : int
        So many may stand beside each other.
    """
    with workspace.locked("ingest"):
        small = [part for part in catalogue.parts() if part.batch_id in batches and part.rows <= SMALL]
        gone = 0
        for name in sorted({part.table_name for part in small}):
            parts = [part for part in small if part.table_name == name]
            if len(parts) > most:
                gone += _merge(workspace, catalogue, parts, now)
        return gone


def _merge(workspace: Workspace, catalogue: Catalogue, parts: list[Part], now: int) -> int:
    table = TABLES[parts[0].table_name]
    read = [(part, pq.read_table(workspace.root / part.path)) for part in sorted(parts, key=lambda one: one.batch_id)]
    # a row that leaves open when it was learned has that from its own landing, and stays with it
    merged = [(part, rows) for part, rows in read if not table.from_landing or _each_dated(rows)]
    if len(merged) <= 1:
        return 0
    # of what an earlier version landed, columns that came later stay empty
    rows = pa.concat_tables([rows for _, rows in merged], promote_options="default").sort_by(_ORDER)
    last = merged[-1][0]
    path = next_path(workspace.root / last.path)
    texts = [field.name for field in rows.schema if pa.types.is_string(field.type)]
    with workspace.atomically(path) as draft:
        pq.write_table(rows, draft, use_dictionary=texts, dictionary_pagesize_limit=1 << 24, row_group_size=len(rows))
        digest = digest_of_file(draft)
    of = [part for part, _ in merged]
    spans = {"first_at": min(one.first_at for one in of), "last_at": max(one.last_at for one in of)}
    delay, where = max(one.max_delay for one in of), relative(path, workspace.root)
    new = Part(last.batch_id, table.name, where, len(rows), **spans, max_delay=delay, digest=digest)
    _retire(workspace, [part.path for part in of], now)
    catalogue.rewrite({**dict.fromkeys(part.path for part in of[:-1]), last.path: new}, {})
    return len(of) - 1


def _each_dated(rows: pa.Table) -> bool:
    alike = pc.sum(pc.equal(rows.column("ingested_at"), rows.column("occurred_at"))).as_py()
    return not alike


def _list_of(workspace: Workspace) -> Path:
    return workspace.root / ".retired.json"


def _retired(workspace: Workspace) -> dict[str, int]:
    path = _list_of(workspace)
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else {}


def _retire(workspace: Workspace, paths: Collection[str], now: int) -> None:
    """Note which files are about to count no longer, and forget those whose hour is over."""
    noted = {path: at for path, at in _retired(workspace).items() if at > now - HOUR}
    with workspace.atomically(_list_of(workspace)) as draft:
        draft.write_text(json.dumps(noted | dict.fromkeys(paths, now)), encoding="utf-8")


def still_read(workspace: Workspace, now: int) -> frozenset[Path]:
    """Return the files that count no longer and that somebody may still be reading."""
    return frozenset(workspace.root / path for path, at in _retired(workspace).items() if at > now - HOUR)
