"""The model: what a bundle holds, and the one way it turns feature rows into forecasts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import cycle

import numpy as np
import numpy.typing as npt

from churnml.events import By
from churnml.features import FeatureTable
from churnml.modeling.ahead import Ahead, ahead_by_contracts, ahead_by_orders
from churnml.modeling.btyd import BGNBD
from churnml.modeling.churn import ChurnModel
from churnml.modeling.clv import ValueModel, anchor, contract_anchor
from churnml.modeling.contentment import Contentment, Told
from churnml.modeling.conversion import ConversionModel
from churnml.modeling.curve import When, curve_days
from churnml.modeling.design import Design
from churnml.modeling.ladder import Rung
from churnml.modeling.learners import sigmoid
from churnml.modeling.next_category import NextCategory
from churnml.modeling.posterior import LEVEL, Rhythms
from churnml.modeling.recency import RecencyRule
from churnml.modeling.renewal import DrawnRenewals, Pace, Renewals, held
from churnml.modeling.rhythm import Silent, rfm, rhythm_columns, silence_logits
from churnml.modeling.season import Season
from churnml.modeling.spend import Spend
from churnml.modeling.spread import Range, Spread

Matrix = npt.NDArray[np.float64]

_TIER_ROWS = 20_000


@dataclass(frozen=True)
class Forecast:
    """What the model says of some rows; every array of shape (n_rows,) unless told otherwise.

    Parameters
    ----------
    matrix, rhythm : ndarray of shape (n_rows, n_columns), (n_rows, 3)
        The columns the learners saw.
    logits : ndarray of shape (n_rows, n_learners)
        Of the learners.
    season : ndarray
        What the season adds to the blended logit, see `season.Season`.
    churn_probability, p_alive : ndarray
        Probabilities.
    days : ndarray of shape (n_days,)
        Within which churn is told of, ascending.
    churn_within : ndarray of shape (n_rows, n_days)
        Probability of no order within each of them, see `curve.silence`; by contracts, of being over within them.
    next_order : When or None
        By which day the next order comes, up to the longest of `days`; None by contracts.
    life : When or None
        By which day they have left for good, see `life`; None where only a rule of recency is known.
    expected_margin : ndarray
        In the horizon, in the currency.
    margin_range : Range
        Around it: the median, and the interval that holds nine of ten.
    margin_if_staying : ndarray
        The same for one who stays in it, in a horizon of the mean season of a year: what comes later is scaled from it.
    season_if_staying : ndarray
        What the season of this horizon adds to that; below 0 where it takes off.
    orders_if_staying : ndarray
        Order days in the horizon of one who has any, by the rhythm.
    tail_if_staying, tail_if_silent : ndarray
        Orders in `value_days`, over those of one who stays in the horizon; see `clv.tails`, and for contracts `ahead`.
    rung : str
        How much of a model it comes from, see `ladder`.
    churn_low, churn_high : ndarray or None
        Between what the churn probability lies, for nine of ten; None of a blend, which does not tell.
    satisfaction : Told or None
        How content they are; None where nothing was learned of it.
    """

    matrix: Matrix
    rhythm: Matrix
    logits: Matrix
    season: Matrix
    churn_probability: Matrix
    p_alive: Matrix
    days: npt.NDArray[np.int64]
    churn_within: Matrix
    next_order: When | None
    life: When | None
    expected_margin: Matrix
    margin_range: Range
    margin_if_staying: Matrix
    season_if_staying: Matrix
    orders_if_staying: Matrix
    tail_if_staying: Matrix
    tail_if_silent: Matrix
    rung: Rung = "blend"
    churn_low: Matrix | None = None
    churn_high: Matrix | None = None
    satisfaction: Told | None = None


@dataclass(frozen=True)
class Model:
    """A fitted churn and value model with everything scoring needs.

    Parameters
    ----------
    horizon_days, population_days : int
        What it was trained for.
    margin_rate : float
        Margin per unit of revenue, for the anchor of the value model.
    design : Design
        The columns.
    rhythm : BGNBD, Rhythms or RecencyRule, Renewals or DrawnRenewals
        The buying rhythm, or how contracts end, as of the cutoff the model is meant for.
    churn : ChurnModel
        The blend.
    sooner : dict of int to ChurnModel
        Blends of silence for so many days, fewer than the horizon's; may be empty.
    value, value_of_stayers : ValueModel or None
        Margin in the horizon, of everyone and of those who stayed; None where `spend` tells it, or contracts do.
    spread : Spread
        How far the margin may lie from what `value` expects.
    bands : tuple of float
        From which churn probability the risk is medium, and high.
    rung : {'blend', 'logistic', 'rhythm', 'recency'}
        How much its customers could teach it, see `ladder`.
    spend : Spend or None
        What is paid on an order day, where few customers teach no value model.
    conversion : ConversionModel or None
        Who of those that have not paid for anything yet will; None where that could not be learned.
    contentment : Contentment or None
        What answers to surveys taught of satisfaction; None where too few came, or it is no better than their mean.
    by : {'orders', 'contracts'}
        What makes a customer, and whose end is churn.
    value_season : Season or None
        What the season does to the margin that value models tell; None where no year before is known.
    grace_days : int
        By contracts, how long after its end another still continues one.
    tiers : tuple of float
        Where the middle third of `margin_if_staying` begins and ends, in the currency, among the customers of the
        cutoff the model is meant for.
    next_category : NextCategory or None
        Which category each is offered next; None where order lines name none.
    """

    horizon_days: int
    population_days: int
    margin_rate: float
    design: Design
    rhythm: Silent | Pace
    churn: ChurnModel
    sooner: dict[int, ChurnModel]
    value: ValueModel | None
    value_of_stayers: ValueModel | None
    spread: Spread
    bands: tuple[float, float]
    rung: Rung = "blend"
    spend: Spend | None = None
    conversion: ConversionModel | None = None
    contentment: Contentment | None = None
    by: By = "orders"
    grace_days: int = 30
    value_season: Season | None = None
    tiers: tuple[float, float] = (0.0, 0.0)

    def with_tiers(self, base: FeatureTable) -> Model:
        """Return the same model, knowing the thirds of what its customers bring who stay.

        They are counted of the first rows alone: rows stand in the order of a hash of the customer's id, so these are
        drawn by chance, and the same each time.

        Parameters
        ----------
        base : FeatureTable
            The base at the cutoff the model is meant for.
        """
        rows = np.flatnonzero(base.modelled)[:_TIER_ROWS]
        if not len(rows):
            return self
        worth = self.forecast(base.take(rows), self.horizon_days, (self.horizon_days,)).margin_if_staying
        low, high = np.quantile(worth, (1 / 3, 2 / 3))
        return replace(self, tiers=(float(low), float(high)))

    next_category: NextCategory | None = None

    def forecast(
        self, table: FeatureTable, value_days: int, days: Sequence[int] = (), *, discount_rate: float = 0.0
    ) -> Forecast:
        """Return the forecasts for rows of the population; nothing is fitted.

        Parameters
        ----------
        table : FeatureTable
            Rows that are modelled: of customers who have ordered, or who hold a contract.
        value_days : int
            Days over which lifetime value is counted.
        days : sequence of int
            Within which churn is told of, ascending; those of `curve.curve_days` by default.
        discount_rate : float, default 0
            Per year, of the tails.
        """
        rhythm = rhythm_columns(self.rhythm, table, self.horizon_days)
        matrix = self.design.matrix(table, rhythm)
        logits = self.churn.logits(matrix, rhythm[:, 0])
        churn = self.churn.probability(logits, table.cutoffs)
        told = tuple(days) or curve_days(self.horizon_days)
        ahead = self._ahead(table, self._taught(table, matrix, churn), told, value_days, discount_rate)
        margin, if_staying = self._margins(table, matrix, ahead, churn)
        low, high = self._between(table, matrix, churn)
        margin, if_staying, of_season = self._in_season(margin, if_staying, table.cutoffs)
        return Forecast(
            matrix=matrix,
            rhythm=rhythm,
            logits=logits,
            season=self.churn.shift(table.cutoffs),
            churn_probability=churn,
            p_alive=ahead.p_alive,
            days=np.array(told),
            churn_within=ahead.churn_within,
            next_order=ahead.next_order,
            life=ahead.life,
            expected_margin=margin,
            margin_range=self._range(table, margin, churn, ahead),
            margin_if_staying=if_staying,
            season_if_staying=of_season,
            orders_if_staying=ahead.orders_if_staying,
            tail_if_staying=ahead.tail_if_staying,
            tail_if_silent=ahead.tail_if_silent,
            rung=self.rung,
            churn_low=low,
            churn_high=high,
            satisfaction=None if self.contentment is None else self.contentment.tell(table),
        )

    def _ahead(
        self, table: FeatureTable, taught: dict[int, Matrix], days: Sequence[int], value_days: int, rate: float
    ) -> Ahead:
        if isinstance(self.rhythm, Renewals | DrawnRenewals):
            return ahead_by_contracts(self.rhythm, table, taught, days, value_days, rate)
        return ahead_by_orders(self.rhythm, table, taught, days, value_days, rate)

    def _margins(self, table: FeatureTable, matrix: Matrix, ahead: Ahead, churn: Matrix) -> tuple[Matrix, Matrix]:
        """Return the margin expected in the horizon, and that of one who stays in it."""
        recent = anchor(table, self.horizon_days, self.margin_rate)
        if self.value is not None and self.value_of_stayers is not None:
            return self.value.predict(matrix, recent), self.value_of_stayers.predict(matrix, recent)
        if self.by == "contracts":  # who leaves has paid until then
            whole = contract_anchor(table, self.horizon_days, self.margin_rate)
            return whole * (1.0 - churn + churn * np.minimum(ahead.tail_if_silent, 1.0)), whole
        spend = self.spend or Spend(0.0)
        if_staying = spend.per_order_day(table) * self.margin_rate * ahead.orders_if_staying
        return (1.0 - churn) * if_staying, if_staying

    def _in_season(
        self, margin: Matrix, if_staying: Matrix, cutoffs: npt.NDArray[np.int64]
    ) -> tuple[Matrix, Matrix, Matrix]:
        """Return the margin of this season, that of a stayer in a mean one, and what this one adds to it."""
        if self.value_season is None:
            return margin, if_staying, np.zeros(len(margin))
        now, mean = np.exp(self.value_season.shift(cutoffs)), float(np.exp(self.value_season.over_a_year()))
        return margin * now, if_staying * mean, if_staying * (now - mean)

    def _range(self, table: FeatureTable, margin: Matrix, churn: Matrix, ahead: Ahead) -> Range:
        if self.by == "contracts" and self.value is None:
            whole = contract_anchor(table, self.horizon_days, self.margin_rate)
            return self.spread.around_contracts(whole, churn, np.minimum(ahead.tail_if_silent, 1.0))
        return self.spread.around(margin)

    def _between(self, table: FeatureTable, matrix: Matrix, churn: Matrix) -> tuple[Matrix | None, Matrix | None]:
        """Return between what the churn probability lies, for nine of ten, by what else is as likely."""
        rhythm = self.rhythm
        if not isinstance(rhythm, Rhythms | RecencyRule | DrawnRenewals):
            return None, None
        if self.churn.ridges and not isinstance(rhythm, RecencyRule):
            low, high = self._between_ridges(rhythm, table, matrix, self.churn.shift(table.cutoffs))
        elif isinstance(rhythm, DrawnRenewals):
            low, high = rhythm.between(held(table), self.horizon_days)
        else:
            low, high = rhythm.between(rfm(table), self.horizon_days)
        return np.minimum(low, churn), np.maximum(high, churn)

    def _between_ridges(
        self, rhythm: Rhythms | DrawnRenewals, table: FeatureTable, matrix: Matrix, moved: Matrix
    ) -> tuple[Matrix, Matrix]:
        scaled = matrix if self.churn.scaling is None else self.churn.scaling(matrix)
        tail = (1 - LEVEL) / 2
        _, of_ridge, of_rhythm = self.churn.weights  # a rung of few has no learner of one's own
        each: Sequence[BGNBD | Renewals] = rhythm.each
        pairs = zip(self.churn.ridges, cycle(each), strict=False)
        said = [
            of_ridge * ridge.predict(scaled) + of_rhythm * silence_logits(one, table, (self.horizon_days,))[:, 0]
            for ridge, one in pairs
        ]
        low, high = np.quantile(np.array(said), [tail, 1 - tail], axis=0, method="weibull")
        return sigmoid(low + moved), sigmoid(high + moved)

    def _taught(self, table: FeatureTable, matrix: Matrix, churn: Matrix) -> dict[int, Matrix]:
        """Return the probability of having left by the blends, by the days that each was taught."""
        rhythm = silence_logits(self.rhythm, table, tuple(self.sooner))
        taught = {self.horizon_days: churn}
        for place, (day, blend) in enumerate(self.sooner.items()):
            taught[day] = blend.probability(blend.logits(matrix, rhythm[:, place]), table.cutoffs)
        return taught
