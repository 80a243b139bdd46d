"""The wall between what we knew and what came next: the only reader of landed rows, and of their second clock.

A *fact* is a row with two times: `event_at`, and `known_at`, the later of the fact's own time and its `ingested_at`.
At a cutoff *t* a window of *w* days holds a fact if ``t - w <= event_at < t`` and ``known_at <= t``.

A *later fact*, such as when a ticket was resolved, is a fact of its own, called `tickets.resolved_at`: its `event_at`
is the ticket's, and no cutoff at or before its own time sees it, whatever landed when. A row that came in several
versions is one fact a version, each known from its own landing; its later facts are those of the version that is the
latest known, so an end that was taken back is no end.

`history` serves features and hides everything beyond the last cutoff; `outcome` serves labels and reads
``[t, t + horizon)``. No other module of this package reads `ingested_at` or the time of a later fact, and
`tests/test_architecture.py` says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from pathlib import Path
from threading import Lock
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from churnml.database import Catalogue, Part, Workspace
from churnml.errors import NotEnoughDataError, UsageError
from churnml.events.clock import days_later, local_days
from churnml.events.contracts import Contracts, Terms, least_later
from churnml.events.facts import NEVER, Column, Facts, Integers
from churnml.events.landing import BUCKETS, blocks_for
from churnml.events.lateness import Counted, day_begun, usual_days
from churnml.events.order_events import order_events
from churnml.events.renewals import PERIODS, Fees, Runs, Spells, every_days, period_days, spells
from churnml.events.schema import FROM_LANDING, ONE_OF, REQUIRED, TABLES, Table

Wanted = Mapping[str, Sequence[str]]
Held = Callable[[Sequence[str], bool], pa.Table]
"""Gives the columns asked for of a table in memory, texts as dictionaries; and where it is told to, `landed_at`."""

TRIAL = r"(^|[^a-z])trial([^a-z]|$)|试用"
"""What a plan is called that is tried out before it is paid for."""


@dataclass(frozen=True)
class Block:
    """A block of customers and their facts: the unit of work of every pass over the data.

    Parameters
    ----------
    customer_ids : ndarray of shape (n_customers,)
        Texts.
    facts : dict of str to Facts
        By table, or by table and later fact; a table that was never landed is absent.
    refused : ndarray of shape (n_customers,) or None
        Who refuses to be profiled; of them there are no facts but that they are customers. None if nobody does.
    contracts : Contracts or None
        The versions of their contracts; None where no subscriptions have landed.
    """

    customer_ids: npt.NDArray[np.object_]
    facts: dict[str, Facts]
    refused: npt.NDArray[np.bool_] | None = None
    contracts: Contracts | None = None

    def known_by(self, cutoff: int) -> Block:
        """Return the block as it was known at one cutoff."""
        return replace(self, facts={name: facts.known_by(cutoff) for name, facts in self.facts.items()})

    def only(self, customers: npt.NDArray[np.bool_]) -> Block:
        """Return the block of the customers marked true."""
        return Block(
            self.customer_ids[customers],
            {name: facts.of(customers) for name, facts in self.facts.items()},
            None if self.refused is None else self.refused[customers],
            None if self.contracts is None else self.contracts.only(customers),
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
    refusing : frozenset of str
        The customers who refuse to be profiled.
    landings : mapping of int to int
        When each batch landed, microseconds UTC.
    held : mapping of str to Held
        Rows that are in memory instead, by table; there are no files then. See `held_store`.
    """

    root: Path
    parts: tuple[Part, ...]
    time_zone: str
    blocks: int = 0
    refusing: frozenset[str] = frozenset()
    landings: Mapping[int, int] = field(default_factory=dict, compare=False)
    held: Mapping[str, Held] = field(default_factory=dict, compare=False)

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
        missing = [name for name in REQUIRED if name not in have]
        if missing:
            raise NotEnoughDataError(f"the table `{missing[0]}` is required, found none landed; `churnml ingest` it")
        if not have & set(ONE_OF):
            raise NotEnoughDataError(f"one of {' and '.join(ONE_OF)} is required, found neither; `churnml ingest` it")
        return cls(workspace.root, parts, time_zone, 0, catalogue.refusing(), catalogue.landed_at())

    def described(self) -> dict[str, Any]:  # Any: JSON
        """Return the store as plain data: what a worker needs who has the same files and no database."""
        return {
            "root": str(self.root),
            "parts": [vars(part) for part in self.parts],
            "time_zone": self.time_zone,
            "blocks": self.n_blocks,
            "refusing": sorted(self.refusing),
            "landings": sorted(self.landings.items()),
        }

    @classmethod
    def of_description(cls, told: Mapping[str, Any]) -> Store:  # Any: JSON
        """Return the store that `described` told of; nothing but its files will be opened."""
        return cls(
            Path(told["root"]),
            tuple(Part(**part) for part in told["parts"]),
            told["time_zone"],
            told["blocks"],
            frozenset(told["refusing"]),
            dict(told["landings"]),
        )

    @property
    def tables(self) -> frozenset[str]:
        """The tables that have landed."""
        return frozenset(part.table_name for part in self.parts)

    @property
    def span(self) -> tuple[int, int]:
        """The instants of the first and the last order, or where there are none, version of a contract."""
        main = next(name for name in ONE_OF if name in self.tables)
        parts = [part for part in self.parts if part.table_name == main]
        return min(part.first_at for part in parts), max(part.last_at for part in parts)

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
        The columns of each table, or of each later fact such as `tickets.resolved_at`, to read; the customer, both
        clocks and the customers table come by themselves.

    Raises
    ------
    UsageError
        If a later fact is asked for as if it were known with its row, or the second clock is.
    """
    last = max(cutoffs)
    ids, customers = _customers(store, number, wanted.get("customers", ()))
    facts = {"customers": _known_versions(customers, last)}
    for name, columns in wanted.items():
        table, _, later = name.partition(".")
        _refuse_hidden(table, later, columns)
        if table != "customers" and table in store.tables:
            read = _later_fact(store, number, table, later, columns, ids) if later else None
            facts[name] = (read or _read(store, number, table, columns, ids)).up_to(last)
    texts = ids.to_numpy(zero_copy_only=False)
    contracts = _contracts(store, number, ids).up_to(last) if "subscriptions" in store.tables else None
    return _without_refusals(Block(texts, facts, None, contracts), store.refusing)


def _refuse_hidden(table: str, later: str, columns: Sequence[str]) -> None:
    """Refuse a column whose time is another than that of the fact it is asked with."""
    known_from = {column.name: column.known_from for column in TABLES[table].columns}
    allowed = {"", known_from.get(later, "")}
    hidden = [name for name in columns if known_from.get(name, "") not in allowed or name == "ingested_at"]
    if hidden:
        raise UsageError(
            f"a later fact is known from its own time only, found `{hidden[0]}` asked for with `{table}`; ask for it "
            f"as `{table}.{hidden[0]}`"
        )


def _known_versions(customers: Facts, last: int) -> Facts:
    """Hide the versions learned after the last cutoff; who was met later keeps one, which no cutoff sees."""
    seen = customers.learned(last)
    opens = customers.offsets[:-1]
    if seen.all() or not len(opens):
        return customers
    unmet = ~np.logical_or.reduceat(seen, opens)
    seen[opens[unmet]] = True
    return customers.keep(seen)


def _without_refusals(block: Block, refusing: frozenset[str]) -> Block:
    """Take everything out that those who refuse to be profiled ever did; they remain as customers."""
    if not refusing:
        return block
    refused = np.fromiter(
        (one in refusing for one in block.customer_ids), dtype=np.bool_, count=len(block.customer_ids)
    )
    facts = {
        name: facts if name == "customers" else facts.keep(~refused[facts.customer])
        for name, facts in block.facts.items()
    }
    contracts = None if block.contracts is None else block.contracts.without(refused)
    return Block(block.customer_ids, facts, refused, contracts)


@dataclass(frozen=True)
class Outcome:
    """What the customers of a block did in the horizon after each cutoff; arrays of shape (n_cutoffs, n_customers).

    Parameters
    ----------
    orders : ndarray
        Order events: days whose net amount in the horizon is positive.
    first_order_day : ndarray
        Whole days from the cutoff to the first of these events; -1 if none came.
    revenue, cost : ndarray
        Money of the orders begun in the horizon, in 1/10,000 unit.
    costed_revenue : ndarray
        Of `revenue`, what was paid for orders whose cost is known.
    returned : ndarray
        Money that went back for these orders, before the label was final.
    contracts_ended : ndarray
        Contracts that ended in the horizon.
    contracts_continued : ndarray
        Of these, those after whose end the customer had another: held already, or begun within the grace period.
    contracts_begun : ndarray
        Contracts that the customer began to pay for in the horizon; a trial is none until it is paid for.
    left_day : ndarray
        Whole days from the cutoff to the first end that no contract continued; -1 if none came.
    """

    customer_ids: npt.NDArray[np.object_]
    orders: Integers
    first_order_day: Integers
    revenue: Integers
    cost: Integers
    costed_revenue: Integers
    returned: Integers
    contracts_ended: Integers
    contracts_continued: Integers
    contracts_begun: Integers
    left_day: Integers


def outcome(
    store: Store,
    number: int,
    cutoffs: Sequence[int],
    horizon_days: int,
    known_by: int | None = None,
    label_lag_days: int = 0,
    grace_days: int = 30,
) -> Outcome:
    """Return the order events, all money and the ends of contracts in ``[t, t + horizon)`` after each cutoff *t*.

    Parameters
    ----------
    known_by : int, optional
        Leave out what was learned after this instant.
    label_lag_days : int
        How long after the horizon goods may still come back.
    grace_days : int
        How long after the end of a contract a new one still continues it; such a label is final that much later.

    Returns
    -------
    Outcome
        Zeros where a table has not landed. Where there are no orders, `revenue` is what contracts cost in the horizon,
        day by day.
    """
    ids, _ = _customers(store, number, ())
    nothing = np.zeros((len(cutoffs), len(ids)), dtype=np.int64)
    ended = continued = begun = nothing
    left = nothing - 1
    if "subscriptions" in store.tables:
        terms = _terms(store, number, ids, known_by)
        ended, continued, left = terms.ended(cutoffs, horizon_days, grace_days, len(ids), store.time_zone)
        begun = terms.begun(cutoffs, horizon_days, len(ids), store.time_zone)
    money = dict.fromkeys(("orders", "revenue", "cost", "costed_revenue", "returned"), nothing)
    money["first_order_day"] = nothing - 1
    if "orders" in store.tables:
        money = _ordered_in(store, number, ids, cutoffs, horizon_days, known_by, label_lag_days)
    else:
        fees = _fees(store, number, ids, known_by)
        money["revenue"] = fees.due(cutoffs, horizon_days, len(ids), store.time_zone)
    told = {"contracts_ended": ended, "contracts_continued": continued, "contracts_begun": begun, "left_day": left}
    return Outcome(ids.to_numpy(zero_copy_only=False), **money, **told)


def _ordered_in(
    store: Store,
    number: int,
    ids: pa.Array,
    cutoffs: Sequence[int],
    horizon_days: int,
    known_by: int | None,
    label_lag_days: int,
) -> dict[str, Integers]:
    """Return what was ordered in each horizon and when first, and what of it went back."""
    orders = _learned_by(_read(store, number, "orders", ("amount", "cost", "order_id"), ids), known_by)
    amount, cost = orders.columns["amount"].astype(np.int64), orders.columns["cost"]
    costed, (day, _) = ~np.isnan(cost), local_days(orders.event_at, store.time_zone)
    values = {
        "revenue": amount,
        "cost": np.where(costed, cost, 0).astype(np.int64),
        "costed_revenue": np.where(costed, amount, 0),
    }
    back = _returns(store, number, ids, orders, known_by)
    sums = {name: np.zeros((len(cutoffs), len(ids)), dtype=np.int64) for name in ("orders", *values, "returned")}
    sums["first_order_day"] = np.full((len(cutoffs), len(ids)), -1, dtype=np.int64)
    for place, cutoff in enumerate(cutoffs):
        end = days_later(cutoff, horizon_days, store.time_zone)
        within = (orders.event_at >= cutoff) & (orders.event_at < end)
        whose = orders.customer[within]
        events = order_events(whose, day[within], amount[within])
        np.add.at(sums["orders"][place], whose, events)
        for name, value in values.items():
            np.add.at(sums[name][place], whose, value[within])
        final = days_later(end, label_lag_days, store.time_zone)
        of_these = (back.ordered_at >= cutoff) & (back.ordered_at < end) & (back.returned_at < final)
        np.add.at(sums["returned"][place], back.customer[of_these], back.amount[of_these])
        ends = np.array([days_later(cutoff, one + 1, store.time_zone) for one in range(horizon_days)], dtype=np.int64)
        came = np.flatnonzero(within)[events][::-1]
        # customers stand in the order of their facts, so from the end on the first event is written last
        sums["first_order_day"][place][orders.customer[came]] = np.searchsorted(ends, orders.event_at[came], "right")
    return sums


def bought_lines(
    store: Store, number: int, cutoffs: Sequence[int], horizon_days: int, label_lag_days: int = 0
) -> list[Facts]:
    """Return the lines of orders in ``[t, t + horizon)`` after each cutoff *t*, as known when its label is final.

    Parameters
    ----------
    label_lag_days : int
        How long after its horizon a label is final; what was learned later is left out.

    Returns
    -------
    list of Facts
        One for each cutoff, with `category` and `amount`, of the customers of `history`; none of those who refuse to
        be profiled, and none at all where no lines have landed.
    """
    ids, customers = _customers(store, number, ())
    if "order_lines" not in store.tables:
        nothing = np.zeros(0, dtype=np.int64)
        columns: dict[str, Column] = {"category": nothing, "amount": nothing}
        return [Facts(np.zeros(len(ids) + 1, dtype=np.int64), nothing, None, columns, {"category": ()})] * len(cutoffs)
    read = {"customers": customers, "order_lines": _read(store, number, "order_lines", ("category", "amount"), ids)}
    block = _without_refusals(Block(ids.to_numpy(zero_copy_only=False), read), store.refusing)
    lines = block.facts["order_lines"]
    known_at = lines.event_at if lines.known_at is None else lines.known_at
    found = []
    for cutoff in cutoffs:
        end = days_later(cutoff, horizon_days, store.time_zone)
        final = days_later(end, label_lag_days, store.time_zone)
        found.append(lines.keep((lines.event_at >= cutoff) & (lines.event_at < end) & (known_at <= final)))
    return found


@dataclass(frozen=True)
class _Returns:
    """Returns of orders that have landed: whose, when ordered, when returned, how much."""

    customer: Integers
    ordered_at: Integers
    returned_at: Integers
    amount: Integers


def _returns(store: Store, number: int, ids: pa.Array, orders: Facts, known_by: int | None) -> _Returns:
    """Find the order of each return among the customer's own; one whose order is not there belongs to no horizon."""
    if "returns" not in store.tables:
        nothing = np.zeros(0, dtype=np.int64)
        return _Returns(nothing, nothing, nothing, nothing)
    back = _learned_by(_read(store, number, "returns", ("amount", "order_id"), ids), known_by)
    code_of = {word: code for code, word in enumerate(orders.words["order_id"])}
    words = np.array([code_of.get(word, -1) for word in back.words["order_id"]], dtype=np.int64)
    order = np.argsort(orders.columns["order_id"], kind="stable")
    codes = orders.columns["order_id"][order]
    wanted = words[back.columns["order_id"]] if len(words) else np.zeros(0, dtype=np.int64)
    place = np.minimum(np.searchsorted(codes, wanted), max(len(codes) - 1, 0))
    found = codes[place] == wanted if len(codes) else np.zeros(len(wanted), dtype=np.bool_)
    origin = order[place[found]]
    mine = orders.customer[origin] == back.customer[found]
    amount = back.columns["amount"].astype(np.int64)[found]
    return _Returns(back.customer[found][mine], orders.event_at[origin][mine], back.event_at[found][mine], amount[mine])


