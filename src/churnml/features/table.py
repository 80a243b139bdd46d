"""The feature table: one row per customer and cutoff, built block by block, the same for one cutoff or twenty.

Customers stand in the order of their buckets, which is the order of the blocks. So it is known before a block is read
where in the table its rows belong, and the kernel's answers are written there, once.
"""

from __future__ import annotations

import json
import mmap
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from churnml.events import Block, By, Standing, Store, current, history, standing
from churnml.features.catalogue import Catalogue
from churnml.features.declare import Aggregate, Feature
from churnml.features.given import GIVEN
from churnml.features.kernel import fold, late_pairs, scatter
from churnml.features.rows import rows_of, split_pairs, wanted

Texts = npt.NDArray[np.object_]
Grid = npt.NDArray[np.float64]
Pairs = npt.NDArray[np.bool_]
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class FeatureTable:
    """One row per (customer, cutoff), ordered by cutoff, then by the customer's bucket and id.

    Parameters
    ----------
    customer_ids : ndarray of shape (n_rows,)
        Texts.
    cutoffs : ndarray of shape (n_rows,)
        Microseconds UTC.
    standing : ndarray of shape (n_rows,)
        Values of `events.Standing`; none is UNKNOWN.
    names : tuple of str
        The numeric features, in the order of the columns of `values`.
    values : ndarray of shape (n_rows, n_features)
        In memory feature by feature, as they are computed; NaN where the feature's `missing` says so.
    categories : dict of str to ndarray of shape (n_rows,)
        The categorical features, as texts or None.
    by : {'orders', 'contracts'}
        What makes a customer, see `events.standing`.
    """

    customer_ids: Texts
    cutoffs: npt.NDArray[np.int64]
    standing: npt.NDArray[np.int8]
    names: tuple[str, ...]
    values: Grid
    categories: dict[str, Texts]
    by: By = "orders"

    def __len__(self) -> int:
        return len(self.customer_ids)

    def column(self, name: str) -> npt.NDArray[np.float64]:
        """Return one numeric feature, of shape (n_rows,)."""
        return np.asarray(self.values[:, self.names.index(name)])

    def take(self, rows: npt.NDArray[np.bool_] | npt.NDArray[np.intp]) -> FeatureTable:
        """Return some of the rows, in the order given."""
        categories = {name: column[rows] for name, column in self.categories.items()}
        who, at, standing = self.customer_ids[rows], self.cutoffs[rows], self.standing[rows]
        return FeatureTable(who, at, standing, self.names, self.values[rows], categories, self.by)

    @property
    def in_population(self) -> npt.NDArray[np.bool_]:
        """Which rows are of customers in the population at their cutoff."""
        return np.asarray(self.standing == Standing.POPULATION)

    @property
    def have_ordered(self) -> npt.NDArray[np.bool_]:
        """Which rows are of customers who had ordered by their cutoff; a contract alone is no order."""
        if "orders_all" not in self.names:
            return np.zeros(len(self), dtype=np.bool_)
        return np.asarray(self.column("orders_all") > 0)

    @property
    def undecided(self) -> npt.NDArray[np.bool_]:
        """Which rows are of prospects and trials, who have paid for nothing yet."""
        return np.asarray(self.standing == Standing.PROSPECT)

    @property
    def on_trial(self) -> npt.NDArray[np.bool_]:
        """Which of these have tried it out: an act of kind `trial`, or a contract that cost nothing."""
        told = ("trials_all", "contracts_held", "contracts_lapsed")
        tried = np.zeros(len(self), dtype=np.bool_)
        for name in told:
            tried |= (self.column(name) > 0) if name in self.names else False
        return self.undecided & tried

    @property
    def modelled(self) -> npt.NDArray[np.bool_]:
        """Which rows the models are taught and asked with: of the population, those whose going on can be told."""
        return self.in_population if self.by == "contracts" else self.in_population & self.have_ordered


@contextmanager
def _plain_memory() -> Iterator[None]:
    """Let Arrow take its memory from the system's allocator for a while.

    Its own hands out pages that were never touched, where the system's gives those of the block before again; to touch
    them for the first time cost more than to decode what they then hold.
    """
    usual = pa.default_memory_pool()
    pa.set_memory_pool(pa.system_memory_pool())
    try:
        yield
    finally:
        pa.set_memory_pool(usual)


