"""The methods anybody would try first, fitted on the same snapshots and asked about the same customers.

A model that does not beat them out of time has earned nothing. Each is a function of what was trained and of the rows
to forecast, so that none sees more than ours did; the two registries name them as the reports do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from churnml.events import By
from churnml.features import FeatureTable
from churnml.modeling.btyd import SpendByFrequency
from churnml.modeling.clv import anchor
from churnml.modeling.learners import fit_default_trees, predicted, sigmoid
from churnml.modeling.renewal import DrawnRenewals, Renewals, days_held, held
from churnml.modeling.rhythm import rfm, silence_logits
from churnml.modeling.train import Trained

Matrix = npt.NDArray[np.float64]
Baseline = Callable[[Trained, FeatureTable], Matrix]

_DECILES, _QUINTILES = 10, 5
_PSEUDO_CUSTOMERS = 20.0
_UNPENALISED = 1e4
_SOLVER_STEPS = 1_000
_LEAST_SPEND = 0.01
_LEAST_DAYS = 30.0
_OF_CONTRACTS = ("days_to_renewal", "contract_days", "contract_fee_30d")


def recency_rule(trained: Trained, table: FeatureTable) -> Matrix:
    """Return the training churn rate of the tenth of customers who have been silent for as long."""
    stack = trained.snapshots
    return _rate_by_cell(stack.table, stack.churned, table, ("recency_days",), _DECILES)


def rfm_table(trained: Trained, table: FeatureTable) -> Matrix:
    """Return the training churn rate of the cell of 5 x 5 x 5 by recency, frequency and monetary value."""
    stack = trained.snapshots
    return _rate_by_cell(stack.table, stack.churned, table, ("recency_days", "orders_90d", "spend_90d"), _QUINTILES)


def logistic_on_rfm(trained: Trained, table: FeatureTable) -> Matrix:
    """Return a logistic regression on the logarithms of recency, frequency, monetary value and T."""
    stack = trained.snapshots
    model = make_pipeline(StandardScaler(), LogisticRegression(C=_UNPENALISED, max_iter=_SOLVER_STEPS))
    model.fit(np.log1p(_rfm_columns(stack.table)), stack.churned)
    return np.asarray(model.predict_proba(np.log1p(_rfm_columns(table)))[:, 1])


def by_rhythm(trained: Trained, table: FeatureTable) -> Matrix:
    """Return the churn probability by the rhythm of buying, or of renewals, at the cutoff and nothing else."""
    return sigmoid(silence_logits(trained.model.rhythm, table, (trained.model.horizon_days,))[:, 0])


def renewal_table(trained: Trained, table: FeatureTable) -> Matrix:
    """Return the training churn rate of the cell of 5 x 5 x 5 by days to renewal, age of the contract and price."""
    stack = trained.snapshots
    return _rate_by_cell(stack.table, stack.churned, table, _OF_CONTRACTS, _QUINTILES)


def renewal_rule(trained: Trained, table: FeatureTable) -> Matrix:
    """Return the training churn rate of the tenth of customers whose renewal is as near."""
    stack = trained.snapshots
    return _rate_by_cell(stack.table, stack.churned, table, ("days_to_renewal",), _DECILES)


def logistic_on_renewals(trained: Trained, table: FeatureTable) -> Matrix:
    """Return a logistic regression on what a contract says: age, days to renewal, price and its change."""
    stack = trained.snapshots
    model = make_pipeline(StandardScaler(), LogisticRegression(C=_UNPENALISED, max_iter=_SOLVER_STEPS))
    model.fit(_contract_columns(stack.table), stack.churned)
    return np.asarray(model.predict_proba(_contract_columns(table))[:, 1])


def default_lightgbm_churn(trained: Trained, table: FeatureTable) -> Matrix:
    """Return LightGBM with its own defaults on all numeric features of the stacked snapshots."""
    stack = trained.snapshots
    return _default_lightgbm(stack.table, stack.churned.astype(np.float64), table, "binary")


def last_window_repeated(trained: Trained, table: FeatureTable) -> Matrix:
    """Return the margin of the last 90 days, stretched to the horizon."""
    return anchor(table, trained.model.horizon_days, trained.model.margin_rate)


def linear_regression_on_rfm(trained: Trained, table: FeatureTable) -> Matrix:
    """Return a linear regression on recency, frequency, monetary value and T, never below 0."""
    stack = trained.snapshots
    model = LinearRegression().fit(_rfm_columns(stack.table), stack.margin)
    return np.asarray(np.maximum(model.predict(_rfm_columns(table)), 0.0))


def bg_nbd_gamma_gamma(trained: Trained, table: FeatureTable) -> Matrix:
    """Return expected order days by the BG/NBD times expected spend by a Gamma-Gamma times the margin rate.

    Where spend depends strongly on frequency, which Gamma-Gamma takes not to be so, it is told by classes of frequency.
    """
    base, rhythm = trained.snapshots.base_at_now, trained.model.rhythm
    if isinstance(rhythm, Renewals | DrawnRenewals):  # it is asked of who orders alone
        return contract_less_churn(trained, table)
    bought = base.take(base.have_ordered & (base.column("spend_all") >= _LEAST_SPEND))
    spend = SpendByFrequency().fit(rfm(bought, _mean_spend(bought)))
    asked = rfm(table, np.maximum(_mean_spend(table), _LEAST_SPEND))
    per_order = spend.expected_spend(asked)
    orders = rhythm.expected_orders(asked, trained.model.horizon_days)
    return np.asarray(orders * per_order * trained.model.margin_rate)


def default_lightgbm_value(trained: Trained, table: FeatureTable) -> Matrix:
    """Return LightGBM with its own defaults on all numeric features of the stacked snapshots, never below 0."""
    stack = trained.snapshots
    return np.maximum(_default_lightgbm(stack.table, stack.margin, table, "regression"), 0.0)


def contract_less_churn(trained: Trained, table: FeatureTable) -> Matrix:
    """Return what running contracts bring in the horizon, less the share that ends by the renewals alone."""
    model = trained.model
    if not isinstance(model.rhythm, Renewals | DrawnRenewals):
        return last_window_repeated(trained, table)
    lasting = days_held(model.rhythm, held(table), model.horizon_days) / model.horizon_days
    return anchor(table, model.horizon_days, model.margin_rate) * lasting


CHURN_BASELINES: Mapping[str, Baseline] = {
    "recency rule": recency_rule,
    "RFM table": rfm_table,
    "logistic on RFM": logistic_on_rfm,
    "BG/NBD": by_rhythm,
    "LightGBM default, stacked": default_lightgbm_churn,
}
"""Each gives a churn probability of shape (n_rows,)."""

VALUE_BASELINES: Mapping[str, Baseline] = {
    "last window repeated": last_window_repeated,
    "linear regression on RFM": linear_regression_on_rfm,
    "BG/NBD x Gamma-Gamma": bg_nbd_gamma_gamma,
    "LightGBM default, stacked": default_lightgbm_value,
}
"""Each gives the margin expected in the horizon, in the currency, of shape (n_rows,)."""


CONTRACT_CHURN_BASELINES: Mapping[str, Baseline] = {
    "renewal rule": renewal_rule,
    "renewal table": renewal_table,
    "logistic on renewals": logistic_on_renewals,
    "renewals": by_rhythm,
    "LightGBM default, stacked": default_lightgbm_churn,
}
"""The same of contracts."""

CONTRACT_VALUE_BASELINES: Mapping[str, Baseline] = {
    "last window repeated": last_window_repeated,
    "contract less churn": contract_less_churn,
    "LightGBM default, stacked": default_lightgbm_value,
}


def baselines_for(target: Literal["churn", "value", "conversion"], by: By) -> Mapping[str, Baseline]:
    """Return the baselines of a target, by what makes a customer."""
    if by == "contracts":
        return CONTRACT_CHURN_BASELINES if target == "churn" else CONTRACT_VALUE_BASELINES
    return CHURN_BASELINES if target == "churn" else VALUE_BASELINES


def _contract_columns(table: FeatureTable) -> Matrix:
    """Return the logarithms of a contract's age, days to renewal and price, and the change of it; shape (n_rows, 4)."""
    known = np.column_stack([np.log1p(np.maximum(np.nan_to_num(table.column(one)), 0.0)) for one in _OF_CONTRACTS])
    return np.column_stack([known, np.nan_to_num(table.column("contract_price_change"))])


