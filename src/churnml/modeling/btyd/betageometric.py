"""BG/NBD and MBG/NBD: customers leave right after a purchase, each time with a fixed chance of their own.

While active, a customer buys at a steady rate, a Poisson process. Rates differ between customers as a
Gamma(r, alpha), chances of leaving as a Beta(a, b). The two models differ in one thing only: whether a customer may
leave after the very first purchase. In BG/NBD nobody can, so a customer with frequency 0 is alive for certain: a
property of the model, not a finding, and the reason why it flatters one-time buyers. In MBG/NBD anybody can.

Both are told by one formula, in which `k` counts the purchases after which a customer could have left and did not:
the frequency in BG/NBD, one more in MBG/NBD.

References
----------
Fader, P. S., Hardie, B. G. S. and Lee, K. L. (2005). "Counting your customers" the easy way: an alternative to the
Pareto/NBD model. Marketing Science 24(2), 275-284. Equation numbers below are those of this paper.
Batislam, E. P., Denizel, M. and Filiztekin, A. (2007). Empirical validation and comparison of models for customer
base analysis. International Journal of Research in Marketing 24(3), 201-209.
Wagner, U. and Hoppe, D. (2008). Erratum on the MBG/NBD model. The same journal 25(3), 225-226.
"""

from __future__ import annotations

import math
from typing import ClassVar

import numba
import numpy as np
from scipy.special import digamma, expit, gammaln, hyp2f1, zeta

from churnml.modeling.btyd.counting import CountModel
from churnml.modeling.btyd.distinct import Histories, Integers, for_distinct
from churnml.modeling.btyd.fitting import Derivatives
from churnml.modeling.btyd.rfm import FloatArray

_NEAR_ZERO = 1e-4
_MOST_TERMS = 1_000_000


class BetaGeometric(CountModel):
    """What BG/NBD and MBG/NBD share; see the module for the story they tell."""

    names = ("r", "alpha", "a", "b")
    times = (False, True, False, False)
    starts = ((0.25, 1.5, 0.8, 2.5), (1.0, 1.0, 1.0, 1.0), (2.0, 5.0, 0.1, 2.0))
    # Beyond a = 100 the chances of leaving are alike for all customers to within a tenth, and the hypergeometric
    # function begins to overflow near 300.
    bounds = ((1e-4, 1e3), (1e-4, 1e4), (1e-4, 1e2), (1e-4, 1e4))
    first_counts: ClassVar[int]

    r_: float
    alpha_: float
    a_: float
    b_: float

    def derivatives(self, parameters: FloatArray, rows: Histories) -> Derivatives:
        """Return the mean log-likelihood of histories, its gradient and its Hessian.

        References
        ----------
        The logarithm of equation (6), derived by hand; for MBG/NBD with `k` one higher and a customer of frequency 0
        treated like any other, which is equation (5) of Batislam, Denizel and Filiztekin.
        """
        r, alpha, a, b = (float(value) for value in parameters)
        value, gradient, hessian = _counted(r, a, b, rows, self.first_counts)
        gradient[1] += r / alpha
        gradient[0] += np.log(alpha)
        hessian[0, 1] += 1 / alpha
        hessian[1, 1] -= r / alpha**2
        logs, inverse = np.log(alpha + rows.times), 1 / (alpha + rows.times)
        sums = _timed(rows.x, rows.last, rows.age, rows.share, logs, inverse, self.first_counts, r, a, b)
        value += r * np.log(alpha) + sums[0]
        gradient += sums[1:5]
        hessian[np.triu_indices(4)] += sums[5:]
        return value, gradient, np.triu(hessian) + np.triu(hessian, 1).T

    def _log_odds_gone(self, x: FloatArray, tx: FloatArray, T: FloatArray) -> FloatArray:
        """Return the log-odds of having left; Fader, Hardie and Lee (2008), Computing P(alive) using the BG/NBD."""
        k = x + self.first_counts
        silence = np.log1p((T - tx) / (self.alpha_ + tx))
        odds = np.log(self.a_) - np.log(self.b_ + np.maximum(k, 1) - 1) + (self.r_ + x) * silence
        return np.where(k > 0, odds, -np.inf)

    def _alive(self, x: FloatArray, tx: FloatArray, T: FloatArray) -> FloatArray:
        return np.asarray(expit(-self._log_odds_gone(x, tx, T)))

    def _silent(self, x: FloatArray, tx: FloatArray, T: FloatArray, h: float | FloatArray) -> FloatArray:
        # Who is alive at the cutoff cannot leave before the next purchase, and waits for it by a Pareto.
        gone = self._log_odds_gone(x, tx, T)
        waiting = np.exp(-(self.r_ + x) * np.log1p(h / (self.alpha_ + T)))
        return np.asarray(expit(gone) + expit(-gone) * waiting)

    def _orders_if_alive(self, x: FloatArray, T: FloatArray, h: float) -> FloatArray:
        """Return equation (10) without its denominator, the chance of being alive.

        The paper's hypergeometric function has two parameters that grow with the frequency and overflows for loyal
        customers. Euler's transformation, ``F(s, b+k; c; z) = (1-z)^(c-s-b-k) F(c-s, a-1; c; z)``, leaves only `c`
        growing. Near ``a = 1`` and ``a + b + k = 1``, where the formula is 0/0, and where it overflows for parameters
        at their bounds, the rate is integrated instead.
        """
        return for_distinct(lambda x, T: self._orders(x, T, h), x, T)

    def _orders(self, x: FloatArray, T: FloatArray, h: float) -> FloatArray:
        a, age = self.a_, self.alpha_ + T
        c = a + self.b_ + x + self.first_counts - 1
        singular = np.minimum(abs(a - 1), abs(c)) < _NEAR_ZERO
        with np.errstate(all="ignore"):
            series = hyp2f1(c - self.r_ - x, a - 1, c, h / (age + h))
            orders = c / (a - 1) * (1 - np.exp((1 - a) * np.log1p(h / age)) * series)
        rest = singular | ~np.isfinite(orders)
        orders[rest] = self._discounted_if_alive(x[rest], T[rest], h, 0.0)
        return np.asarray(orders)

    def _rate_if_alive(self, x: FloatArray, T: FloatArray, t: FloatArray) -> FloatArray:
        # E[rate exp(-rate p t)] over Gamma(r + x, alpha + T) and Beta(a, b + k), with Pfaff's transformation
        age, shape, stayed = self.alpha_ + T, self.r_ + x, self.b_ + x + self.first_counts
        waiting = np.log1p(t / age)
        with np.errstate(all="ignore"):
            series = hyp2f1(self.a_, self.a_ + stayed - shape - 1, self.a_ + stayed, t / (age + t))
            chance = np.exp(-self.a_ * waiting) * series
        rest = ~np.isfinite(chance)
        chance[rest] = _still_buying(self.a_, stayed[rest], shape[rest], waiting[rest])
        return np.asarray(shape / age * chance)

    def _memory(self, T: FloatArray) -> FloatArray:
        return self.alpha_ + T


