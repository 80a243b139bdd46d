"""Train: stacked snapshots in, a fitted model and its out-of-time report out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from churnml.config import TrainConfig
from churnml.errors import NotEnoughDataError
from churnml.events import Store
from churnml.features import Catalogue
from churnml.labels import origins, sooner_days
from churnml.modeling.churn import ChurnFit, Recipe, band_thresholds, enough, fit_churn
from churnml.modeling.clv import anchor
from churnml.modeling.cutoffs import lag_of
from churnml.modeling.design import RHYTHM_COLUMNS, fit_design
from churnml.modeling.few import contract_spread, fit_money, learned_from_few, told_by_contracts
from churnml.modeling.ladder import Rung, Step, highest, require
from churnml.modeling.model import Model
from churnml.modeling.renewal import RENEWAL_COLUMNS, fit_renewals
from churnml.modeling.rhythm import fit_rhythm
from churnml.modeling.snapshots import Snapshots, snapshots

Matrix = npt.NDArray[np.float64]


_TOP = Step("blend")


@dataclass(frozen=True)
class Trained:
    """A model, what it was taught with, how its churn blend came about, and the rung it stands on."""

    model: Model
    snapshots: Snapshots
    churn_fit: ChurnFit
    cutoffs: tuple[int, ...]
    now: int
    step: Step = _TOP


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
    rung: Rung | None = "blend",
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
    rung : {'blend', 'logistic', 'rhythm', 'recency'} or None, default 'blend'
        How much is learned; None takes the highest rung that the data reach, see `ladder`.

    Raises
    ------
    NotEnoughDataError
        If there are too few customers, churners or cutoffs for the rung, or nobody who ordered for any.
    """
    # the order in which threads add up floats is not fixed; one thread gives the same bits every time
    with threadpool_limits(limits=1, user_api="blas"):
        sooner = sooner_days(config.horizon_days) if curve and rung in (None, "blend") else ()
        stack = snapshots(store, catalogue, cutoffs, now, config, margin_rate, progress, sooner, rung)
        step = _step(store, stack, config, rung)
        lag = lag_of(store, config)
        rolling = origins(sorted(cutoffs), config.horizon_days, config.folds, store.time_zone, lag)
        if step.rung == "blend":
            model, churn = _blend(stack, now, config, margin_rate, rolling)
        else:
            model, churn = learned_from_few(stack, step.rung, now, config, margin_rate, rolling)
        model = model.with_tiers(stack.base_at_now)
    return Trained(model, stack, churn, tuple(sorted(cutoffs)), now, step)


def _step(store: Store, stack: Snapshots, config: TrainConfig, rung: Rung | None) -> Step:
    """Return the rung asked for, or the highest that the data reach."""
    if rung == "blend":
        return _TOP
    if not stack.base_at_now.modelled.any():
        who, what = (
            ("who holds a contract that is paid for at the cutoff", "contracts")
            if config.by == "contracts"
            else (f"who ordered in the {config.population_days} days before the cutoff", "orders")
        )
        why = ": their contracts have ended, or cost nothing yet" if config.by == "contracts" else ""
        raise NotEnoughDataError(
            f"training needs a customer {who}, found none among {len(stack.base_at_now):,} known{why}; ingest their "
            f"{what}, or choose another --cutoff"
        )
    if rung is not None:
        require(rung, stack.lessons)
        return Step(rung)
    lag = lag_of(store, config)
    needed = config.horizon_days + lag + config.min_history_days
    return highest(stack.lessons, f"the first takes {needed} days of history")


def _blend(
    stack: Snapshots,
    now: int,
    config: TrainConfig,
    margin_rate: float,
    rolling: Sequence[tuple[Sequence[int], int]],
) -> tuple[Model, ChurnFit]:
    """Return the model of the highest rung."""
    design = fit_design(stack.table, RHYTHM_COLUMNS if stack.spells is None else RENEWAL_COLUMNS)
    matrix, recipe = design.matrix(stack.table, stack.rhythm), Recipe.of(config)

    def blend(day: int, rhythm: Matrix, silent: npt.NDArray[np.bool_]) -> ChurnFit:
        at, rounds, seed = stack.table.cutoffs, config.rounds, config.seed
        season, columns = stack.seasons.silence.get(day), design.columns
        return fit_churn(
            matrix,
            rhythm,
            silent,
            at,
            rolling,
            rounds=rounds,
            seed=seed,
            recipe=recipe,
            columns=columns,
            season=season,
            calibration=config.calibration,
            customers=stack.table.customer_ids,
        )

    churn = blend(config.horizon_days, stack.rhythm[:, 0], stack.churned)
    earlier = {day: blend(day, *known).model for day, known in stack.sooner.items() if enough(known[1])}
    recent = anchor(stack.table, config.horizon_days, margin_rate)
    money = None if told_by_contracts(stack) else fit_money(matrix, stack, recent, config.seed, config.value)
    model = Model(
        horizon_days=config.horizon_days,
        population_days=config.population_days,
        margin_rate=margin_rate,
        design=design,
        rhythm=fit_rhythm(stack.base_at_now, now) if stack.spells is None else fit_renewals(stack.spells),
        churn=churn.model,
        sooner=earlier,
        value=money.value if money else None,
        value_of_stayers=money.of_stayers if money else None,
        spread=money.spread if money else contract_spread(stack, recent),
        bands=band_thresholds(),
        value_season=stack.seasons.value if money else None,
        by=config.by,
        grace_days=config.grace_days,
    )
    return model, churn
