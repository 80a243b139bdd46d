"""The feature table: one row per customer and cutoff, built block by block, the same for one cutoff or twenty."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from churnml.events import Block, Standing, Store, history, standing
from churnml.events.clock import local_days
from churnml.features.catalogue import Catalogue
from churnml.features.declare import CUTOFF_DAY, Aggregate, Feature
from churnml.features.kernel import fold, late_pairs, reorder
from churnml.features.rows import WANTED, rows_of

Texts = npt.NDArray[np.object_]
Grid = npt.NDArray[np.float64]


@dataclass(frozen=True)
class FeatureTable:
    """One row per (customer, cutoff), ordered by cutoff and then by customer.

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
        NaN where the feature's `missing` says so.
    categories : dict of str to ndarray of shape (n_rows,)
        The categorical features, as texts or None.
    """

    customer_ids: Texts
    cutoffs: npt.NDArray[np.int64]
    standing: npt.NDArray[np.int8]
    names: tuple[str, ...]
    values: Grid
    categories: dict[str, Texts]

    def __len__(self) -> int:
        return len(self.customer_ids)

    def column(self, name: str) -> npt.NDArray[np.float64]:
        """Return one numeric feature, of shape (n_rows,)."""
        return np.asarray(self.values[:, self.names.index(name)])

    def take(self, rows: npt.NDArray[np.bool_] | npt.NDArray[np.intp]) -> FeatureTable:
        """Return some of the rows, in the order given."""
        categories = {name: column[rows] for name, column in self.categories.items()}
        return FeatureTable(
            self.customer_ids[rows], self.cutoffs[rows], self.standing[rows], self.names, self.values[rows], categories
        )

    @property
    def in_population(self) -> npt.NDArray[np.bool_]:
        """Which rows are of customers in the population at their cutoff."""
        return np.asarray(self.standing == Standing.POPULATION)


def build(
    store: Store,
    catalogue: Catalogue,
    cutoffs: Sequence[int],
    population_days: int,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> FeatureTable:
    """Return the feature table of the whole base at the given cutoffs.

    Parameters
    ----------
    cutoffs : sequence of int
        Microseconds UTC.
    population_days : int
        How far back the last order of a member of the population may lie.
    progress : callable
        Told how many blocks of how many are done.
    """
    wanted = _wanted(store, catalogue)

    def one(number: int) -> FeatureTable:
        block = history(store, number, cutoffs, wanted)
        return build_block(block, catalogue, cutoffs, population_days, store.time_zone)

    # at many cutoffs the values are nearly all of the memory: each is written once, where the whole table will stand
    values = np.empty((len(cutoffs) * store.rows("customers"), len(catalogue.numeric)))
    pieces, end = list[FeatureTable](), 0
    # threads suffice: Arrow and the kernel both let go of the interpreter while they work
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        for done, piece in enumerate(pool.map(one, range(store.n_blocks)), 1):
            start, end = end, end + len(piece)
            values[start:end] = piece.values
            pieces.append(replace(piece, values=values[start:end]))
            progress(done, store.n_blocks)
    return _joined(pieces, values[:end])


def build_block(
    block: Block, catalogue: Catalogue, cutoffs: Sequence[int], population_days: int, time_zone: str
) -> FeatureTable:
    """Return the feature table of one block: the one function behind training, the nightly run and a request."""
    values = _values(block, catalogue.numeric, cutoffs, time_zone)
    stands = standing(block, cutoffs, population_days, time_zone)
    base = stands != Standing.UNKNOWN
    who = np.broadcast_to(np.arange(len(block.customer_ids)), base.shape)[base]
    categories = {feature.name: _attribute(block, feature)[who] for feature in catalogue.categorical}
    when = np.broadcast_to(np.array(cutoffs, dtype=np.int64)[:, None], base.shape)[base]
    names = tuple(feature.name for feature in catalogue.numeric)
    return FeatureTable(block.customer_ids[who], when, stands[base], names, values[base], categories)


def _wanted(store: Store, catalogue: Catalogue) -> dict[str, tuple[str, ...]]:
    wanted = {table: columns for table, columns in WANTED.items() if table in store.tables}
    known = {feature.attribute for feature in catalogue.categorical}
    columns = known & {"region", "income_band", "acquisition_channel"}
    return wanted | {"customers": (*sorted(columns), *(["attributes"] if known - columns else []))}


def _values(block: Block, features: Sequence[Feature], cutoffs: Sequence[int], time_zone: str) -> Grid:
    """Return every numeric feature, of shape (n_cutoffs, n_customers, n_features)."""
    values = _on_time(block, features, cutoffs, time_zone)
    late = np.zeros(values.shape[:2], dtype=np.bool_)
    for facts in block.facts.values():
        late |= late_pairs(facts, cutoffs)
    for place in np.flatnonzero(late.any(axis=1)).tolist():
        then = block.only(late[place]).known_by(cutoffs[place])
        values[place, late[place]] = _on_time(then, features, [cutoffs[place]], time_zone)[0]
    return values


def _on_time(block: Block, features: Sequence[Feature], cutoffs: Sequence[int], time_zone: str) -> Grid:
    shape = (len(cutoffs), len(block.customer_ids))
    wanted = sorted({need for feature in features for need in feature.needs}, key=repr)
    folded = fold(rows_of(block, time_zone), wanted, cutoffs, time_zone)
    day, _ = local_days(np.array(cutoffs, dtype=np.int64), time_zone)
    folded[CUTOFF_DAY] = np.broadcast_to(day[:, None], shape)
    values = np.empty((*shape, len(features)))
    for place, feature in enumerate(features):
        values[:, :, place] = feature.derive(*(folded[need] for need in feature.needs))
    return values


def _attribute(block: Block, feature: Feature) -> Texts:
    """Return one attribute of every customer of a block, None where it is not known."""
    facts = block.facts["customers"]
    if feature.attribute in facts.columns:
        words = np.array([*facts.words[feature.attribute], None], dtype=np.object_)
        return np.asarray(words[facts.columns[feature.attribute]])
    objects = [json.loads(text) for text in facts.words["attributes"]]
    words = np.array([*(_text(known.get(feature.attribute)) for known in objects), None], dtype=np.object_)
    return np.asarray(words[facts.columns["attributes"]])


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _joined(pieces: Sequence[FeatureTable], values: Grid) -> FeatureTable:
    """Put blocks, whose values lie one after the other, in the one order that does not depend on their number."""
    ids, cutoffs = (np.concatenate([getattr(piece, name) for piece in pieces]) for name in ("customer_ids", "cutoffs"))
    who = pa.array(ids, type=pa.string()).dictionary_encode()
    rank = pc.rank(who.dictionary).to_numpy()[who.indices.to_numpy()]
    order = np.lexsort((rank, cutoffs))
    reorder(values, order)
    return FeatureTable(
        ids[order],
        cutoffs[order],
        np.concatenate([piece.standing for piece in pieces])[order],
        pieces[0].names,
        values,
        {name: np.concatenate([p.categories[name] for p in pieces])[order] for name in pieces[0].categories},
    )


__all__ = ["Aggregate", "FeatureTable", "build", "build_block"]
