"""Gamma-Gamma: how much a customer spends on a purchase day, shrunk towards everybody's mean.

Each purchase of a customer is Gamma(p, nu), and nu differs between customers as a Gamma(q, v). The fewer purchases
we have seen, the more an estimate leans on the population. Spend is taken to be unrelated to how often one buys;
`independence` tells whether it is.

References
----------
Fader, P. S. and Hardie, B. G. S. (2013). The Gamma-Gamma model of monetary value.
http://www.brucehardie.com/notes/025/gamma_gamma.pdf. Equation numbers below are those of this note; its gamma is
our `v`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Self

import numba
import numpy as np
import numpy.typing as npt
from scipy.special import digamma, gammaln, zeta
from scipy.stats import norm, rankdata

from churnml.errors import InvalidTableError, NotEnoughDataError
from churnml.modeling.btyd.distinct import SAMPLES
from churnml.modeling.btyd.estimator import Estimator, weights_of
from churnml.modeling.btyd.fitting import MIN_CUSTOMERS, Derivatives, dominance, maximise, one_thread, require_customers
from churnml.modeling.btyd.rfm import FloatArray, Rfm

# Money is scaled to a mean of 1. The population mean p * v / (q - 1) exists only for q > 1.
# Beyond 1,000 purchases or customers differ by less than 3 %, and differences of Gamma functions drown in rounding.
_BOUNDS = ((1e-2, 1e3), (1.1, 1e3), (1e-4, 1e4))
STRONG = 0.3
"""From which rank correlation of frequency and spend on expected spend is off by too much."""

_STARTS = ((6.0, 4.0, 0.5), (1.0, 2.0, 1.0), (2.0, 10.0, 5.0))


@dataclass(frozen=True)
class Correlation:
    """A correlation with its 95 % interval, and how likely one at least as far from 0 would be were there none."""

    value: float
    low: float
    high: float
    p_value: float


@dataclass(frozen=True)
class Independence:
    """How frequency and spend go together among customers who came back; Gamma-Gamma takes it that they do not.

    Parameters
    ----------
    pearson, spearman : Correlation
        Of the values, and of their ranks. A few great accounts make the first large and leave the second as it is.
        The second lies a little above 0 even where the model holds, about .04 for its usual parameters: the mean of
        few purchases is more skewed than that of many, so that its median is lower.
    n_customers : int
        Who came back.
    """

    pearson: Correlation
    spearman: Correlation
    n_customers: int

    def beyond(self, strong: float = STRONG) -> bool:
        """Tell whether frequency and spend surely go together so strongly, one way or the other, by rank."""
        return self.spearman.low > strong or self.spearman.high < -strong


class GammaGamma(Estimator):
    """Gamma-Gamma: the mean spend per purchase day of each customer.

    Parameters
    ----------
    restarts : int, default 4
        Starting points to follow; the best end is taken.
    seed : int, default 0
        Of the starting points that are drawn.

    Attributes
    ----------
    p_ : float
        Shape of a customer's own purchases; large means that they hardly differ from one another.
    q_ : float
        Shape of the differences between customers, above 1; large means that customers are alike.
    v_ : float
        Scale of those differences, in money.
    log_likelihood_, standard_errors_, diagnostics_, n_customers_
        See `Estimator`; the customers are those who came back.

    Examples
    --------
    >>> from churnml.modeling.btyd import GammaGamma, Rfm
    >>> model = GammaGamma.from_parameters(p=6.25, q=3.74, v=15.44)
    >>> model.expected_spend(Rfm([0, 2], [0, 213], [272, 272], [0, 22.35])).round(2).tolist()
    [35.22, 24.66]
    """

    names = ("p", "q", "v")

    p_: float
    q_: float
    v_: float

    @one_thread
    def fit(self, rfm: Rfm, y: None = None, *, sample_weight: npt.ArrayLike | None = None) -> Self:  # noqa: ARG002  # scikit-learn's manners
        """Find the parameters under which the customers' mean spends are most likely.

        Parameters
        ----------
        rfm : Rfm
            With monetary values; customers who never came back say nothing about spend and are left out.
        y : None
            Unused.
        sample_weight : array of shape (n_customers,), optional
            How many customers each row stands for; 1 by default.

        Raises
        ------
        InvalidTableError
            If there are no monetary values.
        NotEnoughDataError
            If fewer than 10 customers came back.
        NoMaximumError
            If the likelihood has no maximum that can be reached; the message tells what is odd about the data.
        """
        weights = weights_of(rfm, sample_weight)
        money = _money(rfm)
        require_customers(weights, rfm.frequency > 0, at_least=MIN_CUSTOMERS, model="Gamma-Gamma")
        rows = _spends(rfm.frequency, money, weights)
        n_customers = float(rows.weight.sum())
        scale = float(rows.weight @ rows.mean / n_customers)
        maximum = maximise(
            [_Objective(some, scale).derivatives for some in rows.ladder()],
            starts=_STARTS,
            bounds=_BOUNDS,
            names=self.names,
            n_customers=n_customers,
            restarts=self.restarts,
            seed=self.seed,
            notes=dominance(weights, rfm.frequency) + _togetherness(rows),
        )
        # a density of money has the unit of one over money
        self._keep_fit(maximum, (1.0, 1.0, scale), maximum.value - n_customers * np.log(scale), n_customers)
        return self

    def log_likelihood(self, rfm: Rfm, *, sample_weight: npt.ArrayLike | None = None) -> float:
        """Return the log-likelihood of customers who came back; they need not be those of the fit.

        References
        ----------
        Equation (1a).
        """
        rows = _spends(rfm.frequency, _money(rfm), weights_of(rfm, sample_weight))
        value, _, _ = _Objective(rows, 1.0).derivatives(np.array(list(self.parameters_.values())))
        return float(value * rows.weight.sum())

    def expected_spend(self, rfm: Rfm) -> FloatArray:
        """Return the expected spend of each customer on a purchase day to come.

        A weighted mean of the customer's own mean and the population's; with frequency 0 the population mean
        ``p v / (q - 1)``.

        Returns
        -------
        ndarray of shape (n_customers,)
            Money per purchase day.

        Raises
        ------
        InvalidTableError
            If there are no monetary values.

        References
        ----------
        Equation (5).
        """
        x = rfm.frequency
        total = x * np.where(x > 0, _money(rfm), 0.0)
        return np.asarray(self.p_ * (self.v_ + total) / (self.p_ * x + self.q_ - 1))

    @staticmethod
    def independence(rfm: Rfm) -> Independence:
        """Return how frequency and mean spend go together among who came back, by value and by rank.

        Raises
        ------
        InvalidTableError
            If there are no monetary values.
        NotEnoughDataError
            If fewer than 10 customers came back, or all of them are equal in one of the two.

        References
        ----------
        Fisher's interval; for ranks with the variance of Bonett, D. G. and Wright, T. A. (2000), Sample size
        requirements for estimating Pearson, Kendall and Spearman correlations, Psychometrika 65(1), 23-28.
        """
        money = _money(rfm)
        back = rfm.frequency > 0
        n = int(back.sum())
        require_customers(np.ones(len(rfm)), back, at_least=MIN_CUSTOMERS, model="A test of independence")
        x, mean = rfm.frequency[back], money[back]
        if np.ptp(x) == 0 or np.ptp(mean) == 0:
            raise NotEnoughDataError(
                f"frequency or spend is the same for all {n} customers who came back, so that nothing can go together "
                "with it; bring customers who differ"
            )
        return _independence(x, mean)


def _money(rfm: Rfm) -> FloatArray:
    if rfm.monetary_value is None:
        raise InvalidTableError(
            "spend needs `monetary_value`, got none; give the mean spend of the repeat purchase days"
        )
    return rfm.monetary_value


def _independence(x: FloatArray, mean: FloatArray) -> Independence:
    by_rank = float(np.corrcoef(rankdata(x), rankdata(mean))[0, 1])
    by_value = float(np.corrcoef(x, mean)[0, 1])
    n = len(x)
    return Independence(_correlation(by_value, n, 1.0), _correlation(by_rank, n, 1 + by_rank**2 / 2), n)


def _togetherness(rows: _Spends) -> tuple[str, ...]:
    """Return a note if spend depends on frequency too much for the model; 15,000 customers tell that as well as all."""
    some = rows.ladder()[-2] if len(rows.x) > SAMPLES[-1] else rows
    if np.ptp(some.x) == 0 or np.ptp(some.mean) == 0:
        return ()
    found = _independence(some.x, some.mean)
    if not found.beyond():
        return ()
    rank = found.spearman
    few, many = ("high", "low") if rank.value > 0 else ("low", "high")
    note = (
        f"spend depends on frequency, which the model takes not to be so: rank correlation {rank.value:.2f}, 95 % "
        f"interval {rank.low:.2f} to {rank.high:.2f}, all of it beyond {STRONG:g}; expected spend is too {few} for who "
        f"bought seldom and too {many} for who buys often; take `SpendByFrequency`"
    )
    return (note,)


def _correlation(value: float, n: int, variance: float) -> Correlation:
    value = float(np.clip(value, -1 + 1e-12, 1 - 1e-12))
    reach = norm.ppf(0.975) * np.sqrt(variance / (n - 3))
    p_value = 2 * norm.sf(abs(np.arctanh(value)) * np.sqrt(n - 3))
    low, high = np.tanh(np.arctanh(value) + np.array([-reach, reach]))
    return Correlation(value, float(low), float(high), float(p_value))


@dataclass(frozen=True)
class _Spends:
    """Customers who came back, in ascending order of frequency, then of mean spend."""

    x: FloatArray
    mean: FloatArray
    weight: FloatArray

    def ladder(self) -> list[_Spends]:
        """Return a small sample, a larger one, and all; evenly of each frequency, and of spend within it."""
        return [*(self._sample(size) for size in SAMPLES if size < len(self.x)), self]

    def _sample(self, size: int) -> _Spends:
        rows = np.linspace(0, len(self.x) - 1, size).round().astype(np.intp)
        return _Spends(self.x[rows], self.mean[rows], self.weight[rows])


def _spends(x: FloatArray, mean: FloatArray, weight: FloatArray) -> _Spends:
    """Return who came back, sorted, so that sums do not depend on the order in which customers come."""
    rows = np.flatnonzero((x > 0) & (weight > 0))
    x, mean, weight = x[rows], mean[rows], weight[rows]
    if np.ptp(weight) > 0:
        order = np.lexsort((weight, mean, x))
        return _Spends(x[order], mean[order], weight[order])
    order = np.argsort(x.astype(np.uint16) if x.max() < 2**16 else x, kind="stable")  # short integers sort fastest
    x, mean = x[order], mean[order]
    for part in np.split(mean, np.flatnonzero(np.diff(x)) + 1):
        part.sort()
    return _Spends(x, mean, weight)


class _Objective:
    """The mean of the logarithm of equation (1a), money divided by `scale`, derived by hand.

    Gamma functions depend on a customer through the frequency alone and are computed once for each that occurs.
    """

    def __init__(self, rows: _Spends, scale: float) -> None:
        self.x, self.total = rows.x, rows.x * rows.mean / scale
        self.share = rows.weight / rows.weight.sum()
        starts = np.flatnonzero(np.diff(rows.x, prepend=0.0))
        self.frequencies, self.shares = rows.x[starts], np.add.reduceat(self.share, starts)
        log_mean = self.share * np.log(rows.mean / scale)
        self.log_mean = float(log_mean.sum())
        self.log_total = float(log_mean @ self.x) + float((self.shares * self.frequencies) @ np.log(self.frequencies))

    def derivatives(self, parameters: FloatArray) -> Derivatives:
        p, q, v = (float(parameter) for parameter in parameters)
        x, share = self.frequencies, self.shares
        sums = _scaled(self.x, self.total, self.share, p, q, v)
        value = share @ (gammaln(p * x + q) - gammaln(p * x)) - gammaln(q)
        value += q * math.log(v) + p * self.log_total - self.log_mean - p * sums[0] - q * sums[1]
        both, both_2 = digamma(p * x + q), zeta(2, p * x + q)
        of_p = share @ (x * (both - digamma(p * x))) + self.log_total - sums[0]
        of_q = share @ both - digamma(q) + math.log(v) - sums[1]
        gradient = np.array([of_p, of_q, q / v - p * sums[2] - q * sums[3]])
        hessian = np.empty((3, 3))
        hessian[0, 0] = share @ (x**2 * (both_2 - zeta(2, p * x)))
        hessian[0, 1] = hessian[1, 0] = share @ (x * both_2)
        hessian[1, 1] = share @ both_2 - zeta(2, q)
        hessian[0, 2] = hessian[2, 0] = -sums[2]
        hessian[1, 2] = hessian[2, 1] = 1 / v - sums[3]
        hessian[2, 2] = -q / v**2 + sums[4]
        return float(value), gradient, hessian


@numba.njit(cache=True, nogil=True)
def _scaled(x: FloatArray, total: FloatArray, share: FloatArray, p: float, q: float, v: float) -> FloatArray:
    """Return the sums over customers that hold ``v + total``: of its logarithm (by x, and alone) and its inverse."""
    sums = np.zeros(5)
    for i in range(len(x)):
        log_scale, per_scale = share[i] * math.log(v + total[i]), 1 / (v + total[i])
        sums[0] += x[i] * log_scale
        sums[1] += log_scale
        weighted = share[i] * per_scale
        sums[2] += x[i] * weighted
        sums[3] += weighted
        sums[4] += (p * x[i] + q) * weighted * per_scale
    return sums
