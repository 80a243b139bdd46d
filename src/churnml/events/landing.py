"""Landed rows on disk: one Parquet file for each table of each batch, sorted by bucket, customer and time.

A customer's *bucket* is a hash of the id in 0 … 65,535. Row groups never straddle a bucket range that is a power of
two, so any number of blocks up to the number of row groups reads each group exactly once, whatever batch it is in.
Nothing about the number of blocks is fixed on disk: a shop reads one, a bank thousands. docs/adr/0002 has the reasons.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from churnml.database import Catalogue, Part, Workspace
from churnml.database.catalogue import relative
from churnml.database.workspace import digest_of_file
from churnml.events.checking import Checked

BUCKETS = 1 << 16
ROWS_PER_BLOCK = 200_000


def blocks_for(rows: int) -> int:
    """Return the number of blocks, a power of two, that holds 100,000 to 200,000 rows of the largest table each."""
    return min(BUCKETS, 1 << max(0, (rows - 1) // ROWS_PER_BLOCK).bit_length())


def write_part(
    connection: duckdb.DuckDBPyConnection,
    workspace: Workspace,
    checked: Checked,
    batch_id: int,
    rows: Mapping[str, int],
) -> Part:
    """Write the good rows of a checked table and return the part that the catalogue will count.

    Parameters
    ----------
    rows : mapping of str to int
        Rows about to be written, by table; all tables of a landing are cut alike, so that no block decodes another's
        rows.
    """
    table = checked.table
    path = workspace.tables / table.name / f"{batch_id:06}.parquet"
    buckets_per_group = BUCKETS // blocks_for(max(rows.values()))
    reader = _sorted(connection, checked)
    texts = [field.name for field in reader.schema if pa.types.is_string(field.type)]
    with (
        workspace.atomically(path) as draft,
        pq.ParquetWriter(draft, reader.schema, use_dictionary=texts, dictionary_pagesize_limit=1 << 24) as writer,
    ):
        for group in _aligned(reader, buckets_per_group):
            writer.write_table(group, row_group_size=group.num_rows)
    ((first, last, delay),) = connection.execute(f"""
        SELECT min(occurred_at), max(occurred_at), max(greatest(ingested_at - occurred_at, 0))
        FROM (SELECT {checked.selected()} FROM {checked.name} WHERE broken = 0)
    """).fetchall()
    where = relative(path, workspace.root)
    return Part(batch_id, table.name, where, rows[table.name], first, last, delay, digest_of_file(path))


def rewritten_part(workspace: Workspace, part: Part, change: Callable[[pa.Table], pa.Table]) -> Part:
    """Write a part anew beside the old one, each row group as `change` returns it, and return the new part.

    The row groups stay where they are, so that blocks are read as before; at least one row has to be left.
    """
    path = workspace.root / part.path
    old, target = pq.ParquetFile(path), next_path(path)
    rows, span, delays = 0, list[int](), [0]
    texts = [field.name for field in old.schema_arrow if pa.types.is_string(field.type)]
    with workspace.atomically(target) as draft:
        with pq.ParquetWriter(draft, old.schema_arrow, use_dictionary=texts, dictionary_pagesize_limit=1 << 24) as out:
            for number in range(old.num_row_groups):
                kept = change(old.read_row_group(number))
                if len(kept):
                    out.write_table(kept, row_group_size=len(kept))
                    rows += len(kept)
                    span += pc.min_max(kept.column("occurred_at")).as_py().values()
                    delay = pc.subtract(kept.column("ingested_at"), kept.column("occurred_at"))
                    delays.append(pc.max(delay).as_py())
        digest = digest_of_file(draft)
    where = relative(target, workspace.root)
    part = replace(part, path=where, rows=rows, digest=digest)
    return replace(part, first_at=min(span), last_at=max(span), max_delay=max(delays))


def next_path(path: Path) -> Path:
    """Return the name of the next writing of a part: 000001.parquet, then 000001-2.parquet, and so on."""
    stem, _, number = path.stem.partition("-")
    return path.with_name(f"{stem}-{int(number or 1) + 1}{path.suffix}")


def sweep(workspace: Workspace, catalogue: Catalogue, spared: Collection[Path] = ()) -> None:
    """Remove every file that does not count: what a landing or an erasure left behind that was killed.

    Parameters
    ----------
    spared : collection of Path
        Files that stay all the same, because somebody may be reading them; an erasure spares none.
    """
    counted = {workspace.root / part.path for part in catalogue.parts()} | set(spared)
    drafts = workspace.quarantine.glob(".*.jsonl.*")
    for path in (*workspace.tables.glob("*/*"), *drafts):
        if path not in counted:
            path.unlink()


def _sorted(connection: duckdb.DuckDBPyConnection, checked: Checked) -> pa.RecordBatchReader:
    """Return the good rows by bucket, customer and time; ties by a hash of the key, the same whatever the file's order.

    MD5 is dear but the same for ever, which DuckDB's own hash is not; the bucket is asked once a customer.
    """
    table, good = checked.table, f"FROM {checked.name} WHERE broken = 0"
    key = " || chr(31) || ".join(f"coalesce({name}::VARCHAR, '')" for name in table.key)
    return connection.sql(f"""
        WITH good AS (SELECT {checked.selected()} {good}),
        buckets AS (
            SELECT customer_id, (md5_number_lower(customer_id) % {BUCKETS})::INTEGER AS bucket
            FROM (SELECT DISTINCT customer_id {good})
        )
        SELECT bucket, {", ".join(table.names)}, (md5_number_lower({key}) >> 1)::BIGINT AS row_key
        FROM good JOIN buckets USING (customer_id)
        ORDER BY bucket, customer_id, occurred_at, row_key, ingested_at
    """).to_arrow_reader(1 << 16)


def _aligned(reader: pa.RecordBatchReader, buckets_per_group: int) -> Iterator[pa.Table]:
    """Cut a sorted stream where the bucket range changes, holding one group in memory."""
    current, pending = -1, list[pa.RecordBatch]()
    for batch in reader:
        group = batch.column("bucket").to_numpy() // buckets_per_group
        edges = [0, *(np.flatnonzero(np.diff(group)) + 1).tolist(), batch.num_rows]
        for start, stop in pairwise(edges):
            if stop == start:
                continue
            if group[start] != current and pending:
                yield pa.Table.from_batches(pending)
                pending = []
            current = int(group[start])
            pending.append(batch.slice(start, stop - start))
    if pending:
        yield pa.Table.from_batches(pending)
