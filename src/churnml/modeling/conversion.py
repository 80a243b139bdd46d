"""Conversion: how probable it is that a prospect or a trial becomes a paying customer, by the machinery of churn.

The blend is the one of `churn`, taught another label on other rows; where churn has the rhythm of buying, it has the
hazard by age. Its ladder has three rungs: `blend`, `logistic` where fewer than 200 different people became customers,
and `rate`, the hazard alone, where fewer than 30 did. Below the blend each probability has its interval
(docs/adr/0015).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle
from typing import Literal

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from churnml.config import LEARNERS, RidgeSettings, TrainConfig
from churnml.errors import NotEnoughDataError
from churnml.features import FeatureTable
from churnml.modeling.check_finding import Finding
from churnml.modeling.churn import ChurnModel, Recipe, by_rhythm_alone, enough, fit_churn, with_doubt
from churnml.modeling.design import Design, fit_design
from churnml.modeling.hazard import Hazard
from churnml.modeling.ladder import FEWEST_CUTOFFS, FEWEST_LEFT, FEWEST_OF_EACH
from churnml.modeling.learners import sigmoid
from churnml.modeling.no_conversion import EveryoneHasPaid, KnownByFirstOrder
from churnml.modeling.posterior import LEVEL
from churnml.modeling.prospects import AGE, Prospects
from churnml.modeling.rhythm import logit_of

Matrix = npt.NDArray[np.float64]
Rolling = Sequence[tuple[Sequence[int], int]]

ConversionRung = Literal["blend", "logistic", "rate"]
CONVERSION_RUNGS: tuple[ConversionRung, ...] = ("blend", "logistic", "rate")

_PRIOR = 0.03
"""Ten times as wide as for churn: there are fewer rows and fewer columns that vary (docs/adr/0015)."""

AGE_COLUMNS = ("age_logit",)
"""What stands in the design where churn has its rhythm."""


@dataclass(frozen=True)
class ConversionForecast:
    """What the model says of some prospects; every array of shape (n_rows,) unless told otherwise.

    Parameters
    ----------
    matrix : ndarray of shape (n_rows, n_columns)
        The columns the learners saw.
    age_logit : ndarray
        The logit of conversion by age alone.
    probability : ndarray
        Of becoming a paying customer in the horizon.
    rung : {'blend', 'logistic', 'rate'}
        How much of a model it comes from.
    low, high : ndarray or None
        Between what the probability lies, for nine of ten; None of a blend, which does not tell.
    """

    matrix: Matrix
    age_logit: Matrix
    probability: Matrix
    rung: ConversionRung
    low: Matrix | None = None
    high: Matrix | None = None


@dataclass(frozen=True)
class ConversionModel:
    """A fitted model of conversion.

    Parameters
    ----------
    horizon_days : int
        In which one becomes a customer.
    rung : {'blend', 'logistic', 'rate'}
        How much of it could be taught.
    design : Design
        The columns.
    hazard : Hazard
        As of the cutoff the model is meant for.
    blend : ChurnModel
        Its logits are of conversion, and its rhythm is the age.
    """

    horizon_days: int
    rung: ConversionRung
    design: Design
    hazard: Hazard
    blend: ChurnModel

    def forecast(self, table: FeatureTable) -> ConversionForecast:
        """Return what the model says of rows of prospects and trials; nothing is fitted."""
        age = table.column(AGE)
        logit = logit_of(self.hazard.probability(age, self.horizon_days))
        matrix = self.design.matrix(table, logit[:, None])
        probability = self.blend.probability(self.blend.logits(matrix, logit), table.cutoffs)
        low, high = self._between(age, matrix)
        if low is not None and high is not None:
            low, high = np.minimum(low, probability), np.maximum(high, probability)
        return ConversionForecast(matrix, logit, probability, self.rung, low, high)

    def _between(self, age: Matrix, matrix: Matrix) -> tuple[Matrix | None, Matrix | None]:
        if self.rung == "blend":
            return None, None
        if not self.blend.ridges or self.blend.scaling is None:
            return self.hazard.between(age, self.horizon_days)
        scaled, tail = self.blend.scaling(matrix), (1 - LEVEL) / 2
        _, of_ridge, of_age = self.blend.weights
        hazards = (Hazard(rates, (), self.hazard.conversions) for rates in self.hazard.drawn)
        by_age = [logit_of(one.probability(age, self.horizon_days)) for one in hazards]
        pairs = zip(self.blend.ridges, cycle(by_age), strict=False)
        said = [of_ridge * ridge.predict(scaled) + of_age * logit for ridge, logit in pairs]
        low, high = np.quantile(np.array(said), [tail, 1 - tail], axis=0, method="weibull")
        return sigmoid(low), sigmoid(high)


def nothing_to_learn(prospects: Prospects) -> Finding | None:
    """Return why prospects can teach no rung at all, None where they can."""
    if not len(prospects.at_now) and not len(prospects.table):
        return EveryoneHasPaid()
    return KnownByFirstOrder() if prospects.hazard is None else None


def reached(prospects: Prospects) -> tuple[ConversionRung | None, str]:
    """Return the highest rung that prospects can teach, or none; and why no higher, in words, empty on the highest."""
    nothing = nothing_to_learn(prospects)
    if nothing is not None:
        return None, nothing.said()
    came = prospects.different(prospects.converted)
    stayed = prospects.different(~prospects.converted)
    cutoffs = f"{prospects.cutoffs} training cutoff{'s' * (prospects.cutoffs != 1)}"
    so_far = f"{came} who became customers and {stayed} who did not were found at {cutoffs}"
    if min(came, stayed) < FEWEST_OF_EACH or not enough(prospects.converted):
        return "rate", f"{so_far}, and it takes {FEWEST_OF_EACH} of each"
    if came < FEWEST_LEFT or prospects.cutoffs < FEWEST_CUTOFFS:
        return "logistic", f"{so_far}, and it takes {FEWEST_LEFT} at {FEWEST_CUTOFFS} cutoffs or more"
    return "blend", ""


def _recipe(rung: ConversionRung, config: TrainConfig) -> Recipe:
    """Return the learners of a rung; learners of one's own are of churn and stay out of it."""
    use = LEARNERS if rung == "blend" else ("ridge", "rhythm")
    return Recipe(config.trees, RidgeSettings(variance=_PRIOR), config.blend, use)


