"""Churn from a ready feature table: the trees and the ridge of the blend on columns that someone else made.

There is no history behind such a table, hence no buying rhythm, no value and no lifetime: only the chance of churn.
`judge_tabular` says how it is judged, `tabular_bundle` how it is saved.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import lightgbm
import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from churnml.config import TreeSettings
from churnml.events.feature_columns import Column
from churnml.events.feature_table import ReadyTable
from churnml.modeling.learners import Linear, fit_trees, predicted, sigmoid, tree_contributions
from churnml.modeling.scaling import Scaling, fit_scaling

Matrix = npt.NDArray[np.float64]
Json = dict[str, Any]  # Any: JSON

LEARNERS = ("trees", "ridge")
EQUAL = (0.5, 0.5)
_USUAL = TreeSettings()
_MIN_SHARE, _MIN_ROWS = 0.005, 5
_LEAST_C = 0.003
_SOLVER_STEPS = 2_000


@dataclass(frozen=True)
class TabularDesign:
    """Which columns the learners see.

    Parameters
    ----------
    columns : tuple of Column
        What is read of a file.
    gaps : tuple of str
        The numbers and dates that are missing often enough for a column that says so.
    categories : mapping of str to tuple of str
        The values of each category that get a column of their own; all others are one, *other or missing*.
    """

    columns: tuple[Column, ...]
    gaps: tuple[str, ...]
    categories: Mapping[str, tuple[str, ...]]

    @property
    def parts(self) -> tuple[tuple[str, str], ...]:
        """For each column of `matrix` the column it comes from and what of it, '' for the number itself."""
        numbers = [(column.name, "") for column in self.columns if column.kind != "category"]
        gaps = [(name, "missing") for name in self.gaps]
        values = [(name, f"={value}") for name, known in self.categories.items() for value in known]
        others = [(name, "other or missing") for name in self.categories]
        return (*numbers, *gaps, *values, *others)

    def matrix(self, table: ReadyTable) -> Matrix:
        """Return the columns of some rows, of shape (n_rows, n_parts), NaN where a number is missing."""
        gaps = [np.isnan(table.column(name)) for name in self.gaps]
        values = [self._values(table, name) for name in self.categories]
        others = [~one.any(axis=1) for one in values]
        return np.column_stack([table.values, *gaps, *values, *others])

    def unseen(self, table: ReadyTable) -> dict[str, int]:
        """Return how many values of each category had no column of their own in training and count as missing."""
        found = {}
        for name in self.categories:
            filled = np.array([value is not None for value in table.categories[name]], dtype=bool)
            strange = int((filled & ~self._values(table, name).any(axis=1)).sum())
            if strange:
                found[name] = strange
        return found

    def _values(self, table: ReadyTable, name: str) -> npt.NDArray[np.bool_]:
        """Return for each value of a category which rows bear it, of shape (n_rows, n_values)."""
        known = np.array(self.categories[name], dtype=np.object_)
        return np.asarray(table.categories[name][:, None] == known[None, :], dtype=bool)


@dataclass(frozen=True)
class TabularModel:
    """A fitted blend of trees and ridge on a feature table.

    Parameters
    ----------
    design : TabularDesign
        The columns.
    trees : lightgbm.Booster
        Raw scores are logits.
    ridge : Linear
        On columns scaled by `scaling`.
    weights : tuple of float
        Of trees and ridge.
    bands : tuple of float
        From which probability the risk is medium, and high.
    """

    design: TabularDesign
    trees: lightgbm.Booster
    ridge: Linear
    scaling: Scaling
    weights: tuple[float, ...]
    bands: tuple[float, float]

    def logits(self, matrix: Matrix) -> Matrix:
        """Return the logit of each learner, of shape (n_rows, 2)."""
        return np.column_stack(
            [predicted(self.trees, matrix, raw_score=True), self.ridge.predict(self.scaling(matrix))]
        )

    def probability(self, matrix: Matrix) -> Matrix:
        """Return the churn probability, of shape (n_rows,)."""
        return blended(self.logits(matrix), self.weights)

    def contributions(self, matrix: Matrix) -> tuple[dict[str, Matrix], float]:
        """Return what each column of the file added to the blended logit, and the logit nobody's columns add to.

        Shapley values for the trees, coefficient times deviation for the ridge; base and columns sum to the logit.
        """
        trees_weight, ridge_weight = self.weights
        by_trees, base = tree_contributions(self.trees, matrix)
        by_part = trees_weight * by_trees + ridge_weight * self.scaling(matrix) * np.array(self.ridge.coefficients)
        names = [name for name, _ in self.design.parts]
        by_column = {
            name: by_part[:, [place for place, one in enumerate(names) if one == name]].sum(axis=1)
            for name in dict.fromkeys(names)
        }
        return by_column, trees_weight * base + ridge_weight * self.ridge.intercept


def blended(logits: Matrix, weights: tuple[float, ...]) -> Matrix:
    """Return the probability that learners with these weights give, of shape (n_rows,)."""
    return sigmoid((logits * np.array(weights)).sum(axis=1))


def fit_tabular(
    table: ReadyTable,
    bands: tuple[float, float],
    *,
    rounds: int,
    seed: int,
    weights: tuple[float, ...] = EQUAL,
    settings: TreeSettings = _USUAL,
) -> TabularModel:
    """Fit both learners; the categories and the scaling are of these rows, too.

    Parameters
    ----------
    table : ReadyTable
        Labelled rows.
    bands : tuple of float
        From `churn.band_thresholds`.
    weights : tuple of float
        Learned on rows that taught nothing.
    settings : TreeSettings
        How the trees grow.
    """
    design = fit_tabular_design(table)
    matrix = design.matrix(table)
    with threadpool_limits(limits=1, user_api="blas"):  # one order of additions, so the same bits every time
        scaling = fit_scaling(matrix, "log")
        ridge = _fit_ridge(scaling(matrix), table.churned)
    target = table.churned.astype(np.float64)
    trees = fit_trees(matrix, target, objective="binary", rounds=rounds, seed=seed, settings=settings)
    return TabularModel(design, trees, ridge, scaling, weights, bands)


def _fit_ridge(scaled: Matrix, churned: npt.NDArray[np.bool_]) -> Linear:
    """Return a ridge logistic regression whose prior lets all columns together move the logit by about one.

    `learners.fit_logistic` is set for hundreds of correlated columns; a table of ten would be held back by it.
    """
    strength = max(_LEAST_C, 1 / scaled.shape[1])
    fitted = LogisticRegression(C=strength, max_iter=_SOLVER_STEPS).fit(scaled, churned)
    return Linear(tuple(float(value) for value in fitted.coef_[0]), float(fitted.intercept_[0]))


def fit_tabular_design(table: ReadyTable) -> TabularDesign:
    """Return the columns for training rows: what fewer than 0.5 % of them bear gets no column of its own."""
    least = max(_MIN_ROWS, _MIN_SHARE * len(table))
    missing = np.isnan(table.values).sum(axis=0)
    gaps = tuple(name for name, rows in zip(table.numbers, missing, strict=True) if least <= rows <= len(table) - least)
    return TabularDesign(table.columns, gaps, {name: _frequent(one, least) for name, one in table.categories.items()})


def _frequent(values: npt.NDArray[np.object_], least: float) -> tuple[str, ...]:
    known = [value for value in values if value is not None]
    found, counts = np.unique(np.array(known, dtype=str), return_counts=True)
    return tuple(str(value) for value in found[counts >= least])


def to_plain(model: TabularModel) -> Json:
    """Return everything but the trees as plain data."""
    return {
        "columns": [asdict(column) for column in model.design.columns],
        "gaps": model.design.gaps,
        "categories": model.design.categories,
        "ridge": asdict(model.ridge),
        "scaling": model.scaling.to_dict(),
        "weights": model.weights,
        "bands": model.bands,
    }


def from_plain(content: Json, trees: lightgbm.Booster) -> TabularModel:
    """Return the model that `to_plain` told of."""
    columns = tuple(Column(one["name"], one["kind"]) for one in content["columns"])
    categories = {name: tuple(values) for name, values in content["categories"].items()}
    design = TabularDesign(columns, tuple(content["gaps"]), categories)
    low, high = content["bands"]
    scaling = Scaling.from_dict(content["scaling"])
    return TabularModel(
        design, trees, Linear.from_dict(content["ridge"]), scaling, tuple(content["weights"]), (low, high)
    )
