"""Who counts at a cutoff: the base, the population within it, and why the others stand outside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from churnml.events.clock import days_later
from churnml.events.point_in_time import Block


class Standing(IntEnum):
    """Where a customer stands at a cutoff."""

    UNKNOWN = 0
    """Not yet known: not in the base."""
    POPULATION = 1
    """Ordered within `population_days` before the cutoff."""
    PROSPECT = 2
    """Known, but has never ordered."""
    GONE = 3
    """Ordered once, but not within `population_days`."""


def met(block: Block, cutoffs: Sequence[int]) -> npt.NDArray[np.bool_]:
    """Return who is in the base at each cutoff: first known before it; shape (n_cutoffs, n_customers)."""
    customers, when = block.facts["customers"], np.array(cutoffs, dtype=np.int64)[:, None]
    before = customers.event_at < when
    return before if customers.known_at is None else before & (customers.known_at <= when)


def standing(block: Block, cutoffs: Sequence[int], population_days: int, time_zone: str) -> npt.NDArray[np.int8]:
    """Return the `Standing` of each customer at each cutoff.

    Parameters
    ----------
    block : Block
        With the `amount` of the orders, from `history`.
    population_days : int
        How far back the last order may lie.

    Returns
    -------
    ndarray of shape (n_cutoffs, n_customers)
        Values of `Standing`.
    """
    orders, base = block.facts["orders"], met(block, cutoffs)
    result = np.zeros(base.shape, dtype=np.int8)
    # only the clocks are asked from here on, and copied at each cutoff
    paid = replace(orders, columns={}).keep(orders.columns["amount"] > 0)
    for place, cutoff in enumerate(cutoffs):
        seen = paid.known_by(cutoff)
        ordered = np.diff(seen.offsets) > 0
        last = np.full(len(ordered), np.iinfo(np.int64).min)
        last[ordered] = seen.event_at[seen.offsets[1:][ordered] - 1]
        recent = last >= days_later(cutoff, -population_days, time_zone)
        stands = np.where(recent, Standing.POPULATION, np.where(ordered, Standing.GONE, Standing.PROSPECT))
        result[place] = np.where(base[place], stands, Standing.UNKNOWN)
    return result