class BGNBD(BetaGeometric):
    """BG/NBD: a customer may leave after every repeat purchase, not after the first.

    Parameters
    ----------
    restarts : int, default 4
        Starting points to follow; the best end is taken.
    seed : int, default 0
        Of the starting points that are drawn.

    Attributes
    ----------
    r_ : float
        Shape of the purchase rates; small means that customers differ much.
    alpha_ : float
        Scale of the purchase rates, in days; the mean rate is `r / alpha` purchases per day.
    a_, b_ : float
        Shape of the chances of leaving after a purchase; their mean is `a / (a + b)`.
    log_likelihood_, standard_errors_, diagnostics_, n_customers_
        See `Estimator`.

    Examples
    --------
    >>> from churnml.modeling.btyd import BGNBD, Rfm
    >>> model = BGNBD.from_parameters(r=0.243, alpha=30.9, a=0.793, b=2.426)
    >>> model.p_alive(Rfm([0, 2], [0, 213], [272, 272])).round(3).tolist()
    [1.0, 0.727]
    """

    title = "BG/NBD"
    first_counts = 0


class MBGNBD(BetaGeometric):
    """MBG/NBD: a customer may leave after every purchase, the first included.

    Parameters
    ----------
    restarts : int, default 4
        Starting points to follow; the best end is taken.
    seed : int, default 0
        Of the starting points that are drawn.

    Attributes
    ----------
    r_, alpha_, a_, b_ : float
        As in `BGNBD`.
    log_likelihood_, standard_errors_, diagnostics_, n_customers_
        See `Estimator`.

    Examples
    --------
    >>> from churnml.modeling.btyd import MBGNBD, Rfm
    >>> model = MBGNBD.from_parameters(r=0.525, alpha=43.3, a=0.891, b=1.614)
    >>> model.p_alive(Rfm([0, 2], [0, 213], [272, 272])).round(3).tolist()
    [0.39, 0.706]
    """

    title = "MBG/NBD"
    first_counts = 1


