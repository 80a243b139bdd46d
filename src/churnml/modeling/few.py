"""The lower rungs: a model from as much as few customers can teach (docs/adr/0012)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from churnml.config import LEARNERS, TrainConfig, ValueSettings
from churnml.errors import NotEnoughDataError
from churnml.features import FeatureTable
from churnml.modeling.calibration_trial import Choice
from churnml.modeling.churn import ChurnFit, Recipe, band_thresholds, by_rhythm_alone, fit_churn, with_doubt
from churnml.modeling.clv import ValueModel, anchor, fit_value
from churnml.modeling.design import RHYTHM_COLUMNS, Design, fit_design
from churnml.modeling.ladder import Rung
from churnml.modeling.model import Model
from churnml.modeling.posterior import drawn_rhythms
from churnml.modeling.recency import calibrated, fit_rule
from churnml.modeling.renewal import RENEWAL_COLUMNS, DrawnRenewals, drawn_renewals
from churnml.modeling.rhythm import Rhythm, ordered, rfm, rhythm_columns, sound_rhythm
from churnml.modeling.snapshots import Snapshots
from churnml.modeling.spend import Spend, fit_spend, simulated_spread
from churnml.modeling.spread import Spread, fit_spread, unseen_forecasts

Matrix = npt.NDArray[np.float64]
Rolling = Sequence[tuple[Sequence[int], int]]

_TOLD = ("recency_days", "tenure_days", "gap_mean_days")
"""What a rhythm goes by: a reason that raises the risk is told in the first that is known, another in the last."""

_TOLD_BY_CONTRACTS = ("days_to_last_renewal", "contract_days")
"""The same of how contracts end."""

_VALUE = ValueSettings()
_ENOUGH_FOR_MONEY, _ENOUGH_FOR_A_RANGE = 200, 20
"""Different customers that teach value models, and a range of what may come."""


@dataclass(frozen=True)
class Money:
    """The margin of everyone, of those who stayed, and how far it may lie from what is expected."""

    value: ValueModel
    of_stayers: ValueModel
    spread: Spread


def fit_money(matrix: Matrix, stack: Snapshots, anchor: Matrix, seed: int, how: ValueSettings = _VALUE) -> Money:
    """Return the value models that stacked snapshots teach."""
    stayed = ~stack.churned
    value = fit_value(matrix, stack.margin, anchor, seed=seed, settings=how)
    of_stayers = fit_value(matrix[stayed], stack.margin[stayed], anchor[stayed], seed=seed, settings=how)
    unseen = unseen_forecasts(matrix, stack.margin, anchor, stack.table.customer_ids, seed=seed, settings=how)
    return Money(value, of_stayers, fit_spread(unseen, stack.margin))


def told_by_contracts(stack: Snapshots) -> bool:
    """Tell whether contracts alone say what is paid, so that all there is to learn is how long they run."""
    return stack.spells is not None and "spend_90d" not in stack.table.names


def contract_spread(stack: Snapshots, whole: Matrix) -> Spread:
    """Return how far margins of those who stayed lay from what their contracts would bring at the price of the cutoff.

    Where orders have landed as well, margins come by payments, which tell nothing of that.

    Parameters
    ----------
    whole : ndarray of shape (n_rows,)
        What each contract brings that runs through the horizon.
    """
    stayed = ~stack.churned
    if not told_by_contracts(stack) or stack.customers < _ENOUGH_FOR_A_RANGE or not stayed.any():
        return fit_spread(np.ones(1), np.ones(1))
    return fit_spread(whole[stayed], stack.margin[stayed])


def learned_from_few(
    stack: Snapshots, rung: Rung, now: int, config: TrainConfig, margin_rate: float, rolling: Rolling
) -> tuple[Model, ChurnFit]:
    """Return the model of a rung below the blend, and how its churn model came about.

    Raises
    ------
    NotEnoughDataError
        If no rhythm can be believed, and the rung takes one.
    """
    rhythm = _rhythm(stack, rung, now, config.seed)
    contracts = stack.spells is not None
    if rung == "logistic":
        design = fit_design(stack.table, RENEWAL_COLUMNS if contracts else RHYTHM_COLUMNS)
        churn = _logistic(stack, design, config, rolling)
    else:
        told = _TOLD_BY_CONTRACTS if contracts else _TOLD
        rhythm_columns = RENEWAL_COLUMNS if contracts else RHYTHM_COLUMNS
        design = Design(tuple(name for name in told if name in stack.base_at_now.names), {}, rhythm_columns)
        churn = _untaught(rhythm, stack.base_at_now, config.horizon_days)
    spend = Spend(0.0) if contracts else fit_spend(stack.base_at_now)
    money = None
    if rung == "logistic" and stack.customers >= _ENOUGH_FOR_MONEY and not told_by_contracts(stack):
        recent = anchor(stack.table, config.horizon_days, margin_rate)
        money = fit_money(design.matrix(stack.table, stack.rhythm), stack, recent, config.seed, config.value)
    model = Model(
        horizon_days=config.horizon_days,
        population_days=config.population_days,
        margin_rate=margin_rate,
        design=design,
        rhythm=rhythm,
        churn=churn.model,
        sooner={},
        value=money.value if money else None,
        value_of_stayers=money.of_stayers if money else None,
        spread=money.spread if money else _spread(stack, rhythm, spend, config, margin_rate),
        bands=band_thresholds(),
        rung=rung,
        spend=None if money else spend,
        value_season=stack.seasons.value if money else None,
        by=config.by,
        grace_days=config.grace_days,
    )
    asked = config.calibration
    over = "" if asked in ("auto", "raw") else f", though `{asked}` was asked for"
    why = f"the rung `{rung}` has too few customers to try another{over}"
    return model, replace(churn, choice=Choice(asked=config.calibration, because=why))


def _rhythm(stack: Snapshots, rung: Rung, now: int, seed: int) -> Rhythm | DrawnRenewals:
    if stack.spells is not None:
        return drawn_renewals(stack.spells, seed)
    known = rfm(ordered(stack.base_at_now))
    if rung == "recency":
        return calibrated(fit_rule(known), stack.rhythm[:, 0], stack.churned, stack.customers)
    model, why = sound_rhythm(stack.base_at_now, now)
    if model is None:
        raise NotEnoughDataError(f"the rung `{rung}` takes a rhythm of buying, and there is none: {why}")
    return drawn_rhythms(model, known, seed)


def _logistic(stack: Snapshots, design: Design, config: TrainConfig, rolling: Rolling) -> ChurnFit:
    matrix = design.matrix(stack.table, stack.rhythm)
    rhythm, at, seed = stack.rhythm[:, 0], stack.table.cutoffs, config.seed
    recipe = Recipe(ridge=config.ridge, blend=config.blend, use=("ridge", "rhythm"))
    season = stack.seasons.silence.get(config.horizon_days)
    fit = fit_churn(
        matrix, rhythm, stack.churned, at, rolling, rounds=config.rounds, seed=seed, recipe=recipe, season=season
    )
    model = with_doubt(fit.model, matrix, stack.customers, seed, config.ridge.variance)
    return replace(fit, model=model)


def _untaught(rhythm: Rhythm | DrawnRenewals, base: FeatureTable, horizon_days: int) -> ChurnFit:
    """Return the model that says what the rhythm says; reasons are counted from the mean of those asked now."""
    logits = rhythm_columns(rhythm, base.take(base.modelled), horizon_days)[:, 0]
    none = np.zeros(0, dtype=np.intp)
    return ChurnFit(by_rhythm_alone(float(logits.mean())), none, np.zeros((0, len(LEARNERS))))


def _spread(
    stack: Snapshots, rhythm: Rhythm | DrawnRenewals, spend: Spend, config: TrainConfig, margin_rate: float
) -> Spread:
    """Return how far margins lay from what a rhythm had expected of them, or how far it expects them to lie itself."""
    if isinstance(rhythm, DrawnRenewals):
        return contract_spread(stack, anchor(stack.table, config.horizon_days, margin_rate))
    if stack.customers < _ENOUGH_FOR_A_RANGE:
        days, seed = config.horizon_days, config.seed
        return simulated_spread(rhythm, spend, stack.base_at_now, days, margin_rate, seed)
    expected = spend.per_order_day(stack.table) * margin_rate * stack.rhythm[:, 2]
    return fit_spread(expected, stack.margin)
