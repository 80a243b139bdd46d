"""Pareto/NBD: customers buy at a steady rate and may leave at any time, bought or not.

While active, a customer buys by a Poisson process; how long they stay active is exponential. Rates of buying differ
between customers as a Gamma(r, alpha), rates of leaving as a Gamma(s, beta).

The published likelihood is written with Gauss's hypergeometric function, one formula for ``alpha >= beta`` and another
for ``alpha < beta``; both overflow for loyal customers, and neither has derivatives in closed form. What stands behind
both is one integral over the time at which the customer left,

    L = Gamma(r+x)/Gamma(r) alpha^r beta^s { (alpha+T)^-(r+x) (beta+T)^-s
        + s * integral from t_x to T of (alpha+y)^-(r+x) (beta+y)^-(s+1) dy }.

We take it as it is. On a logarithmic axis the integrand is log-concave, so that 32 Gauss-Legendre nodes over the part
that matters give it to ten digits and more on either side of ``alpha = beta``, relative to its value at t_x, hence
without overflow; and the derivatives are integrals over the same nodes.

References
----------
Schmittlein, D. C., Morrison, D. G. and Colombo, R. (1987). Counting your customers: who are they and what will they
do next? Management Science 33(1), 1-24.
Fader, P. S. and Hardie, B. G. S. (2005). A note on deriving the Pareto/NBD model and related expressions.
http://www.brucehardie.com/notes/009/. Equation numbers below are those of this note.
Fader, P. S., Hardie, B. G. S. and Lee, K. L. (2005). RFM and CLV: using iso-value curves for customer base analysis.
Journal of Marketing Research 42(4), 415-430.
"""

from __future__ import annotations

import math

import numba
import numpy as np
from scipy.special import digamma, exprel, gammaln, roots_legendre, zeta

from churnml.modeling.btyd.counting import CountModel
from churnml.modeling.btyd.distinct import Histories, for_distinct
from churnml.modeling.btyd.fitting import Derivatives
from churnml.modeling.btyd.rfm import FloatArray

_NODES, _NODE_WEIGHTS = roots_legendre(32)
_NODES, _NODE_WEIGHTS = (_NODES + 1) / 2, _NODE_WEIGHTS / 2
_NEGLIGIBLE = 40.0  # the integrand has fallen by a factor of e^40


class ParetoNBD(CountModel):
    """Pareto/NBD: a customer may leave at any time.

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
    s_ : float
        Shape of the rates of leaving.
    beta_ : float
        Scale of the rates of leaving, in days; the mean rate is `s / beta` per day.
    log_likelihood_, standard_errors_, diagnostics_, n_customers_
        See `Estimator`.

    Examples
    --------
    >>> from churnml.modeling.btyd import ParetoNBD, Rfm
    >>> model = ParetoNBD.from_parameters(r=0.553, alpha=74.0, s=0.606, beta=81.7)
    >>> model.p_alive(Rfm([0, 2], [0, 213], [272, 272])).round(3).tolist()
    [0.295, 0.869]
    """

    title = "Pareto/NBD"
    names = ("r", "alpha", "s", "beta")
    times = (False, True, False, True)
    starts = ((0.5, 2.5, 0.5, 3.0), (1.0, 1.0, 1.0, 1.0), (2.0, 5.0, 0.1, 5.0))
    bounds = ((1e-4, 1e3), (1e-4, 1e4), (1e-4, 1e2), (1e-4, 1e4))

    r_: float
    alpha_: float
    s_: float
    beta_: float

    def derivatives(self, parameters: FloatArray, rows: Histories) -> Derivatives:
        """Return the mean log-likelihood of histories, its gradient and its Hessian.

        References
        ----------
        The likelihood of equation (18), of which (19) and (20) are the hypergeometric forms, left as an integral.
        """
        r, alpha, s, beta = (float(value) for value in parameters)
        x, share = rows.by_frequency
        sums = _timed(rows.x, rows.tx, rows.T, rows.share, r, alpha, s, beta, _NODES, _NODE_WEIGHTS)
        value = float(share @ (gammaln(r + x) - gammaln(r))) + r * np.log(alpha) + s * np.log(beta) + sums[0]
        gradient = sums[1:5] + np.array([np.log(alpha), r / alpha, np.log(beta), s / beta])
        gradient[0] += share @ (digamma(r + x) - digamma(r))
        hessian = np.zeros((4, 4))
        hessian[np.triu_indices(4)] = sums[5:]
        hessian[0, 0] += share @ (zeta(2, r + x) - zeta(2, r))
        hessian[0, 1] += 1 / alpha
        hessian[1, 1] -= r / alpha**2
        hessian[2, 3] += 1 / beta
        hessian[3, 3] -= s / beta**2
        return value, gradient, hessian + np.triu(hessian, 1).T

    def _logs(self, x: FloatArray, tx: FloatArray, T: FloatArray) -> FloatArray:
        """Return, for each customer, the logarithms of being alive at T and of having left before; (n, 2)."""

        def parts(x: FloatArray, tx: FloatArray, T: FloatArray) -> FloatArray:
            found = _log_parts(x, tx, T, self.r_, self.alpha_, self.s_, self.beta_, _NODES, _NODE_WEIGHTS)
            return np.asarray(found)

        return for_distinct(parts, x, tx, T)

    def _alive(self, x: FloatArray, tx: FloatArray, T: FloatArray) -> FloatArray:
        """Return the probability of equations (36) and (37), its likelihood taken as the integral."""
        alive, left = self._logs(x, tx, T).T
        return np.asarray(np.exp(alive - np.logaddexp(alive, left)))

    def _silent(self, x: FloatArray, tx: FloatArray, T: FloatArray, h: float | FloatArray) -> FloatArray:
        later, now = (np.logaddexp(*self._logs(x, tx, end).T) for end in (T + np.minimum(h, 1e9), T))
        return np.asarray(np.exp(np.minimum(later - now, 0.0)))

    def _orders_if_alive(self, x: FloatArray, T: FloatArray, h: float) -> FloatArray:
        """Return equation (41) without the chance of being alive; its 0/0 at ``s = 1`` is taken care of by `exprel`."""
        span = np.log1p(h / (self.beta_ + T))
        return np.asarray((self.r_ + x) * (self.beta_ + T) / (self.alpha_ + T) * span * exprel((1 - self.s_) * span))

    def _rate_if_alive(self, x: FloatArray, T: FloatArray, t: FloatArray) -> FloatArray:
        return np.asarray((self.r_ + x) / (self.alpha_ + T) * np.exp(-self.s_ * np.log1p(t / (self.beta_ + T))))

    def _memory(self, T: FloatArray) -> FloatArray:
        return self.beta_ + T


