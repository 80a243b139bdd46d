"""The rhythm of buying of few customers: BG/NBD under many parameters at once, each as likely as the customers make it.

With fifty customers many parameters tell the same story. The mean of what they say is the forecast, and how far they
lie apart is its interval. A maximum and its standard errors would not do: with few customers the surface is bent, and
parameters run to their bounds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.linalg import solve_triangular
from scipy.special import logsumexp

from churnml.modeling.btyd import BGNBD, Rfm
from churnml.modeling.btyd.distinct import Histories, histories

Matrix = npt.NDArray[np.float64]

DRAWS, _FEWEST_DRAWS = 60, 20
_ANSWERS = 200_000
"""Customers times draws, about: of many customers fewer draws say as much, for they lie closer together."""

LEVEL = 0.9
"""The share of intervals that are to hold the probability they are for."""

# The prior, in logarithms and with the mean age scaled to 10, as the fit scales it: wide enough that any shop is
# possible, narrow enough that an infinite rate is not. The means are those that the fit begins its search around.
_MEAN_AGE = 10.0
_PRIOR_MEAN = np.log([0.7, 2.5, 0.5, 2.0])
_PRIOR_SPREAD = np.array([1.2, 1.5, 1.2, 1.2])
_ROUNDS, _PROPOSALS = 3, 300
_TAILS = 4.0
"""Degrees of freedom of the proposals: heavier tails than what they propose for."""
_WIDEST = 6.0


_AT_ONCE = 10_000


@dataclass(frozen=True)
class Rhythms:
    """Several BG/NBD that tell the customers' histories about equally well; every answer is the mean of theirs.

    Parameters
    ----------
    each : tuple of BGNBD
        As of `drawn_rhythms`.
    """

    each: tuple[BGNBD, ...]

    def p_alive(self, rfm: Rfm) -> Matrix:
        """Return the probability that each customer has not left for good; shape (n_customers,)."""
        return self._mean(lambda one: one.p_alive(rfm))

    def p_no_order(self, rfm: Rfm, days: float) -> Matrix:
        """Return the probability that each customer buys nothing in the days after the cutoff."""
        return self._mean(lambda one: one.p_no_order(rfm, days))

    def p_no_order_by(self, rfm: Rfm, days: Matrix) -> Matrix:
        """Return the same, each customer asked of days of their own; shape (n_questions, n_customers)."""
        return self._mean(lambda one: one.p_no_order_by(rfm, days))

    def expected_orders(self, rfm: Rfm, days: float) -> Matrix:
        """Return the expected purchase days of each customer in the days after the cutoff."""
        return self._mean(lambda one: one.expected_orders(rfm, days))

    def discounted_orders(self, rfm: Rfm, discount: float, days: float = np.inf) -> Matrix:
        """Return the expected purchase days, each discounted to the cutoff; see `CountModel.discounted_orders`."""
        return self._mean(lambda one: one.discounted_orders(rfm, discount, days))

    def between(self, rfm: Rfm, days: float) -> tuple[Matrix, Matrix]:
        """Return between what, for nine of ten, the probability of no order lies; two of shape (n_customers,)."""
        tail, bounds = (1 - LEVEL) / 2, np.empty((2, len(rfm)))
        for first in range(0, len(rfm), _AT_ONCE):
            some = np.arange(first, min(first + _AT_ONCE, len(rfm)))
            said = np.array([one.p_no_order(rfm.take(some), days) for one in self.each])
            bounds[:, some] = np.quantile(said, [tail, 1 - tail], axis=0, method="weibull")
        return bounds[0], bounds[1]

    def drawn_orders(self, rfm: Rfm, days: float, rng: np.random.Generator) -> Matrix:
        """Return purchase days in the days after the cutoff, drawn once for each customer."""
        model, n = self.each[rng.integers(len(self.each))], len(rfm)
        rate = rng.gamma(model.r_ + rfm.frequency) / (model.alpha_ + rfm.T)
        leaving = rng.beta(model.a_, model.b_ + rfm.frequency)
        active = rng.random(n) < model.p_alive(rfm)
        orders, now = np.zeros(n), np.zeros(n)
        while active.any():
            now += rng.exponential(1.0, n) / np.maximum(rate, 1e-12)
            active &= now <= days
            orders += active
            active &= rng.random(n) >= leaving
        return orders

    def _mean(self, answer: Callable[[BGNBD], Matrix]) -> Matrix:
        total = answer(self.each[0])
        for one in self.each[1:]:
            total = total + answer(one)
        return np.asarray(total / len(self.each))


def drawn_rhythms(model: BGNBD, rfm: Rfm, seed: int) -> Rhythms:
    """Return rhythms drawn in proportion to how likely they make the customers.

    Parameters
    ----------
    model : BGNBD
        Fitted on `rfm`; the search begins there.
    seed : int
        Of the draws.

    Notes
    -----
    Adaptive importance sampling: proposals of a t distribution, whose centre and shape are moved to what they found,
    round after round; the last round is resampled.

    References
    ----------
    Cappé, Guillin, Marin & Robert (2004), Population Monte Carlo, JCGS 13(4), section 3.
    """
    draws = int(np.clip(_ANSWERS // max(len(rfm), 1), _FEWEST_DRAWS, DRAWS))
    scale = max(float(rfm.T.mean()) / _MEAN_AGE, 1e-9)
    rows = histories(np.ones(len(rfm)), rfm.frequency, rfm.recency, rfm.T, scale)
    rng = np.random.default_rng(seed)
    units = np.array([1.0, scale, 1.0, 1.0])
    known = np.array([model.parameters_[name] for name in BGNBD.names]) / units
    spread = _PRIOR_SPREAD / np.sqrt(1.0 + len(rfm) / 50.0)
    centre = np.clip(np.log(known), _PRIOR_MEAN - 2 * _PRIOR_SPREAD, _PRIOR_MEAN + 2 * _PRIOR_SPREAD)
    shape = np.diag(spread)
    for _ in range(_ROUNDS):
        points, proposed = _proposals(centre, shape, rng)
        weights = np.array([_log_posterior(model, point, rows, len(rfm)) for point in points]) - proposed
        weights = np.exp(weights - logsumexp(weights))
        centre, shape = _moved(points, weights)
    drawn = points[rng.choice(len(points), size=draws, p=weights)]
    told = (dict(zip(BGNBD.names, (np.exp(point) * units).tolist(), strict=True)) for point in drawn)
    return Rhythms(tuple(BGNBD.from_parameters(**one) for one in told))


def _proposals(centre: Matrix, shape: Matrix, rng: np.random.Generator) -> tuple[Matrix, Matrix]:
    """Return points of a multivariate t, and the logarithm of its density there up to a constant."""
    size = len(centre)
    normal = rng.standard_normal((_PROPOSALS, size))
    wide = np.sqrt(rng.chisquare(_TAILS, _PROPOSALS) / _TAILS)
    points = centre + (normal / wide[:, None]) @ shape.T
    apart = solve_triangular(shape, (points - centre).T, lower=True)
    density = -(_TAILS + size) / 2 * np.log1p((apart**2).sum(axis=0) / _TAILS)
    return points, density


def _moved(points: Matrix, weights: Matrix) -> tuple[Matrix, Matrix]:
    # weights are flattened, or a single lucky point would draw everything to itself
    flat = np.sqrt(weights) if 1 / (weights**2).sum() < len(weights) / 20 else weights
    flat = flat / flat.sum()
    centre = flat @ points
    apart = points - centre
    covariance = (apart * flat[:, None]).T @ apart + 1e-6 * np.eye(points.shape[1])
    return centre, np.linalg.cholesky(covariance)


def _log_posterior(model: BGNBD, point: Matrix, rows: Histories, customers: int) -> float:
    if (abs(point - _PRIOR_MEAN) > _WIDEST * _PRIOR_SPREAD).any():
        return -np.inf
    value, _, _ = model.derivatives(np.exp(point), rows)
    prior = -0.5 * (((point - _PRIOR_MEAN) / _PRIOR_SPREAD) ** 2).sum()
    return float(value * customers + prior) if np.isfinite(value) else -np.inf