@numba.njit(cache=True, nogil=True)
def _still_buying(a: float, stayed: FloatArray, shape: FloatArray, waiting: FloatArray) -> FloatArray:
    """Return ``F(shape+1, a; a+stayed; -t/age)``, with ``waiting = log(1 + t/age)``, from a series without overflow.

    Pfaff's first transformation has positive terms, or terms that fall fast where loyal customers make `c` great; the
    second has positive terms where both fail. They are summed relative to a scale that follows them.
    """
    found = np.empty(len(stayed))
    for i in range(len(stayed)):
        c, z = a + stayed[i], -math.expm1(-waiting[i])
        one, two = a, c - shape[i] - 1
        if two < -0.1 * c:
            one, two = shape[i] + 1, stayed[i]
        log_sum = -one * waiting[i]
        total, term = 1.0, 1.0
        for n in range(_MOST_TERMS):
            ratio = (one + n) / (c + n) * (two + n) / (n + 1) * z
            term *= ratio
            total += term
            if total > 1e100:
                log_sum += math.log(total)
                total, term = 1.0, term / total
            if abs(ratio) < 1 and abs(term) <= 1e-16 * total * (1 - abs(ratio)):
                break
        found[i] = math.exp(log_sum + math.log(total))
    return found


def _counted(r: float, a: float, b: float, rows: Histories, first_counts: int) -> tuple[float, FloatArray, FloatArray]:
    """Return the part that depends on a history through its frequency alone, computed once for each that occurs."""
    x, share = rows.by_frequency
    k = x + first_counts
    value = gammaln(r + x) - gammaln(r) + gammaln(b + k) - gammaln(b) + gammaln(a + b) - gammaln(a + b + k)
    both, both_2 = digamma(a + b) - digamma(a + b + k), zeta(2, a + b) - zeta(2, a + b + k)
    of_r, of_b = digamma(r + x) - digamma(r), both + digamma(b + k) - digamma(b)
    gradient = np.array([share @ of_r, 0.0, share @ both, share @ of_b])
    hessian = np.zeros((4, 4))
    hessian[0, 0] = share @ (zeta(2, r + x) - zeta(2, r))
    hessian[2, 2] = hessian[2, 3] = share @ both_2
    hessian[3, 3] = share @ (both_2 + zeta(2, b + k) - zeta(2, b))
    return float(share @ value), gradient, hessian


@numba.njit(cache=True, nogil=True)
def _timed(
    x: FloatArray,
    last: Integers,
    age: Integers,
    share: FloatArray,
    logs: FloatArray,
    inverse: FloatArray,
    first_counts: int,
    r: float,
    a: float,
    b: float,
) -> FloatArray:
    """Return value, gradient (4) and upper Hessian (10) of ``-(r+x) log(alpha+T) + log(1 + odds of having left)``.

    `logs` and `inverse` are those of ``alpha + times``.
    """
    sums = np.zeros(15)
    k_before, per_stay, log_ratio = -1.0, 0.0, 0.0
    for i in range(len(x)):
        w, shape = share[i], r + x[i]
        log_age, per_age = logs[age[i]], inverse[age[i]]
        sums[0] -= w * shape * log_age
        sums[1] -= w * log_age
        sums[2] -= w * shape * per_age
        sums[6] -= w * per_age
        sums[9] += w * shape * per_age * per_age
        k = x[i] + first_counts
        if k == 0:
            continue
        if k != k_before:  # rows come in order of frequency
            k_before, per_stay = k, 1 / (b + k - 1)
            log_ratio = math.log(a * per_stay)
        per_last, silence = inverse[last[i]], log_age - logs[last[i]]
        odds = log_ratio + shape * silence
        tail = math.exp(-abs(odds))
        gone = 1 / (1 + tail) if odds > 0 else tail / (1 + tail)
        sums[0] += w * (max(odds, 0.0) + math.log(1 + tail))
        later = per_age - per_last
        d_alpha = shape * later
        w, spread = w * gone, w * gone * (1 - gone)
        sums[1] += w * silence
        sums[2] += w * d_alpha
        sums[3] += w / a
        sums[4] -= w * per_stay
        sums[5] += spread * silence * silence
        sums[6] += spread * silence * d_alpha + w * later
        sums[7] += spread * silence / a
        sums[8] -= spread * silence * per_stay
        sums[9] += spread * d_alpha * d_alpha - w * d_alpha * (per_age + per_last)
        sums[10] += spread * d_alpha / a
        sums[11] -= spread * d_alpha * per_stay
        sums[12] += (spread - w) / (a * a)
        sums[13] -= spread * per_stay / a
        sums[14] += (spread + w) * per_stay * per_stay
    return sums
