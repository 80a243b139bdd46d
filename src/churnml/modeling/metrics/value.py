"""Value forecasts: how close they are, whether the order is right, and whether the total is."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

from churnml.errors import InvalidTableError
from churnml.modeling.metrics.columns import FloatArray, columns, varied


def mae(y: npt.ArrayLike, p: npt.ArrayLike) -> float:
    """Return the mean absolute error, in the unit of `y`."""
    truth, forecast = columns(y, p)
    return float(np.mean(np.abs(forecast - truth)))


def rmse(y: npt.ArrayLike, p: npt.ArrayLike) -> float:
    """Return the root of the mean squared error, in the unit of `y`."""
    truth, forecast = columns(y, p)
    return float(np.sqrt(np.mean((forecast - truth) ** 2)))


def spearman(y: npt.ArrayLike, p: npt.ArrayLike) -> float:
    """Return the rank correlation in [-1, 1]; 0 for a constant forecast, which ranks nobody.

    Raises
    ------
    InvalidTableError
        If all true values are equal, a value is missing, or lengths differ.
    """
    truth, forecast = varied(y, p)
    a, b = _centred_ranks(truth), _centred_ranks(forecast)
    return float(a @ b / np.sqrt((a @ a) * (b @ b))) if b.any() else 0.0


def gini_normalised(y: npt.ArrayLike, p: npt.ArrayLike) -> float:
    """Return the Gini coefficient of `y` ordered by `p`, divided by that of `y` ordered by itself.

    1 is the true order, 0 no better than chance. With tied forecasts it is the mean over all orders of the tied. The
    Gini of an order is proportional to the covariance of `y` with the rank, so the ratio is one of covariances.

    Raises
    ------
    InvalidTableError
        As in `spearman`.

    Examples
    --------
    >>> gini_normalised([0, 0, 10], [1, 3, 2])
    0.0
    """
    truth, forecast = varied(y, p)
    return float((truth @ _centred_ranks(forecast)) / (truth @ _centred_ranks(truth)))


def bias(y: npt.ArrayLike, p: npt.ArrayLike) -> float:
    """Return by what share the forecast total exceeds the true one; -0.05 is 5 % too low.

    Raises
    ------
    InvalidTableError
        If the true total is 0, a value is missing, or lengths differ.
    """
    truth, forecast = columns(y, p)
    if truth.sum() == 0:
        raise InvalidTableError(
            "`bias` is a share of the true total, which must not be 0; take a period with purchases"
        )
    return float(forecast.sum() / truth.sum() - 1)


def _centred_ranks(values: FloatArray) -> FloatArray:
    return np.asarray(rankdata(values) - (values.size + 1) / 2, dtype=np.float64)
