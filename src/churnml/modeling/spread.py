"""How far what comes may lie from what was expected: the median, and an interval for nine of ten, by value band.

Customers of one expected value are alike in shares of it, not in money, so what is learned are quantiles of truth over
forecast, in tenths of the forecast. The forecasts are of models that had never seen the customer; their misses are
those that the model will make of customers it has not seen either (docs/adr/0011).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from churnml.config import ValueSettings
from churnml.modeling.clv import fit_value

Matrix = npt.NDArray[np.float64]

LEVEL = 0.9
"""The share of customers whose margin lies within the interval."""

_BANDS, _ROWS_IN_A_BAND = 10, 200
_FOLDS = 3
_FLOOR = 0.01
"""Of the mean margin: a share of less than that says nothing."""
_HALF = 0.5
_VALUE = ValueSettings()


@dataclass(frozen=True)
class Range:
    """What may come; each of shape (n_rows,), in the currency, never negative, in this order row by row."""

    low: Matrix
    median: Matrix
    high: Matrix


@dataclass(frozen=True)
class Spread:
    """Quantiles of truth over forecast, by the forecast.

    Parameters
    ----------
    floor : float
        The least forecast that is told apart, in the currency.
    centres : tuple of float
        Logarithm of the mean forecast of each band, ascending; between them the quantiles are joined by straight lines,
        so that no customer falls off a step.
    low, median, high : tuple of float
        The quantiles of each band.
    """

    floor: float
    centres: tuple[float, ...]
    low: tuple[float, ...]
    median: tuple[float, ...]
    high: tuple[float, ...]

    def around(self, forecast: Matrix) -> Range:
        """Return the range of each forecast.

        Parameters
        ----------
        forecast : ndarray of shape (n_rows,)
            Expected margin, in the currency, not negative.
        """
        known = np.maximum(forecast, self.floor)
        at = np.log(known)
        low, median, high = (
            known * np.interp(at, self.centres, factors) for factors in (self.low, self.median, self.high)
        )
        return Range(low, median, high)

    def around_contracts(self, whole: Matrix, churn: Matrix, paid: Matrix) -> Range:
        """Return the range of contracts of which nothing is unknown but whether they last: all of it, or a part.

        Who leaves is taken to have paid any part of it with the same probability, up to twice the mean.

        Parameters
        ----------
        whole : ndarray of shape (n_rows,)
            What each brings if it lasts, of which this spread was learned.
        churn : ndarray of shape (n_rows,)
            The probability that it does not.
        paid : ndarray of shape (n_rows,)
            Which share of it one is expected to pay who leaves.
        """
        lasting = self.around(whole)

        def at(share: float, bound: Matrix) -> Matrix:
            part = np.minimum(2.0 * paid * share / np.maximum(churn, share), 1.0)
            return np.where(churn > share, np.minimum(whole * part, bound), bound)

        tail = (1 - LEVEL) / 2
        low, median = at(tail, lasting.low), at(_HALF, lasting.median)
        return Range(low, np.maximum(median, low), np.maximum(at(1 - tail, lasting.high), np.maximum(median, low)))

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Spread:  # Any: JSON
        """Return the spread a bundle holds."""
        names = ("centres", "low", "median", "high")
        return cls(float(data["floor"]), *(tuple(map(float, data[name])) for name in names))


def fit_spread(forecast: Matrix, margin: Matrix) -> Spread:
    """Return the spread of margins around forecasts that did not know them.

    Parameters
    ----------
    forecast, margin : ndarray of shape (n_rows,)
        What was expected, and what came; less than nothing, where more came back than was bought, counts as nothing.

    Notes
    -----
    In each band the bounds are the conformal ones of its n shares: the smallest of rank ``ceil((n + 1) 0.95)`` above,
    the largest of rank ``floor((n + 1) 0.05)`` below; where there is no such rank, the largest and nothing. They would
    hold for nine of ten exchangeable customers of the band; customers who are there at several cutoffs, and the lines
    between bands, make that about nine of ten.

    References
    ----------
    Vovk, Gammerman & Shafer (2005), Algorithmic Learning in a Random World, sections 2.2 and 4.5: conformal and
    Mondrian prediction.
    """
    came = np.maximum(margin, 0.0)
    floor = max(float(came.mean()) * _FLOOR, 1e-9)
    known = np.maximum(forecast, floor)
    shares = came / known
    bands = max(1, min(_BANDS, len(known) // _ROWS_IN_A_BAND))
    edges = np.unique(np.quantile(known, np.linspace(0, 1, bands + 1)[1:-1]))
    band = np.searchsorted(edges, known, side="right")
    found = [
        (float(np.log(known[band == one].mean())), *_bounds(np.sort(shares[band == one]))) for one in np.unique(band)
    ]
    centres, low, median, high = zip(*found, strict=True)
    return Spread(floor, centres, low, median, high)


def _bounds(shares: Matrix) -> tuple[float, float, float]:
    """Return the conformal bounds of sorted shares, and the median between them."""
    n, tail = len(shares), (1 - LEVEL) / 2
    below, above = int((n + 1) * tail), int(np.ceil((n + 1) * (1 - tail)))
    low = float(shares[below - 1]) if below else 0.0
    return low, float(np.median(shares)), float(shares[min(above, n) - 1])


def unseen_forecasts(
    matrix: Matrix,
    margin: Matrix,
    anchor: Matrix,
    customer_ids: npt.NDArray[np.object_],
    *,
    seed: int,
    settings: ValueSettings = _VALUE,
) -> Matrix:
    """Return what value models say that were taught without the customer they are asked of; shape (n_rows,).

    Parameters
    ----------
    matrix, margin, anchor
        As of `clv.fit_value`.
    customer_ids : ndarray of shape (n_rows,)
        Whose row it is: one customer's rows are all in one third.
    """
    customers, whose = np.unique(customer_ids, return_inverse=True)
    third = np.random.default_rng(seed).permutation(len(customers))[whose] % _FOLDS
    forecast = np.empty(len(margin))
    for fold in range(_FOLDS):
        taught, asked = third != fold, third == fold
        if asked.any() and taught.any():
            model = fit_value(matrix[taught], margin[taught], anchor[taught], seed=seed, settings=settings)
            forecast[asked] = model.predict(matrix[asked], anchor[asked])
    return forecast
