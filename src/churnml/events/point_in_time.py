"""The wall between what we knew and what came next: the only reader of landed rows, and of their second clock.

A *fact* is a row with two times: `event_at`, and `known_at`, the later of the fact's own time and its `ingested_at`.
At a cutoff *t* a window of *w* days holds a fact if ``t - w <= event_at < t`` and ``known_at <= t``.
`history` serves features and hides everything beyond the last cutoff; `outcome` serves labels and reads
``[t, t + horizon)``. No other module of this package reads `ingested_at`, and `tests/test_architecture.py` says so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from churnml.database import Catalogue, Part, Workspace
from churnml.errors import NotEnoughDataError
from churnml.events.clock import days_later
from churnml.events.landing import BUCKETS, blocks_for
from churnml.events.schema import TABLES

Integers = npt.NDArray[np.int64]
Column = npt.NDArray[np.int64] | npt.NDArray[np.int32] | npt.NDArray[np.float64]
Wanted = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Facts:
    """The rows of one table for one block, grouped by customer and sorted by time within each.

    Parameters
    ----------
    offsets : ndarray of shape (n_customers + 1,)
        Customer *i* owns the rows ``offsets[i]:offsets[i + 1]``.
    event_at : ndarray of shape (n_rows,)
        Microseconds UTC, not decreasing within a customer.
    known_at : ndarray of shape (n_rows,) or None
        When we learned of it; None where that was never later than the event.
    columns : dict of str to ndarray of shape (n_rows,)
        Integers and money as they are; texts as codes into `words`, -1 where empty.
    words : dict of str to tuple of str
        What the codes of a text column mean; the order carries no meaning and may differ between blocks.
    """

    offsets: Integers
    event_at: Integers
    known_at: Integers | None
    columns: dict[str, Column] = field(default_factory=dict)
    words: dict[str, tuple[str, ...]] = field(default_factory=dict)

    @cached_property
    def customer(self) -> Integers:
        """The customer each row belongs to, as a position in the block; shape (n_rows,)."""
        return np.repeat(np.arange(len(self.offsets) - 1), np.diff(self.offsets))

    def keep(self, rows: npt.NDArray[np.bool_]) -> Facts:
        """Return only the rows marked true, of the same customers."""
        kept = np.concatenate(([0], np.cumsum(rows)))[self.offsets]
        known = None if self.known_at is None else self.known_at[rows]
        columns = {name: column[rows] for name, column in self.columns.items()}
        return replace(self, offsets=kept, event_at=self.event_at[rows], known_at=known, columns=columns)

    def known_by(self, cutoff: int) -> Facts:
        """Return what was known at one cutoff, as if nothing had ever been late."""
        rows = self.event_at < cutoff
        if self.known_at is not None:
            rows &= self.known_at <= cutoff
        return replace(self.keep(rows), known_at=None)


@dataclass(frozen=True)
class Block:
    """A block of customers and their facts: the unit of work of every pass over the data.

    Parameters
    ----------
    customer_ids : ndarray of shape (n_customers,)
        Texts.
    facts : dict of str to Facts
        By table; a table that was never landed is absent.
    """

    customer_ids: npt.NDArray[np.object_]
    facts: dict[str, Facts]

    def known_by(self, cutoff: int) -> Block:
        """Return the block as it was known at one cutoff."""
        return replace(self, facts={name: facts.known_by(cutoff) for name, facts in self.facts.items()})

    def only(self, customers: npt.NDArray[np.bool_]) -> Block:
        """Return the block of the customers marked true."""
        return Block(
            self.customer_ids[customers], {name: _of_customers(f, customers) for name, f in self.facts.items()}
        )


@dataclass(frozen=True)
class Store:
    """The landed parts that count, and the number of blocks they are read in.

    Parameters
    ----------
    root : Path
        The workspace.
    parts : tuple of Part
        From the catalogue.
    time_zone : str
        The workspace's.
    blocks : int
        How many blocks the customers are dealt into, a power of two; 0 lets the largest table decide.
    """

    root: Path
    parts: tuple[Part, ...]
    time_zone: str
    blocks: int = 0

    @classmethod
    def open(cls, workspace: Workspace, catalogue: Catalogue, time_zone: str) -> Store:
        """Return the store of a workspace as the catalogue has it now.

        Raises
        ------
        NotEnoughDataError
            If a required table has not landed yet.
        """
        parts = tuple(catalogue.parts())
        have = {part.table_name for part in parts}
        missing = [table.name for table in TABLES.values() if table.required and table.name not in have]
        if missing:
            raise NotEnoughDataError(f"the table `{missing[0]}` is required, found none landed; `churnml ingest` it")
        return cls(workspace.root, parts, time_zone)

    @property
    def tables(self) -> frozenset[str]:
        """The tables that have landed."""
        return frozenset(part.table_name for part in self.parts)

    @property
    def span(self) -> tuple[int, int]:
        """The instants of the first and the last order."""
        orders = [part for part in self.parts if part.table_name == "orders"]
        return min(part.first_at for part in orders), max(part.last_at for part in orders)

    @cached_property
    def n_blocks(self) -> int:
        """How many blocks the customers are dealt into."""
        return self.blocks or blocks_for(max(self.rows(table) for table in self.tables))

    @property
    def undivided(self) -> Store:
        """The same store with all customers in one block; for what is read of the customers alone."""
        return replace(self, blocks=1)

    def block_ends(self, buckets: Column) -> list[int]:
        """Return where each block ends among customers in the order of their buckets."""
        share = BUCKETS // self.n_blocks
        return [int(end) for end in np.searchsorted(buckets, np.arange(1, self.n_blocks + 1) * share)]

    def rows(self, table: str) -> int:
        """Return how many rows of a table have landed."""
        return sum(part.rows for part in self.parts if part.table_name == table)


def history(store: Store, number: int, cutoffs: Sequence[int], wanted: Wanted) -> Block:
    """Return block `number` as it may be seen by features at these cutoffs.

    Parameters
    ----------
    number : int
        0 … ``store.n_blocks - 1``.
    cutoffs : sequence of int
        Microseconds UTC. No fact that happened or was learned after the last of them is returned; what was learned
        between two of them carries its `known_at`. A customer met later comes without facts, outside the base.
    wanted : mapping of str to sequence of str
        The columns of each table to read; the customer, both clocks and the customers table come by themselves.
    """
    last = max(cutoffs)
    ids, customers = _customers(store, number, wanted.get("customers", ()))
    facts = {"customers": customers}
    for table, columns in wanted.items():
        if table != "customers" and table in store.tables:
            facts[table] = _visible(_read(store, number, table, columns, ids), last)
    return Block(ids.to_numpy(zero_copy_only=False), facts)


@dataclass(frozen=True)
class Outcome:
    """What the customers of a block did in the horizon after each cutoff; arrays of shape (n_cutoffs, n_customers)."""

    customer_ids: npt.NDArray[np.object_]
    orders: Integers
    revenue: Integers
    cost: Integers
    costed_revenue: Integers


def outcome(
    store: Store, number: int, cutoffs: Sequence[int], horizon_days: int, known_by: int | None = None
) -> Outcome:
    """Return the orders with a positive amount, and all money, in ``[t, t + horizon)`` after each cutoff *t*.

    The second clock is not asked: a label may wait until it is final. Whether it is final, `labels.splits` decides.
    """
    ids, _ = _customers(store, number, ())
    orders = _read(store, number, "orders", ("amount", "cost"), ids)
    if known_by is not None and orders.known_at is not None:
        orders = orders.keep(orders.known_at <= known_by)
    amount, cost = orders.columns["amount"].astype(np.int64), orders.columns["cost"]
    costed = ~np.isnan(cost)
    values = {
        "orders": (amount > 0).astype(np.int64),
        "revenue": amount,
        "cost": np.where(costed, cost, 0).astype(np.int64),
        "costed_revenue": np.where(costed, amount, 0),
    }
    sums = {name: np.zeros((len(cutoffs), len(ids)), dtype=np.int64) for name in values}
    for place, cutoff in enumerate(cutoffs):
        end = days_later(cutoff, horizon_days, store.time_zone)
        within = (orders.event_at >= cutoff) & (orders.event_at < end)
        for name, value in values.items():
            np.add.at(sums[name][place], orders.customer[within], value[within])
    return Outcome(ids.to_numpy(zero_copy_only=False), **sums)


def _customers(store: Store, number: int, columns: Sequence[str]) -> tuple[pa.Array, Facts]:
    """Read the customers of a block in the order of (bucket, id), the order that every other table follows."""
    table = _rows(store, number, "customers", columns)
    order = pc.sort_indices(
        table.select(["bucket", "customer_id"]), [("bucket", "ascending"), ("customer_id", "ascending")]
    )
    table = table.take(order)
    ids = table.column("customer_id").combine_chunks()
    return ids, _facts(table, np.arange(len(ids)), len(ids), columns)


def _read(store: Store, number: int, name: str, columns: Sequence[str], ids: pa.Array) -> Facts:
    """Read one table of a block, aligned with its customers and sorted by time; ties by the row's key."""
    table = _rows(store, number, name, columns)
    owner = table.column("customer_id").combine_chunks()
    place = pc.index_in(owner.dictionary, value_set=ids).to_numpy(zero_copy_only=False)
    customer = place[owner.indices.to_numpy()] if len(owner) else np.zeros(0, dtype=np.int64)
    if "row_key" in table.column_names:
        at, key = (table.column(c).to_numpy() for c in ("occurred_at", "row_key"))
        order = np.lexsort((key, at, customer))
        table, customer = table.take(pa.array(order)), customer[order]
    return _facts(table, customer, len(ids), columns)