def _mean_spend(table: FeatureTable) -> Matrix:
    return np.asarray(table.column("spend_all") / table.column("orders_all"))


def _rfm_columns(table: FeatureTable) -> Matrix:
    """Return recency, frequency, monetary value, lately and a day over all time, and T; shape (n_rows, 5).

    Frequency and monetary value count the last 90 days: totals so far grow with the calendar, and a line through the
    training cutoffs would run on beyond them.
    """
    names = ("recency_days", "orders_90d", "spend_90d", "tenure_days")
    a_day = table.column("spend_all") / np.maximum(table.column("tenure_days"), _LEAST_DAYS)
    return np.maximum(np.column_stack([*(table.column(name) for name in names), a_day]), 0.0)


def _rate_by_cell(
    training: FeatureTable, churned: npt.NDArray[np.bool_], table: FeatureTable, names: tuple[str, ...], parts: int
) -> Matrix:
    """Return the churn rate of each row's quantile cell, as if 20 average customers more had been in it."""
    edges = [np.quantile(training.column(name), np.arange(1, parts) / parts) for name in names]

    def cell(rows: FeatureTable) -> npt.NDArray[np.intp]:
        places = [np.searchsorted(edge, rows.column(name), "right") for name, edge in zip(names, edges, strict=True)]
        return np.ravel_multi_index(places, (parts,) * len(names))

    size = parts ** len(names)
    left = np.bincount(cell(training), churned, minlength=size) + _PSEUDO_CUSTOMERS * churned.mean()
    customers = np.bincount(cell(training), minlength=size) + _PSEUDO_CUSTOMERS
    return np.asarray((left / customers)[cell(table)])


def _default_lightgbm(training: FeatureTable, target: Matrix, table: FeatureTable, objective: str) -> Matrix:
    return predicted(fit_default_trees(training.values, target, objective=objective), table.values)