def _learned_by(facts: Facts, known_by: int | None) -> Facts:
    if known_by is None:
        return facts
    return facts.keep((facts.event_at if facts.known_at is None else facts.known_at) <= known_by)


def usual_lateness_days(store: Store, table: str = "orders") -> int:
    """Return within how many days 19 of 20 rows were learned that did not come as declared backfill; at most 30."""
    parts = [part for part in store.parts if part.table_name == table and part.max_delay > 0]
    return usual_days(counted for part in parts for counted in _delays(store.root / part.path))


def _delays(file: Path) -> Iterator[Counted]:
    """Yield how many rows of a file were learned on which day after they happened, a batch at a time."""
    for batch in pq.ParquetFile(file).iter_batches(columns=["occurred_at", "ingested_at"]):
        delay = batch.column("ingested_at").to_numpy() - batch.column("occurred_at").to_numpy()
        delay = np.sort(delay[delay > 0])
        days, first, rows = np.unique(day_begun(delay), return_index=True, return_counts=True)
        yield from zip(
            days.tolist(), rows.tolist(), delay[first].tolist(), delay[first + rows - 1].tolist(), strict=True
        )


def _customers(store: Store, number: int, columns: Sequence[str]) -> tuple[pa.Array, Facts]:
    """Read the customers of a block in the order of (bucket, id), the order that every other table follows.

    A customer may have several versions; they stand in the order in which they were learned, and so known.
    """
    table = _rows(store, number, "customers", columns)
    clocks = ("ingested_at", "occurred_at") if "ingested_at" in table.column_names else ("occurred_at",)
    keys = [(name, "ascending") for name in ("bucket", "customer_id", *clocks)]
    table = table.take(pc.sort_indices(table, keys))
    ids = table.column("customer_id").combine_chunks()
    opens = np.ones(len(ids), dtype=np.bool_)
    if len(ids):
        opens[1:] = pc.not_equal(ids[1:], ids[:-1]).to_numpy(zero_copy_only=False)
    return ids.filter(pa.array(opens)), _facts(table, np.cumsum(opens) - 1, int(opens.sum()), columns)


