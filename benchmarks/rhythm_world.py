"""Customers of known rhythm: what fits of buying models are measured on."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Columns = tuple[npt.NDArray[np.float64], ...]

_SPAN_DAYS = (30, 730)


def customers(size: int, seed: int = 1) -> Columns:
    """Return frequency, recency, T and monetary value of so many customers, in whole days and cents.

    Rates of buying are Gamma(0.55, 40 days), chances of leaving after a purchase day Beta(0.8, 2.4), money is
    Gamma-Gamma(6, 4, 15): near what the literature finds for shops.
    """
    rng = np.random.default_rng(seed)
    rate, leaving = np.maximum(rng.gamma(0.55, 1 / 40, size), 1e-12), rng.beta(0.8, 2.4, size)
    T = rng.integers(*_SPAN_DAYS, size).astype(np.float64)
    x, tx, now, alive = np.zeros(size), np.zeros(size), np.zeros(size), np.ones(size, dtype=bool)
    while alive.any():
        now = now + rng.exponential(1, size) / rate
        day = np.ceil(now)
        alive &= day <= T
        new_day = alive & (day > tx)
        x[new_day] += 1
        tx[new_day] = day[new_day]
        alive &= ~new_day | (rng.random(size) >= leaving)
    bought = np.maximum(x, 1)
    mean = rng.gamma(6 * bought, 1 / (rng.gamma(4.0, 1 / 15, size) * bought))
    return x, tx, T, np.maximum(mean.round(2), 0.01)
