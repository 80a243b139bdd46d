"""Everybody's stage at several cutoffs, each as it was known then: what paths and transitions are counted from.

A stage costs some twenty columns for a moment and one byte from then on, so blocks are computed one after another and
only the bytes are kept: a million customers over two years are 25 MB and their names.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import numpy.typing as npt

from churnml.config import LifecycleRules
from churnml.events import By, Store, history
from churnml.events.landing import blocks_for
from churnml.events.population import met
from churnml.features.catalogue import Catalogue, catalogue
from churnml.features.table import build_block, reads
from churnml.measures.lifecycle import COLUMNS, NO_STAGE, ORDER_COLUMNS, STAGES, Codes, stage_codes, stage_columns


@dataclass(frozen=True)
class StageHistory:
    """The stages of everybody who is known at the last of some cutoffs and may be profiled.

    Parameters
    ----------
    customer_ids : ndarray of shape (n_customers,)
        Texts, each once, in no particular order.
    cutoffs : tuple of int
        Ascending, microseconds UTC.
    codes : ndarray of shape (n_cutoffs, n_customers)
        Places in `STAGES`; `NO_STAGE` before a customer was known.
    refused : int
        How many more are known at the last cutoff and refuse to be profiled.
    """

    customer_ids: npt.NDArray[np.object_]
    cutoffs: tuple[int, ...]
    codes: Codes
    refused: int

    def at(self, place: int) -> npt.NDArray[np.object_]:
        """Return the stages at one of the cutoffs as keys of `STAGES`, None before a customer was known."""
        return np.asarray(np.array([*STAGES, None], dtype=np.object_)[self.codes[place]])


def stages_at(
    store: Store,
    cutoffs: Sequence[int],
    population_days: int,
    rules: LifecycleRules,
    by: By = "orders",
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> StageHistory:
    """Return everybody's stage at each cutoff, by what was known at that cutoff.

    Parameters
    ----------
    cutoffs : sequence of int
        Microseconds UTC, in any order; at least one.
    population_days : int
        How far back the last order of a member of the population may lie: how long one may be silent whose rhythm is
        not known.
    rules : LifecycleRules
        When a customer is in which stage.
    by : {'orders', 'contracts'}, default 'orders'
        What makes a customer, see `events.standing`.
    progress : callable
        Told how many blocks of how many are done.

    Notes
    -----
    Who refuses to be profiled now has no stage at any cutoff. Whoever is known at the last cutoff has one at it.
    """
    ordered = tuple(sorted(set(cutoffs)))
    rows = max(store.rows("customers") * len(ordered), *(store.rows(table) for table in store.tables))
    dealt = replace(store, blocks=blocks_for(rows))
    one = partial(_block, dealt, _features(store), ordered, population_days, rules, by)
    names, codes, refused = [], [], 0
    # threads suffice: Arrow and the kernel both let go of the interpreter while they work
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        for done, (who, found, refusing) in enumerate(pool.map(one, range(dealt.n_blocks)), 1):
            names.append(who)
            codes.append(found)
            refused += refusing
            progress(done, dealt.n_blocks)
    return StageHistory(np.concatenate(names), ordered, np.concatenate(codes, axis=1), refused)


def _features(store: Store) -> Catalogue:
    """Return the features that stages are told by; where nobody has a contract, how it is used tells none."""
    names = COLUMNS if "subscriptions" in store.tables else ORDER_COLUMNS
    return Catalogue(tuple(one for one in catalogue(store.tables).features if one.name in names), {})


def _block(
    store: Store,
    features: Catalogue,
    cutoffs: tuple[int, ...],
    population_days: int,
    rules: LifecycleRules,
    by: By,
    number: int,
) -> tuple[npt.NDArray[np.object_], Codes, int]:
    """Return who of a block may be told of, their stages, and how many refuse."""
    block = history(store, number, cutoffs, reads(features))
    table = build_block(block, features, cutoffs, population_days, store.time_zone, by)
    known = met(block, cutoffs)
    codes = np.full(known.shape, NO_STAGE, dtype=np.int8)
    codes[known] = stage_codes(stage_columns(table), table.standing, population_days, rules, by)
    told = codes[-1] != NO_STAGE
    return block.customer_ids[told], codes[:, told], int((known[-1] & ~told).sum())