def current(facts: Facts, cutoffs: Sequence[int]) -> Integers:
    """Return the row of each customer's latest version known at each cutoff, -1 where there is none.

    Parameters
    ----------
    facts : Facts
        The customers of a block.

    Returns
    -------
    ndarray of shape (n_cutoffs, n_customers)
        Positions among the rows of `facts`.
    """
    when = np.array(cutoffs, dtype=np.int64)[:, None]
    seen = facts.event_at < when
    if facts.known_at is not None:
        seen &= facts.known_at <= when
    rows = np.where(seen, np.arange(len(facts.event_at)), -1)
    if len(facts.offsets) - 1 == len(facts.event_at):  # nobody has a second version
        return rows
    return np.maximum.reduceat(rows, facts.offsets[:-1], axis=1)


def _read(store: Store, number: int, name: str, columns: Sequence[str], ids: pa.Array) -> Facts:
    """Read one table of a block, aligned with its customers and sorted by time; ties by the row's key.

    A row that came again to tell a later fact is the same row: the first says when it was known.
    """
    table = _rows(store, number, name, columns)
    offsets = None if "row_key" in table.column_names else _runs(table, ids)
    if offsets is not None:
        return _grouped(table, offsets, columns)
    table, customer = _in_order(table, ids)
    if TABLES[name].later and len(table):
        version = [table.column("ingested_at").to_numpy()] if _told_apart(name, table) else []
        first = _first_of(customer, *_key(table), *version)
        table, customer = table.filter(pa.array(first)), customer[first]
    return _facts(table, customer, len(ids), columns)


