"""Whether the next order came as soon as the curve had said: the share who ordered by each quantile of its date."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import beta

from churnml.modeling.curve import QUANTILES, When

_LEVEL = 0.95


@dataclass(frozen=True)
class InTime:
    """How often the next order came by a date that was told.

    Parameters
    ----------
    quantile : float
        Of the date.
    customers : int
        Whose date lay within the days that were looked at; those of the others are not over.
    said : float
        Mean probability of an order by that date. A date is a whole day, so this lies above the quantile, much so for
        who orders every few days.
    came : float
        Share whose order came by it.
    low, high : float
        The 95 % interval of the share.
    """

    quantile: float
    customers: int
    said: float
    came: float
    low: float
    high: float

    @property
    def kept(self) -> bool:
        """Whether what was said lies within the interval of what came."""
        return self.low <= self.said <= self.high


def in_time(told: When, first_order_day: npt.NDArray[np.int64], days: int) -> tuple[InTime, ...]:
    """Return how often the next order came by each quantile of its date; a quantile that nobody has is left out.

    Parameters
    ----------
    told : When
        What was said at the cutoff, of n_customers.
    first_order_day : ndarray of shape (n_customers,)
        Day of the first order after the cutoff, from 0; negative if there was none.
    days : int
        How many days were looked at.

    References
    ----------
    Clopper & Pearson (1934), The use of confidence or fiducial limits illustrated in the case of the binomial,
    Biometrika 26(4): the interval.
    """
    found = []
    for place, quantile in enumerate(QUANTILES):
        date, chance = told.days[:, place], told.chances[:, place]
        over = date <= days  # false of one that was not told
        n = int(over.sum())
        if n:
            came = int(((first_order_day >= 0) & (first_order_day < date))[over].sum())
            low, high = _interval(came, n)
            found.append(InTime(quantile, n, float(chance[over].mean()), came / n, low, high))
    return tuple(found)


def _interval(came: int, n: int) -> tuple[float, float]:
    tail = (1 - _LEVEL) / 2
    low = float(beta.ppf(tail, came, n - came + 1)) if came else 0.0
    high = float(beta.ppf(1 - tail, came + 1, n - came)) if came < n else 1.0
    return low, high
