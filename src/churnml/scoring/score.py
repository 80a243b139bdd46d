"""One function that turns feature rows into scores, for batch and request alike."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from churnml.features import FeatureTable
from churnml.modeling.model import Forecast, Model

Values = npt.NDArray[np.float64]

BANDS = ("low", "medium", "high")


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
        Margin expected over `value_days`: of one who stays and of one who falls silent, by their probabilities.
    value_if_retained : ndarray
        What staying brings beyond falling silent over `value_days`. The margin of one who stays comes from a model of
        those who stayed, continued by the tail of the buying rhythm; who falls silent may come back, by that rhythm.
    value_at_risk : ndarray
        ``churn_probability * value_if_retained``: what is lost on average, against a customer certain to stay.
    band : ndarray
        'low', 'medium' or 'high'.
    forecast : Forecast
        What the learners said.
    """

    churn_probability: Values
    expected_margin: Values
    margin_low: Values
    margin_median: Values
    margin_high: Values
    clv: Values
    value_if_retained: Values
    value_at_risk: Values
    band: npt.NDArray[np.object_]
    forecast: Forecast


def score(table: FeatureTable, model: Model, value_days: int) -> Scores:
    """Return the scores of rows of the population.

    Parameters
    ----------
    table : FeatureTable
        Rows of customers in the population at their cutoff.
    value_days : int
        Days over which lifetime value is counted.
    """
    forecast = model.forecast(table, value_days)
    churn = forecast.churn_probability
    staying = forecast.margin_if_staying * forecast.tail_if_staying
    silent = forecast.margin_if_staying * forecast.tail_if_silent
    if_retained = staying - silent
    return Scores(
        churn_probability=churn,
        expected_margin=forecast.expected_margin,
        margin_low=forecast.margin_range.low,
        margin_median=forecast.margin_range.median,
        margin_high=forecast.margin_range.high,
        clv=silent + (1.0 - churn) * if_retained,
        value_if_retained=if_retained,
        value_at_risk=churn * if_retained,
        band=np.array(BANDS, dtype=np.object_)[np.searchsorted(model.bands, churn, side="right")],
        forecast=forecast,
    )