@numba.njit(cache=True, nogil=True)
def _span(k: float, s: float, alpha_0: float, beta_0: float, silence: float) -> float:
    """Return how far to integrate, on an axis u with ``m + y = (m + t_x) e^u``, `m` the lesser of alpha and beta.

    There the negative logarithm of the integrand is convex, so that Newton's method from the right falls to the
    point where the integrand is negligible without ever passing it.
    """
    least = min(alpha_0, beta_0)
    u = math.log1p(silence / least)
    for _ in range(60):
        y = least * math.expm1(u)
        fallen = k * math.log1p(y / alpha_0) + (s + 1) * math.log1p(y / beta_0) - u - _NEGLIGIBLE
        if fallen <= 0.1:
            break
        u -= fallen / ((least + y) * (k / (alpha_0 + y) + (s + 1) / (beta_0 + y)) - 1)
    return u


@numba.njit(cache=True, nogil=True)
def _log_parts(
    x: FloatArray,
    tx: FloatArray,
    T: FloatArray,
    r: float,
    alpha: float,
    s: float,
    beta: float,
    nodes: FloatArray,
    node_weights: FloatArray,
) -> FloatArray:
    """Return the logarithms of the two terms in the braces, relative to the integrand's scale at t_x."""
    parts = np.empty((len(x), 2))
    for i in range(len(x)):
        k, alpha_0, beta_0, silence = r + x[i], alpha + tx[i], beta + tx[i], T[i] - tx[i]
        least = min(alpha_0, beta_0)
        span = _span(k, s, alpha_0, beta_0, silence)
        total = 0.0
        for j in range(len(nodes)):
            y = least * math.expm1(nodes[j] * span)
            fallen = k * math.log1p(y / alpha_0) + (s + 1) * math.log1p(y / beta_0)
            total += node_weights[j] * span * (least + y) * math.exp(-fallen)
        parts[i, 0] = -k * math.log1p(silence / alpha_0) - s * math.log1p(silence / beta_0)
        parts[i, 1] = math.log(s * total / beta_0) if total > 0 else -np.inf
    return parts


@numba.njit(cache=True, nogil=True)
def _timed(
    x: FloatArray,
    tx: FloatArray,
    T: FloatArray,
    share: FloatArray,
    r: float,
    alpha: float,
    s: float,
    beta: float,
    nodes: FloatArray,
    node_weights: FloatArray,
) -> FloatArray:
    """Return value, gradient (4) and upper Hessian (10) of the logarithm of the braces.

    The braces are a sum of positive terms, one for who is alive and one for each node of the integral. The gradient
    of the logarithm of a sum is the mean gradient of the logarithms of its terms, weighted by the terms; the Hessian
    is their mean Hessian and the covariance of their gradients.
    """
    sums = np.zeros(15)
    slope, mean, second = np.empty(4), np.empty(4), np.empty((4, 4))
    for i in range(len(x)):
        k, alpha_0, beta_0, silence = r + x[i], alpha + tx[i], beta + tx[i], T[i] - tx[i]
        least = min(alpha_0, beta_0)
        log_alpha, log_beta = math.log(alpha_0), math.log(beta_0)
        span = _span(k, s, alpha_0, beta_0, silence)
        total = 0.0
        mean[:] = 0.0
        second[:] = 0.0
        for j in range(len(nodes) + 1):
            left = j < len(nodes)
            y = least * math.expm1(nodes[j] * span) if left else silence
            power = s + 1 if left else s
            past_alpha, past_beta = math.log1p(y / alpha_0), math.log1p(y / beta_0)
            term = math.exp(-k * past_alpha - power * past_beta)
            if left:
                term *= node_weights[j] * span * (least + y) * s / beta_0
            if term == 0.0:
                continue
            per_alpha, per_beta = 1 / (alpha_0 + y), 1 / (beta_0 + y)
            slope[0], slope[1] = -log_alpha - past_alpha, -k * per_alpha
            slope[2], slope[3] = -log_beta - past_beta, -power * per_beta
            if left:
                slope[2] += 1 / s
                second[2, 2] -= term / (s * s)
            total += term
            for p in range(4):
                mean[p] += term * slope[p]
                for q in range(p, 4):
                    second[p, q] += term * slope[p] * slope[q]
            second[0, 1] -= term * per_alpha
            second[1, 1] += term * k * per_alpha * per_alpha
            second[2, 3] -= term * per_beta
            second[3, 3] += term * power * per_beta * per_beta
        w = share[i]
        sums[0] += w * (math.log(total) - k * log_alpha - s * log_beta)
        place = 5
        for p in range(4):
            sums[1 + p] += w * mean[p] / total
            for q in range(p, 4):
                sums[place] += w * (second[p, q] / total - mean[p] / total * mean[q] / total)
                place += 1
    return sums
