"""Check, quarantine, land: what a company brings either keeps the contract or is told, row by row, where it does not.

A file that breaks the contract is refused whole and the workspace stays as it was. A broken row goes to quarantine
with its file, row, column, value, rule and remedy, and the rest lands. A row that comes again equal is skipped.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import duckdb

from churnml.config import WorkspaceConfig
from churnml.database import Catalogue, Workspace
from churnml.database.workspace import digest_of_file
from churnml.errors import UsageError
from churnml.events.checking import Checked, TableReport, check, set_aside
from churnml.events.landing import write_part
from churnml.events.schema import TABLES
from churnml.events.sources import Source


@dataclass(frozen=True)
class IngestReport:
    """What became of all sources of one landing; `batch_id` is None where no source was new."""

    batch_id: int | None
    tables: list[TableReport]
    already_landed: list[str]

    def to_json(self) -> dict[str, Any]:  # Any: JSON
        """Return the report as plain data."""
        return asdict(self)


def ingest(
    workspace: Workspace,
    catalogue: Catalogue,
    sources: Sequence[Source],
    config: WorkspaceConfig,
    now: int,
    *,
    check_only: bool = False,
    backfill: bool = False,
    progress: Callable[[str], None] = lambda _: None,
) -> IngestReport:
    """Check sources against the contract and land what keeps it.

    Parameters
    ----------
    sources : sequence of Source
        In any order, one for a table; `customers` are checked first, because all others refer to them.
    now : int
        The landing time, microseconds UTC; what a later landing without `ingested_at` is stamped with.
    check_only : bool
        Check and report, write nothing.
    backfill : bool
        Take rows without `ingested_at` as known when they happened, in a later landing as well as in the first.
    progress : callable
        Told the origin of each source before it is checked.

    Raises
    ------
    UsageError
        If two sources are meant for one table.
    DataRefusedError
        If a file breaks the contract as a whole; nothing of any source has landed then.
    """
    _refuse_two_for_one(sources)
    with workspace.locked("ingest"), _connect(workspace) as connection:
        order = list(TABLES)
        ordered = sorted(sources, key=lambda source: order.index(source.table))
        digests = {source.table: _digest(source) for source in ordered}
        fresh = [source for source in ordered if not catalogue.knows_source(digests[source.table])]
        known = [source.origin for source in ordered if source not in fresh]
        landed = _landed_files(workspace, catalogue)
        checked = []
        for source in fresh:
            progress(source.origin)
            checked.append(check(connection, source, landed, config.max_bad_share, now, backfill=backfill))
        batch_id = None
        if fresh and not check_only:
            batch_id = _land(connection, workspace, catalogue, checked, now, [digests[s.table] for s in fresh])
        return IngestReport(batch_id, [one.report for one in checked], known)


def _refuse_two_for_one(sources: Sequence[Source]) -> None:
    first: dict[str, Source] = {}
    for source in sources:
        before = first.setdefault(source.table, source)
        if before is not source:
            raise UsageError(
                f"one landing takes one source for each table, found {before.origin} and {source.origin} for "
                f"`{source.table}`; ingest them one after the other"
            )


@contextlib.contextmanager
def _connect(workspace: Workspace) -> Iterator[duckdb.DuckDBPyConnection]:
    spill = str(workspace.root / ".spill")
    with duckdb.connect(config={"memory_limit": "1GB", "temp_directory": spill}) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute("SET enable_progress_bar = false")
        yield connection


def _digest(source: Source) -> str:
    digest = hashlib.sha256(f"{source.table}\n{source.mapping}\n".encode())
    for path in source.files:
        digest.update(digest_of_file(path).encode())
    return digest.hexdigest()


def _landed_files(workspace: Workspace, catalogue: Catalogue) -> dict[str, list[str]]:
    files: dict[str, list[str]] = {}
    for part in catalogue.parts():
        files.setdefault(part.table_name, []).append(str(workspace.root / part.path))
    return files


def _land(
    connection: duckdb.DuckDBPyConnection,
    workspace: Workspace,
    catalogue: Catalogue,
    checked: list[Checked],
    now: int,
    digests: list[str],
) -> int:
    """Write parts and quarantine, then make them count in one transaction; a crash before it leaves nothing."""
    batch_id = catalogue.next_batch_id()
    parts = []
    for one in checked:
        if one.report.quarantined:
            _write_quarantine(connection, workspace, one, batch_id)
        if one.report.landed:
            table = TABLES[one.report.table]
            parts.append(write_part(connection, workspace, table, batch_id, one.report.landed))
    catalogue.land(batch_id, now, parts, {"tables": [asdict(one.report) for one in checked]}, digests)
    return batch_id


def _write_quarantine(connection: duckdb.DuckDBPyConnection, workspace: Workspace, one: Checked, batch_id: int) -> None:
    """Write every row set aside, one JSON object a line, beside the tables."""
    target = workspace.quarantine / f"{batch_id:06}-{one.report.table}.jsonl"
    with workspace.atomically(target) as draft, draft.open("w", encoding="utf-8") as handle:
        for row in set_aside(connection, one.source, one.rules):
            handle.write(json.dumps(row, ensure_ascii=False) + "\n")