def _facts(table: pa.Table, customer: npt.NDArray[np.integer], n_customers: int, columns: Sequence[str]) -> Facts:
    offsets = np.searchsorted(customer, np.arange(n_customers + 1)).astype(np.int64)
    event_at = table.column("occurred_at").to_numpy()
    known_at = None
    if "ingested_at" in table.column_names:
        known_at = np.maximum(event_at, table.column("ingested_at").to_numpy())
    facts = Facts(offsets, event_at, known_at)
    for name in columns:
        values = table.column(name).combine_chunks()
        if pa.types.is_dictionary(values.type):
            facts.columns[name] = values.indices.fill_null(-1).to_numpy().astype(np.int32)
            facts.words[name] = tuple(values.dictionary.to_pylist())
        else:
            facts.columns[name] = values.to_numpy(zero_copy_only=False)
    return facts


def _rows(store: Store, number: int, name: str, columns: Sequence[str]) -> pa.Table:
    """Read a block's rows of a table from every part, the second clock only where some row was late."""
    parts = [part for part in store.parts if part.table_name == name]
    need = ["customer_id", "occurred_at", *columns]
    if name == "customers" and "bucket" not in need:
        need.append("bucket")
    if any(part.max_delay for part in parts):
        need.append("ingested_at")
    if len(parts) > 1:
        need.append("row_key")
    share = BUCKETS // store.n_blocks
    pieces = [_piece(store.root / p.path, p.digest, need, number * share, (number + 1) * share) for p in parts]
    return pa.concat_tables(pieces).unify_dictionaries().combine_chunks()


