"""Who counts at a cutoff: the base, the population within it, and why the others stand outside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from enum import IntEnum
from typing import Literal

import numpy as np
import numpy.typing as npt

from churnml.events.clock import days_later, local_days
from churnml.events.facts import Facts
from churnml.events.order_events import order_events
from churnml.events.point_in_time import Block, Store, current, history

_NEVER = np.iinfo(np.int64).min

By = Literal["orders", "contracts"]
"""What makes a customer, and whose end is churn: orders that keep coming, or a contract that runs."""


class Standing(IntEnum):
    """Where a customer stands at a cutoff."""

    UNKNOWN = 0
    """Not yet known: not in the base."""
    POPULATION = 1
    """Held a contract at the cutoff that is paid for; by orders, one who ordered in `population_days` before it too."""
    PROSPECT = 2
    """Known, but has never ordered or held a contract that is paid for; may be on trial."""
    GONE = 3
    """Ordered once, but not within `population_days`; or held a contract that has ended."""
    NO_PROFILING = 4
    """Refuses to be profiled; whatever else would be true of them."""
    NO_CONTRACT = 5
    """By contracts: orders, and never held a contract, whose end could be told."""


def met(block: Block, cutoffs: Sequence[int]) -> npt.NDArray[np.bool_]:
    """Return who is in the base at each cutoff: first known before it; shape (n_cutoffs, n_customers)."""
    return np.asarray(current(block.facts["customers"], cutoffs) >= 0)


def standing(
    block: Block, cutoffs: Sequence[int], population_days: int, time_zone: str, by: By = "orders"
) -> npt.NDArray[np.int8]:
    """Return the `Standing` of each customer at each cutoff.

    Parameters
    ----------
    block : Block
        With the `amount` of the orders, where there are any, from `history`.
    population_days : int
        How far back the last order may lie.
    by : {'orders', 'contracts'}, default 'orders'
        Whether who ordered lately is in the population, or who holds a contract alone.

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
        if by == "contracts":
            else_where = np.where(recent & ~begun[place], Standing.NO_CONTRACT, else_where)
            recent = np.zeros_like(recent)
        stands = np.where(recent | held[place], Standing.POPULATION, else_where)
        result[place] = np.where(base[place], stands, Standing.UNKNOWN)
    if block.refused is not None:
        result[base & block.refused] = Standing.NO_PROFILING
    return result


def share_under_contract(store: Store, now: int, population_days: int) -> float:
    """Return which share of the population holds a contract that is paid for at a cutoff, by what was known then.

    Where nobody ever ordered all of them do, and where no subscriptions have landed nobody does.
    """
    if "subscriptions" not in store.tables:
        return 0.0
    if "orders" not in store.tables:
        return 1.0
    holding = counted = 0
    for number in range(store.n_blocks):
        block = history(store, number, [now], {"orders": ("amount",)})
        inside = standing(block, [now], population_days, store.time_zone)[0] == Standing.POPULATION
        held = np.zeros_like(inside) if block.contracts is None else block.contracts.held([now])[0]
        holding, counted = holding + int((inside & held).sum()), counted + int(inside.sum())
    return holding / counted if counted else 0.0


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
