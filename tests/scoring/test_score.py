"""Scores are probabilities and money that fit together, the same for one customer as for all."""

import numpy as np
import pytest

from churnml.config import CostToServe
from churnml.modeling.clv import days_worth
from churnml.scoring.score import BANDS, Terms, score

MONEY = ("expected_margin", "margin_low", "margin_median", "margin_high", "clv", "value_if_retained", "value_at_risk")


def test_a_churn_probability_lies_strictly_between_nought_and_one(scored):
    assert ((scored.scores.churn_probability > 0) & (scored.scores.churn_probability < 1)).all()


@pytest.mark.parametrize("name", MONEY)
def test_money_is_a_number_and_never_negative(scored, name):
    amounts = getattr(scored.scores, name)
    assert np.isfinite(amounts).all()
    assert (amounts >= 0).all()


def test_value_at_risk_is_the_probability_times_the_value_if_retained(scored):
    expected = scored.scores.churn_probability * scored.scores.value_if_retained
    assert np.array_equal(scored.scores.value_at_risk, expected)


def test_a_longer_horizon_of_value_is_never_worth_less(scored):
    year, month = (score(scored.population, scored.model, days) for days in (365, 30))
    assert (year.clv >= month.clv).all()
    assert (score(scored.population, scored.model, 730).clv >= year.clv).all()


def test_bands_change_at_the_thresholds_of_the_model(scored):
    medium, high = scored.model.bands
    expected = np.where(scored.scores.churn_probability >= high, 2, scored.scores.churn_probability >= medium)
    assert [BANDS[place] for place in expected.astype(int)] == list(scored.scores.band)


def test_about_a_third_of_the_customers_of_the_day_of_training_are_of_high_value(scored):
    tiers = [segment.split("_")[0] for segment in scored.scores.segment]
    assert [tiers.count(tier) / len(tiers) for tier in ("low", "mid", "high")] == pytest.approx([1 / 3] * 3, abs=0.02)


def test_a_segment_does_not_depend_on_what_score_yaml_counts(scored):
    other = score(scored.population, scored.model, 30, Terms(0.5, CostToServe(per_order_day=3.0)))
    assert list(other.segment) == list(scored.scores.segment)


@pytest.mark.parametrize("rows", [[0], [7], [2, 0, 1], list(range(100))])
def test_some_customers_score_as_they_do_among_all_bit_for_bit(scored, rows):
    some = score(scored.population.take(np.array(rows)), scored.model, 365)
    for name in ("churn_probability", *MONEY):
        assert getattr(some, name).tobytes() == getattr(scored.scores, name)[rows].tobytes(), name


def test_each_of_a_hundred_customers_scores_alone_as_among_all(scored):
    for row in range(0, len(scored.population), len(scored.population) // 100):
        alone = score(scored.population.take(np.array([row])), scored.model, 365)
        for name in ("churn_probability", *MONEY):
            assert getattr(alone, name)[0] == getattr(scored.scores, name)[row], (name, row)


def on(scored, days=365, rate=0.0, **costs):
    return score(scored.population, scored.model, days, Terms(rate, CostToServe(**costs)))


def test_without_a_discount_and_costs_the_figures_are_those_of_before_to_the_bit(scored):
    for name in ("clv", "value_if_retained", "value_at_risk"):
        assert getattr(on(scored), name).tobytes() == getattr(scored.scores, name).tobytes()
    forecast, p = scored.scores.forecast, scored.scores.churn_probability
    silent = forecast.margin_if_staying * forecast.tail_if_silent
    kept = forecast.margin_if_staying * forecast.tail_if_staying - silent
    assert scored.scores.clv.tolist() == (silent + (1.0 - p) * kept).tolist()


def test_a_higher_rate_is_never_worth_more_and_more_days_never_less(scored):
    plain, usual, high = (on(scored, rate=rate) for rate in (0.0, 0.1, 0.3))
    assert (plain.clv >= usual.clv).all()
    assert (usual.clv >= high.clv).all()
    assert (on(scored, 730, 0.1).clv >= usual.clv).all()
    assert 0.94 < usual.clv.sum() / plain.clv.sum() < 0.98


def test_costs_lower_the_value_by_what_is_told_and_may_leave_less_than_nothing(scored):
    free, dear = on(scored, rate=0.1), on(scored, rate=0.1, per_order_day=3.0, per_30_days=2.0)
    assert free.cost_to_serve.tolist() == [0.0] * len(scored.population)
    assert dear.clv == pytest.approx(free.clv - dear.cost_to_serve)
    assert (dear.clv < 0).any()


def test_what_a_month_costs_falls_due_whether_a_customer_stays_or_not(scored):
    free, monthly = on(scored, rate=0.1), on(scored, rate=0.1, per_30_days=2.0)
    assert monthly.value_if_retained.tolist() == free.value_if_retained.tolist()
    assert monthly.cost_to_serve == pytest.approx(2.0 / 30 * days_worth(365, 0.1))