@dataclass(frozen=True)
class _Footer:
    """What the foot of a part says: its text columns, and the first and last bucket of each row group."""

    metadata: pq.FileMetaData
    texts: tuple[str, ...]
    first: Integers
    last: Integers


@lru_cache(maxsize=256)
def _footer(path: Path, _digest: str) -> _Footer:
    """Read the foot of a part once, not once a block: it grows with the blocks, so that would cost their square."""
    metadata = pq.read_metadata(path)
    schema = metadata.schema.to_arrow_schema()
    bucket = schema.get_field_index("bucket")
    bounds = [metadata.row_group(group).column(bucket).statistics for group in range(metadata.num_row_groups)]
    texts = tuple(field.name for field in schema if pa.types.is_string(field.type))
    return _Footer(metadata, texts, np.array([one.min for one in bounds]), np.array([one.max for one in bounds]))


def _piece(path: Path, digest: str, need: Sequence[str], low: int, high: int) -> pa.Table:
    """Read the rows of one part whose bucket lies in ``[low, high)``, decoding only the row groups that hold some."""
    footer = _footer(path, digest)
    texts = [name for name in footer.texts if name in need and not (name == "customer_id" and "bucket" in need)]
    groups = np.flatnonzero((footer.last >= low) & (footer.first < high))
    straddles = bool((footer.first[groups] < low).any() or (footer.last[groups] >= high).any())
    names = sorted({*need, "bucket"}) if straddles else list(need)
    with pq.ParquetFile(path, metadata=footer.metadata, read_dictionary=texts) as file:
        table = file.read_row_groups(groups.tolist(), columns=names, use_threads=False)
    if straddles:
        bucket_of = table.column("bucket").to_numpy()
        table = table.filter(pa.array((bucket_of >= low) & (bucket_of < high)))
    return table.select(need)


def _visible(facts: Facts, last: int) -> Facts:
    """Hide what happened or was learned after the last cutoff."""
    rows = facts.event_at < last
    if facts.known_at is not None:
        rows &= facts.known_at <= last
    return facts if rows.all() else facts.keep(rows)


def _of_customers(facts: Facts, customers: npt.NDArray[np.bool_]) -> Facts:
    kept = facts.keep(customers[facts.customer])
    return replace(kept, offsets=np.concatenate(([0], np.cumsum(np.diff(facts.offsets)[customers]))))