def fit_conversion(
    prospects: Prospects, rung: ConversionRung, config: TrainConfig, rolling: Rolling
) -> ConversionModel:
    """Return the model of a rung that the prospects reach.

    Parameters
    ----------
    rolling : sequence of (teaching cutoffs, judging cutoff)
        From `labels.origins`, for the weights.

    Raises
    ------
    NotEnoughDataError
        If they do not reach it.
    """
    if prospects.hazard is None:
        raise NotEnoughDataError(f"no conversion can be learned: {reached(prospects)[1]}; bring prospects")
    if rung == "rate":
        known = (AGE,) if len(prospects.at_now) or len(prospects.table) else ()
        logit = logit_of(prospects.hazard.probability(prospects.at_now.column(AGE), config.horizon_days))
        blend = by_rhythm_alone(float(logit.mean()) if len(logit) else 0.0)
        return ConversionModel(config.horizon_days, rung, Design(known, {}, AGE_COLUMNS), prospects.hazard, blend)
    design = fit_design(prospects.table, AGE_COLUMNS)
    matrix = design.matrix(prospects.table, prospects.age_logit[:, None])
    # the order in which threads add up floats is not fixed; one thread gives the same bits every time
    with threadpool_limits(limits=1, user_api="blas"):
        blend = fit_churn(
            matrix,
            prospects.age_logit,
            prospects.converted,
            prospects.table.cutoffs,
            rolling,
            rounds=config.rounds,
            seed=config.seed,
            recipe=_recipe(rung, config),
        ).model
        if rung == "logistic":
            blend = with_doubt(blend, matrix, prospects.different(), config.seed, _PRIOR)
    return ConversionModel(config.horizon_days, rung, design, prospects.hazard, blend)
