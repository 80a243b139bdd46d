"""The observable oracle: the effects that could be known of customers from what tables record, with futures to see.

Nobody has it: it is taught by the difference that an action makes in futures which share every draw, where a company
sees one of the two. So it is the ceiling against which regret is measured, unlike the truth, which rests on moods and
traits that no table records. A customer is judged by trees that other customers taught, so nobody's own future is
known.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from churnml.config import TreeSettings
from churnml.modeling.learners import fit_trees, predicted
from churnml.modeling.uplift.responses import fold_of

Matrix = npt.NDArray[np.float64]

FOLDS: Final = 4
_ROUNDS: Final = 150
# deeper than the trees that learn from single outcomes: differences of coupled futures are far less noisy
_TREES: Final = TreeSettings(num_leaves=16, min_leaf=300, learning_rate=0.05)


def expected_effects(columns: Matrix, differences: Matrix, seed: int = 0) -> Matrix:
    """Return what can be expected of each action by some columns alone, of customers by the others.

    Of recorded features this is the observable oracle; of traits and moods it tells who is who in truth, with less
    noise than a few futures of each.

    Parameters
    ----------
    columns : ndarray of shape (n_customers, n_columns)
    differences : ndarray of shape (n_customers, n_arms)
        What each arm changed in coupled futures of each customer, one future or the mean of several: noisy, unbiased.
        The first arm is to do nothing and changes nothing.
    seed : int, default 0

    Returns
    -------
    ndarray of shape (n_customers, n_arms)
        Unbiased on average over customers, and 0 for the first arm.
    """
    fold = fold_of(np.zeros(len(columns)), FOLDS, seed)
    found = np.zeros_like(differences)
    for arm in range(1, differences.shape[1]):
        for number in range(FOLDS):
            out = fold == number
            trees = fit_trees(
                columns[~out],
                differences[~out, arm],
                objective="regression",
                rounds=_ROUNDS,
                seed=seed,
                settings=_TREES,
            )
            found[out, arm] = predicted(trees, columns[out])
    return found
