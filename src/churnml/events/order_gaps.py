"""How many days lie between the orders of a customer, and how long the last of each has been open."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from churnml.events.clock import local_days
from churnml.events.order_events import order_events
from churnml.events.point_in_time import Store, history

Counts = npt.NDArray[np.int64]


@dataclass(frozen=True)
class OrderGaps:
    """Gaps between order events as known at a cutoff, counted by their length in days.

    Parameters
    ----------
    closed : ndarray of shape (n_days,)
        How many gaps of 0, 1, 2 … days another order ended; none is of 0.
    open : ndarray of shape (n_days,)
        How many customers have been silent for so many days since their last order.
    """

    closed: Counts
    open: Counts


def order_gaps(store: Store, cutoff: int) -> OrderGaps:
    """Count the gaps of every customer who had ordered, block by block, as they were known at a cutoff.

    Parameters
    ----------
    cutoff : int
        Microseconds UTC.
    """
    closed, still = np.zeros(1, dtype=np.int64), np.zeros(1, dtype=np.int64)
    today = int(local_days(np.array([cutoff - 1]), store.time_zone)[0][0]) + 1
    for number in range(store.n_blocks):
        orders = history(store, number, [cutoff], {"orders": ("amount",)}).facts["orders"]
        day, _ = local_days(orders.event_at, store.time_zone)
        events = order_events(orders.customer, day, orders.columns["amount"])
        customer, day = orders.customer[events], day[events].astype(np.int64)
        same = customer[1:] == customer[:-1]
        last = np.append(~same, np.ones(min(len(customer), 1), dtype=np.bool_))
        closed = _add(closed, (day[1:] - day[:-1])[same])
        still = _add(still, np.maximum(today - day[last], 0))
    longest = max(len(closed), len(still))
    return OrderGaps(*(np.pad(counts, (0, longest - len(counts))) for counts in (closed, still)))


def _add(counts: Counts, days: Counts) -> Counts:
    more = np.bincount(days, minlength=len(counts))
    more[: len(counts)] += counts
    return np.asarray(more)
