"""Several learners as one, drawn to the effect that is the same for all on the logit."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.optimize import nnls

Matrix = npt.NDArray[np.float64]

_SPREAD = 0.25


def stack_weights(scores: Matrix, effects: Matrix, constant: Matrix) -> Matrix:
    r"""Return the weight of each learner's deviation from the constant effect.

    Minimises, over weights not below zero,

    .. math:: \sum_i \Big(\psi_i - c_i - \sum_k w_k (\tau_{ik} - c_i)\Big)^2
              + \frac{\sigma^2}{s^2} \sum_k w_k^2

    with :math:`\sigma^2` the variance of the scores: the mode when each weight is a priori within :math:`s = 0.25` of
    zero. Few or noisy customers leave the constant effect as it is.

    Parameters
    ----------
    scores : ndarray of shape (n_customers,)
        Doubly robust scores.
    effects : ndarray of shape (n_customers, n_learners)
        What each learner says, out of fold.
    constant : ndarray of shape (n_customers,)
        The constant effect, out of fold.

    Returns
    -------
    ndarray of shape (n_learners,)
    """
    deviation, left = effects - constant[:, None], scores - constant
    penalty = np.sqrt(float(left.var())) / _SPREAD
    n_learners = effects.shape[1]
    tall = np.vstack([np.column_stack([deviation, left]), np.eye(n_learners, n_learners + 1) * penalty])
    small = np.asarray(np.linalg.qr(tall, mode="r"))
    weights, _ = nnls(small[:, :-1], small[:, -1])
    return np.asarray(weights)


def stacked(effects: Matrix, constant: Matrix, weights: Matrix) -> Matrix:
    """Return the stack's effect, of shape (n_customers,)."""
    return np.asarray(constant + (effects - constant[:, None]) @ weights)
