"""Churn in ``[t, t + horizon)``: no order event in it, or the end of a contract in it that none continued."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from churnml.events import By, Outcome

_FEWEST_DAYS = 2


def churned(outcome: Outcome, by: By = "orders") -> npt.NDArray[np.bool_]:
    """Return who has left in the horizon; shape as the outcome's.

    Parameters
    ----------
    by : {'orders', 'contracts'}, default 'orders'
        By orders, who has no order event in it. By contracts, whose contract ended in it without another that continued
        it: held already, or begun within the grace period after the end.
    """
    return np.asarray(outcome.orders == 0 if by == "orders" else outcome.left_day >= 0)


def churned_within(outcome: Outcome, days: int, by: By = "orders") -> npt.NDArray[np.bool_]:
    """Return who has left in so many days, no more than the horizon; shape as the outcome's."""
    if by == "contracts":
        return np.asarray((outcome.left_day >= 0) & (outcome.left_day < days))
    return np.asarray((outcome.first_order_day < 0) | (outcome.first_order_day >= days))


def sooner_days(horizon_days: int) -> tuple[int, ...]:
    """Return a sixteenth, a quarter and a half of the horizon, in whole days: orders are frequent at first, rare later.

    Examples
    --------
    >>> sooner_days(60)
    (4, 15, 30)
    >>> sooner_days(3)
    (2,)
    """
    days = {-(-horizon_days // part) for part in (16, 4, 2)}
    return tuple(sorted(day for day in days if _FEWEST_DAYS <= day < horizon_days))
