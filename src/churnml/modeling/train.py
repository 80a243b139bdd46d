"""Train: stacked snapshots in, a fitted model and its out-of-time report out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from churnml.config import TrainConfig
from churnml.events import Store
from churnml.features import Catalogue, FeatureTable, build
from churnml.labels import Outcomes, check_taught_by, churned, label_lag, margin, origins, silent_for, sooner_days
from churnml.modeling.churn import ChurnFit, band_thresholds, enough, fit_churn
from churnml.modeling.clv import anchor_of, fit_value
from churnml.modeling.design import fit_design
from churnml.modeling.model import Model
from churnml.modeling.rhythm import fit_rhythm, stacked_rhythm
from churnml.modeling.spread import fit_spread, unseen_forecasts

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
    sooner : mapping of int to tuple of (ndarray, ndarray), each of shape (n_rows,)
        By days fewer than the horizon's: the logit of no order within them by the rhythm alone, and who placed none.
    base_at_now : FeatureTable
        The whole base at the cutoff the model is meant for; it has features and no label.
    """

    table: FeatureTable
    rhythm: Matrix
    churned: npt.NDArray[np.bool_]
    margin: Matrix
    sooner: Mapping[int, tuple[Matrix, npt.NDArray[np.bool_]]]
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
    sooner: Sequence[int] = (),
) -> Snapshots:
    """Build features at every training cutoff and at `now` in one pass, and the labels of the training cutoffs."""
    check_taught_by(store)
    whole = build(store, catalogue, [*cutoffs, now], config.population_days, progress)
    base = whole.take(whole.cutoffs < now)
    rhythm, logits = stacked_rhythm(base, config.horizon_days, sooner)
    inside = base.modelled
    table = base.take(inside)
    lag = label_lag(store, config.return_window_days)
    outcomes = Outcomes.read(store, cutoffs, config.horizon_days, known_by=now, label_lag_days=lag)
    outcome = outcomes.at(table.customer_ids, table.cutoffs)
    labels = churned(outcome), margin(outcome, margin_rate)
    earlier = {day: (logits[inside][:, place], silent_for(outcome, day)) for place, day in enumerate(sooner)}
    return Snapshots(table, rhythm[inside], *labels, earlier, whole.take(whole.cutoffs == now))


def train(
    store: Store,
    catalogue: Catalogue,
    cutoffs: Sequence[int],
    now: int,
    config: TrainConfig,
    margin_rate: float,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
    *,
    curve: bool = False,
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
    curve : bool
        Whether silence for less than the horizon is learned too. It takes a sixth longer for each of `sooner_days`, and
        who asks for the horizon alone can do without.

    Raises
    ------
    NotEnoughDataError
        If there are too few customers, churners or cutoffs.
    """
    # the order in which threads add up floats is not fixed; one thread gives the same bits every time
    with threadpool_limits(limits=1, user_api="blas"):
        sooner = sooner_days(config.horizon_days) if curve else ()
        stack = snapshots(store, catalogue, cutoffs, now, config, margin_rate, progress, sooner)
        design = fit_design(stack.table)
        matrix = design.matrix(stack.table, stack.rhythm)
        lag = label_lag(store, config.return_window_days)
        rolling = origins(sorted(cutoffs), config.horizon_days, config.folds, store.time_zone, lag)

        def blend(rhythm: Matrix, silent: npt.NDArray[np.bool_]) -> ChurnFit:
            at, seed = stack.table.cutoffs, config.seed
            return fit_churn(matrix, rhythm, silent, at, rolling, rounds=config.rounds, seed=seed)

        churn = blend(stack.rhythm[:, 0], stack.churned)
        earlier = {day: blend(*known).model for day, known in stack.sooner.items() if enough(known[1])}
        anchor = anchor_of(stack.table.column("spend_90d"), config.horizon_days, margin_rate)
        stayed = ~stack.churned
        value = fit_value(matrix, stack.margin, anchor, seed=config.seed)
        of_stayers = fit_value(matrix[stayed], stack.margin[stayed], anchor[stayed], seed=config.seed)
        unseen = unseen_forecasts(matrix, stack.margin, anchor, stack.table.customer_ids, seed=config.seed)
        spread = fit_spread(unseen, stack.margin)
        rhythm = fit_rhythm(stack.base_at_now, now)
    model = Model(
        horizon_days=config.horizon_days,
        population_days=config.population_days,
        margin_rate=margin_rate,
        design=design,
        rhythm=rhythm,
        churn=churn.model,
        sooner=earlier,
        value=value,
        value_of_stayers=of_stayers,
        spread=spread,
        bands=band_thresholds(),
    )
    return Trained(model, stack, churn, tuple(sorted(cutoffs)), now)
