"""A store cut off at an instant: the files as they would be had nothing happened and nothing been learned beyond it.

It is the same wall by another way, and by a simpler one: two comparisons in SQL, file by file. Nothing here knows of
blocks, versions, late rows or windows. What features say of the files that are left must be what they say through
`point_in_time`, and `modeling/leakage` holds the two against each other on a user's own data.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from churnml.database import Part
from churnml.events.no_bar import without_bar
from churnml.events.point_in_time import Store
from churnml.events.schema import TABLES

_UNMET = "customer_id NOT IN (SELECT customer_id FROM met)"


@dataclass(frozen=True)
class Hidden:
    """How many rows of a table there are, and what of them was cut off.

    Parameters
    ----------
    rows : int
        All that have landed.
    ahead : int
        Rows that happened at the cutoff or after it.
    late : int
        Rows that happened before it and were learned after it; the first clock alone would let them through.
    answers : int
        Later facts, such as when a ticket was resolved, that were emptied in rows that stay.
    """

    rows: int = 0
    ahead: int = 0
    late: int = 0
    answers: int = 0

    def __add__(self, other: Hidden) -> Hidden:
        return Hidden(*(getattr(self, name) + getattr(other, name) for name in self.__dataclass_fields__))


@dataclass(frozen=True)
class CutOff:
    """A store without a future, and what was hidden to make it, by table."""

    store: Store
    hidden: dict[str, Hidden]


def cut_off(store: Store, cutoff: int, folder: Path) -> CutOff:
    """Write a store as it was known at a cutoff, and return it.

    Parameters
    ----------
    cutoff : int
        Microseconds UTC. A row stays if ``occurred_at < cutoff`` and ``ingested_at <= cutoff``; a later fact stays in
        it if its own time lies before the cutoff, or where no column tells that time, if its landing does. Customers
        met later remain as such.
    folder : Path
        An empty folder for the files; they hold rows of customers, so whoever made it removes it.

    Returns
    -------
    CutOff
        Who refuses to be profiled is the same in both: a refusal acts at once, whatever the cutoff.
    """
    parts, hidden = [], dict[str, Hidden]()
    settings: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": "400MB",
        "temp_directory": str(folder / "duckdb"),
    }
    with duckdb.connect(config=settings) as connection:
        without_bar(connection)
        _register_met(connection, store, cutoff)
        for number, part in enumerate(store.parts):
            original, path = store.root / part.path, f"{number:06}.parquet"
            source = connection.read_parquet(str(original))
            stays = f"occurred_at < {cutoff} AND ingested_at <= {cutoff}"
            here = source.filter(f"{stays} OR {_UNMET}" if part.table_name == "customers" else stays)
            left = here.project(f"* REPLACE ({', '.join(_emptied(part, store, cutoff))})")
            _write(left, pq.read_schema(original), folder / path)
            counted = _counted(source, part, store, cutoff)
            hidden[part.table_name] = hidden.get(part.table_name, Hidden()) + counted
            parts.append(_part(part, path, counted))
    return CutOff(replace(store, root=folder, parts=tuple(parts)), hidden)


def _register_met(connection: duckdb.DuckDBPyConnection, store: Store, cutoff: int) -> None:
    """Make known, as `met`, which customers have been met at the cutoff.

    Who is met later remains, as someone whom no cutoff up to then sees: rows of theirs that are known already count,
    such as that of a contract they have taken over from another customer.
    """
    files = [str(store.root / part.path) for part in store.parts if part.table_name == "customers"]
    connection.execute(
        "CREATE TEMP TABLE met AS SELECT DISTINCT customer_id FROM read_parquet($files) "
        "WHERE occurred_at < $cutoff AND ingested_at <= $cutoff",
        {"files": files, "cutoff": cutoff},
    )


def _later(part: Part, store: Store, cutoff: int) -> Iterator[tuple[str, str]]:
    """Yield each later fact of a table, and in SQL whether it is known at the cutoff."""
    table = TABLES[part.table_name]
    for time, facts in table.later.items():
        yield from ((fact, f"{time} < {cutoff}") for fact in facts)
    landed = "true" if store.landings[part.batch_id] <= cutoff else "false"
    for fact in table.from_landing:  # a row learned as it happened may be backfill: then only its landing is certain
        yield fact, f"(ingested_at <> occurred_at OR {landed})"


def _emptied(part: Part, store: Store, cutoff: int) -> Iterator[str]:
    yield "occurred_at AS occurred_at"  # SQL wants at least one
    for fact, known in _later(part, store, cutoff):
        yield f"CASE WHEN {known} THEN {fact} END AS {fact}"


def _write(rows: duckdb.DuckDBPyRelation, schema: pa.Schema, path: Path) -> None:
    """Write rows in the order in which they stand, under the schema they had: parts of a table are put together."""
    with pq.ParquetWriter(path, schema) as writer:
        for batch in rows.to_arrow_reader(1 << 16):
            writer.write_batch(pa.RecordBatch.from_arrays(batch.columns, schema=schema))


def _counted(source: duckdb.DuckDBPyRelation, part: Part, store: Store, cutoff: int) -> Hidden:
    ahead, late = f"occurred_at >= {cutoff}", f"occurred_at < {cutoff} AND ingested_at > {cutoff}"
    here = f"occurred_at < {cutoff} AND ingested_at <= {cutoff}"
    gone = [
        f"count(*) FILTER ({here} AND {fact} IS NOT NULL AND NOT {known})"
        for fact, known in _later(part, store, cutoff)
    ]
    told = f"count(*), count(*) FILTER ({ahead}), count(*) FILTER ({late}), {' + '.join(gone) or '0'}"
    return Hidden(*(int(count) for count in source.aggregate(told).fetchall()[0]))


def _part(part: Part, path: str, hidden: Hidden) -> Part:
    """Return the part as it is left.

    Nothing in it is late any more, so the second clock need not be read again. Only of a row that came again, to tell
    a later fact, it says which was the first.
    """
    delay = part.max_delay if TABLES[part.table_name].later else 0
    rows = hidden.rows - hidden.ahead - hidden.late
    return replace(part, path=path, rows=rows, max_delay=delay, digest=f"{part.digest} cut off")
