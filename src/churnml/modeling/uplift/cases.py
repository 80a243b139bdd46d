"""Treatments with what was known before each and what came of it: what effects are measured and learned from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from churnml.events import Block, By, Store, history, outcome
from churnml.events.clock import days_later
from churnml.events.treatments import Treatments
from churnml.features import Catalogue, FeatureTable, build_block
from churnml.features.table import reads
from churnml.labels import churned, margin

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Texts = npt.NDArray[np.object_]

_AT_ONCE = 8
"""So many cutoffs are computed together: of every customer decided about at any of them there is a row at each."""


@dataclass(frozen=True)
class Window:
    """The stretch of time after a treatment in which its outcome is looked for.

    Parameters
    ----------
    horizon_days : int
        Its length.
    now : int
        Nothing later is known; microseconds UTC.
    label_lag_days : int
        How long after it an outcome is final, see `labels.label_lag`.
    margin_rate : float
        Margin per unit of revenue for orders without a cost.
    by : {'orders', 'contracts'}
        What leaving is.
    grace_days : int
        By contracts, how long after an end another still continues it.
    """

    horizon_days: int
    now: int
    label_lag_days: int = 0
    margin_rate: float = 1.0
    by: By = "orders"
    grace_days: int = 30

    def closed(self, cutoffs: Integers, time_zone: str) -> Bools:
        """Return which outcomes are final by now, of windows that begin at these instants."""
        days, place = np.unique(cutoffs, return_inverse=True)
        final = [self.closes(one, time_zone) <= self.now for one in days.tolist()]
        return np.array(final, dtype=np.bool_)[place.reshape(-1)]

    def closes(self, cutoff: int, time_zone: str) -> int:
        """Return the instant from which on the outcome of a window that begins at `cutoff` is final."""
        return days_later(days_later(cutoff, self.horizon_days, time_zone), self.label_lag_days, time_zone)


@dataclass(frozen=True)
class Cases:
    """One row per treatment whose outcome may be looked at; arrays of shape (n_cases,).

    Parameters
    ----------
    treatments : Treatments
        In the order in which they came.
    names : tuple of str
        The numeric features.
    features : ndarray of shape (n_cases, n_features)
        As of each treatment's cutoff, so from before it; NaN where one is missing.
    categories : dict of str to ndarray
        The categorical features, as texts or None.
    outcome : ndarray of float64
        Margin of what was ordered in the window, net of returns, in the currency. The cost of the action is not in it.
    churned : ndarray of bool
        Who left within the window.
    closed : ndarray of bool
        Whether the outcome is final: all true, for others are left out.
    before : ndarray of float64
        Margin of a stretch as long as the window, up to the cutoff; what went back after it is not taken off.
    still_open, unknown : int
        Treatments left out because their window has not closed, and because at the cutoff their customer was not known
        or is not known at all.
    """

    treatments: Treatments
    names: tuple[str, ...]
    features: Floats
    categories: dict[str, Texts]
    outcome: Floats
    churned: Bools
    closed: Bools
    before: Floats
    still_open: int = 0
    unknown: int = 0

    def __len__(self) -> int:
        return len(self.treatments)

    def take(self, rows: Bools | npt.NDArray[np.intp]) -> Cases:
        """Return some of the cases, in the order given."""
        return replace(
            self,
            treatments=self.treatments.take(rows),
            features=self.features[rows],
            categories={name: column[rows] for name, column in self.categories.items()},
            outcome=self.outcome[rows],
            churned=self.churned[rows],
            closed=self.closed[rows],
            before=self.before[rows],
        )


def cases(
    store: Store,
    catalogue: Catalogue,
    log: Treatments,
    window: Window,
    *,
    population_days: int = 90,
    progress: Callable[[int, int], None] = lambda _done, _of: None,
) -> Cases:
    """Return the treatments whose windows have closed, with features and outcomes.

    Memory holds one block of customers at a few cutoffs, and of them only who was decided about.

    Parameters
    ----------
    log : Treatments
        From `events.treatments`, or of the ledger.
    window : Window
    population_days : int, default 90
        As in `features.build`.
    progress : callable
        Told how many blocks are done, of how many.

    Returns
    -------
    Cases
    """
    closed = window.closed(log.cutoffs, store.time_zone)
    finished = log.take(closed)
    found = _Room.of(catalogue, len(finished))
    cutoffs = sorted(set(finished.cutoffs.tolist()))
    for number in range(store.n_blocks if cutoffs else 0):
        block = history(store, number, cutoffs, reads(catalogue))
        place = {customer: at for at, customer in enumerate(block.customer_ids.tolist())}
        who = np.array([place.get(one, -1) for one in finished.customer_ids.tolist()], dtype=np.intp)
        for some in _chunks(cutoffs):
            rows = np.flatnonzero((who >= 0) & np.isin(finished.cutoffs, some))
            if len(rows):
                _fill(found, store, number, block, catalogue, finished, rows, who[rows], some, window, population_days)
        progress(number + 1, store.n_blocks)
    known, open_yet = found.known, len(log) - len(finished)
    every = Cases(
        finished, found.names, found.features, found.categories, found.outcome, found.churned, known, found.before,
        open_yet, int((~known).sum()),
    )  # fmt: skip
    return every.take(known)


@dataclass(frozen=True)
class _Room:
    """Where the rows are written as blocks are read."""

    names: tuple[str, ...]
    features: Floats
    categories: dict[str, Texts]
    outcome: Floats
    churned: Bools
    known: Bools
    before: Floats

    @classmethod
    def of(cls, catalogue: Catalogue, rows: int) -> _Room:
        names = tuple(feature.name for feature in catalogue.numeric)
        texts = {feature.name: np.full(rows, None, dtype=object) for feature in catalogue.categorical}
        false, nan = np.zeros(rows, dtype=np.bool_), np.full(rows, np.nan)
        return cls(names, np.full((rows, len(names)), np.nan), texts, nan, false, false.copy(), nan.copy())


def _chunks(cutoffs: list[int]) -> Iterator[list[int]]:
    for first in range(0, len(cutoffs), _AT_ONCE):
        yield cutoffs[first : first + _AT_ONCE]


def _fill(
    found: _Room,
    store: Store,
    number: int,
    block: Block,
    catalogue: Catalogue,
    log: Treatments,
    rows: npt.NDArray[np.intp],
    who: npt.NDArray[np.intp],
    cutoffs: list[int],
    window: Window,
    population_days: int,
) -> None:
    """Write what a block tells of some treatments: features at their cutoffs, and what came after and before them."""
    chosen = np.zeros(len(block.customer_ids), dtype=np.bool_)
    chosen[who] = True
    table = build_block(block.only(chosen), catalogue, cutoffs, population_days, store.time_zone, window.by)
    at = _rows_of(table, log.customer_ids[rows], log.cutoffs[rows])
    seen = rows[at >= 0]
    found.known[seen] = True
    found.features[seen] = table.values[at[at >= 0]]
    for name, column in table.categories.items():
        found.categories[name][seen] = column[at[at >= 0]]
    when = np.searchsorted(np.array(cutoffs, dtype=np.int64), log.cutoffs[rows])
    lag, known_by = window.label_lag_days, window.now
    came = outcome(store, number, cutoffs, window.horizon_days, known_by, lag, window.grace_days)
    found.outcome[rows] = margin(came, window.margin_rate)[when, who]
    found.churned[rows] = churned(came, window.by)[when, who]
    found.before[rows] = _before(store, number, cutoffs, window)[when, who]


def _rows_of(table: FeatureTable, customer_ids: Texts, cutoffs: Integers) -> npt.NDArray[np.intp]:
    """Return the row of each customer and cutoff, -1 where the customer was not known yet."""
    row = {key: at for at, key in enumerate(zip(table.customer_ids.tolist(), table.cutoffs.tolist(), strict=True))}
    keys = zip(customer_ids.tolist(), cutoffs.tolist(), strict=True)
    return np.array([row.get(key, -1) for key in keys], dtype=np.intp)


def _before(store: Store, number: int, cutoffs: list[int], window: Window) -> Floats:
    """Return the margin of as many days up to each cutoff; shape (n_cutoffs, n_customers)."""
    begins = [days_later(cutoff, -window.horizon_days, store.time_zone) for cutoff in cutoffs]
    # without a lag only what went back by the cutoff is taken off: what went back later the action may have moved
    came = outcome(store, number, begins, window.horizon_days, window.now, 0, window.grace_days)
    return margin(came, window.margin_rate)
