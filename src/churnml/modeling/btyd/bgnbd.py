"""BG/NBD: how often a customer buys and after which purchase they leave for good.

While active, a customer buys at a steady rate, a Poisson process; after every purchase they leave with a fixed
chance. Rates differ between customers as a Gamma(r, alpha), chances of leaving as a Beta(a, b). Nobody can leave
without having come back first, so a customer with frequency 0 is alive for certain: that is a property of the model,
not a finding, and the reason why it flatters one-time buyers.

References
----------
Fader, P. S., Hardie, B. G. S. and Lee, K. L. (2005). "Counting your customers" the easy way: an alternative to the
Pareto/NBD model. Marketing Science 24(2), 275-284. Equation numbers below are those of this paper.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Self

import numpy as np
import numpy.typing as npt
from scipy.special import digamma, expit, gammaln, hyp2f1

from churnml.modeling.btyd.fitting import (
    FloatArray,
    checked_columns,
    distinct_rows,
    minimise,
    refuse_where,
    require_customers,
)

# Time is scaled so that the mean age is 10 and alpha of order 1. Beyond a = 100 the chances of leaving are alike for
# all customers to within a tenth, and the hypergeometric function begins to overflow near 300.
_MEAN_AGE = 10.0
_BOUNDS = ((1e-4, 1e3), (1e-4, 1e4), (1e-4, 1e2), (1e-4, 1e4))
_STARTS = ((1.0, 1.0, 1.0, 1.0), (0.25, 1.5, 0.8, 2.5), (2.0, 5.0, 0.1, 2.0))


@dataclass(frozen=True)
class BGNBD:
    """The four parameters of a fitted BG/NBD and what follows from them.

    All methods broadcast: `frequency`, `recency` and `T` have shape (n_customers,), and `horizon_days` is a number,
    one per customer, or a column of shape (n_horizons, 1) for a table of horizons by customers.

    Parameters
    ----------
    r : float
        Shape of the purchase rates; small means that customers differ much.
    alpha : float
        Scale of the purchase rates, in days; the mean rate is `r / alpha` purchases per day.
    a, b : float
        Shape of the chances of leaving after a purchase; their mean is `a / (a + b)`.

    Examples
    --------
    >>> model = BGNBD(r=0.243, alpha=30.9, a=0.793, b=2.426)
    >>> model.p_alive([0, 2], [0, 213], [272, 272]).round(3).tolist()
    [1.0, 0.727]
    """

    r: float
    alpha: float
    a: float
    b: float

    def p_alive(self, frequency: npt.ArrayLike, recency: npt.ArrayLike, T: npt.ArrayLike) -> FloatArray:
        """Return the probability that each customer has not left for good.

        It is 1 by construction for frequency 0, since in this model leaving only ever follows a repeat purchase.

        Parameters
        ----------
        frequency : array of shape (n_customers,)
            Repeat purchase days within the window.
        recency : array of shape (n_customers,)
            Days from the first to the last purchase.
        T : array of shape (n_customers,)
            Days from the first purchase to the cutoff.

        Returns
        -------
        ndarray of shape (n_customers,)
            Probabilities in [0, 1].

        References
        ----------
        Fader, Hardie and Lee (2008), Computing P(alive) using the BG/NBD model; the denominator of equation (10).
        """
        x, tx, age = _arrays(frequency, recency, T)
        return np.asarray(expit(-self._log_odds_gone(x, tx, age)), dtype=np.float64)

    def p_no_purchase(
        self, horizon_days: npt.ArrayLike, frequency: npt.ArrayLike, recency: npt.ArrayLike, T: npt.ArrayLike
    ) -> FloatArray:
        """Return the probability that each customer buys nothing within the horizon.

        Silence means gone already, or alive and waiting. A customer alive at the cutoff cannot leave before the next
        purchase, because leaving only follows one; and given that they are alive, their rate is Gamma(r + x,
        alpha + T). The wait is therefore Pareto and the probability exact: `1 - p_alive * (1 - ((alpha + T) /
        (alpha + T + h)) ** (r + x))`.

        Parameters
        ----------
        horizon_days : float or array
            Days ahead of the cutoff.
        frequency, recency, T : arrays of shape (n_customers,)
            As in `p_alive`.

        Returns
        -------
        ndarray
            Probabilities in [0, 1], falling with the horizon.
        """
        x, tx, age = _arrays(frequency, recency, T)
        h = np.asarray(horizon_days, dtype=np.float64)
        gone = self._log_odds_gone(x, tx, age)
        waiting = np.exp(-(self.r + x) * np.log1p(h / (self.alpha + age)))
        return np.asarray(expit(gone) + expit(-gone) * waiting, dtype=np.float64)

    def expected_purchases(
        self, horizon_days: npt.ArrayLike, frequency: npt.ArrayLike, recency: npt.ArrayLike, T: npt.ArrayLike
    ) -> FloatArray:
        """Return the expected number of purchase days of each customer within the horizon.

        The paper's hypergeometric function has two parameters that grow with the frequency and overflows for loyal
        customers. Euler's transformation, `F(s, b+x; c; z) = (1-z)^(c-s-b-x) F(c-s, a-1; c; z)`, leaves only `c`
        growing. At `a = 1` and `a + b + x = 1` the formula is 0/0 with a smooth limit, taken as the mean of both sides.

        Parameters
        ----------
        horizon_days : float or array
            Days ahead of the cutoff.
        frequency, recency, T : arrays of shape (n_customers,)
            As in `p_alive`.

        Returns
        -------
        ndarray
            Purchase days, at least 0, rising with the horizon.

        References
        ----------
        Equation (10).
        """
        x, tx, age = _arrays(frequency, recency, T)
        h = np.asarray(horizon_days, dtype=np.float64)
        singular = np.minimum(abs(self.a - 1), abs(self.a + self.b + x - 1)) < 1e-5
        regular = np.where(singular, 2.0, self.a)  # any regular value: its result is not taken where singular
        purchases = self._purchases_if_alive(h, x, age, regular)
        if singular.any():
            below, above = (self._purchases_if_alive(h, x, age, self.a + step) for step in (-1e-4, 1e-4))
            purchases = np.where(singular, (below + above) / 2, purchases)
        alive = expit(-self._log_odds_gone(x, tx, age))
        return np.asarray(alive * np.maximum(purchases, 0.0), dtype=np.float64)  # rounding may fall below 0

    def log_likelihood(
        self,
        frequency: npt.ArrayLike,
        recency: npt.ArrayLike,
        T: npt.ArrayLike,
        weights: npt.ArrayLike | None = None,
    ) -> float:
        """Return the log-likelihood of all customers together, each counted by its weight (default 1).

        References
        ----------
        Equations (6) and (7).
        """
        x, tx, age = _arrays(frequency, recency, T)
        w = np.ones_like(x) if weights is None else np.asarray(weights, dtype=np.float64)
        purchases = gammaln(self.r + x) - gammaln(self.r) - x * np.log(self.alpha + age)
        wait = -self.r * np.log1p(age / self.alpha)
        stays = gammaln(self.b + x) - gammaln(self.a + self.b + x) + gammaln(self.a + self.b) - gammaln(self.b)
        return float(w @ (purchases + wait + stays + np.logaddexp(0, self._log_odds_gone(x, tx, age))))

    def to_dict(self) -> dict[str, float]:
        """Return the parameters by name, ready for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, parameters: Mapping[str, float]) -> Self:
        """Return the model with the parameters that `to_dict` gave."""
        return cls(**{name: float(value) for name, value in parameters.items()})

    def _log_odds_gone(self, x: FloatArray, tx: FloatArray, age: FloatArray) -> FloatArray:
        return _log_odds_gone(x, np.log(self.alpha + age) - np.log(self.alpha + tx), self.r, self.a, self.b)

    def _purchases_if_alive(self, h: FloatArray, x: FloatArray, age: FloatArray, a: float | FloatArray) -> FloatArray:
        c = a + self.b + x - 1
        remaining = self.alpha + age
        series = hyp2f1(c - self.r - x, a - 1, c, h / (remaining + h))
        return np.asarray(c / (a - 1) * (1 - np.exp((1 - a) * np.log1p(h / remaining)) * series), dtype=np.float64)


