"""How often contracts are renewed: a chance of leaving at each renewal that differs from customer to customer.

Each customer leaves at a renewal with a chance of their own, which does not change; over customers it is spread as a
Beta(alpha, beta). So the longer contracts have lasted, the rarer they end: those who were likely to leave have left.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.special import betaln, logit

Matrix = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

_USUAL, _USUAL_SPREAD = float(logit(0.08)), 1.5
_ALIKE, _ALIKE_SPREAD = 1.0, 1.5
"""The prior: about one in twelve leaves at a renewal, from a 200th to two thirds; and customers that differ as much as
alpha + beta of about 3 tells, give or take a factor of 4.5."""
_CELLS, _WIDTHS = 41, 5.0


@dataclass(frozen=True)
class Renewed:
    """Contracts that share a history, and how many there are; arrays of shape (n_histories,).

    Parameters
    ----------
    survived : ndarray
        Renewals survived.
    seen_from : ndarray
        How many of these were not observed: a contract that ended at one would not be among them.
    left : ndarray
        Whether it ended at the renewal that came next.
    count : ndarray
        How many contracts.
    """

    survived: Integers
    seen_from: Integers
    left: npt.NDArray[np.bool_]
    count: Integers

    @classmethod
    def of(cls, survived: Integers, seen_from: Integers, left: npt.NDArray[np.bool_]) -> Renewed:
        """Return the histories of contracts, arrays of shape (n_contracts,), each counted."""
        rows, count = np.unique(np.column_stack([survived, seen_from, left]), axis=0, return_counts=True)
        return cls(rows[:, 0], rows[:, 1], rows[:, 2] > 0, count)


def log_likelihood(alpha: Matrix | float, beta: Matrix | float, known: Renewed) -> Matrix:
    """Return the log-likelihood of histories; the shape of alpha and beta.

    References
    ----------
    Fader & Hardie (2007), How to project customer retention, J. of Interactive Marketing 21(1), equations 5 and 6; for
    a history that begins at a later renewal, given that this one was reached.
    """
    a, b = np.asarray(alpha)[..., None], np.asarray(beta)[..., None]
    told = betaln(a + known.left, b + known.survived) - betaln(a, b + known.seen_from)
    return np.asarray((told * known.count).sum(axis=-1))


def fit_sbg(known: Renewed, *, believed: bool = True) -> tuple[float, float]:
    """Return the alpha and beta that histories make most likely.

    Parameters
    ----------
    believed : bool
        Whether a weak prior holds them, as it must where few contracts have ended; without it the answer is that of
        maximum likelihood.
    """

    def cost(point: Matrix) -> float:
        alpha, beta = _natural(point[0], point[1])
        prior = _log_prior(point[0], point[1]) if believed else 0.0
        return -float(log_likelihood(alpha, beta, known) + prior)

    found = minimize(cost, np.array([_USUAL, _ALIKE]), method="Nelder-Mead", options={"xatol": 1e-8, "fatol": 1e-10})
    alpha, beta = _natural(found.x[0], found.x[1])
    return float(alpha), float(beta)


def drawn_sbg(known: Renewed, draws: int, rng: np.random.Generator) -> list[tuple[float, float]]:
    """Return pairs of alpha and beta drawn in proportion to how likely they make the histories, over a grid."""
    mean, size = _around(known)
    means, sizes = np.meshgrid(mean, size, indexing="ij")
    alpha, beta = _natural(means, sizes)
    told = log_likelihood(alpha, beta, known) + _log_prior(means, sizes)
    weights = np.exp(told - told.max()).ravel()
    places = rng.choice(weights.size, size=draws, p=weights / weights.sum())
    return list(zip(alpha.ravel()[places].tolist(), beta.ravel()[places].tolist(), strict=True))


def _around(known: Renewed) -> tuple[Matrix, Matrix]:
    """Return the edges of a grid that the posterior does not leave: around its top, as wide as it falls off there."""
    alpha, beta = fit_sbg(known)
    top = np.array([logit(alpha / (alpha + beta)), np.log(alpha + beta)])
    step, best = 0.05, _posterior(top, known)
    axes = []
    for place, spread in enumerate((_USUAL_SPREAD, _ALIKE_SPREAD)):
        moved = np.eye(2)[place] * step
        bend = (2 * best - _posterior(top + moved, known) - _posterior(top - moved, known)) / step**2
        width = _WIDTHS * min(1.0 / np.sqrt(max(bend, 1e-9)), spread) * (2.0 if place else 1.0)
        axes.append(top[place] + np.linspace(-width, width, _CELLS))
    return axes[0], axes[1]


def _posterior(point: Matrix, known: Renewed) -> float:
    alpha, beta = _natural(point[0], point[1])
    return float(log_likelihood(alpha, beta, known) + _log_prior(point[0], point[1]))


def _natural(mean: Matrix | float, size: Matrix | float) -> tuple[Matrix, Matrix]:
    """Return alpha and beta of the logit of their mean and the logarithm of their sum."""
    share = 1.0 / (1.0 + np.exp(-np.clip(mean, -30, 30)))
    total = np.exp(np.clip(size, -20, 20))
    return np.asarray(share * total), np.asarray((1.0 - share) * total)


def _log_prior(mean: Matrix | float, size: Matrix | float) -> Matrix:
    apart = (np.asarray(mean) - _USUAL) / _USUAL_SPREAD, (np.asarray(size) - _ALIKE) / _ALIKE_SPREAD
    return np.asarray(-0.5 * (apart[0] ** 2 + apart[1] ** 2))
