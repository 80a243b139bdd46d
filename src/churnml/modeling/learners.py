"""The learners of the blend: strongly regularised trees and a ridge logistic regression, both giving logits.

The defaults of their settings come from prototypes on several data sets: few leaves, a large leaf, few columns per
tree and a strong L2 matter more than any feature family (docs/adr/0004). All stand in configs/train.yaml.

LightGBM is taught and asked in this module only, and always with one thread. The number of threads is one for the whole
process: a call that leaves it open sets it back while another fits, whose buffers are made for one, and that kills the
process.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import lightgbm
import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression, Ridge

from churnml.config import RidgeSettings, TreeSettings

Matrix = npt.NDArray[np.float64]

# one thread gives one order of additions, so the same bits; fits run side by side instead
_SAME_BITS = {"deterministic": True, "force_row_wise": True, "num_threads": 1, "verbose": -1}
_DEFAULT_ROUNDS = 100
_MIN_LEAF, _LEAVES_WORTH = 10, 40
_TREES, _RIDGE = TreeSettings(), RidgeSettings()
_SOLVER_STEPS = 2_000


@dataclass(frozen=True)
class Linear:
    """A linear predictor on scaled columns."""

    coefficients: tuple[float, ...]
    intercept: float

    def predict(self, scaled: Matrix) -> Matrix:
        """Return intercept + scaled @ coefficients, of shape (n_rows,), the same bits for one row as among many."""
        # a matrix product may add up in another order when there are more rows; a sum along a row may not
        return np.asarray((scaled * np.array(self.coefficients)).sum(axis=1) + self.intercept)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Linear:  # Any: JSON
        """Return the predictor a bundle holds."""
        return cls(tuple(data["coefficients"]), float(data["intercept"]))


def fit_trees(
    matrix: Matrix,
    target: Matrix,
    *,
    objective: str,
    rounds: int,
    seed: int,
    settings: TreeSettings = _TREES,
    **more: float,
) -> lightgbm.Booster:
    """Return boosted trees; `objective` is LightGBM's, the raw score of 'binary' is a logit."""
    leaf = max(_MIN_LEAF, min(settings.min_leaf, len(target) // _LEAVES_WORTH))
    grown = settings.model_dump(exclude={"min_leaf"}) | {"bagging_freq": 1, "min_data_in_leaf": leaf}
    whole = grown | _SAME_BITS | {"objective": objective, "seed": seed} | more
    return lightgbm.train(whole, lightgbm.Dataset(matrix, target), rounds)


def fit_default_trees(matrix: Matrix, target: Matrix, *, objective: str) -> lightgbm.Booster:
    """Return LightGBM as it comes, but for what would make the bits depend on the machine."""
    return lightgbm.train(_SAME_BITS | {"objective": objective}, lightgbm.Dataset(matrix, target), _DEFAULT_ROUNDS)


def predicted(trees: lightgbm.Booster, matrix: Matrix, *, raw_score: bool = False) -> Matrix:
    """Return what trees predict, of shape (n_rows,)."""
    return np.asarray(trees.predict(matrix, raw_score=raw_score, num_threads=1), dtype=np.float64)


def tree_contributions(trees: lightgbm.Booster, matrix: Matrix) -> tuple[Matrix, float]:
    """Return what each column added to the raw score, of shape (n_rows, n_columns), and what no column adds to.

    These are LightGBM's own Shapley values; with the second they sum to the raw score.
    """
    shap = np.asarray(trees.predict(matrix, pred_contrib=True, num_threads=1), dtype=np.float64)
    return shap[:, :-1], float(shap[0, -1]) if len(shap) else 0.0


def fit_logistic(scaled: Matrix, churned: npt.NDArray[np.bool_], settings: RidgeSettings = _RIDGE) -> Linear:
    """Return a ridge logistic regression, whose prediction is a logit."""
    # scikit-learn's C is the variance of the prior that its penalty stands for
    fitted = LogisticRegression(C=settings.variance, max_iter=_SOLVER_STEPS).fit(scaled, churned)
    return _linear(fitted.coef_[0], fitted.intercept_[0])


def fit_ridge(scaled: Matrix, target: Matrix, penalty: float) -> Linear:
    """Return a ridge regression."""
    fitted = Ridge(alpha=penalty).fit(scaled, target)
    return _linear(fitted.coef_, fitted.intercept_)


def _linear(coefficients: Matrix, intercept: float) -> Linear:
    return Linear(tuple(float(value) for value in coefficients), float(intercept))


def sigmoid(logit: Matrix) -> Matrix:
    """Return 1 / (1 + exp(-logit)), without overflow."""
    return np.asarray(np.exp(-np.logaddexp(0.0, -logit)))
