"""Churn without a contract: no order event in ``[t, t + horizon)``."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from churnml.events import Outcome

_FEWEST_DAYS = 2


def churned(outcome: Outcome) -> npt.NDArray[np.bool_]:
    """Return who has no order event in the horizon; shape as the outcome's."""
    return np.asarray(outcome.orders == 0)


def silent_for(outcome: Outcome, days: int) -> npt.NDArray[np.bool_]:
    """Return who has no order event in so many days, no more than the horizon; shape as the outcome's."""
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
