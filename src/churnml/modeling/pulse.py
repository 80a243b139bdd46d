"""The pulse of the customers: a few shares and rates, month by month, as they were known when each month ended.

Each is a count over another count, so a season that moves both leaves it alone. They need no label, and react before
one has closed. `unrest` says which of them moved.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt

from churnml.events import Store, history
from churnml.features import Aggregate, Catalogue, Feature, build_block
from churnml.features.table import reads
from churnml.modeling.moments import Moments, moments
from churnml.wording import Text

Matrix = npt.NDArray[np.float64]

MONTH = 28
"""Days; whole weeks, so that each month has its weekdays."""

BOUGHT_WITHIN = 91
"""Of customers who bought in so many days before a month, orders and visits of the month are counted."""

_HELP = ("help", "support", "faq", "contact", "cancel")
_EVENTS = partial(Aggregate, "purchase_days", "sum", "event")


@dataclass(frozen=True)
class Signal:
    """One count over another.

    Parameters
    ----------
    name : str
        Unique.
    says : str
        What it is, in words.
    table : str
        The table without which it cannot be told.
    part : Aggregate
        What is counted over.
    whole : Aggregate or None
        What it is counted over; None for each customer who had bought lately.
    worse : int
        1 where more of it is a bad sign, -1 where less is, 0 where a season moves it too much to say.
    """

    name: str
    says: str
    table: str
    part: Aggregate
    whole: Aggregate | None
    worse: int


SIGNALS = (
    Signal(
        "help",
        "visits to pages of help, of contact or for leaving, to all visits",
        "interactions",
        Aggregate("acts", "count", "", MONTH, where={"kind": _HELP}),
        Aggregate("acts", "sum", "visit", MONTH),
        1,
    ),
    Signal(
        "returns",
        "returns to orders of ten days earlier",
        "returns",
        Aggregate("returns", "count", "", MONTH),
        _EVENTS(MONTH, 10),
        1,
    ),
    Signal(
        "complaints",
        "complaints to orders of a week earlier",
        "tickets",
        Aggregate("complaints", "count", "", MONTH),
        _EVENTS(MONTH, 7),
        1,
    ),
    Signal(
        "scores",
        "mean score of the surveys that were answered",
        "surveys",
        Aggregate("answers", "sum", "points", MONTH),
        Aggregate("answers", "count", "", MONTH),
        -1,
    ),
    Signal(
        "answers",
        "surveys answered to surveys sent, a week left to answer",
        "surveys",
        Aggregate("answers", "count", "", MONTH, 7),
        Aggregate("surveys", "count", "", MONTH, 7),
        -1,
    ),
    Signal("orders", "orders of a customer who had bought lately", "orders", _EVENTS(MONTH), None, 0),
    Signal(
        "visits",
        "visits of a customer who had bought lately",
        "interactions",
        Aggregate("acts", "sum", "visit", MONTH),
        None,
        0,
    ),
)
"""What is watched, each for what it means, and none for how it does in a market made up."""


def signals_of(store: Store) -> tuple[Signal, ...]:
    """Return the signals that the landed tables can tell."""
    return tuple(one for one in SIGNALS if {one.table, "orders"} <= store.tables)


def pulse(
    store: Store, signals: Sequence[Signal], ends: Sequence[int], spans: npt.NDArray[np.bool_]
) -> dict[str, list[Moments]]:
    """Return each signal over each span of months, by name, block by block of customers.

    Parameters
    ----------
    ends : sequence of int
        When each month ended, ascending; nothing learned later is counted in it. Microseconds UTC.
    spans : ndarray of shape (n_spans, n_months)
        Which months make up each.

    Returns
    -------
    dict of str to list of Moments
        One for each span.
    """
    few = _asked(signals)
    found = np.zeros((len(signals), len(spans), Moments.SIZE))
    for number in range(store.n_blocks):
        block = history(store, number, list(ends), reads(few))
        table = build_block(block, few, ends, BOUGHT_WITHIN, store.time_zone)
        _, who = np.unique(table.customer_ids.astype(str), return_inverse=True)
        when = np.searchsorted(np.array(ends), table.cutoffs)
        shape = (len(ends), int(who.max(initial=-1)) + 1)
        bought = _grid(table.column("bought"), when, who, shape) > 0
        for place, one in enumerate(signals):
            part = _grid(table.column(f"{one.name} part"), when, who, shape)
            if one.whole is None:
                part, whole = part * bought, bought.astype(np.float64)
            else:
                whole = _grid(table.column(f"{one.name} whole"), when, who, shape)
            found[place] += moments(spans @ part, spans @ whole)
    return {one.name: [Moments(*row) for row in rows.tolist()] for one, rows in zip(signals, found, strict=True)}


def _grid(values: Matrix, when: npt.NDArray[np.intp], who: npt.NDArray[np.intp], shape: tuple[int, int]) -> Matrix:
    grid = np.zeros(shape)
    grid[when, who] = values
    return grid


def _asked(signals: Sequence[Signal]) -> Catalogue:
    """Return what is counted as features that nobody is shown."""
    wanted = {"bought": _EVENTS(BOUGHT_WITHIN, MONTH)}
    for one in signals:
        wanted[f"{one.name} part"] = one.part
        if one.whole is not None:
            wanted[f"{one.name} whole"] = one.whole
    return Catalogue(tuple(_feature(name, need) for name, need in wanted.items()), {})


def _feature(name: str, need: Aggregate) -> Feature:
    nothing = Text(name, name)
    return Feature(name, "pulse", "pulse", "count", nothing, nothing, (need,))
