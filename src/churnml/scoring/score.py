"""One function that turns feature rows into scores, for batch and request alike."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from churnml.config import CostToServe, ScoreConfig
from churnml.features import FeatureTable
from churnml.measures import segments, value_tiers
from churnml.modeling.clv import days_worth
from churnml.modeling.model import Forecast, Model

Values = npt.NDArray[np.float64]

BANDS = ("low", "medium", "high")


@dataclass(frozen=True)
class Terms:
    """On which lifetime value is counted.

    Parameters
    ----------
    discount_rate : float, default 0
        Per year of 365 days: by how much less money of next year is worth.
    cost_to_serve : CostToServe
        In the currency; nothing by default.
    """

    discount_rate: float = 0.0
    cost_to_serve: CostToServe = field(default_factory=CostToServe)

    @classmethod
    def of(cls, config: ScoreConfig) -> Terms:
        """Return what `configs/score.yaml` says."""
        return cls(config.discount_rate, config.cost_to_serve)


IN_FULL = Terms()


@dataclass(frozen=True)
class Scores:
    """The scores of some rows of the population; arrays of shape (n_rows,), money in the currency.

    Parameters
    ----------
    churn_probability : ndarray
        Of silence in the horizon, under business as usual.
    expected_margin : ndarray
        Margin expected in the horizon, on average over many such customers.
    margin_low, margin_median, margin_high : ndarray
        Half of such customers bring less than the median; of ten nine lie within the bounds.
    clv : ndarray
        Margin expected over `value_days`: of one who stays and of one who falls silent, by their probabilities; what
        comes later counts less, and `cost_to_serve` is taken off. Below zero for who costs more than they bring: held
        at zero it would hide them, and sums over customers would come out too high.
    cost_to_serve : ndarray
        Expected over `value_days`, discounted likewise.
    value_if_retained : ndarray
        What staying brings beyond falling silent over `value_days`. The margin of one who stays comes from a model of
        those who stayed, continued by the tail of the buying rhythm; who falls silent may come back, by that rhythm.
        What an order costs to serve is taken off; what a month costs is not in it, for it falls due either way.
    value_at_risk : ndarray
        ``churn_probability * value_if_retained``: what is lost on average, against a customer certain to stay.
    band : ndarray
        'low', 'medium' or 'high'.
    segment : ndarray
        The third of what one who stays brings in the horizon, and the band; a key of `measures.SEGMENTS`.
    forecast : Forecast
        What the learners said, how much of a model they are, and between what the churn probability lies.
    """

    churn_probability: Values
    expected_margin: Values
    margin_low: Values
    margin_median: Values
    margin_high: Values
    clv: Values
    cost_to_serve: Values
    value_if_retained: Values
    value_at_risk: Values
    band: npt.NDArray[np.object_]
    segment: npt.NDArray[np.object_]
    forecast: Forecast


def score(table: FeatureTable, model: Model, value_days: int, terms: Terms = IN_FULL) -> Scores:
    """Return the scores of rows of the population.

    Parameters
    ----------
    table : FeatureTable
        Rows of customers in the population at their cutoff.
    value_days : int
        Days over which lifetime value is counted.
    terms : Terms
        On which it is counted.
    """
    rate, costs = terms.discount_rate, terms.cost_to_serve
    forecast = model.forecast(table, value_days, discount_rate=rate)
    churn = forecast.churn_probability
    per_orders = costs.per_order_day * forecast.orders_if_staying
    left_over = forecast.margin_if_staying - per_orders
    silent = left_over * forecast.tail_if_silent
    if_retained = left_over * forecast.tail_if_staying + forecast.season_if_staying - silent
    # the tails count the horizon in full, however few the days
    months = costs.per_30_days / 30 * days_worth(max(value_days, model.horizon_days), rate)
    band = np.array(BANDS, dtype=np.object_)[np.searchsorted(model.bands, churn, side="right")]
    orders = (1.0 - churn) * forecast.tail_if_staying + churn * forecast.tail_if_silent
    return Scores(
        churn_probability=churn,
        expected_margin=forecast.expected_margin,
        margin_low=forecast.margin_range.low,
        margin_median=forecast.margin_range.median,
        margin_high=forecast.margin_range.high,
        clv=silent + (1.0 - churn) * if_retained - months,
        cost_to_serve=per_orders * orders + months,
        value_if_retained=if_retained,
        value_at_risk=churn * if_retained,
        band=band,
        segment=segments(value_tiers(forecast.margin_if_staying, model.tiers), band),
        forecast=forecast,
    )
