"""Who counts at a cutoff: the base, the population within it, and why the others stand outside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from churnml.events.clock import days_later, local_days
from churnml.events.facts import Facts
from churnml.events.order_events import order_events
from churnml.events.point_in_time import Block, current

_NEVER = np.iinfo(np.int64).min


class Standing(IntEnum):
    """Where a customer stands at a cutoff."""

    UNKNOWN = 0
    """Not yet known: not in the base."""
    POPULATION = 1
    """Ordered within `population_days` before the cutoff, or held a contract at it that is paid for."""
    PROSPECT = 2
    """Known, but has never ordered or held a contract that is paid for; may be on trial."""
    GONE = 3
    """Ordered once, but not within `population_days`; or held a contract that has ended."""
    NO_PROFILING = 4
    """Refuses to be profiled; whatever else would be true of them."""


def met(block: Block, cutoffs: Sequence[int]) -> npt.NDArray[np.bool_]:
    """Return who is in the base at each cutoff: first known before it; shape (n_cutoffs, n_customers)."""
    return np.asarray(current(block.facts["customers"], cutoffs) >= 0)


def standing(block: Block, cutoffs: Sequence[int], population_days: int, time_zone: str) -> npt.NDArray[np.int8]:
    """Return the `Standing` of each customer at each cutoff.

    Parameters
    ----------
    block : Block
        With the `amount` of the orders, where there are any, from `history`.
    population_days : int
        How far back the last order may lie.

    Returns
    -------
    ndarray of shape (n_cutoffs, n_customers)
        Values of `Standing`.
    """
    base = met(block, cutoffs)
    held = begun = np.zeros(base.shape, dtype=np.bool_)
    if block.contracts is not None:
        held, begun = block.contracts.held(cutoffs), block.contracts.begun(cutoffs)
    result = np.zeros(base.shape, dtype=np.int8)
    orders = _ordering(block.facts["orders"], time_zone) if "orders" in block.facts else None
    for place, cutoff in enumerate(cutoffs):
        last = np.full(base.shape[1], _NEVER) if orders is None else _last(orders, cutoff)
        recent = last >= days_later(cutoff, -population_days, time_zone)
        else_where = np.where((last > _NEVER) | begun[place], Standing.GONE, Standing.PROSPECT)
        stands = np.where(recent | held[place], Standing.POPULATION, else_where)
        result[place] = np.where(base[place], stands, Standing.UNKNOWN)
    if block.refused is not None:
        result[base & block.refused] = Standing.NO_PROFILING
    return result


def _ordering(orders: Facts, time_zone: str) -> Facts:
    """Return what tells when each customer ordered: where no money ever went back, the clocks of what was paid do."""
    amount = orders.columns["amount"]
    if not (amount < 0).any():
        return replace(orders, columns={}).keep(amount > 0)
    return replace(orders, columns={"amount": amount, "day": local_days(orders.event_at, time_zone)[0]})


def _last(orders: Facts, cutoff: int) -> npt.NDArray[np.int64]:
    """Return when each customer last ordered, as known at a cutoff."""
    seen = orders.known_by(cutoff)
    if "day" in seen.columns:
        seen = seen.keep(order_events(seen.customer, seen.columns["day"], seen.columns["amount"]))
    ordered = np.diff(seen.offsets) > 0
    last = np.full(len(ordered), _NEVER)
    last[ordered] = seen.event_at[seen.offsets[1:][ordered] - 1]
    return last
