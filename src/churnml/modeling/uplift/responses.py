"""What is expected of customers: mean outcomes and regressions of scores, by trees and by ridge."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

from churnml.config import RidgeSettings, TreeSettings
from churnml.modeling.learners import fit_logistic, fit_ridge, fit_trees
from churnml.modeling.scaling import fit_scaling
from churnml.modeling.uplift.predictions import Chance, Level, Line, Mean, Predict, Trees

Matrix = npt.NDArray[np.float64]
Base = Literal["trees", "ridge"]

BASES: tuple[Base, ...] = ("trees", "ridge")
# effects are an order smaller than the noise of what teaches them, so leaves are as large as they may be
_OF_SCORES = TreeSettings(num_leaves=4, min_leaf=1_000)
# a response takes as much as 300 rounds of churn's trees teach, in a third of the rounds by steps three times as long
_OF_RESPONSES = TreeSettings(num_leaves=4, min_leaf=1_000, learning_rate=0.09)
_ROUNDS = 100
_RIDGE = RidgeSettings()


def fold_of(strata: npt.NDArray[np.generic], folds: int, seed: int) -> npt.NDArray[np.intp]:
    """Return a fold for each row, of shape (n_rows,), each stratum spread evenly over the folds."""
    mixed = np.random.default_rng(seed).permutation(len(strata))
    order = mixed[np.argsort(strata[mixed], kind="stable")]
    fold = np.empty(len(strata), dtype=np.intp)
    fold[order] = np.arange(len(strata)) % folds
    return fold


def fit_response(base: Base, features: Matrix, outcome: Matrix, *, binary: bool, seed: int) -> Predict:
    """Return the mean outcome as a function of features: a probability where outcomes are 0 or 1."""
    if binary:
        return Chance(fit_logit(base, features, outcome, seed=seed))
    return _fit_mean(base, features, outcome, seed, _OF_RESPONSES)


def fit_logit(base: Base, features: Matrix, outcome: Matrix, *, seed: int) -> Predict:
    """Return the logit of a binary outcome as a function of features; of one class alone, a constant."""
    share = float(outcome.mean())
    if share in {0.0, 1.0}:
        held = float(np.clip(share, 0.5 / (len(outcome) + 1), 1 - 0.5 / (len(outcome) + 1)))
        return Level(float(np.log(held / (1 - held))))
    if base == "trees":
        trees = fit_trees(features, outcome, objective="binary", rounds=_ROUNDS, seed=seed, settings=_OF_RESPONSES)
        return Trees(trees, raw=True)
    scaling = fit_scaling(features, "log")
    return Line(scaling, fit_logistic(scaling(features), outcome > 0, _RIDGE))


def fit_scores(base: Base, features: Matrix, target: Matrix, *, seed: int) -> Predict:
    """Return the mean of scores, far noisier than what moves them, as a function of features, by least squares."""
    return _fit_mean(base, features, target, seed, _OF_SCORES)


def mean_of(*predictions: Predict) -> Predict:
    """Return the mean of several predictions as one."""
    return Mean(predictions)


def _fit_mean(base: Base, features: Matrix, target: Matrix, seed: int, settings: TreeSettings) -> Predict:
    if base == "trees":
        trees = fit_trees(features, target, objective="regression", rounds=_ROUNDS, seed=seed, settings=settings)
        return Trees(trees)
    scaling = fit_scaling(features, "log")
    return Line(scaling, fit_ridge(scaling(features), target, 1 / _RIDGE.variance))
