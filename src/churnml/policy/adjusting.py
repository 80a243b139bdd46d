"""What is expected of a case by what was known before: a ridge regression, each customer's by the others."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]

FOLDS: Final = 5
_PENALTIES: Final = np.geomspace(1e-4, 1e4, 17)
_CASES_A_SLOPE: Final = 10
"""So many cases for each effective slope at least: beyond, generalised cross-validation prefers what fits noise."""


def expected(
    covariates: Floats,
    outcomes: Floats,
    arm: Indices,
    weight: Floats,
    customer: Indices,
    arms: int,
    seed: int,
    before: Floats | None = None,
) -> Floats:
    r"""Return what is expected of every case under every arm, taught by other customers.

    Under arm :math:`a` it is :math:`m_a + \theta (b - \bar b_a) + (x - \bar x)^\top \beta`: means of their own, slopes
    in common. What an action changes is small beside what customers differ in, so slopes of each arm's own would cost
    more than they bring. The slope on the same outcome before is not held back; the others are.

    Parameters
    ----------
    covariates : ndarray of shape (n_cases, n_covariates)
    outcomes : ndarray of shape (n_cases, n_outcomes)
    arm : ndarray of int, shape (n_cases,)
        0 … arms - 1.
    weight : ndarray of shape (n_cases,)
        One over the probability of the arm that was drawn.
    customer : ndarray of int, shape (n_cases,)
        No customer's own cases teach what is expected of them.
    arms : int
    seed : int
        Of the folds.
    before : ndarray of shape (n_cases, n_outcomes), optional
        What stands for each outcome in the time before.

    Returns
    -------
    ndarray of shape (arms, n_cases, n_outcomes)
    """
    fold, past = _folds(customer, seed), np.zeros_like(outcomes) if before is None else before
    found = np.empty((arms, *outcomes.shape))
    with threadpool_limits(limits=1, user_api="blas"):  # the same bits, and no threads that wait on small matrices
        for number in range(FOLDS):
            out = fold == number
            taught_by = ~out if (~out).any() else out
            own, pull = arm[taught_by], weight[taught_by]
            theta = _slopes(outcomes[taught_by], past[taught_by], own, pull, arms)
            straight = outcomes - theta * past
            means = _means(straight[taught_by], own, pull, arms)
            left = straight[taught_by] - means[own]
            beyond = _ridge(covariates[taught_by], left, pull, covariates[out])
            found[:, out] = means[:, None, :] + theta * past[out] + beyond
    return found


def _means(outcomes: Floats, arm: Indices, weight: Floats, arms: int) -> Floats:
    """Return the weighted mean of each arm; where it has no case, that of all."""
    found = np.tile(np.average(outcomes, axis=0, weights=weight), (arms, 1))
    for one in range(arms):
        own = arm == one
        if own.any():
            found[one] = np.average(outcomes[own], axis=0, weights=weight[own])
    return found


def _slopes(outcomes: Floats, past: Floats, arm: Indices, weight: Floats, arms: int) -> Floats:
    """Return the slope of each outcome on its own past within arms, 0 where the past does not vary."""
    x, y = (values - _means(values, arm, weight, arms)[arm] for values in (past, outcomes))
    below = weight @ (x * x)
    return np.divide(weight @ (x * y), below, out=np.zeros(x.shape[1]), where=below > 0)


def _folds(customer: Indices, seed: int) -> Indices:
    """Return a fold for each case, the same for all of a customer's."""
    known, place = np.unique(customer, return_inverse=True)
    dealt = np.random.default_rng(seed).permutation(len(known)) % FOLDS
    return np.asarray(dealt[place.reshape(-1)], dtype=np.intp)


def _ridge(covariates: Floats, outcomes: Floats, weight: Floats, asked: Floats) -> Floats:
    r"""Return ridge predictions, each outcome with the penalty of the least generalised cross-validation.

    With :math:`X^\top X = U D U^\top` every penalty costs one division; the score is
    :math:`n \, \mathrm{RSS} / (n - \mathrm{df})^2` with :math:`\mathrm{df} = 1 + \sum d / (d + n \lambda)`, over the
    penalties that leave ten cases for each degree of freedom; where none does, nothing is expected beyond the mean.

    References
    ----------
    Golub, G. H., Heath, M. & Wahba, G. (1979). Generalized cross-validation as a method for choosing a good ridge
    parameter. Technometrics 21(2), 215-223.
    """
    n, share = len(covariates), weight / weight.sum()
    centre, root = share @ covariates, np.sqrt(share * n)[:, None]
    x, y = (covariates - centre) * root, outcomes * root
    sizes, turn = np.linalg.eigh(x.T @ x)
    sizes = np.maximum(sizes, 0.0)[:, None]
    along, shrunk = turn.T @ (x.T @ y), sizes + n * _PENALTIES
    degrees = 1 + (sizes / shrunk).sum(axis=0)
    able = degrees * _CASES_A_SLOPE <= n
    slopes = np.zeros_like(along)
    for column in range(y.shape[1] if able.any() else 0):
        given = along[:, [column]] / shrunk
        residual = float(y[:, column] @ y[:, column]) - 2 * (given * along[:, [column]]).sum(axis=0)
        residual = residual + (given**2 * sizes).sum(axis=0)
        score = np.where(able, residual / np.maximum(n - degrees, 1.0) ** 2, np.inf)
        slopes[:, column] = given[:, int(np.argmin(score))]
    return np.asarray((asked - centre) @ (turn @ slopes))