def _told_apart(name: str, table: pa.Table) -> bool:
    """Tell whether rows under one key are versions, told apart by when they were learned."""
    return TABLES[name].versioned and "ingested_at" in table.column_names


def _ordered(
    store: Store, number: int, name: str, columns: Sequence[str], ids: pa.Array
) -> tuple[pa.Table, npt.NDArray[np.integer]]:
    """Read the rows of a table in the order of their customers, time and key, and the customer of each."""
    return _in_order(_rows(store, number, name, columns), ids)


def _runs(table: pa.Table, ids: pa.Array) -> Integers | None:
    """Return where the rows of each customer begin, of a file that has them in the order of the customers.

    The customer of each row need not be looked up, only that of each run of rows; None where there is another order, or
    a row of nobody, which consents may be.
    """
    owner = table.column("customer_id").combine_chunks()
    codes = owner.indices.to_numpy()
    opens = np.flatnonzero(np.concatenate((np.ones(min(len(codes), 1), dtype=np.bool_), codes[1:] != codes[:-1])))
    place = pc.fill_null(pc.index_in(owner.dictionary, value_set=ids), -1).to_numpy(zero_copy_only=False)
    whose = place[codes[opens]].astype(np.int64)
    if len(whose) and (whose[0] < 0 or (whose[1:] <= whose[:-1]).any()):
        return None
    rows = np.zeros(len(ids) + 1, dtype=np.int64)
    rows[whose + 1] = np.diff(opens, append=len(codes))
    return np.asarray(np.cumsum(rows))


