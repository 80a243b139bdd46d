"""Money where few teach it: what a customer pays on an order day, drawn to what all pay, times order days to come."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from churnml.features import FeatureTable
from churnml.modeling.rhythm import Rhythm, ordered, rfm
from churnml.modeling.spread import Spread, fit_spread

Matrix = npt.NDArray[np.float64]

_AS_IF = 3.0
"""Order days of the base's mean that stand beside a customer's own."""

_REPEATS, _ROWS = 20, 20_000


@dataclass(frozen=True)
class Spend:
    """Spend on an order day.

    Parameters
    ----------
    mean : float
        Of all order days of the base, in the currency, not negative.
    """

    mean: float

    def per_order_day(self, table: FeatureTable) -> Matrix:
        """Return what each customer is expected to pay on an order day; shape (n_rows,), never negative."""
        paid = np.maximum(np.nan_to_num(table.column("spend_all"), nan=0.0), 0.0)
        days = np.where(np.isnan(table.column("spend_all")), 0.0, table.column("orders_all"))
        return np.asarray((_AS_IF * self.mean + paid) / (_AS_IF + days))


def fit_spend(base: FeatureTable) -> Spend:
    """Return the spend of a base at one cutoff, of those who have ordered."""
    known = ordered(base)
    paid = float(np.nansum(known.column("spend_all")))
    return Spend(max(paid / max(float(known.column("orders_all").sum()), 1.0), 0.0))


def simulated_spread(rhythm: Rhythm, spend: Spend, base: FeatureTable, days: int, rate: float, seed: int) -> Spread:
    """Return the spread of margins that the rhythm itself foretells, where no horizon is over yet.

    Order days are drawn for each customer twenty times over, each time by another of the rhythms that the customers
    make likely; what is paid on one varies as an exponential does, by its own mean.
    """
    known, rng = ordered(base), np.random.default_rng(seed)
    known = known.take(rng.permutation(len(known))[: _ROWS // _REPEATS])
    each, told = spend.per_order_day(known) * rate, rfm(known)
    orders = np.concatenate([rhythm.drawn_orders(told, days, rng) for _ in range(_REPEATS)])
    forecast = np.tile(each * rhythm.expected_orders(told, days), _REPEATS)
    paid = np.where(orders > 0, rng.gamma(np.maximum(orders, 1.0)), 0.0) * np.tile(each, _REPEATS)
    return fit_spread(forecast, paid)