@_plain_memory()
def build(
    store: Store,
    catalogue: Catalogue,
    cutoffs: Sequence[int],
    population_days: int,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
    by: By = "orders",
) -> FeatureTable:
    """Return the feature table of the whole base at the given cutoffs.

    Parameters
    ----------
    cutoffs : sequence of int
        Microseconds UTC, in any order.
    population_days : int
        How far back the last order of a member of the population may lie.
    progress : callable
        Told how many blocks of how many are done.
    by : {'orders', 'contracts'}, default 'orders'
        What makes a customer, see `events.standing`.
    """
    ordered = sorted(set(cutoffs))
    everyone = history(store.undivided, 0, ordered, {"customers": (*_customer_columns(catalogue), "bucket")})
    table, known = _empty(everyone, catalogue, ordered, by)
    customers = everyone.facts["customers"]
    ends = store.block_ends(customers.columns["bucket"][customers.offsets[:-1]])
    sizes = np.array([known[:, low:high].sum(axis=1) for low, high in pairwise([0, *ends])]).T
    firsts = _firsts(known)[:, None] + np.cumsum(sizes, axis=1) - sizes
    asked = reads(catalogue)

    def one(number: int) -> None:
        block = history(store, number, ordered, asked)
        _fill(table, firsts[:, number], block, catalogue, ordered, population_days, store.time_zone)

    # threads suffice: Arrow and the kernel both let go of the interpreter while they work
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        for done, _ in enumerate(pool.map(one, range(store.n_blocks)), 1):
            progress(done, store.n_blocks)
    return table


def build_block(
    block: Block,
    catalogue: Catalogue,
    cutoffs: Sequence[int],
    population_days: int,
    time_zone: str,
    by: By = "orders",
) -> FeatureTable:
    """Return the feature table of one block, of one customer as well: `build` does the same to each of many."""
    ordered = sorted(set(cutoffs))
    table, known = _empty(block, catalogue, ordered, by)
    _fill(table, _firsts(known), block, catalogue, ordered, population_days, time_zone)
    return table


def reads(catalogue: Catalogue) -> dict[str, tuple[str, ...]]:
    """Return what `events.history` is asked for these features: columns by table and by later fact."""
    ordering = {"orders": ("amount",)}  # says who is in the population, whatever features are on
    costs = ("acquisition_cost",) if any(need.rows == "customers" for need in catalogue.needs) else ()
    return ordering | wanted(catalogue.needs) | {"customers": (*_customer_columns(catalogue), *costs)}


def _customer_columns(catalogue: Catalogue) -> tuple[str, ...]:
    attributes = {feature.attribute for feature in catalogue.categorical}
    own = attributes & {"region", "income_band", "acquisition_channel"}
    return (*sorted(own), *(["attributes"] if attributes - own else []))


def _empty(everyone: Block, catalogue: Catalogue, cutoffs: Sequence[int], by: By) -> tuple[FeatureTable, Pairs]:
    """Return a table whose rows stand and whose values do not yet, and who is in the base at which cutoff."""
    version = current(everyone.facts["customers"], cutoffs)
    known = version >= 0
    when, who = np.nonzero(known)
    rows = version[known]
    names = tuple(feature.name for feature in catalogue.numeric)
    categories = {feature.name: _attribute(everyone, feature)[rows] for feature in catalogue.categorical}
    if everyone.refused is not None:
        for values_of in categories.values():
            values_of[everyone.refused[who]] = None
    values = _memory(len(names), len(who)).T
    stands = np.empty(len(who), dtype=np.int8)
    instants = np.array(cutoffs, dtype=np.int64)[when]
    return FeatureTable(everyone.customer_ids[who], instants, stands, names, values, categories, by), known


def _memory(rows: int, columns: int) -> Grid:
    """Return room for a grid, its pages there from the start.

    Every feature is written in many short pieces. To be given a page for the first byte of each cost more time than all
    the arithmetic; given at once, and of the usual size, they cost a third of that.
    """
    size = max(rows * columns * np.dtype(np.float64).itemsize, 1)
    at_once = getattr(mmap, "MAP_POPULATE", 0)  # where a system has none, pages come one by one
    room = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | at_once)
    return np.frombuffer(room, dtype=np.float64, count=rows * columns).reshape(rows, columns)