def _in_order(table: pa.Table, ids: pa.Array) -> tuple[pa.Table, npt.NDArray[np.integer]]:
    owner = table.column("customer_id").combine_chunks()
    place = pc.fill_null(pc.index_in(owner.dictionary, value_set=ids), -1).to_numpy(zero_copy_only=False)
    customer = place[owner.indices.to_numpy()] if len(owner) else np.zeros(0, dtype=np.int64)
    if (customer < 0).any():  # consents may come before the customer does
        table, customer = table.filter(pa.array(customer >= 0)), customer[customer >= 0]
    if "row_key" in table.column_names:
        known = ("ingested_at",) if "ingested_at" in table.column_names else ()
        columns_by = [table.column(c).to_numpy() for c in (*known, "row_key", "occurred_at")]
        order = np.lexsort((*columns_by, customer))
        table, customer = table.take(pa.array(order)), customer[order]
    return table, customer


def _key(table: pa.Table) -> tuple[Integers, Integers]:
    return table.column("occurred_at").to_numpy(), table.column("row_key").to_numpy()


def _first_of(*columns: npt.NDArray[np.integer]) -> npt.NDArray[np.bool_]:
    """Mark the first of each run of rows that agree in every column."""
    opens = np.ones(len(columns[0]), dtype=np.bool_)
    opens[1:] = np.any([column[1:] != column[:-1] for column in columns], axis=0)
    return opens


