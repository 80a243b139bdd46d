"""What anybody would try first to tell who becomes a customer, taught with the same prospects and asked of the same."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from churnml.features import FeatureTable
from churnml.modeling.prospects import AGE, Prospects

Matrix = npt.NDArray[np.float64]
ConversionBaseline = Callable[[Prospects, FeatureTable], Matrix]

_DECILES = 10
_PSEUDO_PROSPECTS = 20.0
_UNPENALISED = 1e4
_SOLVER_STEPS = 1_000
_LAST_ACT, _ACTS = "days_since_activity", "active_days_30d"
_HANDFUL = (AGE, _LAST_ACT, _ACTS, "active_days_all", "trials_all", "contracts_held", "opens_30d")


def base_rate(prospects: Prospects, table: FeatureTable) -> Matrix:
    """Return the share that converted in training, for everyone."""
    return np.full(len(table), float(prospects.converted.mean()))


def rate_by_age(prospects: Prospects, table: FeatureTable) -> Matrix:
    """Return the share that converted of the tenth who had been known for as long."""
    return _rate_by_tenth(prospects, table, AGE)


def days_since_last_act(prospects: Prospects, table: FeatureTable) -> Matrix:
    """Return the share that converted of the tenth who had last been seen as long ago, or never."""
    return _rate_by_tenth(prospects, table, _LAST_ACT)


def acts_in_30_days(prospects: Prospects, table: FeatureTable) -> Matrix:
    """Return the share that converted of the tenth who had been active on as many of the last 30 days."""
    return _rate_by_tenth(prospects, table, _ACTS)


def logistic_on_a_handful(prospects: Prospects, table: FeatureTable) -> Matrix:
    """Return a logistic regression on age, activity, trials and mails opened, those of them that are known."""
    names = [name for name in _HANDFUL if name in table.names]
    model = make_pipeline(StandardScaler(), LogisticRegression(C=_UNPENALISED, max_iter=_SOLVER_STEPS))
    model.fit(_columns(prospects.table, names), prospects.converted)
    return np.asarray(model.predict_proba(_columns(table, names))[:, 1])


CONVERSION_BASELINES: Mapping[str, ConversionBaseline] = {
    "base rate": base_rate,
    "rate by age": rate_by_age,
    "days since last act": days_since_last_act,
    "acts in 30 days": acts_in_30_days,
    "logistic on a handful": logistic_on_a_handful,
}
"""Each gives a probability of conversion of shape (n_rows,)."""

NEEDS: Mapping[str, str] = {"days since last act": _LAST_ACT, "acts in 30 days": _ACTS}
"""The feature without which a baseline is off."""


def baselines_of(prospects: Prospects, table: FeatureTable) -> dict[str, Matrix]:
    """Return what each baseline says of some rows; those that want a table which has not landed are left out."""
    on = {name: one for name, one in CONVERSION_BASELINES.items() if NEEDS.get(name, AGE) in table.names}
    return {name: one(prospects, table) for name, one in on.items()}


def _columns(table: FeatureTable, names: list[str]) -> Matrix:
    """Return logarithms, and beside each column that is missing at times a mark of where."""
    raw = np.column_stack([table.column(name) for name in names])
    return np.column_stack([np.log1p(np.maximum(np.nan_to_num(raw), 0.0)), np.isnan(raw).astype(np.float64)])


def _rate_by_tenth(prospects: Prospects, table: FeatureTable, name: str) -> Matrix:
    """Return the share of each row's tenth, as if 20 average prospects more had been in it; the missing are a cell."""
    taught, converted = prospects.table.column(name), prospects.converted
    known = taught[~np.isnan(taught)]
    edges = np.quantile(known, np.arange(1, _DECILES) / _DECILES) if len(known) else np.zeros(0)

    def cell(values: Matrix) -> npt.NDArray[np.intp]:
        return np.where(np.isnan(values), _DECILES, np.searchsorted(edges, values, "right"))

    came = np.bincount(cell(taught), converted, minlength=_DECILES + 1) + _PSEUDO_PROSPECTS * converted.mean()
    there = np.bincount(cell(taught), minlength=_DECILES + 1) + _PSEUDO_PROSPECTS
    return np.asarray((came / there)[cell(table.column(name))])