def _firsts(known: Pairs) -> Integers:
    """Return the row at which each cutoff begins."""
    sizes = known.sum(axis=1)
    return np.asarray(np.cumsum(sizes) - sizes)


def _fill(
    table: FeatureTable,
    firsts: Integers,
    block: Block,
    catalogue: Catalogue,
    cutoffs: Sequence[int],
    population_days: int,
    time_zone: str,
) -> None:
    """Write the rows of one block; `firsts` says where its rows of each cutoff begin."""
    stands = standing(block, cutoffs, population_days, time_zone, table.by)
    known, values = stands != Standing.UNKNOWN, table.values.T
    scatter(stands, known, table.standing, firsts)
    for place, derived in enumerate(_derived(block, catalogue, cutoffs, time_zone)):
        scatter(derived, known, values[place], firsts)
    for facts, late in _late(block, known, cutoffs, time_zone).items():
        places, touched = _touched(catalogue, facts)
        part = replace(block, facts={name: block.facts[name] for name in ("customers", *wanted(touched.needs))})
        for cutoff in np.flatnonzero(late.any(axis=1)).tolist():
            then = part.only(late[cutoff]).known_by(cutoffs[cutoff])
            rows = firsts[cutoff] + np.cumsum(known[cutoff])[late[cutoff]] - 1
            for place, derived in zip(places, _derived(then, touched, [cutoffs[cutoff]], time_zone), strict=True):
                values[place, rows] = derived[0]


def _late(block: Block, known: Pairs, cutoffs: Sequence[int], time_zone: str) -> dict[str, Pairs]:
    """Return, by table and later fact, which known pairs must be computed from what was known then, if any must."""
    late = {name: late_pairs(facts, cutoffs) & known for name, facts in block.facts.items() if name != "customers"}
    if "orders" in late:
        late["orders"] |= split_pairs(block, cutoffs, time_zone) & known
    return {name: pairs for name, pairs in late.items() if pairs.any()}


def _touched(catalogue: Catalogue, facts: str) -> tuple[list[int], Catalogue]:
    """Return the numeric features that are made of these facts, and where they stand; late rows change no other."""
    places = [place for place, feature in enumerate(catalogue.numeric) if facts in wanted(feature.needs)]
    return places, Catalogue(tuple(catalogue.numeric[place] for place in places), {})


_WRITTEN = (np.dtype(np.float64), np.dtype(np.int64))
"""What is written as it comes; a count that is copied into floats first costs a pass more."""


def _derived(block: Block, catalogue: Catalogue, cutoffs: Sequence[int], time_zone: str) -> Iterator[Grid | Integers]:
    """Yield each feature of on-time rows, of shape (n_cutoffs, n_customers)."""
    folded: dict[Aggregate, Integers] = {}
    for name, rows in rows_of(block, catalogue.needs, time_zone):
        folded |= fold({name: rows}, [need for need in catalogue.needs if need.rows == name], cutoffs, time_zone)
    for name in dict.fromkeys(need.rows for need in catalogue.needs if need.rows in GIVEN):
        told = GIVEN[name](block, cutoffs, time_zone)
        folded |= {need: told[need.column] for need in catalogue.needs if need.rows == name}
    for feature in catalogue.numeric:
        values = feature.derive(*(folded[need] for need in feature.needs))
        derived: npt.NDArray[Any] = np.ascontiguousarray(values)  # Any: whatever a feature of one's own gives
        yield derived if derived.dtype in _WRITTEN else derived.astype(np.float64)


def _attribute(block: Block, feature: Feature) -> Texts:
    """Return one attribute in every version of every customer of a block, None where it is not known."""
    facts = block.facts["customers"]
    if feature.attribute in facts.columns:
        words = np.array([*facts.words[feature.attribute], None], dtype=np.object_)
        return np.asarray(words[facts.columns[feature.attribute]])
    objects = [json.loads(text) for text in facts.words["attributes"]]
    words = np.array([*(_text(known.get(feature.attribute)) for known in objects), None], dtype=np.object_)
    return np.asarray(words[facts.columns["attributes"]])


def _text(value: object) -> str | None:
    return None if value is None else str(value)


__all__ = ["Aggregate", "FeatureTable", "build", "build_block", "reads"]