def _later_fact(store: Store, number: int, name: str, fact: str, columns: Sequence[str], ids: pa.Array) -> Facts:
    """Read a later fact: the row's `event_at`, and known only after its own time and once it had landed."""
    time = TABLES[name].column(fact).known_from
    dates = "landed_at" if time == FROM_LANDING else time
    table, customer = _ordered(store, number, name, sorted({dates, fact, *columns}), ids)
    until = _known_until(store, number, table) if TABLES[name].versioned else None
    told = pc.is_valid(table.column(fact)).to_numpy()
    table, customer = table.filter(pa.array(told)), customer[told]
    facts = _facts(table, customer, len(ids), columns)
    # a fact's own time must lie before a cutoff, which in whole microseconds is at most one before it
    own = _undated(table) if time == FROM_LANDING else table.column(time).to_numpy().astype(np.int64) + 1
    known_at = np.maximum(facts.event_at if facts.known_at is None else facts.known_at, own)
    facts = replace(facts, known_at=known_at, known_until=None if until is None else until[told])
    if not len(own):
        return facts
    version = _version(table) if TABLES[name].versioned else (table.column("row_key").to_numpy(),)
    order = np.lexsort((known_at, own, *version, customer))
    first = np.zeros(len(own), dtype=np.bool_)
    first[order[_first_of(*(one[order] for one in (customer, *version, own)))]] = True
    if facts.known_until is not None:  # what a newer version replaced before it came to be known, no cutoff saw
        first &= facts.known_until > np.maximum(known_at, facts.event_at + 1)
    return facts.keep(first)


def _undated(table: pa.Table) -> Integers:
    """Return when a row was learned by its landing, where it does not say that it was learned before.

    A row that was learned as it happened may be backfill without a date: then only its landing is certain.
    """
    told = table.column("ingested_at").to_numpy()
    undated = told == table.column("occurred_at").to_numpy()
    return np.asarray(np.where(undated, table.column("landed_at").to_numpy(), told), dtype=np.int64)


def _version(table: pa.Table) -> tuple[Integers, Integers, Integers]:
    """Return what names a version: its key, when it happened, when it was learned; in the order of its turn."""
    at, key = _key(table)
    return key, at, table.column("ingested_at").to_numpy()


def _known_until(store: Store, number: int, table: pa.Table) -> Integers:
    """Return from when on a newer version of each row was known, whosever it is and in whatever block."""
    versions = _version(table)
    others = _handed_over(store, number, versions[0])
    key, at, told = (np.concatenate(pair) for pair in zip(versions, others, strict=True))
    return least_later(key, (at, told), _learned_at(at, told))[: len(table)]


def _learned_at(at: Integers, told: Integers) -> Integers:
    """Return the first cutoff that sees a row with these two times."""
    return np.maximum(at + 1, told)


def _contracts(store: Store, number: int, ids: pa.Array) -> Contracts:
    """Read every version of every contract of a block."""
    table, customer = _versions(store, number, ids)
    _, at, told = _version(table)
    versions = replace(
        _facts(table, customer, len(ids), ("amount", "plan")), known_until=_known_until(store, number, table)
    )
    contract = _owned(table, customer)
    renews = pc.fill_null(table.column("renews_at"), NEVER).to_numpy()
    versions.columns.update(contract=contract, renews=renews, renews_known=np.maximum(at + 1, _undated(table)))
    versions.columns.update(paid=_paid(table).astype(np.int64), nominal=_nominal(table))
    replaced = least_later(contract, (at, told), _learned_at(at, told))
    return Contracts(versions, replaced, *_begins_and_ends(table))


def _terms(store: Store, number: int, ids: pa.Array, known_by: int | None) -> Terms:
    """Read when each contract of a block began and ended, as its last version says that was learned by an instant."""
    now = NEVER if known_by is None else known_by
    table, customer = _versions(store, number, ids)
    versions = _version(table)
    others = _handed_over(store, number, versions[0])
    key, at, told = (np.concatenate(pair) for pair in zip(versions, others, strict=True))
    known = np.maximum(at, told) <= now
    mine, own = known[: len(table)], _owned(table, customer)
    handed_over = np.full(len(key), NEVER, dtype=np.int64)
    handed_over[known] = least_later(key[known], (at[known], told[known]), at[known])
    at, told = at[: len(table)][mine], told[: len(table)][mine]
    last = least_later(own[mine], (at, told), at) == NEVER
    paid_from = _paid_from(own[mine], (at, told), _paid(table)[mine])[last]
    begins, ends = (column[mine][last] for column in _begins_and_ends(table))
    ends = np.minimum(ends, handed_over[: len(table)][mine][last])
    ends = np.where(ends < now, ends, NEVER)
    begun = begins < np.minimum(ends, now)
    paid_from = np.maximum(paid_from, begins)
    return Terms(customer[mine][last][begun], begins[begun], ends[begun], paid_from[begun])