def fit_bgnbd(
    frequency: npt.ArrayLike, recency: npt.ArrayLike, T: npt.ArrayLike, weights: npt.ArrayLike | None = None
) -> BGNBD:
    """Return the BG/NBD under which the customers' histories are most likely.

    Parameters
    ----------
    frequency : array of shape (n_customers,)
        Repeat purchase days within the window, whole numbers.
    recency : array of shape (n_customers,)
        Days from the first to the last purchase; 0 for a customer who bought once.
    T : array of shape (n_customers,)
        Days from the first purchase to the cutoff.
    weights : array of shape (n_customers,), optional
        How many customers each row stands for; 1 by default.

    Returns
    -------
    BGNBD
        The fitted model, `alpha` in the unit of `T`.

    Raises
    ------
    InvalidTableError
        If a value is missing or negative, a frequency is not whole, or a recency exceeds its T.
    NotEnoughDataError
        If there are fewer than 10 customers, or none of them came back.

    References
    ----------
    The sum of equation (7) over customers, its gradient derived by hand.
    """
    x, tx, age, w = checked_columns(
        frequency=frequency, recency=recency, T=T, weights=np.ones(np.shape(frequency)) if weights is None else weights
    )
    refuse_where(x % 1 != 0, "`frequency` must be a whole number", "count repeat purchase days", frequency=x)
    refuse_where(tx > age, "`recency` must not exceed `T`", "count both from the first purchase", recency=tx, T=age)
    require_customers(w, x > 0, at_least=1, model="BG/NBD")
    scale = float(w @ age / w.sum()) / _MEAN_AGE or 1.0
    counts, (x, tx, age) = distinct_rows(w, x, tx / scale, age / scale)
    r, alpha, a, b = minimise(_Objective(x, tx, age, counts), _STARTS, _BOUNDS)
    return BGNBD(float(r), float(alpha * scale), float(a), float(b))


