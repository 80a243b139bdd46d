"""How much each learner counts: non-negative weights on the logit scale, learned out of time, shrunk to equal."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from churnml.config import BlendSettings

Matrix = npt.NDArray[np.float64]
_SHRINKAGE = BlendSettings().shrinkage


def blend_weights(
    logits: Matrix,
    churned: npt.NDArray[np.bool_],
    shrinkage: float = _SHRINKAGE,
    added: Matrix | float = 0.0,
) -> tuple[float, ...]:
    """Return the weights that minimise log loss plus `shrinkage * |w - 1/k|^2`.

    Parameters
    ----------
    logits : ndarray of shape (n_rows, k)
        Of each learner, on rows later than those that taught it.
    churned : ndarray of shape (n_rows,)
        What happened.
    shrinkage : float, default 0.02
        How strongly the weights are drawn to equal ones.
    added : ndarray of shape (n_rows,) or float, default 0
        What is added to the blended logit whatever the weights.

    Returns
    -------
    tuple of k floats
        Each at least 0. They need not sum to 1: learners that are all too timid are stretched together.
    """
    equal = np.full(logits.shape[1], 1 / logits.shape[1])
    sign = np.where(churned, 1.0, -1.0)

    def loss(weights: Matrix) -> tuple[float, Matrix]:
        margin = sign * (logits @ weights + added)
        value = np.logaddexp(0.0, -margin).mean() + shrinkage * ((weights - equal) ** 2).sum()
        slope = -(logits * (sign * np.exp(-np.logaddexp(0.0, margin)))[:, None]).mean(axis=0)
        return float(value), slope + 2 * shrinkage * (weights - equal)

    found = minimize(loss, equal, jac=True, method="L-BFGS-B", bounds=[(0.0, None)] * len(equal))
    return tuple(float(weight) for weight in found.x)
