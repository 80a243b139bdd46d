"""Gamma-Gamma: how much a customer spends on a purchase day, shrunk towards everybody's mean.

Each purchase of a customer is Gamma(p, nu), and nu differs between customers as a Gamma(q, v). The fewer purchases
we have seen, the more an estimate leans on the population. Spend is taken to be unrelated to how often one buys.

References
----------
Fader, P. S. and Hardie, B. G. S. (2013). The Gamma-Gamma model of monetary value.
http://www.brucehardie.com/notes/025/gamma_gamma.pdf. Equation numbers below are those of this note; its gamma is
our `v`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Self

import numpy as np
import numpy.typing as npt
from scipy.special import digamma, gammaln

from churnml.modeling.btyd.fitting import (
    MIN_CUSTOMERS,
    FloatArray,
    checked_columns,
    distinct_rows,
    minimise,
    refuse_where,
    require_customers,
)

# Money is scaled to a mean of 1. The population mean p * v / (q - 1) exists only for q > 1.
_BOUNDS = ((1e-2, 1e4), (1.1, 1e4), (1e-4, 1e4))
_STARTS = ((1.0, 2.0, 1.0), (6.0, 4.0, 0.5), (2.0, 10.0, 5.0))


@dataclass(frozen=True)
class GammaGamma:
    """The three parameters of a fitted Gamma-Gamma and the spend that follows from them.

    Parameters
    ----------
    p : float
        Shape of a customer's own purchases; large means that they hardly differ from one another.
    q : float
        Shape of the differences between customers, above 1; large means that customers are alike.
    v : float
        Scale of those differences, in money.

    Examples
    --------
    >>> model = GammaGamma(p=6.25, q=3.74, v=15.44)
    >>> model.expected_spend([0, 2], [0, 22.35]).round(2).tolist()
    [35.22, 24.66]
    """

    p: float
    q: float
    v: float

    def expected_spend(self, frequency: npt.ArrayLike, monetary_value: npt.ArrayLike) -> FloatArray:
        """Return the expected spend of each customer on a purchase day to come.

        A weighted mean of the customer's own mean and the population's; with frequency 0 the population mean
        `p * v / (q - 1)`, whatever the monetary value says (it may be missing).

        Parameters
        ----------
        frequency : array of shape (n_customers,)
            Repeat purchase days within the window.
        monetary_value : array of shape (n_customers,)
            Mean spend on those days.

        Returns
        -------
        ndarray of shape (n_customers,)
            Money per purchase day.

        References
        ----------
        Equation (5).
        """
        x, mean = np.asarray(frequency, dtype=np.float64), np.asarray(monetary_value, dtype=np.float64)
        total = x * np.where(x > 0, mean, 0.0)
        return np.asarray(self.p * (self.v + total) / (self.p * x + self.q - 1), dtype=np.float64)

    def log_likelihood(
        self, frequency: npt.ArrayLike, monetary_value: npt.ArrayLike, weights: npt.ArrayLike | None = None
    ) -> float:
        """Return the log-likelihood of the customers with a repeat purchase, each counted by its weight (default 1).

        References
        ----------
        Equation (1a).
        """
        x, mean = np.asarray(frequency, dtype=np.float64), np.asarray(monetary_value, dtype=np.float64)
        w = np.ones_like(x) if weights is None else np.asarray(weights, dtype=np.float64)
        back = x > 0
        value, _ = _log_likelihood(x[back], mean[back], w[back], np.array([self.p, self.q, self.v]))
        return value

    def to_dict(self) -> dict[str, float]:
        """Return the parameters by name, ready for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, parameters: Mapping[str, float]) -> Self:
        """Return the model with the parameters that `to_dict` gave."""
        return cls(**{name: float(value) for name, value in parameters.items()})


def fit_gamma_gamma(
    frequency: npt.ArrayLike, monetary_value: npt.ArrayLike, weights: npt.ArrayLike | None = None
) -> GammaGamma:
    """Return the Gamma-Gamma under which the customers' mean spends are most likely.

    Parameters
    ----------
    frequency : array of shape (n_customers,)
        Repeat purchase days within the window; customers with 0 say nothing about spend and are left out.
    monetary_value : array of shape (n_customers,)
        Mean spend on those days, above 0 wherever frequency is.
    weights : array of shape (n_customers,), optional
        How many customers each row stands for; 1 by default.

    Returns
    -------
    GammaGamma
        The fitted model, `v` in the unit of `monetary_value`.

    Raises
    ------
    InvalidTableError
        If a value is missing or negative, or a repeat purchase has no positive spend.
    NotEnoughDataError
        If fewer than 10 customers came back.

    References
    ----------
    The sum of the logarithm of equation (1a) over customers, its gradient derived by hand.
    """
    known = np.array(monetary_value, dtype=np.float64)
    if known.shape == np.shape(frequency):  # otherwise refused below, in words
        known[np.asarray(frequency) == 0] = 0.0
    x, mean, w = checked_columns(
        frequency=frequency, monetary_value=known, weights=np.ones(known.shape) if weights is None else weights
    )
    refuse_where(
        (x > 0) & (mean == 0),
        "`monetary_value` must be above 0 where `frequency` is",
        "count only purchase days with a positive net spend",
        frequency=x,
        monetary_value=mean,
    )
    require_customers(w, x > 0, at_least=MIN_CUSTOMERS, model="Gamma-Gamma")
    back = (x > 0) & (w > 0)
    scale = float(w[back] @ mean[back] / w[back].sum())
    counts, (x, mean) = distinct_rows(w[back], x[back], mean[back] / scale)
    share = counts / counts.sum()

    def objective(log_parameters: FloatArray) -> tuple[float, FloatArray]:
        parameters = np.exp(log_parameters)
        value, slope = _log_likelihood(x, mean, share, parameters)
        return -value, -slope * parameters

    p, q, v = minimise(objective, _STARTS, _BOUNDS)
    return GammaGamma(float(p), float(q), float(v * scale))


def _log_likelihood(x: FloatArray, mean: FloatArray, w: FloatArray, parameters: FloatArray) -> tuple[float, FloatArray]:
    """Return the weighted log of equation (1a) and its gradient in p, q, v."""
    p, q, v = (float(parameter) for parameter in parameters)
    shape, total = p * x, x * mean
    log_total, log_scale = np.log(total), np.log(v + total)
    value = gammaln(shape + q) - gammaln(shape) - gammaln(q) + q * np.log(v) - np.log(mean)
    value += shape * log_total - (shape + q) * log_scale
    slope_p = x * (digamma(shape + q) - digamma(shape) + log_total - log_scale)
    slope_q = digamma(shape + q) - digamma(q) + np.log(v) - log_scale
    slope_v = q / v - (shape + q) / (v + total)
    return float(w @ value), np.array([w @ slope_p, w @ slope_q, w @ slope_v])
