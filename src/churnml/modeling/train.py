"""Train: stacked snapshots in, a fitted model and its out-of-time report out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from churnml.config import TrainConfig
from churnml.events import Store
from churnml.features import Catalogue, FeatureTable, build
from churnml.labels import Outcomes, check_taught_by, churned, label_lag, margin, origins
from churnml.modeling.churn import ChurnFit, band_thresholds, fit_churn
from churnml.modeling.clv import anchor_of, fit_value
from churnml.modeling.design import fit_design
from churnml.modeling.model import Model
from churnml.modeling.rhythm import fit_rhythm, stacked_rhythm

Matrix = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Snapshots:
    """Stacked snapshots: the population at each training cutoff, its rhythm columns and its labels.

    Parameters
    ----------
    table : FeatureTable
        Rows of the population only.
    rhythm : ndarray of shape (n_rows, 3)
        Each cutoff's from its own fit.
    churned, margin : ndarray of shape (n_rows,)
        The labels.
    base_at_now : FeatureTable
        The whole base at the cutoff the model is meant for; it has features and no label.
    """

    table: FeatureTable
    rhythm: Matrix
    churned: npt.NDArray[np.bool_]
    margin: Matrix
    base_at_now: FeatureTable


@dataclass(frozen=True)
class Trained:
    """A model, what it was taught with, and how its churn blend came about."""

    model: Model
    snapshots: Snapshots
    churn_fit: ChurnFit
    cutoffs: tuple[int, ...]
    now: int


def snapshots(
    store: Store,
    catalogue: Catalogue,
    cutoffs: Sequence[int],
    now: int,
    config: TrainConfig,
    margin_rate: float,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Snapshots:
    """Build features at every training cutoff and at `now` in one pass, and the labels of the training cutoffs."""
    check_taught_by(store)
    whole = build(store, catalogue, [*cutoffs, now], config.population_days, progress)
    base = whole.take(whole.cutoffs < now)
    rhythm = stacked_rhythm(base, config.horizon_days)
    inside = base.modelled
    table = base.take(inside)
    lag = label_lag(store, config.return_window_days)
    outcomes = Outcomes.read(store, cutoffs, config.horizon_days, known_by=now, label_lag_days=lag)
    outcome = outcomes.at(table.customer_ids, table.cutoffs)
    labels = churned(outcome), margin(outcome, margin_rate)
    return Snapshots(table, rhythm[inside], *labels, whole.take(whole.cutoffs == now))


def train(
    store: Store,
    catalogue: Catalogue,
    cutoffs: Sequence[int],
    now: int,
    config: TrainConfig,
    margin_rate: float,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Trained:
    """Train churn and value on the given cutoffs, for use at `now`.

    Parameters
    ----------
    cutoffs : sequence of int
        Ascending, each with a label that is final by `now`; from `labels.training_cutoffs`.
    now : int
        The cutoff the model is meant for; nothing after it is read. Microseconds UTC.
    margin_rate : float
        Margin per unit of revenue where orders carry no cost.

    Raises
    ------
    NotEnoughDataError
        If there are too few customers, churners or cutoffs.
    """
    # the order in which threads add up floats is not fixed; one thread gives the same bits every time
    with threadpool_limits(limits=1, user_api="blas"):
        stack = snapshots(store, catalogue, cutoffs, now, config, margin_rate, progress)
        design = fit_design(stack.table)
        matrix = design.matrix(stack.table, stack.rhythm)
        lag = label_lag(store, config.return_window_days)
        rolling = origins(sorted(cutoffs), config.horizon_days, config.folds, store.time_zone, lag)
        churn = fit_churn(
            matrix,
            stack.rhythm,
            stack.churned,
            stack.table.cutoffs,
            rolling,
            rounds=config.rounds,
            seed=config.seed,
        )
        anchor = anchor_of(stack.table.column("spend_90d"), config.horizon_days, margin_rate)
        stayed = ~stack.churned
        value = fit_value(matrix, stack.margin, anchor, seed=config.seed)
        of_stayers = fit_value(matrix[stayed], stack.margin[stayed], anchor[stayed], seed=config.seed)
        rhythm = fit_rhythm(stack.base_at_now, now)
    days = config.horizon_days, config.population_days
    model = Model(*days, margin_rate, design, rhythm, churn.model, value, of_stayers, band_thresholds())
    return Trained(model, stack, churn, tuple(sorted(cutoffs)), now)