def renewal_spells(store: Store, cutoffs: Sequence[int], grace_days: int) -> dict[int, Spells]:
    """Return how the paid contracts of everyone went on until each cutoff, by what was known then; see `spells`.

    Raises
    ------
    NotEnoughDataError
        If no subscriptions have landed.
    """
    if "subscriptions" not in store.tables:
        raise NotEnoughDataError("renewals are read from the table `subscriptions`, found none landed; ingest it")
    runs: dict[int, list[Runs]] = {cutoff: [] for cutoff in cutoffs}
    for number in range(store.n_blocks):
        contracts = history(store, number, cutoffs, {}).contracts
        for cutoff, found in runs.items():
            found.extend([] if contracts is None else [Runs.of(contracts, cutoff, grace_days)])
    return {cutoff: spells(Runs.joined(found), cutoff, grace_days) for cutoff, found in runs.items()}


def _fees(store: Store, number: int, ids: pa.Array, known_by: int | None) -> Fees:
    """Read what each contract of a block cost from each of its paid versions on, by what was learned by an instant."""
    now = NEVER if known_by is None else known_by
    table, customer = _versions(store, number, ids)
    contract, (key, at, told) = _owned(table, customer), _version(table)
    learned = np.maximum(at, told) <= now
    renews = np.where(_undated(table) <= now, pc.fill_null(table.column("renews_at"), NEVER).to_numpy(), NEVER)
    nominal = _nominal(table)
    every = every_days(contract, learned, at, renews, nominal)
    begins, ends = _begins_and_ends(table)
    rows = np.flatnonzero(learned)
    following = np.full(len(at), NEVER, dtype=np.int64)
    following[rows] = least_later(key[rows], (at[rows], told[rows]), at[rows])
    ends = np.minimum(np.where(ends <= now, ends, NEVER), following)
    costs = learned & _paid(table)
    first = np.zeros(len(at), dtype=np.bool_)  # the first version tells of all the days since it began
    first[rows] = least_later(contract[rows], (-at[rows], -told[rows]), at[rows]) == NEVER
    begins = np.where(first, begins, np.maximum(begins, at))
    per_day = table.column("amount").to_numpy().astype(np.float64) / period_days(every, nominal)
    return Fees(customer[costs], begins[costs], ends[costs], per_day[costs])


def _paid(table: pa.Table) -> npt.NDArray[np.bool_]:
    """Tell which versions of contracts are paid for: they cost something, and their plan does not say trial."""
    amount = table.column("amount").to_numpy()
    plan = pc.fill_null(table.column("plan").cast(pa.string()), "")
    trial = pc.match_substring_regex(plan, TRIAL, ignore_case=True).to_numpy(zero_copy_only=False)
    return np.asarray((amount > 0) & ~trial.astype(np.bool_))


def _nominal(table: pa.Table) -> npt.NDArray[np.float64]:
    """Return the days of the period that each version says is paid for, NaN where it does not say."""
    words = table.column("period").combine_chunks().dictionary_encode()
    days = np.array([*(PERIODS.get(word, np.nan) for word in words.dictionary.to_pylist()), np.nan])
    return np.asarray(days[words.indices.fill_null(-1).to_numpy(zero_copy_only=False)])


def _paid_from(own: Integers, turn: tuple[Integers, Integers], paid: npt.NDArray[np.bool_]) -> Integers:
    """Return from when on the contract of each version was paid for.

    That is its first paid version, where an unpaid one came before it; of one that was paid for from the first it is
    its beginning, for which the least instant stands. `NEVER` where no version was paid for.
    """
    at = turn[0]
    contracts = int(own.max(initial=-1)) + 1
    first_paid, first = np.full(contracts, NEVER), np.full(contracts, NEVER)
    np.minimum.at(first_paid, own[paid], at[paid])
    order = np.lexsort((*reversed(turn), own))
    opens = order[_first_of(own[order])] if len(order) else order
    first[own[opens]] = np.where(paid[opens], np.iinfo(np.int64).min, NEVER)
    return np.asarray(np.minimum(first, first_paid)[own])


def _versions(store: Store, number: int, ids: pa.Array) -> tuple[pa.Table, Integers]:
    """Read the versions of the contracts of a block; of rows of one version, the one that tells of its end."""
    columns = ("started_at", "ended_at", "renews_at", "amount", "period", "plan", "landed_at")
    table, customer = _ordered(store, number, "subscriptions", columns, ids)
    key, at, told = _version(table)
    order = np.lexsort((_begins_and_ends(table)[1], told, key, at, customer))
    order = order[_first_of(*(one[order] for one in (customer, at, key, told)))]
    return table.take(pa.array(order)), np.asarray(customer[order], dtype=np.int64)


def _begins_and_ends(table: pa.Table) -> tuple[Integers, Integers]:
    begins = pc.coalesce(table.column("started_at"), table.column("occurred_at")).to_numpy()
    return begins, pc.fill_null(table.column("ended_at"), NEVER).to_numpy()


def _owned(table: pa.Table, customer: Integers) -> Integers:
    """Return a number for each contract of each customer."""
    owned = np.stack([customer, _version(table)[0]], axis=1)
    return np.unique(owned, axis=0, return_inverse=True)[1].astype(np.int64)