class _Objective:
    """Mean negative log-likelihood of distinct rows, and its gradient, in the logarithms of r, alpha, a, b.

    Gamma functions depend on a row through its frequency alone and are computed once for each that occurs; rows are
    in ascending order of frequency, so that those who came back are one slice.
    """

    def __init__(self, x: FloatArray, tx: FloatArray, age: FloatArray, weights: FloatArray) -> None:
        self.x, self.age, self.weights = x, age, weights / weights.sum()
        self.frequencies, row = np.unique(x, return_inverse=True)
        self.shares = np.bincount(row, self.weights)
        self.back = slice(int(np.searchsorted(x, 0, side="right")), None)
        self.tx_back = tx[self.back]

    def __call__(self, log_parameters: FloatArray) -> tuple[float, FloatArray]:
        r, alpha, a, b = (float(value) for value in np.exp(log_parameters))
        by_frequency, gradient = self._frequency_terms(r, a, b)
        by_time, time_gradient = self._time_terms(r, alpha, a, b)
        value = by_frequency + by_time + r * np.log(alpha)
        slope = gradient + time_gradient + np.array([np.log(alpha), r / alpha, 0.0, 0.0])
        return -value, -slope * np.array([r, alpha, a, b])

    def _frequency_terms(self, r: float, a: float, b: float) -> tuple[float, FloatArray]:
        x, share = self.frequencies, self.shares
        value = gammaln(r + x) - gammaln(r) + gammaln(b + x) - gammaln(b) + gammaln(a + b) - gammaln(a + b + x)
        slope_a = digamma(a + b) - digamma(a + b + x)
        slope_b = slope_a + digamma(b + x) - digamma(b)
        slope_r = digamma(r + x) - digamma(r)
        return float(share @ value), np.array([share @ slope_r, 0.0, share @ slope_a, share @ slope_b])

    def _time_terms(self, r: float, alpha: float, a: float, b: float) -> tuple[float, FloatArray]:
        w, log_age = self.weights, np.log(alpha + self.age)
        value = -w @ ((r + self.x) * log_age)
        slope_r, slope_alpha = -w @ log_age, -w @ ((r + self.x) / (alpha + self.age))
        w, x, age, log_age = w[self.back], self.x[self.back], self.age[self.back], log_age[self.back]
        silence = log_age - np.log(alpha + self.tx_back)
        log_odds = _log_odds_gone(x, silence, r, a, b)
        gone = w * expit(log_odds)
        slope_alpha += gone @ ((r + x) * (1 / (alpha + age) - 1 / (alpha + self.tx_back)))
        slope = np.array([slope_r + gone @ silence, slope_alpha, gone.sum() / a, -gone @ (1 / (b + x - 1))])
        return float(value + w @ np.logaddexp(0, log_odds)), slope


def _log_odds_gone(x: FloatArray, silence: FloatArray, r: float, a: float, b: float) -> FloatArray:
    log_odds = np.log(a) - np.log(b + np.maximum(x, 1) - 1) + (r + x) * silence
    return np.where(x > 0, log_odds, -np.inf)


def _arrays(*columns: npt.ArrayLike) -> list[FloatArray]:
    return [np.asarray(column, dtype=np.float64) for column in columns]
