"""Whether learners know whom an arm helps more: asked in sequence, so that the interval can be believed."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from churnml.modeling.uplift.learners import Pair, fit_learners
from churnml.modeling.uplift.order import Measured, qini_gain
from churnml.modeling.uplift.responses import mean_of

Matrix = npt.NDArray[np.float64]


def order_proof(
    pair: Pair,
    fold: npt.NDArray[np.intp],
    scores: Matrix,
    features: Matrix,
    folds_of_all: npt.NDArray[np.intp],
    *,
    level: float,
    seed: int,
) -> Measured:
    """Return the Qini of the mean of all learners less that of the constant effect, each fold by the folds before it.

    In ordinary cross-fitting two folds teach and judge each other, so what they agree on by chance counts twice, and an
    interval that takes customers as independent claims too often. In sequence no fold is judged by one that it has
    taught; the differences of folds add up like independent ones.

    Parameters
    ----------
    pair : Pair
        The arm and the control.
    fold : ndarray of int, shape (n_pair,)
        Fold of each customer of the pair.
    scores : ndarray of shape (n_customers,)
        Doubly robust scores of the arm, of all customers.
    features : ndarray of shape (n_customers, n_features)
    folds_of_all : ndarray of int, shape (n_customers,)
        Fold of each customer.
    level : float
        Of the interval.
    seed : int

    Returns
    -------
    Measured

    References
    ----------
    Wager, S. (2024). Sequential validation of treatment heterogeneity. arXiv:2405.05534.
    Luedtke, A. R. and van der Laan, M. J. (2016). Statistical inference for the mean outcome under a possibly
    non-unique optimal treatment strategy. Annals of Statistics 44(2), 713-742.
    """
    gains = []
    for number in range(1, int(fold.max()) + 1):
        fitted, out = fit_learners(pair.take(fold < number), seed), folds_of_all == number
        said, constant = mean_of(*fitted.effects.values())(features[out]), fitted.constant(features[out])
        gains.append(qini_gain(scores[out], said, constant, level))
    value = float(np.mean([gain.value for gain in gains]))
    half = float(np.sqrt(np.sum([((gain.high - gain.low) / 2) ** 2 for gain in gains]))) / len(gains)
    return Measured(value, value - half, value + half)