def _handed_over(store: Store, number: int, keys: Integers) -> tuple[Integers, Integers, Integers]:
    """Return the versions of a block's contracts that customers of other blocks have, as `_version` does."""
    if store.n_blocks == 1:
        nothing = np.zeros(0, dtype=np.int64)
        return nothing, nothing, nothing
    files = tuple((str(store.root / p.path), p.digest) for p in store.parts if p.table_name == "subscriptions")
    with _ONE_AT_A_TIME:  # the blocks are read by several threads, and all need the same answer
        bucket, *version = _changed_hands(files)
    share = BUCKETS // store.n_blocks
    elsewhere = (bucket // share != number) & np.isin(version[0], keys)
    key, at, told = (column[elsewhere] for column in version)
    return key, at, told


_ONE_AT_A_TIME = Lock()


@lru_cache(maxsize=8)
def _changed_hands(files: tuple[tuple[str, str], ...]) -> tuple[Integers, ...]:
    """Return bucket, key and both times of every version of the contracts that customers of several buckets had."""
    with duckdb.connect() as connection:
        found = connection.sql(
            """
            WITH versions AS (SELECT bucket, row_key, occurred_at, ingested_at FROM read_parquet($files)),
            several AS (SELECT row_key FROM versions GROUP BY row_key HAVING min(bucket) <> max(bucket))
            SELECT bucket::BIGINT AS bucket, row_key, occurred_at, ingested_at
            FROM versions SEMI JOIN several USING (row_key)
            """,
            params={"files": [path for path, _ in files]},
        ).fetchnumpy()
    return tuple(np.asarray(column, dtype=np.int64) for column in found.values())


def _facts(table: pa.Table, customer: npt.NDArray[np.integer], n_customers: int, columns: Sequence[str]) -> Facts:
    offsets = np.searchsorted(customer, np.arange(n_customers + 1)).astype(np.int64)
    return _grouped(table, offsets, columns)


def _grouped(table: pa.Table, offsets: Integers, columns: Sequence[str]) -> Facts:
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
    need = ["customer_id", "occurred_at", *(column for column in columns if column != "landed_at")]
    if name == "customers" and "bucket" not in need:
        need.append("bucket")
    if TABLES[name].versioned or any(part.max_delay for part in parts):  # versions stand in the order of their learning
        need.append("ingested_at")
    if len(parts) > 1 or TABLES[name].later:
        need.append("row_key")
    if store.held:
        return store.held[name](need, "landed_at" in columns)
    share = BUCKETS // store.n_blocks
    read = [_piece(store.root / p.path, p.digest, need, number * share, (number + 1) * share) for p in parts]
    pieces = [whole(piece, TABLES[name], need) for piece in read]
    if "landed_at" in columns:
        when = [np.full(len(piece), store.landings[part.batch_id]) for part, piece in zip(parts, pieces, strict=True)]
        pieces = [one.append_column("landed_at", pa.array(at)) for one, at in zip(pieces, when, strict=True)]
    return pa.concat_tables(pieces).unify_dictionaries().combine_chunks()


@dataclass(frozen=True)
class _Footer:
    """What the foot of a part says: its text columns, and the first and last bucket of each row group."""

    metadata: pq.FileMetaData
    texts: tuple[str, ...]
    first: Integers
    last: Integers


_TEXT = pa.dictionary(pa.int32(), pa.string())
_ARROW: Mapping[str, pa.DataType] = {
    "text": _TEXT, "json": _TEXT, "number": pa.float64(), "boolean": pa.bool_(), "integer": pa.int64(),
    "money": pa.int64(), "instant": pa.int64(),
}  # fmt: skip


@lru_cache(maxsize=256)
def _footer(path: Path, _digest: str) -> _Footer:
    """Read the foot of a part once, not once a block: it grows with the blocks, so that would cost their square."""
    metadata = pq.read_metadata(path)
    schema = metadata.schema.to_arrow_schema()
    bucket = schema.get_field_index("bucket")
    bounds = [metadata.row_group(group).column(bucket).statistics for group in range(metadata.num_row_groups)]
    texts = tuple(field.name for field in schema if pa.types.is_string(field.type))
    return _Footer(metadata, texts, np.array([one.min for one in bounds]), np.array([one.max for one in bounds]))


def whole(piece: pa.Table, table: Table, need: Sequence[str]) -> pa.Table:
    """Return a piece with the columns that are needed; what landed before there was one leaves it empty."""
    for name in need:
        if name not in piece.column_names:
            piece = piece.append_column(name, pa.nulls(len(piece), _ARROW[table.column(name).kind]))
    return piece.select(need)


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
    return table
