"""What counts as ordering: a customer-day with a positive net amount."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.int64] | npt.NDArray[np.int32] | npt.NDArray[np.float64]


def order_events(customer: Numbers, day: Numbers, amount: Numbers) -> npt.NDArray[np.bool_]:
    """Mark the order events among some orders: of each day whose net amount is positive, the first that was paid.

    Which orders are given decides what is known of a day: those seen at a cutoff, or those of a horizon.
    docs/adr/0005 has the reasons.

    Parameters
    ----------
    customer, day : ndarray of shape (n_orders,)
        Whose, and on which local day; in the order of customer and time.
    amount : ndarray of shape (n_orders,)
        Money, negative where it went back.

    Returns
    -------
    ndarray of shape (n_orders,)
        True once a customer and day.

    Examples
    --------
    >>> one = np.zeros(4, dtype=np.int64)
    >>> order_events(one, np.array([1, 1, 2, 2]), np.array([50, -50, 0, 20])).tolist()
    [False, False, False, True]
    """
    events = np.zeros(len(amount), dtype=np.bool_)
    if not len(amount):
        return events
    opens = np.ones(len(amount), dtype=np.bool_)
    opens[1:] = (day[1:] != day[:-1]) | (customer[1:] != customer[:-1])
    turn = np.cumsum(opens) - 1
    net = np.add.reduceat(amount, np.flatnonzero(opens))
    paid = np.flatnonzero((amount > 0) & (net[turn] > 0))
    first = np.ones(len(paid), dtype=np.bool_)
    first[1:] = turn[paid[1:]] != turn[paid[:-1]]
    events[paid[first]] = True
    return events
